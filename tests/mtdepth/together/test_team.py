"""Several processes compute what one does: in float64 to the last digits, whatever is trained."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mtdepth.config import DataConfig, TrainConfig
from mtdepth.together.processes import together
from mtdepth.weighting import METHODS
from tests.mtdepth.batches import LEARNING
from tests.mtdepth.together.steps import normalise, precise_steps

NUM_STEPS = 2
KINDS: dict[str, dict[str, Any]] = {
    **{name: {"weighting": {"name": name}} for name in METHODS},
    "depth": {"tasks": ["depth"], "depth": {"min_m": 1, "max_m": 80, "automask": False}},
    "instances": {"tasks": ["instances"], "offsets": {"background": "masked"}},
    "separate pose": {"tasks": ["depth"], "pose": {"encoder": "separate"}},
    "no attention": {"attention": "none", "pose": {"encoder": "shared"}},
    "background is zero": {"offsets": {"background": "zero", "norm": "l1"}},
}


def configs(data: DataConfig) -> list[TrainConfig]:
    common = {
        **LEARNING, "data": data, "batch_size": 4, "tasks": ["depth", "instances"],
        "offsets": {"background": "balanced"},
    }  # fmt: skip
    return [TrainConfig.model_validate({**common, **kind}) for kind in KINDS.values()]


def test_every_training_takes_the_steps_of_one_process(tiny_data: DataConfig) -> None:
    told = configs(tiny_data)
    alone = precise_steps(told, NUM_STEPS)
    first, second = together(2, precise_steps, told, NUM_STEPS)
    assert first == second, "both have taken the same steps, to the last digit"
    for kind, one, both in zip(KINDS, alone, first, strict=True):
        for expected, found in zip(one, both, strict=True):
            assert found == pytest.approx(expected, rel=1e-7, abs=1e-12), kind


def test_batch_norm_sees_the_whole_batch() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(6, 3, 4, 5, generator=generator, dtype=torch.float64) * 3 + 10
    weigh = torch.rand(6, 3, 4, 5, generator=generator, dtype=torch.float64)
    out, by_image, *whole, judged = normalise(images, weigh)
    found = together(3, normalise, images, weigh)
    for position, expected in ((0, out), (1, by_image), (-1, judged)):
        parts = torch.cat([torch.tensor(one[position]) for one in found])
        torch.testing.assert_close(parts, torch.tensor(expected))
    for one in found:
        for part, expected in zip(one[2:-1], whole, strict=True):
            torch.testing.assert_close(torch.tensor(part), torch.tensor(expected))
