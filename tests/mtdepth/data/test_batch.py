"""What is loaded becomes what the network takes, on any device."""

from __future__ import annotations

import torch

from mtdepth.data.batch import LoadedBatch


def loaded(num_frames: int = 3) -> LoadedBatch:
    generator = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (2, num_frames, 3, 4, 6), generator=generator)
    return LoadedBatch(
        frames=frames.to(torch.uint8),
        intrinsics=torch.eye(3).expand(2, 3, 3),
        instances=torch.full((2, 4, 6), 26001, dtype=torch.int32),
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
    assert batch.instances.dtype == torch.int64
    assert batch.instances.unique().tolist() == [26001]


def test_all_of_it_moves() -> None:
    batch = loaded().to(torch.device("meta"))
    for name in ("target", "sources", "intrinsics", "instances"):
        assert getattr(batch, name).device.type == "meta"
    assert batch.target.shape == (2, 3, 4, 6)
    assert batch.sources.shape == (2, 2, 3, 4, 6)


def test_a_target_alone_has_no_sources_and_instances_can_be_missing() -> None:
    alone = loaded(num_frames=1)
    batch = LoadedBatch(frames=alone.frames, intrinsics=alone.intrinsics, instances=None).to("cpu")
    assert batch.sources.shape == (2, 0, 3, 4, 6)
    assert batch.instances is None
