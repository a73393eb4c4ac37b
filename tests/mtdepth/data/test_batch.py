"""What is loaded becomes what the network takes, on any device."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from mtdepth.data.batch import LoadedBatch
from mtdepth.instances.targets import batch_labels, number_instances


def loaded(num_frames: int = 3) -> LoadedBatch:
    generator = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (2, num_frames, 3, 4, 6), generator=generator)
    return LoadedBatch(
        frames=frames.to(torch.uint8),
        intrinsics=torch.eye(3).expand(2, 3, 3),
        instances=batch_labels(
            [number_instances(np.full((4, 6), label)) for label in (26001, 24000)]
        ),
    )


def test_colours_become_shares_of_255() -> None:
    before = loaded()
    batch = before.to("cpu")
    assert batch.target.dtype == batch.sources.dtype == torch.float32
    found = torch.cat([batch.target[:, None], batch.sources], 1)
    assert torch.equal((255 * found).round().to(torch.uint8), before.frames)
    assert found.min() >= 0
    assert found.max() <= 1
    assert batch.instances is not None
    assert batch.instances.numbers.unique().tolist() == [1]
    assert batch.instances.measures.tolist() == [[[2.5, 1.5, 24]]] * 2


def test_all_of_it_moves() -> None:
    batch = loaded().to(torch.device("meta"))
    assert batch.instances is not None
    moved = (batch.target, batch.sources, batch.intrinsics, *vars(batch.instances).values())
    assert {x.device.type for x in moved} == {"meta"}
    assert batch.target.shape == (2, 3, 4, 6)
    assert batch.sources.shape == (2, 2, 3, 4, 6)


def test_batches_are_joined_in_any_order() -> None:
    first, second = loaded(), loaded()
    halves = np.repeat([[1, 2, 2]], 4, axis=0).repeat(2, axis=1)
    more = batch_labels([number_instances(halves), number_instances(np.zeros_like(halves))])
    second = replace(second, frames=255 - second.frames, instances=more)
    joined = LoadedBatch.joined([first, second], np.array([3, 0, 2, 1]))
    for place, (part, row) in enumerate([(second, 1), (first, 0), (second, 0), (first, 1)]):
        assert torch.equal(joined.frames[place], part.frames[row])
        assert joined.instances is not None
        assert part.instances is not None
        numbers, measures = joined.instances.numbers, joined.instances.measures
        assert torch.equal(numbers[place], part.instances.numbers[row])
        expected = part.instances.measures[row]
        assert torch.equal(measures[place, : len(expected)], expected)
        assert not measures[place, len(expected) :].any()
    unlabelled = replace(second, instances=None)
    assert LoadedBatch.joined([first, unlabelled], np.arange(4)).instances is None


def test_where_one_is_on_a_device_all_go_there() -> None:
    here = loaded()
    assert here.instances is not None
    there = LoadedBatch(
        frames=here.frames.to("meta"),
        intrinsics=here.intrinsics.to("meta"),
        instances=here.instances.to("meta"),
    )
    for parts in ([here, there], [there, here]):
        joined = LoadedBatch.joined(parts, np.arange(4))
        assert joined.frames.device.type == joined.intrinsics.device.type == "meta"
        assert joined.instances is not None
        assert joined.instances.numbers.shape == (4, 4, 6)


def test_a_target_alone_has_no_sources_and_instances_can_be_missing() -> None:
    alone = loaded(num_frames=1)
    batch = LoadedBatch(frames=alone.frames, intrinsics=alone.intrinsics, instances=None).to("cpu")
    assert batch.sources.shape == (2, 0, 3, 4, 6)
    assert batch.instances is None
