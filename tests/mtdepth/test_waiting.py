"""A step never asks for a value, which would make the program wait for a GPU at each step.

Tensors of the device `meta` have shapes and no values, and raise where one is asked for.
"""

from __future__ import annotations

import contextlib

import pytest
import torch

from mtdepth.checkpoint import Training
from mtdepth.data.batch import LoadedBatch
from mtdepth.instances.targets import InstanceLabels
from mtdepth.model.network import Network
from mtdepth.train import train_step
from tests.mtdepth.batches import small_config

META = torch.device("meta")
HEIGHT, WIDTH = 64, 96


def loaded() -> LoadedBatch:
    labels = InstanceLabels(
        numbers=torch.empty(2, HEIGHT, WIDTH, dtype=torch.uint8, device=META),
        measures=torch.empty(2, 5, 3, device=META),
    )
    return LoadedBatch(
        frames=torch.empty(2, 3, 3, HEIGHT, WIDTH, dtype=torch.uint8, device=META),
        intrinsics=torch.empty(2, 3, 3, device=META),
        instances=labels,
    )


def step(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """Augmentation, both ways through network and losses, weights; Adam, PyTorch's, is left out."""
    training = Training.start(small_config(**changes), META)
    # there is no autocast without values
    monkeypatch.setattr(Network, "lowered", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(training.optimizer, "step", lambda: None)
    losses = train_step(training, loaded().to(META), torch.Generator().manual_seed(0))
    assert losses.device == META
    assert all(x.grad is not None for x in training.network.parameters())


@pytest.mark.parametrize(
    "weighting",
    ["equal", "fixed", "dwa", "uncertainty", "uncertainty-so", "gls", "rlw", "famo"],
)
def test_of_both_tasks(weighting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    step(monkeypatch, tasks=("depth", "instances"), weighting={"name": weighting})


@pytest.mark.parametrize("pose", ["separate", "shared", "attended"])
def test_of_depth(pose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    step(monkeypatch, tasks=("depth",), pose={"encoder": pose})


def test_of_monodepth2s_network(monkeypatch: pytest.MonkeyPatch) -> None:
    step(monkeypatch, tasks=("depth",), attention="none", pose={"encoder": "separate"})


@pytest.mark.parametrize("background", ["zero", "balanced", "masked"])
def test_of_instances(background: str, monkeypatch: pytest.MonkeyPatch) -> None:
    step(monkeypatch, tasks=("instances",), offsets={"background": background})


def test_what_asks_for_a_value_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "mtdepth.train.augment", lambda batch, *_: (batch, batch.target.any() and batch)
    )
    with pytest.raises(RuntimeError, match="meta"):
        step(monkeypatch, tasks=("depth",))
