import math
from dataclasses import replace

import pytest
import torch

from mtdepth.config import OffsetConfig
from mtdepth.data.batch import Batch
from mtdepth.instances.targets import offset_targets
from mtdepth.losses.offsets import offset_loss
from tests.mtdepth.batches import labels_of, random_batch


def one_row() -> Batch:
    """An instance of three pixels in a row of four: offsets 1, 0, -1, and background."""
    batch = random_batch(1, 64, 96)
    return replace(batch, instances=labels_of(torch.tensor([[[26001, 26001, 26001, 0]]])))


def test_true_offsets_cost_nothing_in_every_unit() -> None:
    batch = random_batch()
    true_px, _ = offset_targets(batch.instances, 0)
    offsets = true_px / torch.tensor([96.0, 64.0]).view(1, 2, 1, 1)
    for unit in ("image", "pixel"):
        assert offset_loss(offsets, batch, OffsetConfig(unit=unit, min_area=0)).item() < 1e-6


@pytest.mark.parametrize(
    ("norm", "expected"), [("l2", math.hypot(1, 1)), ("squared", 2.0), ("l1", 2.0)]
)
def test_norms_by_hand(norm: str, expected: float) -> None:
    offsets = torch.zeros(1, 2, 1, 4)
    offsets[:, 1] = 1.0  # one image height down, everywhere
    offsets[:, 0] = 1.0 + torch.tensor([1.0, 0.0, -1.0, 0.0]) / 4
    config = OffsetConfig(norm=norm, min_area=0)
    assert offset_loss(offsets, one_row(), config).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("background", "expected"),
    [("zero", (3 * 2 + 5) / 4), ("balanced", (2 + 5) / 2), ("masked", 2.0)],
)
def test_what_the_background_counts(background: str, expected: float) -> None:
    offsets = torch.zeros(1, 2, 1, 4)
    offsets[0, 0, 0, :3] = torch.tensor([1.0, 0.0, -1.0]) / 4
    offsets[0, 1] = torch.tensor([2.0, 2.0, 2.0, 5.0])  # wrong by 2 in the instance, by 5 beside it
    config = OffsetConfig(background=background, min_area=0)
    assert offset_loss(offsets, one_row(), config).item() == pytest.approx(expected)


def test_no_instances_and_no_difference_give_finite_gradients() -> None:
    batch = random_batch()
    empty = replace(batch, instances=labels_of(torch.zeros(2, 64, 96, dtype=torch.int32)))
    for background in ("zero", "balanced", "masked"):
        for norm in ("l2", "squared", "l1"):
            offsets = torch.zeros(2, 2, 64, 96, requires_grad=True)
            loss = offset_loss(offsets, empty, OffsetConfig(background=background, norm=norm))
            loss.backward()
            assert loss.item() == pytest.approx(0, abs=1e-6)
            assert offsets.grad is not None
            assert offsets.grad.isfinite().all()


def test_missing_instance_maps_are_told() -> None:
    batch = replace(random_batch(), instances=None)
    with pytest.raises(ValueError, match="found an image without"):
        offset_loss(torch.zeros(2, 2, 64, 96), batch, OffsetConfig())
