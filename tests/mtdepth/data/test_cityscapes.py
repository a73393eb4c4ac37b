"""Cityscapes' geometry and instances by hand, and what is said of files that are not as told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from mtdepth.config import DataConfig, TrainConfig
from mtdepth.data.check import check_data
from mtdepth.data.cityscapes import Cityscapes
from mtdepth.data.loader import SplitData, open_split
from mtdepth.data.source import RawSource
from mtdepth.data.splits import SPLITS, Frame
from mtdepth.geometry import backproject
from mtdepth.losses import task_losses
from mtdepth.model.network import Network
from tests.mtdepth.data.cityscapes_files import (
    AACHEN,
    BONNET,
    SMALL,
    path_of,
    write_camera,
    write_image,
    write_map,
    write_snippet,
)

TRUE = (2048, 1024)
RIGHT = Frame(AACHEN.drive, AACHEN.index, "r")


def grey(size: tuple[int, int] = SMALL) -> NDArray[np.uint8]:
    return np.full((size[1], size[0], 3), 90, np.uint8)


def codes(size: tuple[int, int] = SMALL) -> NDArray[np.uint16]:
    return np.zeros((size[1], size[0]), np.uint16)


@pytest.mark.parametrize("size", [TRUE, SMALL, (250, 125)])
def test_the_lower_quarter_is_cut_off(tmp_path: Path, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, BONNET, (size[1], size[0], 3), np.uint8)
    write_image(tmp_path, AACHEN, noise)
    reader = Cityscapes(tmp_path)
    image = reader.image(AACHEN)
    assert image.mode == "RGB"
    assert image.size == reader.image_size(AACHEN) == (size[0], size[1] * 3 // 4)
    assert np.array_equal(np.asarray(image), noise[: size[1] * 3 // 4])


def test_maps_lose_the_same_rows(tmp_path: Path) -> None:
    write_snippet(tmp_path)
    cars, depths = codes(), codes()
    cars[:96], cars[96:] = 26000, 26001
    depths[:96], depths[96:] = 5121, 257
    write_map(tmp_path, AACHEN, "gtFine", cars)
    write_map(tmp_path, AACHEN, "disparity", depths)
    reader = Cityscapes(tmp_path)
    instances, depth_m = reader.instances(AACHEN), reader.depth_m(AACHEN)
    assert instances is not None
    assert depth_m is not None
    assert instances.shape == depth_m.shape == (96, 256)
    assert (instances == 26000).all()
    assert depth_m == pytest.approx(np.full((96, 256), 22.6))


def test_a_point_of_the_street(tmp_path: Path) -> None:
    """226 columns and 220 rows from the principal point, a disparity of 20 pixels."""
    values = codes(TRUE)
    values[735, 1321] = 1 + 20 * 256
    write_image(tmp_path, AACHEN, grey(TRUE))
    write_camera(tmp_path, AACHEN)
    write_map(tmp_path, AACHEN, "disparity", values)
    reader = Cityscapes(tmp_path)
    depth_m, intrinsics = reader.depth_m(AACHEN), reader.intrinsics(AACHEN)
    assert intrinsics.tolist() == [[2260, 0, 1095], [0, 2200, 515], [0, 0, 1]]
    assert depth_m is not None
    assert np.count_nonzero(depth_m) == 1
    metres, camera = torch.from_numpy(depth_m)[None, None].double(), torch.from_numpy(intrinsics)
    point = backproject(metres, camera[None])[0, :, 735, 1321]
    # 0.2 m * 2260 px / 20 px = 22.6 m; 22.6 m * 226 px / 2260 px; 22.6 m * 220 px / 2200 px
    assert point.tolist() == pytest.approx([2.26, 2.26, 22.6])


def test_values_of_a_disparity_map(tmp_path: Path) -> None:
    write_snippet(tmp_path)
    values = codes()
    values[0, :5] = [0, 1, 2, 257, 65535]
    write_map(tmp_path, AACHEN, "disparity", values)
    depth_m = Cityscapes(tmp_path).depth_m(AACHEN)
    assert depth_m is not None
    assert depth_m.dtype == np.float32
    # invalid, infinite, 1/256 pixel, 1 pixel, 65534/256 pixels
    assert depth_m[0, :5].tolist() == pytest.approx([0, 0, 452 * 256, 452, 452 * 256 / 65534])


def test_intrinsics_of_a_resized_copy(tmp_path: Path) -> None:
    write_snippet(tmp_path)  # an eighth: the principal point is 1095.5 / 8 from the image's edge
    assert Cityscapes(tmp_path).intrinsics(AACHEN) == pytest.approx(
        np.array([[282.5, 0, 136.4375], [0, 275, 63.9375], [0, 0, 1]])
    )


@pytest.mark.parametrize("size", [SMALL, TRUE])
def test_maps_come_at_the_size_of_the_image(tmp_path: Path, size: tuple[int, int]) -> None:
    """Whether they were resized with it or not, and with the same depth: 20 pixels of 2048."""
    write_snippet(tmp_path, size=SMALL)
    scale = size[0] // 256
    disparity, instances = codes(size), codes(size)
    disparity[8 * scale : 9 * scale, 200 * scale : 201 * scale] = 5121
    instances[8 * scale : 9 * scale, 200 * scale : 201 * scale] = 28003
    write_map(tmp_path, AACHEN, "disparity", disparity)
    write_map(tmp_path, AACHEN, "gtFine", instances)
    reader = Cityscapes(tmp_path)
    depth_m, found = reader.depth_m(AACHEN), reader.instances(AACHEN)
    assert depth_m is not None
    assert found is not None
    for values, expected in ((depth_m, 22.6), (found, 28003)):
        assert values.shape == (96, 256)
        assert np.argwhere(values).tolist() == [[8, 200]]
        assert values[8, 200] == pytest.approx(expected)


def test_single_instances_of_eight_classes(tmp_path: Path) -> None:
    write_snippet(tmp_path)
    kept = [24003, 25002, 26000, 26001, 27000, 28000, 31000, 32004, 33019]
    others = [0, 3, 7, 23, 24, 26, 33, 5000, 29000, 30001, 34000]  # stuff, groups, caravans, ...
    values = codes()
    values[0, : len(kept)], values[1, : len(others)] = kept, others
    write_map(tmp_path, AACHEN, "gtFine", values)
    found = Cityscapes(tmp_path).instances(AACHEN)
    assert found is not None
    assert found.dtype == np.int32
    assert found[0, : len(kept)].tolist() == kept
    assert np.count_nonzero(found) == len(kept)


def test_what_belongs_to_annotated_frames_alone(tmp_path: Path) -> None:
    write_snippet(tmp_path, steps=(-1, 0, 1))
    write_image(tmp_path, RIGHT, grey())
    reader = Cityscapes(tmp_path)
    assert reader.has_instances(AACHEN)
    assert reader.has_depth(AACHEN)
    for frame in (AACHEN.shifted(-1), AACHEN.shifted(1), RIGHT):
        assert reader.image(frame).size == (256, 96)
        assert np.array_equal(reader.intrinsics(frame), reader.intrinsics(AACHEN))
        assert not reader.has_instances(frame)
        assert reader.instances(frame) is None
        assert not reader.has_depth(frame)
        assert reader.depth_m(frame) is None


def test_annotations_of_the_published_test_split_are_withheld(tmp_path: Path) -> None:
    berlin = write_snippet(tmp_path, Frame("test/berlin/berlin_000000", 19))
    reader = Cityscapes(tmp_path)
    assert not reader.has_instances(berlin)
    assert reader.instances(berlin) is None
    assert reader.has_depth(berlin)
    assert reader.depth_m(berlin) is not None


def test_what_cityscapes_does_not_have(tmp_path: Path) -> None:
    write_snippet(tmp_path)
    reader = Cityscapes(tmp_path)
    assert not reader.has_depth(AACHEN, truth="lidar")
    assert reader.depth_m(AACHEN, truth="lidar") is None
    assert not reader.has_motion(AACHEN)
    assert reader.motion(AACHEN) is None
    assert not reader.has_pose(AACHEN)
    assert reader.world_T_cam(AACHEN) is None


def test_where_images_lie(tmp_path: Path) -> None:
    reader = Cityscapes(tmp_path)
    name = "train/aachen/aachen_000000_000019"
    assert reader.image_path(AACHEN) is None
    alone = write_image(tmp_path, AACHEN, grey(), video="")
    assert reader.image_path(AACHEN) == alone == tmp_path / f"leftImg8bit/{name}_leftImg8bit.png"
    in_video = tmp_path / f"leftImg8bit_sequence/{name}_leftImg8bit.png"
    assert reader.expected_path(AACHEN) == in_video
    as_jpg = path_of(tmp_path, "leftImg8bit_sequence", AACHEN, "leftImg8bit.jpg")
    Image.fromarray(grey()).save(as_jpg)
    assert reader.image_path(AACHEN) == as_jpg
    write_image(tmp_path, AACHEN, grey())
    assert reader.image_path(AACHEN) == in_video
    assert reader.image_path(RIGHT) is None
    write_image(tmp_path, RIGHT, grey())
    right = tmp_path / f"rightImg8bit_sequence/{name}_rightImg8bit.png"
    assert reader.image_path(RIGHT) == reader.expected_path(RIGHT) == right


@pytest.mark.parametrize("frame", [AACHEN, AACHEN.shifted(-20), RIGHT])
def test_a_missing_image_is_named(tmp_path: Path, frame: Frame) -> None:
    reader = Cityscapes(tmp_path)
    for read in (reader.image, reader.image_size, reader.intrinsics):
        with pytest.raises(ValueError, match="expected an image") as caught:
            read(frame)
        assert str(caught.value).startswith(f"{reader.expected_path(frame)}: ")


def focal_length(root: Path, frame: Frame) -> float:
    if Cityscapes(root).image_path(frame) is None:
        write_image(root, frame, grey(TRUE))
    return float(Cityscapes(root).intrinsics(frame)[0, 0])


def test_a_snippet_has_the_camera_of_its_annotated_frame(tmp_path: Path) -> None:
    """In a city that counts on, the 20th of 30 frames has any number."""
    hamburg = Frame("train/hamburg/hamburg_000000", 629)
    write_camera(tmp_path, hamburg)
    write_camera(tmp_path, Frame("train/hamburg/hamburg_000001", 600), fx=1)
    for step in (-19, -1, 0, 10):
        assert focal_length(tmp_path, hamburg.shifted(step)) == 2260
    for step in (-20, 11):
        frame = hamburg.shifted(step)
        with pytest.raises(ValueError, match="expected Cityscapes' camera file of") as caught:
            focal_length(tmp_path, frame)
        path = tmp_path / f"camera/{hamburg.drive}_{frame.index:06d}_camera.json"
        assert str(caught.value).startswith(f"{path}: ")


def test_of_two_annotated_frames_the_nearer_one_tells(tmp_path: Path) -> None:
    first = Frame("train/hamburg/hamburg_000000", 1000)
    write_camera(tmp_path, first, fx=1)
    write_camera(tmp_path, first.shifted(15), fx=2)
    found = [focal_length(tmp_path, first.shifted(step)) for step in (-5, 0, 7, 8, 10, 25)]
    assert found == [1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"fx": None}, "expected a positive number intrinsic.fx, found none"),
        ({"fy": 0}, "expected a positive number intrinsic.fy, found 0"),
        ({"u0": "left"}, 'expected a number intrinsic.u0, found "left"'),
        ({"v0": float("nan")}, "expected a number intrinsic.v0, found NaN"),
        ({"v0": [1, 2]}, "expected a number intrinsic.v0, found [1, 2]"),
        ({"baseline": None}, "expected a positive number extrinsic.baseline, found none"),
        ({"baseline": -0.2}, "expected a positive number extrinsic.baseline, found -0.2"),
    ],
)
def test_a_number_that_is_none_is_told(
    tmp_path: Path, changed: dict[str, object], found: str
) -> None:
    write_snippet(tmp_path)
    path = write_camera(tmp_path, AACHEN, **changed)
    with pytest.raises(ValueError) as caught:
        Cityscapes(tmp_path).intrinsics(AACHEN)
    assert str(caught.value) == f"{path}: {found}"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "expected Cityscapes' camera file, found no JSON: "),
        (b'{"extrinsic": {"base', "expected Cityscapes' camera file, found no JSON: "),
        (b"\xff\xfe\x00", "expected Cityscapes' camera file, found no JSON: "),
        (b"[1, 2]", "expected a positive number intrinsic.fx, found none"),
        (b'{"intrinsic": 3}', "expected a positive number intrinsic.fx, found none"),
    ],
)
def test_a_file_that_is_no_camera_is_told(tmp_path: Path, content: bytes, found: str) -> None:
    write_snippet(tmp_path)
    path = write_camera(tmp_path, AACHEN)
    path.write_bytes(content)
    with pytest.raises(ValueError) as caught:
        Cityscapes(tmp_path).depth_m(AACHEN)
    assert str(caught.value).startswith(f"{path}: {found}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [(2048, 768), (640, 192), (1025, 512)])
def test_another_shape_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    """Cropped before, perhaps: its intrinsics can't be known."""
    told = rf": expected 2048x1024 pixels, or .* found {size[0]}x{size[1]}$"
    write_snippet(tmp_path)
    reader = Cityscapes(tmp_path)
    path = write_map(tmp_path, AACHEN, "disparity", codes(size))
    with pytest.raises(ValueError, match=told) as caught:
        reader.depth_m(AACHEN)
    assert str(caught.value).startswith(str(path))
    path = write_image(tmp_path, AACHEN.shifted(1), grey(size))
    for read in (reader.image, reader.image_size, reader.intrinsics):
        with pytest.raises(ValueError, match=told) as caught:
            read(AACHEN.shifted(1))
        assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("kept", [0, 0.5])
