"""Which frames a pack is made of, and what of the lists it has to leave out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mtdepth.config import DataConfig
from mtdepth.data.missing import find_missing
from mtdepth.data.pack.entries import LeftOut
from mtdepth.data.reader import Reader
from mtdepth.data.splits import SPLITS, Frame, list_split
from mtdepth.metrics.names import Split

Lists = Mapping[Split, tuple[Frame, ...]]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be packed."""

    lists: Lists
    """The targets of each split, in the order of its list."""
    frames: tuple[Frame, ...]
    """All that they need, each once, sorted."""
    left_out: tuple[LeftOut, ...]
    """What is not on disk, by drive."""

    @property
    def judged(self) -> frozenset[Frame]:
        """The frames whose truth is wanted."""
        return frozenset(self.lists["val"] + self.lists["test"])


def make_plan(config: DataConfig, reader: Reader) -> Plan:
    """What there is of the lists of a split, which lie at the reader's root.

    Raises:
        ValueError: a list is missing or broken.
    """
    listed = {split: list_split(config, reader.root, split).frames for split in SPLITS}
    lists: dict[Split, tuple[Frame, ...]] = {}
    left_out: tuple[LeftOut, ...] = ()
    of_triplets: tuple[Split, ...] = ("train", "val")
    for splits, neighbours in ((of_triplets, True), (("test",), False)):
        kept, gone = _complete(reader, {split: listed[split] for split in splits}, neighbours)
        lists |= kept
        left_out += gone
    frames = {x for split, targets in lists.items() for f in targets for x in needed(f, split)}
    beside = {f.shifted(step) for f in lists["test"] for step in (-1, 1)} - frames
    frames |= {f for f in beside if reader.image_path(f) is not None}
    return Plan(lists=lists, frames=tuple(sorted(frames)), left_out=left_out)


def needed(target: Frame, split: Split) -> tuple[Frame, ...]:
    """What a sample can't do without: its triplet, but in the test split the target alone."""
    return (target,) if split == "test" else tuple(target.shifted(step) for step in (-1, 0, 1))


def _complete(
    reader: Reader, listed: Lists, neighbours: bool
) -> tuple[dict[Split, tuple[Frame, ...]], tuple[LeftOut, ...]]:
    samples = [(split, frame) for split, frames in listed.items() for frame in frames]
    found = find_missing(reader, [frame for _, frame in samples], neighbours=neighbours)
    there = set(found.complete)
    kept: dict[Split, tuple[Frame, ...]] = {
        split: tuple(samples[i][1] for i in found.complete if samples[i][0] == split)
        for split in listed
    }
    counts = _count(sample for i, sample in enumerate(samples) if i not in there)
    return kept, tuple(
        LeftOut(
            drive=missing.drive,
            num_samples=dict(counts[missing.drive]),
            reason=str(missing).removeprefix(f"{missing.drive}: "),
        )
        for missing in found.missing
    )


def without(lists: Lists, broken: Mapping[Frame, str]) -> tuple[Lists, tuple[LeftOut, ...]]:
    """Takes the samples from the lists that need a broken frame.

    Args:
        lists: of targets.
        broken: these frames, and what is broken of each.
    """
    lost = {
        (split, frame)
        for split, frames in lists.items()
        for frame in frames
        if any(x in broken for x in needed(frame, split))
    }
    kept: Lists = {
        split: tuple(frame for frame in frames if (split, frame) not in lost)
        for split, frames in lists.items()
    }
    of_drive: dict[str, list[str]] = {}
    for frame in sorted(broken):
        of_drive.setdefault(frame.drive, []).append(broken[frame])
    counts = _count((split, f) for split in lists for f in lists[split] if (split, f) in lost)
    return kept, tuple(
        LeftOut(
            drive=drive,
            num_samples=dict(counts.get(drive, {})),
            reason=f"{len(told)} frame{'s' if len(told) > 1 else ''} broken, first: {told[0]}",
        )
        for drive, told in of_drive.items()
    )


def _count(samples: Iterable[tuple[Split, Frame]]) -> dict[str, Counter[Split]]:
    """Samples by drive and split."""
    counts: dict[str, Counter[Split]] = {}
    for split, frame in samples:
        counts.setdefault(frame.drive, Counter())[split] += 1
    return counts
