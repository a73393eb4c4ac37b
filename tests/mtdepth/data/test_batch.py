"""A batch on another device is the same batch."""

from __future__ import annotations

from dataclasses import replace

import torch

from tests.mtdepth.batches import random_batch


def test_moving_a_batch_moves_all_of_it() -> None:
    batch = random_batch()
    moved = batch.to(torch.device("meta"))
    for name in ("target", "sources", "intrinsics", "instances"):
        before, after = getattr(batch, name), getattr(moved, name)
        assert before.device.type == "cpu"
        assert after.device.type == "meta"
        assert (after.shape, after.dtype) == (before.shape, before.dtype)


def test_a_batch_without_instances_moves_too() -> None:
    assert replace(random_batch(), instances=None).to(torch.device("meta")).instances is None
