"""The odometry benchmark's layout: geometry by hand, and raw's own recordings in it."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtdepth.config import DataConfig
from mtdepth.data.check import check_data
from mtdepth.data.kitti import KittiRaw
from mtdepth.data.loader import open_split
from mtdepth.data.odometry import KittiOdometry
from mtdepth.data.reader import Reader
from mtdepth.data.splits import Frame

SEQUENCE = "sequences/09"
CALIBRATION = {
    "P0": "10 0 4 0 0 10 2 0 0 0 1 0",
    "P1": "10 0 4 -5 0 10 2 0 0 0 1 0",
    "P2": "10 0 4 10 0 10 2 0 0 0 1 0",  # a metre to the left of camera 0
    "P3": "10 0 4 -20 0 10 2 0 0 0 1 0",  # two to the right
    "Tr": "0 -1 0 0 0 0 -1 0 1 0 0 -1",  # the lidar is a metre behind
}
POSES = [
    "1 0 0 0 0 1 0 0 0 0 1 0",
    "1 0 0 0 0 1 0 0 0 0 1 1.5",
    "0 0 1 0 0 1 0 0 -1 0 0 2",  # turned to the right: forward is now along the world's x
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three frames of a sequence, of both cameras, small enough to reckon with by hand."""
    write_calibration(tmp_path, CALIBRATION)
    (tmp_path / "poses").mkdir()
    (tmp_path / "poses/09.txt").write_text("\n".join(POSES) + "\n")
    for folder in ("image_2", "image_3", "instance_2", "velodyne"):
        (tmp_path / SEQUENCE / folder).mkdir()
    for index in range(3):
        for camera, suffix in ((2, "png"), (3, "jpg")):
            path = tmp_path / SEQUENCE / f"image_{camera}/{index:06d}.{suffix}"
            Image.new("RGB", (9, 3 + camera), (60 * camera, 0, index)).save(path)
    Image.fromarray(np.full((5, 9), 26001, np.uint16)).save(
        tmp_path / SEQUENCE / "instance_2/000001.png"
    )
    points = np.array([(11, 0, 0, 0.5), (6, 0, 1, 0.5), (-9, 0, 0, 0.5)], "<f4")
    points.tofile(tmp_path / SEQUENCE / "velodyne/000001.bin")
    return tmp_path


def write_calibration(root: Path, lines: dict[str, str]) -> Path:
    path = root / SEQUENCE / "calib.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{key}: {values}\n" for key, values in lines.items()))
    return path


def left(index: int) -> Frame:
    return Frame(SEQUENCE, index, "l")


def right(index: int) -> Frame:
    return Frame(SEQUENCE, index, "r")


def test_images_of_both_cameras_as_png_or_jpg(root: Path) -> None:
    reader: Reader = KittiOdometry(root)
    assert reader.image_path(left(2)) == root / SEQUENCE / "image_2/000002.png"
    assert reader.image_path(right(2)) == root / SEQUENCE / "image_3/000002.jpg"
    assert reader.image(left(2)).getpixel((0, 0)) == (120, 0, 2)
    assert [reader.image_size(frame) for frame in (left(2), right(2))] == [(9, 5), (9, 6)]


def test_intrinsics(root: Path) -> None:
    for frame in (left(0), right(0)):
        found = KittiOdometry(root).intrinsics(frame)
        assert found.tolist() == [[10, 0, 4], [0, 10, 2], [0, 0, 1]]


def test_poses_are_those_of_the_colour_cameras(root: Path) -> None:
    reader = KittiOdometry(root)
    places_m = {
        left(0): [-1, 0, 0],
        left(1): [-1, 0, 1.5],
        right(1): [2, 0, 1.5],
        left(2): [0, 0, 3],  # what was left is now ahead, as the car has turned right
        right(2): [0, 0, 0],
    }
    for frame, place_m in places_m.items():
        assert reader.has_pose(frame)
        pose = reader.world_T_cam(frame)
        assert pose is not None
        assert pose[:3, 3] == pytest.approx(place_m)
        turned = [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]
        assert pose[:3, :3].tolist() == (turned if frame.index == 2 else np.eye(3).tolist())
        assert pose[3].tolist() == [0, 0, 0, 1]


def test_depth_by_hand(root: Path) -> None:
    """(11, 0, 0) is ten metres ahead of camera 0: (1, 0, 10) to camera 2, in column 4 + 1, and
    (-2, 0, 10) to camera 3, in column 4 - 2. (6, 0, 1) is (1, -1, 5) and (-2, -1, 5), in row
    2 - 2, which is above the image, as KITTI counts pixels from one."""
    reader = KittiOdometry(root)
    seen = {
        frame: {(int(r), int(c)): float(depth_m[r, c]) for r, c in np.argwhere(depth_m)}
        for frame in (left(1), right(1))
        if (depth_m := reader.depth_m(frame)) is not None
    }
    assert seen == {left(1): {(1, 4): 11}, right(1): {(1, 1): 11}}
    along_axis_m = reader.depth_m(left(1), lidar_depth="camera", truth="lidar")
    assert along_axis_m is not None
    assert along_axis_m.shape == (5, 9)
    assert along_axis_m[1, 4] == 10


