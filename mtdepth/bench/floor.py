"""The least that a training step could take on a machine, by its arithmetic and by its memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

ADAM_PASSES = 7
"""Adam reads parameter, gradient and two moments, and writes all but the gradient."""


def count_flops(step: Callable[[], object]) -> int:
    """Multiplications and additions of the matrix products and convolutions of a step."""
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def least_bytes(forward: Callable[[], object], network: nn.Module) -> int:
    """Bytes that a step cannot but move: what the way back needs, written and read once, and the
    optimiser's state.

    Args:
        forward: makes the losses of a step.
        network: whose parameters are trained.
    """
    kept: dict[int, int] = {}
    own = {p.untyped_storage().data_ptr() for p in network.parameters()}
    alive: list[Tensor] = []  # or the next tensor may take the place of one that is counted

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        losses = forward()
    del losses
    return 2 * sum(kept.values()) + ADAM_PASSES * sum(p.nbytes for p in network.parameters())
