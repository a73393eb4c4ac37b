"""Checkpoints: a directory with the configuration and the whole state of a training."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mtdepth.checkpoint_files import (
    WEIGHTS,
    read_config,
    read_state,
    read_weights,
    state_path,
    write_checkpoint,
    write_weights,
)
from mtdepth.compatibility import OF_NETWORK, OF_TRAINING, expect_alike, load_weights
from mtdepth.config import TrainConfig
from mtdepth.model.network import Network
from mtdepth.weighting import Weighting, make_weighting

STATE_KEYS = frozenset({"network", "weighting", "optimizer", "epoch"})


@dataclass
class Training:
    """All that changes while a network is trained.

    Data order, augmentation and noise follow from the seed and the epoch's number, so that these
    two are the random state.
    """

    config: TrainConfig
    network: Network
    weighting: Weighting
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    """Epochs that are done."""

    @classmethod
    def start(cls, config: TrainConfig, device: torch.device) -> Training:
        """A network as the seed initialises it, and an optimiser that has seen nothing."""
        torch.manual_seed(config.seed)
        network = Network(config).to(device)
        weighting = make_weighting(config.tasks, config.weighting).to(device)
        return cls(config, network, weighting, _make_optimizer(network, weighting, config))

    def set_learning_rate(self) -> None:
        """Sets the rates of the epoch that comes next: they drop after each `lr_step_epoch`."""
        settings = self.config.optimizer
        factor = settings.lr_gamma ** (self.epoch // settings.lr_step_epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = factor * group["initial_lr"]

    def save(self, directory: Path) -> None:
        """Writes the state into a directory; what is there under the same names is replaced."""
        state = {
            "network": self.network.state_dict(),
            "weighting": self.weighting.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
        }
        assert state.keys() == STATE_KEYS
        write_checkpoint(directory, self.config, state)

    @classmethod
    def load(cls, directory: Path, config: TrainConfig, device: torch.device) -> Training:
        """Goes on where `save` left off, or starts from the weights of `save_network`.

        Raises:
            ValueError: the checkpoint is missing, damaged, or of another network or weighting.
        """
        trained, state = _read_config(directory), _read_state(directory, device)
        goes_on = state["optimizer"] is not None
        expect_alike(directory, config, trained, OF_TRAINING if goes_on else OF_NETWORK)
        training = cls.start(config, device)
        load_weights(training.network, state["network"], state_path(directory))
        if goes_on:
            load_weights(training.weighting, state["weighting"], state_path(directory))
            training.optimizer.load_state_dict(state["optimizer"])
        training.epoch = state["epoch"]
        return training


def save_network(network: Network, directory: Path) -> None:
    """Writes a checkpoint of a network that was trained elsewhere.

    A training that goes on from it begins at epoch 0, with an optimiser and a loss weighting that
    have seen nothing.
    """
    write_weights(directory, network.config, network.state_dict())


def extract_network(checkpoint: Path, out: Path) -> TrainConfig:
    """Writes the network of a checkpoint as a checkpoint of its own, and nothing else of it.

    Returns:
        The configuration that trained it.

    Raises:
        ValueError: the checkpoint is missing or damaged.
    """
    network, config = load_network(checkpoint)
    write_weights(out, config, network.state_dict())
    return config


def load_network(
    directory: Path, device: torch.device | str = "cpu"
) -> tuple[Network, TrainConfig]:
    """The network of a checkpoint, ready to predict, and the configuration that trained it.

    Raises:
        ValueError: the checkpoint is missing or damaged.
    """
    config = _read_config(directory)
    untrained = config.encoder.model_copy(update={"weights": "none"})
    network = Network(config.model_copy(update={"encoder": untrained})).to(device)
    state = _read_state(directory, torch.device(device))
    load_weights(network, state["network"], state_path(directory))
    return network.eval(), config


def _read_state(directory: Path, device: torch.device) -> dict[str, Any]:
    """The state of a training; of a network alone, that of one that has seen nothing."""
    if state_path(directory).name != WEIGHTS:
        return read_state(directory, STATE_KEYS, device)
    weights = read_weights(directory, device)
    return {"network": weights, "weighting": None, "optimizer": None, "epoch": 0}


def _make_optimizer(
    network: Network, weighting: Weighting, config: TrainConfig
) -> torch.optim.Optimizer:
    settings = config.optimizer
    pose = [p for name, p in network.named_parameters() if name.startswith("pose.decoder.")]
    of_pose = {id(p) for p in pose}
    groups = [
        {"params": [p for p in network.parameters() if id(p) not in of_pose], "lr": settings.lr},
        {"params": pose, "lr": settings.lr * settings.pose_lr_factor},
        {
            "params": list(weighting.parameters()),
            "lr": settings.lr * config.weighting.lr_factor,
            "weight_decay": 0.0,
        },
    ]
    groups = [{**group, "initial_lr": group["lr"]} for group in groups if group["params"]]
    return torch.optim.Adam(groups, weight_decay=settings.weight_decay, fused=True)


def _read_config(directory: Path) -> TrainConfig:
    return read_config(directory, TrainConfig, "a training")


if __name__ == "__main__":
    from mtdepth.importing import main

    sys.exit(main())
