"""A study told by hand whose models are networks, with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mlflow.pyfunc import PyFuncModel, load_model

from mtdepth.checkpoint import Training
from mtdepth.config import TrainConfig
from study.events import EpochEnded, Event, TrialEnded
from study.ledger import Ledger
from study.space import Space
from tests.mtdepth.batches import LEARNING
from tests.study.ledgers import MANIFEST, told_space, trial

NAME = "mtdepth-told"
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 50, 80, 3), dtype=np.uint8)
SIZE = {"height": 64, "width": 192}
NOISY = {"min_samples": 2, "min_size": 2}
"""Offsets of a random network are noise: any two votes within reach are an object."""


def save_network(directory: Path, seed: int = 0, **changes: Any) -> Path:
    """The checkpoint of a network with random weights."""
    told = {**LEARNING, "data": SIZE, "optics": NOISY, "seed": seed, **changes}
    Training.start(TrainConfig.model_validate(told), torch.device("cpu")).save(directory)
    return directory


def kept(events: list[Event], **values: float) -> list[Event]:
    """A trial whose model is kept; what its last epoch said can be changed."""
    told: list[Event] = []
    for event in events:
        if isinstance(event, TrialEnded):
            event = TrialEnded(**{**vars(event), "checkpoint": f"checkpoints/{event.trial_key}"})
        if isinstance(event, EpochEnded) and values:
            event = EpochEnded(**{**vars(event), "metrics": values})
        told.append(event)
    return told


def write_trained(
    directory: Path, events: list[Event], space: Space | None = None, **manifest: Any
) -> Path:
    """A study directory in which these events have happened, each kept model a network."""
    ledger = Ledger.create(directory, space or told_space(), {**MANIFEST, **manifest})
    for event in events:
        ledger.append(event)
    for number, record in enumerate(ledger.records.values()):
        if record.kept is not None:
            save_network(directory / record.kept, number)
    ledger.close()
    return directory


def confirm(arm: str, seed: int, val: float, test: float | None = None) -> list[Event]:
    """A confirmed trial whose model is kept."""
    return kept(
        trial(arm, seed, val=val, test=None if test is None else {"test/depth/abs_rel": test})
    )


EVENTS = [
    *confirm("a", 1, val=0.5, test=0.1),
    *confirm("a", 2, val=0.4, test=0.2),
    *confirm("b", 1, val=0.3, test=0.3),
]


def load_champion(name: str = NAME) -> PyFuncModel:
    """As a user of the registry does."""
    return load_model(f"models:/{name}@champion")