def test_what_is_not_there_is_none(root: Path) -> None:
    reader = KittiOdometry(root)
    assert reader.has_instances(left(1))
    assert np.unique(reader.instances(left(1))).tolist() == [26001]
    assert [reader.has_depth(frame) for frame in (left(0), left(1), right(1))] == [
        False,
        True,
        True,
    ]
    for frame in (left(-1), left(3), left(10**6), right(3)):
        assert reader.image_path(frame) is None
        assert not reader.has_pose(frame)
        assert reader.world_T_cam(frame) is None
        assert reader.depth_m(frame) is None
    for frame in (left(0), right(1)):
        assert not reader.has_instances(frame)
        assert reader.instances(frame) is None
        assert not reader.has_motion(frame)
        assert reader.motion(frame) is None
    with pytest.raises(ValueError, match=r"sequences/09/image_2/000003\.png: expected an image"):
        reader.image(left(3))


def test_a_reader_goes_to_other_processes(root: Path) -> None:
    reader = KittiOdometry(root)
    for _ in range(2):  # new, and once it has read
        sent = pickle.loads(pickle.dumps(reader))
        assert sent.image_size(left(1)) == reader.image_size(left(1))
        assert np.array_equal(sent.depth_m(left(1)), reader.depth_m(left(1)))
        assert np.array_equal(sent.world_T_cam(left(1)), reader.world_T_cam(left(1)))


def test_a_sequence_without_poses_has_none(root: Path) -> None:
    (root / "poses/09.txt").rename(root / "poses/10.txt")
    assert not KittiOdometry(root).has_pose(left(0))
    assert KittiOdometry(root).world_T_cam(left(0)) is None
    assert KittiOdometry(root).has_pose(Frame("sequences/10", 0))


def test_what_a_broken_file_lacks_is_told(root: Path) -> None:
    def told(match: str, frame: Frame) -> None:
        with pytest.raises(ValueError, match=match):
            KittiOdometry(root).depth_m(frame)

    path = write_calibration(root, {k: v for k, v in CALIBRATION.items() if k != "Tr"})
    told(r"calib\.txt: expected a line 'Tr', found none; KITTI's archive of calib", left(1))
    write_calibration(root, CALIBRATION | {"Tr": "1 2 3"})
    told(r"calib\.txt: expected 12 numbers in the line 'Tr', found '1 2 3'", left(1))
    write_calibration(root, CALIBRATION | {"P2": "what"})
    told(r"calib\.txt: expected 12 numbers in the line 'P2', found 'what'", left(1))
    path.unlink()
    told(r"calib\.txt: expected KITTI's calibration file, found none", left(1))


@pytest.mark.parametrize("text", ["", "1 2 3", "nan " * 12, "x " * 12, "1 " * 12 + "\n1"])
def test_broken_poses_are_named(root: Path, text: str) -> None:
    (root / "poses/09.txt").write_text(text)
    with pytest.raises(ValueError, match=r"poses/09\.txt: expected twelve numbers in every line"):
        KittiOdometry(root).world_T_cam(left(0))


def test_a_size_that_cannot_be_told(root: Path) -> None:
    image = root / SEQUENCE / "image_2/000000.png"
    image.write_bytes(b"")
    with pytest.raises(ValueError, match=r"image_2/000000\.png: expected an image, found"):
        KittiOdometry(root).image_size(left(1))
    for path in image.parent.iterdir():
        path.unlink()
    with pytest.raises(ValueError, match=r"sequences/09/image_2: expected images .* found none"):
        KittiOdometry(root).image_size(left(1))


@pytest.fixture(params=["driveworld", "kitti"])
def recording(request: pytest.FixtureRequest) -> tuple[KittiRaw, str]:
    """A drive of raw's layout, five frames of which have it all."""
    if request.param == "driveworld":
        root: Path = request.getfixturevalue("tiny_world")
        return KittiRaw(root), "2026_01_01/2026_01_01_drive_0000_sync"
    kitti: DataConfig = request.getfixturevalue("kitti")
    assert kitti.root
    return KittiRaw(kitti.root), "2011_09_26/2011_09_26_drive_0002_sync"


