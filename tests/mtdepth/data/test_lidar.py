"""Lidar scans as sparse depth: a scan by hand, the real one, and broken ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mtdepth.config import DataConfig
from mtdepth.data.calibration import Calibration
from mtdepth.data.kitti import KittiRaw
from mtdepth.data.lidar import depth_from_scan
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


def project(tmp_path: Path, points: list[tuple[float, ...]], **changed: str) -> dict[Any, float]:
    path = tmp_path / "scan.bin"
    np.array([(*point, 0.5) for point in points], "<f4").tofile(path)
    depth_m = depth_from_scan(path, Calibration(write_calibration(tmp_path, **changed)), "02")
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
