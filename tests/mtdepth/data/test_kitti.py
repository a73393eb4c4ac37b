"""One reader for the real thing and for driveworld."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtdepth.config import DataConfig
from mtdepth.data.kitti import KittiRaw
from mtdepth.data.splits import Frame, read_split

REAL = "2011_09_26/2011_09_26_drive_{:04d}_sync"
LABELS = {24, 25, 26, 27, 28, 31, 32, 33}


class Drive:
    """A frame in the middle of a drive, and the size of its images."""

    def __init__(self, root: Path, name: str, width: int, height: int) -> None:
        self.reader, self.root = KittiRaw(root), root
        self.frame, self.shape = Frame(name, 2), (height, width)


@pytest.fixture(params=["driveworld", "kitti-png", "kitti-jpg"])
def drive(request: pytest.FixtureRequest) -> Drive:
    if request.param == "driveworld":
        root = request.getfixturevalue("tiny_world")
        return Drive(root, "2026_01_01/2026_01_01_drive_0000_sync", 192, 64)
    kitti: DataConfig = request.getfixturevalue("kitti")
    assert kitti.root
    if request.param == "kitti-png":
        return Drive(kitti.root, REAL.format(2), 1242, 375)
    return Drive(kitti.root, REAL.format(95), 1242, 375)


def test_images(drive: Drive) -> None:
    image = drive.reader.image(drive.frame)
    assert (image.mode, image.size[::-1]) == ("RGB", drive.shape)
    assert np.asarray(image).std() > 20
    assert drive.reader.calibration(drive.frame).image_size("02") == image.size


def test_instances(drive: Drive) -> None:
    found = drive.reader.instances(drive.frame)
    assert found is not None
    assert drive.reader.has_map(drive.frame, "instance")
    assert (found.shape, found.dtype) == (drive.shape, np.int32)
    present = set(np.unique(found).tolist())
    assert 0 in present
    assert {value // 1000 for value in present - {0}} <= LABELS
    assert len(present) > 2


def test_depth_where_it_is_known(drive: Drive) -> None:
    depth_m = drive.reader.depth_m(drive.frame)
    assert (depth_m is not None) == drive.reader.has_depth(drive.frame)
    if depth_m is None:
        assert not (drive.root / drive.frame.drive / "velodyne_points").exists()
        return
    assert (depth_m.shape, depth_m.dtype) == (drive.shape, np.float32)
    known = depth_m[depth_m > 0]
    assert 0.5 < known.min() < known.max() < 256
    assert 3 < np.median(known) < 40


def test_poses_where_they_are_known(drive: Drive) -> None:
    before, after = (drive.reader.world_T_cam(drive.frame.shifted(step)) for step in (0, 1))
    assert (before is not None) == drive.reader.has_pose(drive.frame)
    if before is None or after is None:
        assert not (drive.root / drive.frame.drive / "oxts").exists()
        return
    motion = np.linalg.inv(before) @ after
    assert motion.shape == (4, 4)
    assert 0.4 < motion[2, 3] < 1.4
    assert np.linalg.det(motion) == pytest.approx(1)


@pytest.mark.parametrize("index", [-1, 10**6])
def test_a_drive_ends(drive: Drive, index: int) -> None:
    outside, reader = Frame(drive.frame.drive, index), drive.reader
    assert reader.image_path(outside) is None
    assert reader.instances(outside) is None
    assert reader.motion(outside) is None
    assert not reader.has_depth(outside)
    assert reader.depth_m(outside) is None
    assert not reader.has_pose(outside)
    assert reader.world_T_cam(outside) is None
    with pytest.raises(ValueError, match=rf"{index:010d}\.png: expected an image"):
        reader.image(outside)


def test_left_and_right(kitti: DataConfig) -> None:
    assert kitti.root
    reader = KittiRaw(kitti.root)
    left, right = Frame(REAL.format(2), 4, "l"), Frame(REAL.format(2), 4, "r")
    paths = [reader.image_path(frame) for frame in (left, right)]
    assert [path.parts[-3] for path in paths if path] == ["image_02", "image_03"]
    assert reader.instances(right) is None
    poses = [reader.world_T_cam(frame) for frame in (left, right)]
    assert poses[0] is not None
    assert poses[1] is not None
    assert (np.linalg.inv(poses[0]) @ poses[1])[:3, 3] == pytest.approx([0.533, 0, 0], abs=0.003)


def test_the_right_camera_does_not_have_the_left_ones_poses(tiny_world: Path) -> None:
    reader, frame = KittiRaw(tiny_world), Frame("2026_01_01/2026_01_01_drive_0000_sync", 1)
    left, right = (reader.world_T_cam(Frame(frame.drive, 1, side)) for side in ("l", "r"))
    assert left is not None
    assert right is not None  # from oxts
    assert not np.allclose(left, right, atol=1)


def test_the_maps_of_a_world_agree(tiny_world: Path) -> None:
    reader = KittiRaw(tiny_world)
    for _, frame in read_split(tiny_world / "splits/driveworld/train_files.txt"):
        instances, motion = reader.instances(frame), reader.motion(frame)
        assert instances is not None
        assert motion is not None
        assert motion.dtype == np.uint8
        assert np.array_equal(instances > 0, motion > 0)
        for instance in np.unique(instances[instances > 0]):
            assert len(np.unique(motion[instances == instance])) == 1


@pytest.fixture
def broken(tiny_world: Path, tmp_path: Path) -> Path:
    """One drive of the tiny world, to be broken."""
    name = "2026_01_01/2026_01_01_drive_0000_sync"
    shutil.copytree(tiny_world / name, tmp_path / name)
    return tmp_path / name


@pytest.mark.parametrize("text", ["1 2 3", "x " * 12, "1 " * 12 + "\n" + "1 " * 11])
def test_broken_poses_are_named(broken: Path, text: str) -> None:
    path = broken / "poses_02.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match="expected twelve numbers in every line") as caught:
        KittiRaw(broken.parents[1]).world_T_cam(Frame("/".join(broken.parts[-2:]), 0))
    assert str(path) in str(caught.value)


def test_a_pose_that_is_not_listed_is_unknown(broken: Path) -> None:
    path = broken / "poses_02.txt"
    path.write_text("\n".join(path.read_text().splitlines()[:2]) + "\n\n")
    reader, name = KittiRaw(broken.parents[1]), "/".join(broken.parts[-2:])
    assert [reader.has_pose(Frame(name, i)) for i in range(-1, 4)] == [0, 1, 1, 0, 0]


def test_a_depth_map_counts_in_256ths_of_a_metre(broken: Path) -> None:
    path = broken / "proj_depth/groundtruth/image_02/0000000000.png"
    Image.fromarray(np.array([[0, 256, 2688]], np.uint16)).save(path)
    found = KittiRaw(broken.parents[1]).depth_m(Frame("/".join(broken.parts[-2:]), 0))
    assert found is not None
    assert found.tolist() == [[0, 1, 10.5]]
