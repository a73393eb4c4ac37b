"""Looks a data set over before anything is trained on it.

Of the test split it sees no pixel and no truth: whether the files are there, the first 8 and last
64 bytes of images, the size in an image's header, calibration, and for how many frames there are
poses. What is broken beyond that is told in the test phase, which can be gone on with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mtdepth.config import DataConfig, DepthTruth, EvaluationConfig
from mtdepth.data.images import is_whole
from mtdepth.data.missing import WHERE, MissingDrive, find_missing
from mtdepth.data.pack.manifest import MANIFEST, is_pack, read_manifest
from mtdepth.data.pack.shallow import shallow_problems
from mtdepth.data.reader import Reader, open_reader
from mtdepth.data.root import Progress, data_root
from mtdepth.data.split_summary import SplitSummary
from mtdepth.data.splits import SPLITS, Frame, SplitList, list_split
from mtdepth.metrics.names import Split, Truth

MAX_DRIVES_TOLD = 5
"""Of drives that lack images, how many an error names."""


def check_data(
    config: DataConfig,
    on_progress: Progress | None = None,
    *,
    evaluation: EvaluationConfig | None = None,
) -> dict[Split, SplitSummary]:
    """Sees that every frame that the splits name is there and whole, also of what is mixed in.

    Args:
        config: names the data.
        on_progress: called with drives rendered and drives in all.
        evaluation: tells what counts as true depth.

    Raises:
        ValueError: names what is missing or broken, and where: one line, or one for each drive.
    """
    told = evaluation or EvaluationConfig()
    found = _check_set(config, told, on_progress)
    others = [_check_set(other, told, on_progress)["train"] for other in config.mixed()]
    if others:
        weights = [other.weight for other in config.mix]
        found["train"] = _mixed(found["train"], others, weights)
    return found


def _mixed(
    own: SplitSummary, others: Sequence[SplitSummary], weights: Sequence[float]
) -> SplitSummary:
    parts = [own, *others]
    reasons = [part.unlabelled for part in parts if part.unlabelled]
    told = "".join(f"{part.fingerprint}\n" for part in parts)
    return replace(
        own,
        num_samples=sum(mixed_counts(own.num_samples, weights)),
        fingerprint=hashlib.sha256(told.encode()).hexdigest()[:16],
        unlabelled=reasons[0] if reasons else None,
    )


def mixed_counts(own: int, weights: Sequence[float]) -> list[int]:
    """Samples of each part in an epoch of a mixture: all of its own, and `weight` times as many of
    each other."""
    return [own, *(max(1, round(weight * own)) for weight in weights)]


def _check_set(
    config: DataConfig, told: EvaluationConfig, on_progress: Progress | None
) -> dict[Split, SplitSummary]:
    root = data_root(config, on_progress)
    if is_pack(root):
        return _check_pack(root, told)
    reader = open_reader(config, root)
    found: dict[Split, SplitSummary] = {}
    for split in SPLITS:
        listed = list_split(config, root, split)
        missing = find_missing(reader, listed.frames, neighbours=split != "test").missing
        if missing:
            raise ValueError(
                f"{_tell(missing, listed, split, root)};\n{WHERE[config.name]}; python -m "
                f"mtdepth.data.prepare {config.name} makes a pack of what is there"
            )
        found[split] = _check_split(reader, listed, told, is_test=split == "test")
    return found


def _tell(missing: Sequence[MissingDrive], listed: SplitList, split: Split, root: Path) -> str:
    first = min(missing, key=lambda drive: drive.first_index)
    lines = [
        f"{listed.places[first.first_index]}: expected the images of all {len(listed.frames)} "
        f"{first.unit} of the {split} split in {root}, found "
        f"{sum(drive.num_samples for drive in missing)} incomplete, in {len(missing)} of "
        f"{len({frame.drive for frame in listed.frames})} drives:",
        ";\n  ".join(map(str, missing[:MAX_DRIVES_TOLD])),
    ]
    more = len(missing) - MAX_DRIVES_TOLD
    return "\n  ".join(lines) + (f";\n  and {more} more drives" if more > 0 else "")


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
    reader: Reader, listed: SplitList, evaluation: EvaluationConfig, *, is_test: bool
) -> SplitSummary:
    frames = list(listed.frames)
    wanted = {frame.shifted(step) for frame in frames for step in (-1, 0, 1)}
    paths = {x: path for x in wanted if (path := reader.image_path(x)) is not None}
    with_neighbours = any({f.shifted(-1), f, f.shifted(1)} <= paths.keys() for f in frames)
    for image in paths.values():
        if not is_whole(image):
            raise ValueError(f"{image}: expected a whole png or jpg image, found a truncated one")
    for frame in {(f.drive, f.camera): f for f in reversed(frames)}.values():
        reader.image_size(frame)
        reader.intrinsics(frame)
    if not is_test:
        _try_truth(reader, frames, evaluation)
    has_motion = reader.may_have_motion if is_test else reader.has_motion
    return SplitSummary(
        num_samples=len(frames),
        truth=split_truth(reader, frames, with_neighbours, evaluation.truth, has_motion),
        fingerprint=_fingerprint(reader.root, listed, paths),
        unlabelled=unlabelled(frames, reader.has_instances),
    )


def _try_truth(reader: Reader, frames: list[Frame], evaluation: EvaluationConfig) -> None:
    """Reads the pose of one frame of each drive and camera, and all that belongs to one of each
    date and camera."""
    for frame in {(f.drive, f.camera): f for f in reversed(frames)}.values():
        reader.world_T_cam(frame)
    for frame in {(Path(f.drive).parent, f.camera): f for f in reversed(frames)}.values():
        reader.depth_m(frame, truth=evaluation.truth, lidar_depth=evaluation.lidar_depth)
        reader.instances(frame)
        reader.motion(frame)


def _check_pack(root: Path, evaluation: EvaluationConfig) -> dict[Split, SplitSummary]:
    """Goes by the manifest, and sees that its files are there; `prepare verify` reads them."""
    manifest = read_manifest(root)
    if problems := shallow_problems(root, manifest):
        raise ValueError(f"{problems[0]}; make the pack again, with the command in {MANIFEST}")
    return {
        split: SplitSummary(
            num_samples=entry.num_samples,
            truth=entry.truth[evaluation.truth],
            fingerprint=manifest.fingerprint,
            unlabelled=entry.unlabelled,
        )
        for split, entry in manifest.splits.items()
    }


def split_truth(
    reader: Reader,
    frames: Sequence[Frame],
    with_neighbours: bool,
    depth_truth: DepthTruth,
    has_motion: Callable[[Frame], bool] | None = None,
) -> Truth:
    """What any of these frames can be judged against.

    Args:
        reader: of their files.
        frames: the targets of a split.
        with_neighbours: whether any has the frames before and after.
        depth_truth: what counts as true depth.
        has_motion: whether it is known how instances move; left out, as the reader says it.
    """
    return Truth(
        neighbours=with_neighbours,
        depth=any(reader.has_depth(frame, truth=depth_truth) for frame in frames),
        motion=any(map(has_motion or reader.has_motion, frames)),
        instances=any(map(reader.has_instances, frames)),
        poses=with_neighbours and any(map(reader.has_pose, frames)),
    )


def _fingerprint(root: Path, listed: SplitList, paths: dict[Frame, Path]) -> str:
    digest = hashlib.sha256(listed.content)
    for frame in sorted(paths):
        image = paths[frame]
        digest.update(f"{image.relative_to(root)} {image.stat().st_size}\n".encode())
    return digest.hexdigest()[:16]
