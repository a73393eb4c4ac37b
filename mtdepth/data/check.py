"""Looks a data set over before anything is trained on it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtdepth.config import DataConfig, DepthTruth, EvaluationConfig
from mtdepth.data.kitti import KittiRaw, is_whole
from mtdepth.data.splits import SPLITS, Frame, SplitList, list_split
from mtdepth.metrics.names import Split, Truth

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class SplitSummary:
    """What one split holds."""

    num_samples: int
    truth: Truth
    """What its samples can be judged against; present where any sample has it."""
    fingerprint: str
    """Of its list, and of the names and sizes of its images."""
    unlabelled: str | None = None
    """Why the task 'instances' can't be learned from it; None where it can."""


def data_root(config: DataConfig, on_progress: Progress | None = None) -> Path:
    """The directory of the data; driveworld is rendered there when it is missing.

    Args:
        config: names the data.
        on_progress: called with drives rendered and drives in all.

    Raises:
        ValueError: the directory is missing, or holds something else.
    """
    if config.name == "driveworld":
        from mtdepth.data.driveworld import ensure

        world = config.driveworld
        return ensure(
            world,
            config.root or Path("data") / f"driveworld-{world.fingerprint()}",
            progress=on_progress,
        )
    if config.root is None:
        raise ValueError(
            "data.root: expected the directory of KITTI raw, found none; set base.data.root"
        )
    if not config.root.is_dir():
        raise ValueError(
            f"data.root: expected the directory of KITTI raw, found nothing at {config.root}"
        )
    return config.root


def check_data(
    config: DataConfig,
    on_progress: Progress | None = None,
    *,
    evaluation: EvaluationConfig | None = None,
) -> dict[Split, SplitSummary]:
    """Sees that every frame that the splits name is there and whole.

    Args:
        config: names the data.
        on_progress: called with drives rendered and drives in all.
        evaluation: tells what counts as true depth.

    Raises:
        ValueError: one line that names what is missing or broken, and where.
    """
    root = data_root(config, on_progress)
    told = evaluation or EvaluationConfig()
    return {
        split: _check_split(KittiRaw(root), list_split(config, root, split), split, told)
        for split in SPLITS
    }


def unlabelled(frames: Sequence[Frame], has_instances: Callable[[Frame], bool]) -> str | None:
    """One line about the images that the task 'instances' can't be taught by, if there are any."""
    without = [frame for frame in frames if not has_instances(frame)]
    if not without:
        return None
    return (
        "tasks: 'instances' expects an instance map beside each training image "
        f"(<drive>/instance_02/data/*.png), found none for {without[0]} "
        f"({len(without)} of {len(frames)} images have none)"
    )


def _check_split(
    reader: KittiRaw, listed: SplitList, split: Split, evaluation: EvaluationConfig
) -> SplitSummary:
    paths: dict[Frame, Path] = {}
    missing: list[str] = []
    with_neighbours = False
    for place, frame in zip(listed.places, listed.frames, strict=True):
        found = [reader.image_path(frame.shifted(step)) for step in (-1, 0, 1)]
        needed = range(3) if split != "test" else [1]
        with_neighbours |= None not in found
        for step in needed:
            if found[step] is None:
                expected = reader.expected_path(frame.shifted(step - 1))
                missing.append(f"{place}: expected an image at {expected}, found none")
        paths |= {frame.shifted(i - 1): p for i, p in enumerate(found) if p is not None}
    if missing:
        more = f" (and {len(missing) - 1} more frames are missing)" if len(missing) > 1 else ""
        raise ValueError(missing[0] + more)
    for image in paths.values():
        if not is_whole(image):
            raise ValueError(f"{image}: expected a whole png or jpg image, found a truncated one")
    frames = list(listed.frames)
    _try_out(reader, frames, evaluation)
    return SplitSummary(
        num_samples=len(frames),
        truth=_truth(reader, frames, with_neighbours, evaluation.truth),
        fingerprint=_fingerprint(reader.root, listed, paths),
        unlabelled=unlabelled(frames, reader.has_instances),
    )


def _try_out(reader: KittiRaw, frames: list[Frame], evaluation: EvaluationConfig) -> None:
    """Reads all that belongs to one frame of each date and camera, its calibration above all."""
    for frame in {(Path(f.drive).parent, f.camera): f for f in reversed(frames)}.values():
        calibration = reader.calibration(frame)
        calibration.image_size(frame.camera)
        calibration.intrinsics(frame.camera)
        reader.depth_m(frame, truth=evaluation.truth, lidar_depth=evaluation.lidar_depth)
        reader.instances(frame)
        reader.motion(frame)
        reader.world_T_cam(frame)


def _truth(
    reader: KittiRaw, frames: list[Frame], with_neighbours: bool, depth_truth: DepthTruth
) -> Truth:
    return Truth(
        neighbours=with_neighbours,
        depth=any(reader.has_depth(frame, truth=depth_truth) for frame in frames),
        motion=any(map(reader.has_motion, frames)),
        instances=any(reader.has_map(frame, "instance") for frame in frames),
        poses=with_neighbours and any(map(reader.has_pose, frames)),
    )


def _fingerprint(root: Path, listed: SplitList, paths: dict[Frame, Path]) -> str:
    digest = hashlib.sha256(listed.content)
    for frame in sorted(paths):
        image = paths[frame]
        digest.update(f"{image.relative_to(root)} {image.stat().st_size}\n".encode())
    return digest.hexdigest()[:16]
