"""One drive on disk, in KITTI raw's layout, and the lists of splits."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image

from mtdepth.data.driveworld import calibration, lidar, oxts
from mtdepth.data.driveworld.config import DriveworldConfig
from mtdepth.data.driveworld.render import Frame, render_drive
from mtdepth.data.driveworld.solids import Array
from mtdepth.data.driveworld.world import SPLITS, split_sizes

DATE = "2026_01_01"
START = datetime(2026, 1, 1, 12)
IMAGES, INSTANCES, MOTION = "image_02/data", "instance_02/data", "motion_02/data"
DEPTH = "proj_depth/groundtruth/image_02"
SCANS, OXTS = "velodyne_points/data", "oxts/data"
DEPTH_UNITS_PER_M = 256.0


def drive_name(index: int) -> str:
    """The folder of a drive under the data set's root."""
    return f"{DATE}/{DATE}_drive_{index:04d}_sync"


def write_drive(root: Path, config: DriveworldConfig, index: int) -> None:
    """Render drive `index` into its folder under `root`."""
    drive = root / drive_name(index)
    folders = (IMAGES, INSTANCES, MOTION, DEPTH, OXTS, *((SCANS,) if config.lidar else ()))
    for folder in folders:
        (drive / folder).mkdir(parents=True)
    poses = []
    for frame in render_drive(config, index):
        _write_frame(drive, config, index, frame)
        poses.append(frame.world_T_cam)
    _write_poses(drive, np.stack(poses), config.fps)


def write_common(root: Path, config: DriveworldConfig) -> None:
    """Calibration and split lists."""
    (root / DATE).mkdir(parents=True)
    calibration.write(root / DATE, config.width, config.height)
    splits = root / "splits" / "driveworld"
    splits.mkdir(parents=True)
    first = 0
    for name, count in zip(SPLITS, split_sizes(config), strict=True):
        lines = [
            f"{drive_name(index)} {frame} l\n"
            for index in range(first, first + count)
            for frame in range(1, config.num_frames - 1)
        ]
        (splits / f"{name}_files.txt").write_text("".join(lines), encoding="ascii")
        first += count


def _write_frame(drive: Path, config: DriveworldConfig, index: int, frame: Frame) -> None:
    name = f"{frame.index:010d}"
    depth = np.rint(frame.depth_m * DEPTH_UNITS_PER_M)
    depth = np.where(depth < 2**16, depth, 0).astype(np.uint16)
    pictures = {IMAGES: frame.image, INSTANCES: frame.instances, MOTION: frame.motion, DEPTH: depth}
    for folder, picture in pictures.items():
        Image.fromarray(picture).save(drive / folder / f"{name}.png", compress_level=3)
    if config.lidar:
        rng = np.random.default_rng([config.seed, index, frame.index])
        points = lidar.scan(frame.placed, frame.world_T_cam, config.width, rng)
        points.astype("<f4").tofile(drive / SCANS / f"{name}.bin")


def _write_poses(drive: Path, world_T_cam: Array, fps: float) -> None:
    first_T_cam = np.linalg.inv(world_T_cam[0]) @ world_T_cam
    rows = (" ".join(repr(float(v)) for v in pose[:3].ravel()) for pose in first_T_cam)
    (drive / "poses_02.txt").write_text("".join(f"{row}\n" for row in rows), encoding="ascii")
    times = []
    for number, record in enumerate(oxts.records(world_T_cam, fps)):
        fields = [repr(float(v)) for v in record[:25]] + [str(int(v)) for v in record[25:]]
        path = drive / OXTS / f"{number:010d}.txt"
        path.write_text(" ".join(fields) + "\n", encoding="ascii")
        time = START + timedelta(seconds=number / fps)
        times.append(f"{time:%Y-%m-%d %H:%M:%S.%f}000\n")
    text = "".join(times)
    for folder in ("oxts", "image_02"):
        (drive / folder / "timestamps.txt").write_text(text, encoding="ascii")