def as_sequence(raw: KittiRaw, drive: str, root: Path) -> KittiOdometry:
    """A drive in the odometry benchmark's layout."""
    calibration, lines = raw.calibration(Frame(drive, 0)), dict[str, str]()
    shift_m = np.eye(4)
    for side in ("02", "03"):
        projection = calibration.projection(side)
        lines[f"P{int(side)}"] = " ".join(map(str, projection.ravel()))
    projection = calibration.projection("02")
    shift_m[:3, 3] = np.linalg.inv(projection[:, :3]) @ projection[:, 3]
    camera0_T_velodyne = np.linalg.inv(shift_m) @ calibration.camera_T_velodyne("02")
    lines["Tr"] = " ".join(map(str, camera0_T_velodyne[:3].ravel()))
    write_calibration(root, lines)
    rows = []
    for index in range(5):
        frame, pose = Frame(drive, index), raw.world_T_cam(Frame(drive, index))
        assert pose is not None
        rows.append(" ".join(map(str, (pose @ shift_m)[:3].ravel())))
        for kind, folder in (("image_02", "image_2"), ("instance_02", "instance_2")):
            source = raw.root / drive / kind / f"data/{index:010d}.png"
            target = root / SEQUENCE / folder / f"{index:06d}.png"
            target.parent.mkdir(exist_ok=True)
            target.symlink_to(source)
        scan = root / SEQUENCE / f"velodyne/{index:06d}.bin"
        scan.parent.mkdir(exist_ok=True)
        scan.symlink_to(raw.root / frame.drive / f"velodyne_points/data/{index:010d}.bin")
    (root / "poses").mkdir()
    (root / "poses/09.txt").write_text("\n".join(rows))
    return KittiOdometry(root)


def test_a_recording_reads_the_same_in_either_layout(
    recording: tuple[KittiRaw, str], tmp_path: Path
) -> None:
    raw, drive = recording
    odometry = as_sequence(raw, drive, tmp_path)
    for index in (0, 2, 4):
        there, here = Frame(drive, index), left(index)
        assert odometry.image_size(here) == raw.image_size(there)
        assert odometry.intrinsics(here) == pytest.approx(raw.intrinsics(there))
        assert np.array_equal(odometry.image(here), raw.image(there))
        assert np.array_equal(odometry.instances(here), raw.instances(there))
        assert odometry.world_T_cam(here) == pytest.approx(raw.world_T_cam(there))
        depths_m = [
            reader.depth_m(f, truth="lidar") for reader, f in ((odometry, here), (raw, there))
        ]
        assert depths_m[0] is not None
        assert depths_m[0].any()
        assert np.mean(depths_m[0] != depths_m[1]) < 1e-4  # a point may round to the next pixel


def test_motion_is_worked_out_as_of_raw(kitti: DataConfig, tmp_path: Path) -> None:
    """From nominal times instead of those of oxts, and without the car's own speed."""
    assert kitti.root
    raw, drive = KittiRaw(kitti.root), "2011_09_26/2011_09_26_drive_0002_sync"
    odometry = as_sequence(raw, drive, tmp_path)
    found, expected = odometry.motion(left(2)), raw.motion(Frame(drive, 2))
    assert odometry.has_motion(left(2))
    assert expected is not None
    assert expected.any()
    assert np.array_equal(found, expected)


def test_sequences_are_trained_on_like_any_data(
    recording: tuple[KittiRaw, str], tmp_path: Path
) -> None:
    as_sequence(*recording, tmp_path)
    lists = tmp_path / "splits/odom"
    lists.mkdir(parents=True)
    for name, index in (("train_files", 1), ("val_files", 2), ("test_files_09", 4)):
        (lists / f"{name}.txt").write_text(f"9 {index} l\n")
    told = DataConfig(name="kitti-odometry", root=tmp_path, split="odom", height=64, width=192)
    found = check_data(told)
    assert found["val"].truth.missing() in ([], ["motion"])  # five frames may not tell of motion
    # Whether motion can be worked out is not looked at before the test phase.
    assert found["test"].truth.missing() == ["neighbours", "poses"]
    samples = open_split(told, "train")
    batch = samples.batch([0])
    assert batch.frames.shape == (1, 3, 3, 64, 192)
    assert samples.truth(0).depth_m is not None


def test_the_calibration_of_each_sequence_is_looked_at(root: Path) -> None:
    shutil.copytree(root / SEQUENCE, root / "sequences/10")
    (root / "splits/odom").mkdir(parents=True)
    for name in ("train_files", "val_files", "test_files_10"):
        (root / f"splits/odom/{name}.txt").write_text("9 1 l\n10 1 l\n")
    told = DataConfig(name="kitti-odometry", root=root, split="odom")
    assert [summary.num_samples for summary in check_data(told).values()] == [2, 2, 2]
    (root / "sequences/10/calib.txt").unlink()
    with pytest.raises(ValueError, match=r"sequences/10/calib\.txt: expected KITTI's calibration"):
        check_data(told)


def test_a_missing_sequence_is_told(root: Path) -> None:
    (root / "splits/odom").mkdir(parents=True)
    (root / "splits/odom/train_files.txt").write_text("9 1 l\n8 1 l\n8 2 l\n9 2 l\n")
    with pytest.raises(ValueError) as caught:
        check_data(DataConfig(name="kitti-odometry", root=root, split="odom"))
    lines = str(caught.value).split("\n")
    assert lines[1:3] == [
        "  sequences/08: 2 of 2 triplets incomplete (2 without folder), first missing: "
        "sequences/08;",
        "  sequences/09: 1 of 2 triplets incomplete (1 without neighbour), first missing: "
        f"{SEQUENCE}/image_2/000003.png;",
    ]
    assert lines[3].startswith("KITTI's page 'Visual Odometry / SLAM Evaluation 2012' has")
