"""Augmentation: the same for a triplet, geometry kept, and nothing when it is off."""

from __future__ import annotations

from dataclasses import replace

import torch

from mtdepth.config import AugmentationConfig
from mtdepth.data.augmentation import augment
from mtdepth.geometry import backproject
from mtdepth.instances.targets import offset_targets
from tests.mtdepth.batches import labels_of, random_batch

OFF = AugmentationConfig(flip=0, color_jitter=0)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_off_changes_nothing() -> None:
    batch = random_batch()
    for found in augment(batch, OFF, generator()):
        for name in ("target", "sources", "intrinsics"):
            assert torch.equal(getattr(found, name), getattr(batch, name))
        assert torch.equal(found.instances.numbers, batch.instances.numbers)
        assert torch.equal(found.instances.measures, batch.instances.measures)


def test_two_flips_are_none() -> None:
    batch, always = random_batch(), AugmentationConfig(flip=1, color_jitter=0)
    once, _ = augment(batch, always, generator())
    twice, _ = augment(once, always, generator())
    assert torch.equal(once.target, batch.target.flip(-1))
    assert torch.equal(once.sources, batch.sources.flip(-1))
    assert torch.equal(once.instances.numbers, batch.instances.numbers.flip(-1))
    assert torch.equal(twice.instances.measures, batch.instances.measures)
    assert torch.equal(twice.target, batch.target)
    assert torch.allclose(twice.intrinsics, batch.intrinsics)


def test_a_flip_mirrors_what_offsets_are_taught() -> None:
    batch = random_batch()
    maps = torch.zeros(2, 64, 96, dtype=torch.int32)
    maps[0, 3:9, 5:17], maps[0, 30:31, 80:96], maps[1, :, :2] = 26001, 24000, 26001
    batch = replace(batch, instances=labels_of(maps))
    flipped, _ = augment(batch, AugmentationConfig(flip=1, color_jitter=0), generator())
    expected, _ = offset_targets(labels_of(maps.flip(-1)), 0)
    found, _ = offset_targets(flipped.instances, 0)
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_flip_mirrors_the_world() -> None:
    batch = random_batch()
    off_middle = batch.intrinsics.clone()
    off_middle[:, 0, 2] -= 7
    batch = replace(batch, intrinsics=off_middle)
    flipped, _ = augment(batch, AugmentationConfig(flip=1, color_jitter=0), generator())
    depth = torch.rand(2, 1, 64, 96) + 1
    points = backproject(depth, batch.intrinsics)
    mirrored = backproject(depth.flip(-1), flipped.intrinsics)
    shape = (2, 3, 64, 96)
    expected = points.reshape(shape).flip(-1) * torch.tensor([-1.0, 1, 1]).view(1, 3, 1, 1)
    assert torch.allclose(mirrored.reshape(shape), expected, atol=1e-4)


def test_colours_change_alike_in_a_triplet_and_for_the_network_alone() -> None:
    batch = random_batch()
    same = batch.target[:, None].expand(-1, 2, -1, -1, -1)
    batch = replace(batch, sources=same)
    loss_sees, network_sees = augment(
        batch, AugmentationConfig(flip=0, color_jitter=1), generator()
    )
    assert torch.equal(loss_sees.target, batch.target)
    assert not torch.allclose(network_sees.target, batch.target, atol=0.02)
    for index in range(2):
        assert torch.allclose(network_sees.sources[:, index], network_sees.target, atol=1e-5)
    assert network_sees.target.min() >= 0
    assert network_sees.target.max() <= 1


def test_changes_follow_from_the_generator() -> None:
    batch, config = random_batch(4), AugmentationConfig()
    first, again = (augment(batch, config, generator(3))[1].target for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, augment(batch, config, generator(4))[1].target)


def test_samples_change_each_in_their_own_way() -> None:
    batch = random_batch(16)
    flipped, _ = augment(batch, AugmentationConfig(flip=0.5, color_jitter=0), generator())
    kept = [(a == b).all().item() for a, b in zip(flipped.target, batch.target, strict=True)]
    assert 0 < sum(kept) < 16