def test_a_truncated_file_is_named(tmp_path: Path, kept: float) -> None:
    write_snippet(tmp_path)
    reader = Cityscapes(tmp_path)
    reader.image(AACHEN)
    maps = [write_map(tmp_path, AACHEN, name, codes()) for name in ("gtFine", "disparity")]
    image = write_image(tmp_path, AACHEN, grey())
    for path in (*maps, image):
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    reads = (reader.instances, reader.depth_m, reader.image)
    for read, path in zip(reads, (*maps, image), strict=True):
        with pytest.raises(ValueError, match="expected a whole") as caught:
            read(AACHEN)
        assert str(caught.value).startswith(f"{path}: ")


def test_data_is_checked_and_read_by_its_name(tmp_path: Path) -> None:
    for i in range(10):
        write_snippet(tmp_path, Frame(f"train/city{i}/city{i}_000000", 19), steps=(-1, 0, 1))
    frankfurt = write_snippet(tmp_path, Frame("val/frankfurt/frankfurt_000000", 294))
    config = DataConfig(name="cityscapes", root=tmp_path)
    found = check_data(config)
    assert [found[split].num_samples for split in SPLITS] == [9, 1, 1]
    assert [found[split].truth.neighbours for split in SPLITS] == [True, True, False]
    assert all(found[split].truth.depth and found[split].truth.instances for split in SPLITS)
    assert not any(found[split].truth.poses or found[split].truth.motion for split in SPLITS)
    batch = open_split(config, "train").batch([8, 0])
    assert batch.frames.shape[:3] == (2, 3, 3)
    assert batch.instances is not None
    (tmp_path / f"camera/{frankfurt.drive}_000294_camera.json").unlink()
    with pytest.raises(ValueError, match=r"frankfurt_000000_000294_camera\.json: expected"):
        check_data(config)


