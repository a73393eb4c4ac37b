"""The two files of a checkpoint: who trained it with which settings, and the state they led to.

The state is that of a training, `state.pt`, or the weights of a network alone,
`network.safetensors`. Neither can hold code.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from mtdepth.config import Config
from mtdepth.files import replacing

if TYPE_CHECKING:
    import torch

STATE, WEIGHTS, CONFIG = "state.pt", "network.safetensors", "config.json"

AnyConfig = TypeVar("AnyConfig", bound=Config)


def is_checkpoint(directory: Path) -> bool:
    """Whether both files are there."""
    return (directory / CONFIG).is_file() and state_path(directory).is_file()


def state_path(directory: Path) -> Path:
    """The file of a checkpoint that holds its weights; that of a training where there are both."""
    state, weights = directory / STATE, directory / WEIGHTS
    return weights if weights.is_file() and not state.is_file() else state


def write_checkpoint(directory: Path, config: Config, state: dict[str, Any]) -> None:
    """Writes both files; what is there under the same names is replaced."""
    import torch

    write_config(directory, config)
    # by way of a stream, as torch does not say of its own file that the disk is full
    with replacing(directory / STATE) as path, path.open("wb") as stream:
        torch.save(state, stream)


def write_weights(directory: Path, config: Config, weights: Mapping[str, torch.Tensor]) -> None:
    """Writes a checkpoint of a network alone; a training that was there is gone."""
    from safetensors.torch import save

    write_config(directory, config)
    with replacing(directory / WEIGHTS) as path:
        path.write_bytes(save(dict(weights)))
    (directory / STATE).unlink(missing_ok=True)


def write_config(directory: Path, config: Config) -> None:
    """Writes the settings alone; the state stays."""
    with replacing(directory / CONFIG) as path:
        path.write_text(config.model_dump_json(indent=2))


def read_config(directory: Path, kind: type[AnyConfig], trained: str) -> AnyConfig:
    """The configuration of a checkpoint.

    Args:
        directory: of the checkpoint.
        kind: what the configuration is.
        trained: what errors call that which it configures, such as "a teacher".

    Raises:
        ValueError: a file is missing, or the configuration is of another kind.
    """
    if not is_checkpoint(directory):
        raise ValueError(
            f"{directory}: expected a checkpoint of {trained} ({CONFIG}, and {STATE} or "
            f"{WEIGHTS}), found none"
        )
    path = directory / CONFIG
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        found = ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))
        raise ValueError(
            f"{path}: expected the configuration of {trained}, found: {found}"
        ) from None


def read_state(directory: Path, keys: Set[str], device: torch.device) -> dict[str, Any]:
    """The state of a checkpoint, its tensors on a device.

    Args:
        directory: of the checkpoint.
        keys: what the state holds at least.
        device: where its tensors go.

    Raises:
        ValueError: the file is damaged, or something is not in it.
    """
    path = directory / STATE
    state = read_tensors(path, "a whole checkpoint", device)
    if not isinstance(state, dict) or not state.keys() >= keys:
        raise ValueError(
            f"{path}: expected a whole checkpoint, found not all of {', '.join(sorted(keys))}"
        )
    return state


def read_weights(directory: Path, device: torch.device) -> dict[str, torch.Tensor]:
    """The weights of a checkpoint of a network alone, on a device.

    Raises:
        ValueError: the file is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = directory / WEIGHTS
    try:
        return load_file(path, device=str(device))
    except (OSError, SafetensorError) as error:
        raise ValueError(
            f"{path}: expected weights as safetensors, found what it cannot read ({error})"
        ) from None


def read_state_dict(path: Path) -> dict[str, Any]:
    """The state dict in a file, its tensors on the CPU.

    Raises:
        ValueError: there is none in it.
    """
    found = read_tensors(path, "a state dict")
    if not isinstance(found, dict):
        raise ValueError(f"{path}: expected a state dict, found a {type(found).__name__}")
    return found


def read_tensors(path: Path, expected: str, device: torch.device | str = "cpu") -> Any:
    """What torch saved in a file, so long as it is tensors and plain values.

    Args:
        path: of the file.
        expected: what the error says of it.
        device: where its tensors go.

    Raises:
        ValueError: torch cannot read it.
    """
    import torch

    try:
        return torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch passes on whatever the bytes make pickle raise
        raise ValueError(
            f"{path}: expected {expected}, found what torch cannot read ({type(error).__name__})"
        ) from None
