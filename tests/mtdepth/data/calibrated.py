"""Calibration files small enough to reckon with by hand."""

from __future__ import annotations

from pathlib import Path

CAMERAS = "calib_cam_to_cam.txt"
LIDAR = "calib_velo_to_cam.txt"
INERTIAL = "calib_imu_to_velo.txt"
AXES = "0 -1 0 0 0 -1 1 0 0"
"""From forward, left, up to right, down, forward."""
LINES: dict[str, dict[str, str]] = {
    CAMERAS: {
        "calib_time": "09-Jan-2012 13:57:47",
        "S_rect_02": "9 5",
        "S_rect_03": "9 5",
        "R_rect_00": "1 0 0 0 1 0 0 0 1",
        "P_rect_02": "10 0 4 0 0 10 2 0 0 0 1 0",
        "P_rect_03": "10 0 4 -5 0 10 2 0 0 0 1 0",
    },
    LIDAR: {"calib_time": "15-Mar-2012 11:37:16", "R": AXES, "T": "0 0 0", "delta_f": "0 0"},
    INERTIAL: {"calib_time": "25-May-2012 16:47:16", "R": "1 0 0 0 1 0 0 0 1", "T": "0 0 0"},
}


def write_calibration(directory: Path, **changed: str) -> Path:
    """The three files, with some lines (`R_rect_00`, `P_rect_02`, ...) told otherwise.

    `lidar_R`, `lidar_T`, `imu_R` and `imu_T` are those of the other two files.
    """
    directory.mkdir(parents=True, exist_ok=True)
    prefixes = {CAMERAS: "", LIDAR: "lidar_", INERTIAL: "imu_"}
    for name, lines in LINES.items():
        told = {key: changed.pop(prefixes[name] + key, value) for key, value in lines.items()}
        text = "".join(f"{key}: {value}\n" for key, value in told.items())
        (directory / name).write_text(text)
    assert not changed, f"no such lines: {list(changed)}"
    return directory
