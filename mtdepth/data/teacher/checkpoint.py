"""A teacher on disk: a directory with the configuration and the state of its training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import nn

from mtdepth.compatibility import load_weights
from mtdepth.data.teacher.config import TeacherConfig
from mtdepth.data.teacher.network import build_network
from mtdepth.data.teacher.weights import load_initial
from mtdepth.files import replacing

STATE, CONFIG = "state.pt", "config.json"
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
        state = _read_state(directory, device)
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
        with replacing(directory / CONFIG) as path:
            path.write_text(self.config.model_dump_json(indent=2))
        state = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
        }
        with replacing(directory / STATE) as path:
            torch.save(state, path)


def is_checkpoint(directory: Path) -> bool:
    """Whether a training was saved here."""
    return (directory / CONFIG).is_file() and (directory / STATE).is_file()


def load_teacher(directory: Path, device: torch.device) -> nn.Module:
    """A trained teacher, ready to label.

    Raises:
        ValueError: there is no checkpoint, it is damaged, or its weights are not finite.
    """
    config = _read_config(directory)
    state = _read_state(directory, device)
    network = build_network(config.network).to(device)
    load_weights(network, state["network"], directory / STATE)
    for name, parameter in network.named_parameters():
        if not parameter.isfinite().all():
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
    if not is_checkpoint(directory):
        raise ValueError(
            f"{directory}: expected a teacher's checkpoint ({CONFIG} and {STATE}), found none"
        )
    path = directory / CONFIG
    try:
        return TeacherConfig.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        found = ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))
        raise ValueError(f"{path}: expected a teacher's configuration, found: {found}") from None


def _read_state(directory: Path, device: torch.device) -> dict[str, Any]:
    path = directory / STATE
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch passes on whatever the bytes make pickle raise
        raise ValueError(
            f"{path}: expected a whole checkpoint, found one that torch cannot read "
            f"({type(error).__name__})"
        ) from None
    if not isinstance(state, dict) or not state.keys() >= STATE_KEYS:
        raise ValueError(
            f"{path}: expected a whole checkpoint, found not all of {', '.join(sorted(STATE_KEYS))}"
        )
    return state
