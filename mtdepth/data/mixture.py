"""Several data sets as one training split."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mtdepth.config import DataConfig
from mtdepth.data.batch import LoadedBatch
from mtdepth.data.check import mixed_counts
from mtdepth.data.loader import SplitData, batched, open_split


class Mixture:
    """Training samples of several data sets, in the proportions that are asked for.

    An epoch has all samples of the first part. Of each other one it has `weight` times as many,
    drawn without repetition until all have had their turn, over the epochs.

    Args:
        parts: splits of images of one size, or mixtures of them.
        weights: of every part but the first.
    """

    def __init__(self, parts: Sequence[SplitData | Mixture], weights: Sequence[float]) -> None:
        self.parts = list(parts)
        self.counts = mixed_counts(len(self.parts[0]), weights)
        self.starts: list[int] = np.cumsum([0, *map(len, self.parts)])[:-1].tolist()

    def __len__(self) -> int:
        """Samples of an epoch."""
        return sum(self.counts)

    def require_instances(self) -> None:
        """See `SplitData`."""
        for part in self.parts:
            part.require_instances()

    def batch(self, indices: Sequence[int], *, neighbours: bool = True) -> LoadedBatch:
        """See `SplitData`; the indices of one part follow those of the other."""
        of_part = np.searchsorted(self.starts, indices, side="right") - 1
        rows = [np.flatnonzero(of_part == part) for part in range(len(self.parts))]
        found = [
            part.batch([indices[row] - start for row in own.tolist()], neighbours=neighbours)
            for part, start, own in zip(self.parts, self.starts, rows, strict=True)
            if len(own)
        ]
        return LoadedBatch.joined(found, np.argsort(np.concatenate(rows)))

    def order(self, batch_size: int, seed: int, epoch: int) -> Iterator[list[int]]:
        """See `SplitData`."""
        drawn = [
            start + _turns(len(part), count, (seed, number), epoch)
            for number, (part, start, count) in enumerate(
                zip(self.parts, self.starts, self.counts, strict=True)
            )
        ]
        shuffle = np.random.default_rng([seed, epoch])
        return batched(shuffle.permutation(np.concatenate(drawn)), batch_size)


def open_training(
    config: DataConfig, place: Callable[[SplitData], SplitData] = lambda split: split
) -> SplitData | Mixture:
    """What a training learns from: the training split of a data set, its validation split where
    `train_on` says so, and what is mixed in.

    Args:
        config: the data sets.
        place: puts a split where it is wanted.

    Raises:
        ValueError: the data is not as it should be.
    """
    own: SplitData | Mixture = place(open_split(config, "train"))
    if config.train_on == "train+val":
        val = place(open_split(config, "val"))
        own = Mixture([own, val], [len(val) / len(own)])
    if not config.mix:
        return own
    parts = [own, *(place(open_split(other, "train")) for other in config.mixed())]
    return Mixture(parts, [other.weight for other in config.mix])


def _turns(size: int, count: int, seed: tuple[int, int], epoch: int) -> NDArray[np.int64]:
    """The samples of an epoch: the next `count` in an endless row of shuffled passes."""
    places = np.arange((epoch - 1) * count, epoch * count)
    passes = {
        number: np.random.default_rng([*seed, number]).permutation(size)
        for number in np.unique(places // size).tolist()
    }
    return np.array([passes[place // size][place % size] for place in places.tolist()])
