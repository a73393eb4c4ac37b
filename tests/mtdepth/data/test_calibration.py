"""KITTI's chain of calibrations, by hand, on the real files, and where the files are broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mtdepth.config import DataConfig
from mtdepth.data.calibration import Calibration
from tests.mtdepth.data.calibrated import CAMERAS, INERTIAL, LIDAR, write_calibration

POINT = np.array([10.0, 1.0, 0.5, 1.0])
"""Forward, left, up of the lidar."""


def test_a_point_goes_through_the_chain(tmp_path: Path) -> None:
    calibration = Calibration(
        write_calibration(
            tmp_path,
            lidar_T="0.1 -0.2 -0.3",  # (-1, -0.5, 10) becomes (-0.9, -0.7, 9.7)
            R_rect_00="0 -1 0 1 0 0 0 0 1",  # a quarter turn: (0.7, -0.9, 9.7)
            P_rect_02="10 0 4 0.6 0 10 2 0 0 0 1 0",  # camera 2 is 6 cm to the left
        )
    )
    assert calibration.camera_T_velodyne("02") @ POINT == pytest.approx([0.76, -0.9, 9.7, 1])
    assert calibration.camera_T_velodyne("03") @ POINT == pytest.approx([0.2, -0.9, 9.7, 1])


def test_the_inertial_unit_is_one_link_further(tmp_path: Path) -> None:
    calibration = Calibration(
        write_calibration(tmp_path, imu_R="0 -1 0 1 0 0 0 0 1", imu_T="-0.8 0.3 -0.7")
    )
    # turned left: (-1, 10, 0.5); moved: (-1.8, 10.3, -0.2); in a camera's axes:
    assert calibration.camera_T_imu("02") @ POINT == pytest.approx([-10.3, 0.2, -1.8, 1])


def test_the_third_row_of_a_projection_moves_the_camera_too(tmp_path: Path) -> None:
    directory = write_calibration(tmp_path, P_rect_02="10 0 4 0.6 0 10 2 0.2 0 0 1 0.1")
    calibration = Calibration(directory)
    point = calibration.camera_T_velodyne("02") @ POINT
    by_projection = calibration.projection("02") @ [-1, -0.5, 10, 1]
    assert calibration.intrinsics("02") @ point[:3] == pytest.approx(by_projection)


def test_the_real_files(kitti: DataConfig) -> None:
    assert kitti.root
    calibration = Calibration(kitti.root / "2011_09_26")
    for camera in ("02", "03"):
        assert calibration.image_size(camera) == (1242, 375)
        expected = [[721.5377, 0, 609.5593], [0, 721.5377, 172.854], [0, 0, 1]]
        assert calibration.intrinsics(camera) == pytest.approx(np.array(expected))
    for transform in (calibration.camera_T_velodyne, calibration.camera_T_imu):
        left, right = transform("02"), transform("03")
        assert left[:3, :3] @ left[:3, :3].T == pytest.approx(np.eye(3), abs=1e-5)
        # stereo: half a metre to the right, and no turn
        assert (right - left)[:3] == pytest.approx(
            np.array([[0, 0, 0, -0.5327], [0, 0, 0, 0.0027], [0, 0, 0, 0]]), abs=1e-4
        )
        # ahead of the lidar is ahead of the camera
        assert left[:3, :3] @ [1, 0, 0] == pytest.approx([0, 0, 1], abs=0.02)


@pytest.mark.parametrize(
    ("name", "key", "garbled", "found"),
    [
        (CAMERAS, "P_rect_02", "1 2 3", "expected 12 numbers in the line 'P_rect_02', found '1"),
        (CAMERAS, "P_rect_02", "", "expected 12 numbers in the line 'P_rect_02', found ''"),
        (CAMERAS, "P_rect_02", None, "expected a line 'P_rect_02', found none"),
        (CAMERAS, "S_rect_02", "9", "expected 2 numbers in the line 'S_rect_02', found '9'"),
        (CAMERAS, "R_rect_00", "x " * 9, "expected 9 numbers in the line 'R_rect_00', found 'x"),
        (LIDAR, "R", None, "expected a line 'R', found none"),
        (LIDAR, "T", "1 2 nan", "expected 3 numbers in the line 'T', found '1 2 nan'"),
        (INERTIAL, "T", "1 2", "expected 3 numbers in the line 'T', found '1 2'"),
    ],
)
def test_a_broken_line_is_told_with_its_file(
    tmp_path: Path, name: str, key: str, garbled: str | None, found: str
) -> None:
    path = write_calibration(tmp_path) / name
    lines = [line for line in path.read_text().splitlines() if not line.startswith(f"{key}:")]
    path.write_text("\n".join([*lines, *([] if garbled is None else [f"{key}: {garbled}"])]))
    with pytest.raises(ValueError) as caught:
        use(Calibration(tmp_path))
    assert str(caught.value).startswith(f"{path}: {found}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [CAMERAS, LIDAR, INERTIAL])
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00junk" * 9, b"R: 1\nR: \x80\n"])
def test_a_file_that_is_none_is_named(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = write_calibration(tmp_path) / name
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{name}: expected") as caught:
        use(Calibration(tmp_path))
    assert str(path) in str(caught.value)


def use(calibration: Calibration) -> None:
    calibration.image_size("02")
    calibration.camera_T_imu("02")
