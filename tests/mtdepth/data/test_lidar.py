"""Lidar scans as sparse depth: a scan by hand, the real one, and broken ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from mtdepth.config import DataConfig, DepthTruth, LidarDepth
from mtdepth.data.calibration import Calibration
from mtdepth.data.kitti import KittiRaw
from mtdepth.data.lidar import depth_from_scan, points_ahead
from mtdepth.data.splits import Frame
from mtdepth.geometry import synthesise
from tests.mtdepth.data.calibrated import write_calibration

DRIVE = "2011_09_26/2011_09_26_drive_0002_sync"
# x forward, y left, z up; the camera's focal length is 10, its axis at (4, 2), its image 9 x 5
POINTS = [
    (10.0, 0.0, 0.0),  # the axis: pixel (4, 2), one less as KITTI counts
    (5.0, 0.0, 0.0),  # the same pixel, nearer
    (10.0, -2.0, 0.0),  # to the right: (6, 2)
    (10.0, 0.0, -1.0),  # down: (4, 3)
    (10.0, -5.0, 0.0),  # the last column
    (10.0, 4.0, 0.0),  # KITTI's shift takes it out of the image
    (10.0, 0.0, 20.0),  # above the image
    (-10.0, 0.0, 0.0),  # behind
    (0.0, 0.0, 0.0),  # the lidar itself
]
EXPECTED = {(1, 3): 5.0, (1, 5): 10.0, (2, 3): 10.0, (1, 8): 10.0}


def project(
    tmp_path: Path,
    points: list[tuple[float, ...]],
    lidar_depth: LidarDepth = "velodyne",
    **changed: str,
) -> dict[Any, float]:
    path = tmp_path / "scan.bin"
    np.array([(*point, 0.5) for point in points], "<f4").tofile(path)
    calibration = Calibration(write_calibration(tmp_path, **changed))
    depth_m = depth_from_scan(path, calibration, "02", lidar_depth)
    assert depth_m.shape == (5, 9)
    assert depth_m.dtype == np.float32
    return {(int(r), int(c)): float(depth_m[r, c]) for r, c in np.argwhere(depth_m)}


def test_points_land_where_they_should(tmp_path: Path) -> None:
    assert project(tmp_path, POINTS) == EXPECTED


def test_their_order_does_not_matter(tmp_path: Path) -> None:
    assert project(tmp_path, POINTS[::-1]) == EXPECTED


def test_depth_is_the_lidars_forward_coordinate(tmp_path: Path) -> None:
    found = project(tmp_path, [(11.0, 0.0, 0.0), (0.5, 0.0, 0.0)], lidar_T="0 0 -1")
    assert found == {(1, 3): 11.0}


def test_or_the_distance_along_the_cameras_axis(tmp_path: Path) -> None:
    # the camera is 1 m ahead; its own offset, as that of KITTI's camera 2, counts too
    found = project(tmp_path, [(11.0, 0.0, 0.0)], "camera", lidar_T="0 0 -1")
    assert found == {(1, 3): 10.0}
    offset = "10 0 4 2 0 10 2 1 0 0 1 0.5"
    found = project(tmp_path, [(11.0, 0.0, 0.0)], "camera", lidar_T="0 0 -1", P_rect_02=offset)
    assert found == {(1, 3): pytest.approx(10.5)}


def test_a_depth_map_is_better_than_a_scan_unless_the_scan_is_asked_for(tmp_path: Path) -> None:
    write_calibration(tmp_path / "2011_09_26")
    drive, frame = tmp_path / DRIVE, Frame(DRIVE, 7)
    depth_map = drive / "proj_depth/groundtruth/image_02/0000000007.png"
    scan = drive / "velodyne_points/data/0000000007.bin"
    for path in (depth_map, scan):
        path.parent.mkdir(parents=True)
    Image.fromarray(np.full((5, 9), 3 * 256, np.uint16)).save(depth_map)
    np.array([(10, 0, 0, 0.5)], "<f4").tofile(scan)
    depths = {
        truth: KittiRaw(tmp_path).depth_m(frame, truth=truth) for truth in get_args(DepthTruth)
    }
    assert {truth: np.unique(x).tolist() for truth, x in depths.items()} == {
        "best": [3],
        "lidar": [0, 10],
    }
    scan.unlink()
    assert KittiRaw(tmp_path).depth_m(frame, truth="lidar") is None


def test_where_the_camera_sees_each_point(tmp_path: Path) -> None:
    # by hand: the camera is 1 m ahead of the lidar; its focal length is 10, its axis at (4, 2)
    path = tmp_path / "scan.bin"
    points = [(11, 0, 0), (6, -2, 1), (6, -2, 1), (6, 50, 0), (0.5, 0, 0), (-9, 0, 0)]
    np.array([(*point, 0.5) for point in points], "<f4").tofile(path)
    calibration = Calibration(write_calibration(tmp_path, lidar_T="0 0 -1"))
    found = points_ahead(path, calibration, "02")
    assert found.points_m == pytest.approx(
        np.array([(0, 0, 10), (2, -1, 5), (2, -1, 5), (-50, 0, 5)])
    )
    assert found.places == pytest.approx(np.array([(4, 2), (8, 0), (8, 0), (-96, 2)]))
    assert found.forward_m == pytest.approx([11, 6, 6, 6])


@pytest.mark.parametrize("lidar_depth", ["velodyne", "camera"])
def test_the_real_scan_reckoned_otherwise(kitti: DataConfig, lidar_depth: LidarDepth) -> None:
    """With the calibration files' matrices, one point after the other."""
    assert kitti.root
    date = kitti.root / "2011_09_26"
    told = {
        key: np.array(values.split(), float)
        for name in ("calib_cam_to_cam.txt", "calib_velo_to_cam.txt")
        for key, _, values in (x.partition(": ") for x in (date / name).read_text().splitlines())
        if key in ("R", "T", "R_rect_00", "P_rect_02")
    }
    rigid, rectify = np.eye(4), np.eye(4)
    rigid[:3, :3], rigid[:3, 3] = told["R"].reshape(3, 3), told["T"]
    rectify[:3, :3] = told["R_rect_00"].reshape(3, 3)
    image_T_velodyne = told["P_rect_02"].reshape(3, 4) @ rectify @ rigid
    path = kitti.root / DRIVE / "velodyne_points/data/0000000000.bin"
    expected: dict[tuple[int, int], float] = {}
    for x, y, z, _ in np.fromfile(path, np.float32).reshape(-1, 4).astype(float):
        u, v, w = image_T_velodyne @ [x, y, z, 1]
        if x < 0 or w <= 0:
            continue
        row, column = round(v / w) - 1, round(u / w) - 1
        if 0 <= row < 375 and 0 <= column < 1242:
            depth_m = x if lidar_depth == "velodyne" else w
            expected[row, column] = min(depth_m, expected.get((row, column), np.inf))
    found = KittiRaw(kitti.root).depth_m(Frame(DRIVE, 0), lidar_depth=lidar_depth)
    assert found is not None
    assert {(int(r), int(c)): found[r, c] for r, c in np.argwhere(found)} == pytest.approx(
        expected, rel=1e-6
    )


