"""Whether a checkpoint fits what is asked of it, told by settings and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from pathlib import Path

from torch import Tensor, nn

from mtdepth.config import TrainConfig

OF_NETWORK = ("tasks", "attention", "encoder.width", "decoder.width", "pose.encoder")
"""What a network's parameters, and their meaning, follow from."""
OF_TRAINING = (*OF_NETWORK, "weighting.name")
"""What a training must have in common with the checkpoint that it goes on from."""


def expect_alike(
    directory: Path, config: TrainConfig, trained: TrainConfig, fields: Sequence[str]
) -> None:
    """Sees that some fields are the same.

    Args:
        directory: of the checkpoint.
        config: what is asked for.
        trained: what the checkpoint was trained with.
        fields: dotted names.

    Raises:
        ValueError: one line with all that differ.
    """
    values = [(name, attrgetter(name)(config), attrgetter(name)(trained)) for name in fields]
    differing = [(name, wanted, found) for name, wanted, found in values if wanted != found]
    if differing:
        expected = ", ".join(f"{name} {_shown(wanted)}" for name, wanted, _ in differing)
        others = ", ".join(f"{name} {_shown(found)}" for name, _, found in differing)
        raise ValueError(
            f"{directory}: expected a checkpoint with {expected}, found one with {others}; "
            "a training goes on with what it began with"
        )


def load_weights(module: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Loads a module's parameters and buffers.

    Args:
        module: made from the configuration beside `path`.
        state: read from `path`.
        path: file that the error names.

    Raises:
        ValueError: a name or shape is not the module's; one line with the first.
    """
    expected = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items()}
    names = [name for name in {**expected, **found} if expected.get(name) != found.get(name)]
    if names:
        (first, *more), places = names, (expected, found)
        told = [f"{first} {place[first]}" if first in place else f"no {first}" for place in places]
        others = f" (and {len(more)} more differ)" if more else ""
        raise ValueError(
            f"{path}: expected the weights that the configuration beside it describes, with "
            f"{told[0]}, found {told[1]}{others}"
        )
    module.load_state_dict(state)


def _shown(value: object) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, tuple) else str(value)
