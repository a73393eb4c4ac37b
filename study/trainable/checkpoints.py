"""Trained models, as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mtdepth.config import OpticsConfig, TrainConfig

if TYPE_CHECKING:
    from mtdepth.predictor import Predictor


def trained_with(checkpoint: Path) -> TrainConfig:
    """The settings of a trained model that has learned instances.

    Raises:
        ValueError: there is no checkpoint, or it has not.
    """
    from mtdepth.checkpoint_files import read_config
    from mtdepth.embed import expect_instances

    config = read_config(checkpoint, TrainConfig, "a training")
    expect_instances(checkpoint, config)
    return config


def checkpoints_below(directory: Path) -> list[Path]:
    """The directories of trained models, at whatever depth."""
    from mtdepth.checkpoint_files import CONFIG, is_checkpoint

    return sorted(p.parent for p in directory.rglob(CONFIG) if is_checkpoint(p.parent))


def holds_network(checkpoint: Path) -> bool:
    """Whether a trained model has a network that can be taken out of it, to predict elsewhere."""
    from mtdepth.checkpoint_files import is_checkpoint

    return is_checkpoint(checkpoint)


def extract_network(checkpoint: Path, out: Path) -> TrainConfig:
    """Writes the network of a trained model, and how it was trained, without code or pickles.

    Raises:
        ValueError: the checkpoint is missing or damaged.
    """
    from mtdepth.checkpoint import extract_network

    return extract_network(checkpoint, out)


def open_predictor(checkpoint: Path) -> Predictor:
    """A trained model that predicts images; see `mtdepth.predictor`.

    Raises:
        ValueError: the checkpoint is missing or damaged.
    """
    from mtdepth.predictor import Predictor

    return Predictor(checkpoint)


def set_optics(checkpoint: Path, optics: OpticsConfig) -> None:
    """Tells a trained model how to cluster from now on."""
    from mtdepth.checkpoint_files import write_config

    write_config(checkpoint, trained_with(checkpoint).model_copy(update={"optics": optics}))