def test_a_batch_is_learned_from(tmp_path: Path) -> None:
    write_snippet(tmp_path, steps=(-1, 0, 1))
    seen = DataConfig(height=64, width=192)
    data = SplitData([AACHEN], RawSource(seen, Cityscapes(tmp_path)))
    assert data.has_neighbours(0)
    batch = data.batch([0]).to("cpu")
    assert batch.sources.shape == (1, 2, 3, 64, 192)
    assert batch.target[:, :, -1].mean() < 0.8  # no bonnet
    assert not torch.equal(batch.sources[:, 0], batch.target)
    # 256x96 becomes 192x64: 282.5 * 3/4, 275 * 2/3, 136.9375 * 3/4 - 0.5, 64.4375 * 2/3 - 0.5
    assert batch.intrinsics[0].tolist() == [
        pytest.approx([211.875, 0, 102.203125]),
        pytest.approx([0, 183.333333, 42.458333]),
        [0, 0, 1],
    ]
    assert batch.instances is not None
    # columns 64 to 128 of 256 become 48 to 96 of 192, rows 32 to 64 of 96 become 21 to 43 of 64
    assert batch.instances.measures.tolist() == [[[71.5, 31.5, 48 * 22]]]
    told = {"encoder": {"width": 8, "weights": "none"}, "decoder": {"width": 4}}
    config = TrainConfig.model_validate(told)
    network = Network(config)
    losses = task_losses(network(batch.target, batch.sources), batch, config)
    sum(losses.values()).backward()
    assert set(losses) == {"depth", "instances"}
    assert all(loss.isfinite() for loss in losses.values())
    slopes = [p.grad for p in network.parameters() if p.grad is not None]
    assert slopes
    assert all(slope.isfinite().all() for slope in slopes)
