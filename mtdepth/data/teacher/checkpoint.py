"""A teacher on disk: a directory with the configuration and the state of its training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from mtdepth.checkpoint_files import STATE, read_config, read_state, write_checkpoint
from mtdepth.compatibility import load_weights
from mtdepth.data.teacher.config import TeacherConfig
from mtdepth.data.teacher.network import build_network
from mtdepth.data.teacher.weights import load_initial

STATE_KEYS = frozenset({"network", "optimizer", "epoch"})


@dataclass
class Teaching:
    """All that changes while a teacher is trained. The rest follows from seed and epoch."""

    config: TeacherConfig
    network: nn.Module
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    """Epochs that are done."""

    @classmethod
    def start(cls, config: TeacherConfig, device: torch.device) -> Teaching:
        """A teacher with the weights that it is told to begin with."""
        teaching = cls._untrained(config, device)
        load_initial(teaching.network, config.network)
        return teaching

    @classmethod
    def load(cls, directory: Path, config: TeacherConfig, device: torch.device) -> Teaching:
        """Goes on where `save` left off.

        Raises:
            ValueError: the checkpoint is damaged, or of another configuration.
        """
        _expect_same(directory, config, _read_config(directory))
        state = read_state(directory, STATE_KEYS, device)
        teaching = cls._untrained(config, device)
        load_weights(teaching.network, state["network"], directory / STATE)
        teaching.optimizer.load_state_dict(state["optimizer"])
        teaching.epoch = state["epoch"]
        return teaching

    @classmethod
    def _untrained(cls, config: TeacherConfig, device: torch.device) -> Teaching:
        torch.manual_seed(config.seed)
        network = build_network(config.network).to(device)
        optimizer = torch.optim.SGD(
            [parameter for parameter in network.parameters() if parameter.requires_grad],
            lr=config.lr_per_image * config.batch_size,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
        )
        return cls(config, network, optimizer)

    def save(self, directory: Path) -> None:
        """Writes the state into a directory; what is there under the same names is replaced."""
        state = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
        }
        write_checkpoint(directory, self.config, state)


def load_teacher(directory: Path, device: torch.device) -> nn.Module:
    """A trained teacher, ready to label.

    Raises:
        ValueError: there is no checkpoint, it is damaged, or its weights are not finite.
    """
    config = _read_config(directory)
    state = read_state(directory, STATE_KEYS, device)
    network = build_network(config.network).to(device)
    load_weights(network, state["network"], directory / STATE)
    for name, value in network.state_dict().items():
        if not value.isfinite().all():
            raise ValueError(f"{directory / STATE}: expected finite weights, found NaN in {name}")
    return network.eval()


def _expect_same(directory: Path, config: TeacherConfig, trained: TeacherConfig) -> None:
    wanted, found = _flat(config), _flat(trained)
    differing = [name for name in wanted if wanted[name] != found[name]]
    if differing:
        raise ValueError(
            f"{directory}: expected a training with "
            f"{', '.join(f'{name} {wanted[name]}' for name in differing)}, found one with "
            f"{', '.join(f'{name} {found[name]}' for name in differing)}; give another --out"
        )


def _flat(config: TeacherConfig) -> dict[str, object]:
    """All fields under their dotted names, but where the data lies, which may move."""
    flat: dict[str, object] = {}
    for name, value in config.model_dump(exclude={"source": {"root"}}).items():
        parts = value if isinstance(value, dict) else {"": value}
        flat |= {f"{name}.{part}".rstrip("."): inner for part, inner in parts.items()}
    return flat


def _read_config(directory: Path) -> TeacherConfig:
    return read_config(directory, TeacherConfig, "a teacher")
