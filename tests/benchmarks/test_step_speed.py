"""A training step against the same step written plainly, which does each thing where the paper
tells it (`mtdepth.bench`). Wide networks spend most of their time in the same convolutions.

Run by hand: `pytest -m slow -s tests/benchmarks`. The ratios are what counts, not the seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mtdepth.bench.__main__ import MODES
from mtdepth.bench.measure import measure
from mtdepth.config import DataConfig, TrainConfig
from mtdepth.data.driveworld import DriveworldConfig, ensure

WORLD = DriveworldConfig(
    width=1248, height=384, num_train_drives=1, num_val_drives=0, num_test_drives=0,
    num_frames=6, lidar=False, supersampling=1,
)  # fmt: skip
NUM_ROUNDS = 3


PAPERS: dict[str, Any] = {"batch_size": 2, "encoder": {"weights": "none"}}
"""Nearly all convolutions."""
STUDYS: dict[str, Any] = {
    "batch_size": 4,
    "encoder": {"weights": "none", "width": 16},
    "decoder": {"width": 8},
}
"""As in weighting.yaml."""


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("size", "network", "ratio"),
    [((96, 320), PAPERS, 1.2), ((64, 192), STUDYS, 2.0)],
    ids=["papers", "studys"],
)
def test_a_step_is_faster_than_a_plain_one_and_costs_the_same_loss(
    mode: str, size: tuple[int, int], network: dict[str, Any], ratio: float, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    root = ensure(WORLD, tmp_path / "world", workers=1)
    data = DataConfig(root=root, driveworld=WORLD, height=size[0], width=size[1])
    told = {"data": data, **network, **MODES[mode]}
    found = measure(
        TrainConfig.model_validate(told), torch.device("cpu"), NUM_ROUNDS, reference=True
    )
    best = {name: times.best for name, times in found.steps.items()}
    step, whole = best["plain step"] / best["step"], best["plain whole"] / best["whole"]
    print(f"{mode}: {step:.2f} times as fast, {whole:.2f} times with loading and augmentation")
    print({name: f"{seconds * 1e3:.0f} ms" for name, seconds in best.items()})
    assert found.disagreement["same batch"] < 1e-5
    assert min(step, whole) > ratio