def test_the_real_scan_shows_the_real_street(kitti: DataConfig) -> None:
    depth_m = real(kitti, Frame(DRIVE, 0))
    assert depth_m.shape == (375, 1242)
    rows, columns = np.nonzero(depth_m)
    assert 0.03 < len(rows) / depth_m.size < 0.05
    assert rows.min() > 0.3 * 375  # the lidar looks two degrees up
    assert 0 < depth_m[depth_m > 0].min() < 8
    assert 70 < depth_m.max() < 90
    garg = (rows > 0.408 * 375) & (rows < 0.992 * 375) & (columns > 44) & (columns < 1197)
    assert garg.mean() > 0.8
    bands = [depth_m[top : top + 40][depth_m[top : top + 40] > 0] for top in range(180, 360, 40)]
    medians = [float(np.median(band)) for band in bands]
    assert medians == sorted(medians, reverse=True)  # the road comes nearer downwards
    assert medians[-1] < 9


@pytest.mark.parametrize(
    ("source", "share"),
    [(Frame(DRIVE, 3), 0.75), (Frame(DRIVE, 5), 0.75), (Frame(DRIVE, 4, "r"), 0.45)],
)
def test_real_depth_poses_and_cameras_fit_together(
    kitti: DataConfig, source: Frame, share: float
) -> None:
    """What the lidar hit has the colour that another frame, or the other camera, sees there."""
    assert kitti.root
    reader, target = KittiRaw(kitti.root), Frame(DRIVE, 4)
    depth_m = real(kitti, target)
    before, after = reader.world_T_cam(source), reader.world_T_cam(target)
    assert before is not None
    assert after is not None
    source_T_target = torch.from_numpy(np.linalg.inv(before) @ after).float()[None]
    intrinsics = torch.from_numpy(reader.calibration(target).intrinsics("02").copy()).float()[None]
    pictures = [torch.from_numpy(np.array(reader.image(f))).float() / 255 for f in (source, target)]
    there, here = (picture.permute(2, 0, 1)[None] for picture in pictures)
    warped = synthesise(there, torch.from_numpy(depth_m)[None, None], intrinsics, source_T_target)
    known = torch.from_numpy(depth_m > 0)
    error, identity = ((x - here).abs().mean(1)[0][known].mean() for x in (warped, there))
    assert error < share * identity


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "expected a lidar scan, found none"),
        (b"", "expected float32 x, y, z, reflectance; found 0 bytes"),
        (b"\0" * 40, "expected float32 x, y, z, reflectance; found 40 bytes"),
        (b"\0" * 17, "expected float32 x, y, z, reflectance; found 17 bytes"),
        (np.full(8, np.nan, "<f4").tobytes(), "expected points, found numbers that are not finite"),
    ],
)
def test_a_broken_scan_is_named(tmp_path: Path, content: bytes | None, found: str) -> None:
    path = tmp_path / "0000000000.bin"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError) as caught:
        depth_from_scan(path, Calibration(write_calibration(tmp_path)), "02")
    assert str(caught.value) == f"{path}: {found}"


def test_points_out_of_this_world_are_out_of_the_image(tmp_path: Path) -> None:
    assert project(tmp_path, [(1e-3, 3e38, 3e38), (3e38, 0.0, 0.0)]) == {
        (1, 3): pytest.approx(3e38)
    }


def real(kitti: DataConfig, frame: Frame) -> NDArray[np.float32]:
    assert kitti.root
    depth_m = KittiRaw(kitti.root).depth_m(frame)
    assert depth_m is not None
    return depth_m
