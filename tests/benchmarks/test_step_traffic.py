"""Why a GPU's photometric loss has kernels of its own: what a step of 12 triplets at 192x640 moves
through memory, and how many operations it asks for, counted on tensors without values.

Run by hand: `pytest -m slow -s tests/benchmarks`. Each operation is taken to read its arguments and
to write what it returns once; autocast is not there without values, so that the network counts as
in float32.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from mtdepth.bench.__main__ import MODES
from mtdepth.checkpoint import Training
from mtdepth.config import TrainConfig
from mtdepth.data.batch import Batch
from mtdepth.losses import fused
from mtdepth.losses.photometric import photometric_loss

META, SIZE, HEIGHT, WIDTH = torch.device("meta"), 12, 192, 640
CONFIG = TrainConfig.model_validate(
    MODES["st"]
    | {"data": {"height": HEIGHT, "width": WIDTH}, "encoder": {"weights": "none"}, "seed": 0}
)


class Counter(TorchDispatchMode):
    """Adds up operations and bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.num_bytes = self.num_operations = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        if not func.is_view and func.overloadpacket is not torch.ops.aten.empty:
            self.add(x for x in tree_leaves((args, kwargs, found)) if isinstance(x, Tensor))
        return found

    def add(self, tensors: Iterable[Tensor]) -> None:
        """One operation that moves these; what is expanded is there once."""
        self.num_operations += 1
        for x in tensors:
            sizes = (size for size, stride in zip(x.shape, x.stride(), strict=True) if stride)
            self.num_bytes += torch.Size(sizes).numel() * x.element_size()


class CountedLoops:
    """A GPU's kernels, of which each reads its arguments and writes its results once, too."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter

    def warps(self, depth_m: Tensor, motion: Tensor, sources: Tensor, out: Tensor) -> None:
        self.counter.add((depth_m, motion, sources, out))

    def warps_back(
        self, depth_m: Tensor, motion: Tensor, sources: Tensor, through: Tensor, by_depth: Tensor
    ) -> Tensor:
        self.counter.add((depth_m, motion, sources, through, by_depth))
        return torch.empty_like(motion)

    def errors(self, images: Tensor, target: Tensor, ssim: float, out: Tensor) -> None:
        self.counter.add((images, target, out))

    def errors_back(
        self,
        images: Tensor,
        target: Tensor,
        ssim: float,
        through: Tensor,
        by_images: Tensor,
    ) -> None:
        self.counter.add((images, target, through, *3 * [images]))
        self.counter.add((images, target, through, *3 * [images], by_images))


def parts(count: Callable[[str, Callable[[], Any]], Any]) -> None:
    """Counts a step's parts, by name."""
    training = Training.start(CONFIG, META)
    batch = Batch(
        target=torch.empty(SIZE, 3, HEIGHT, WIDTH, device=META),
        sources=torch.empty(SIZE, 2, 3, HEIGHT, WIDTH, device=META),
        intrinsics=torch.empty(SIZE, 3, 3, device=META),
        instances=None,
    )
    predictions = count("network", lambda: training.network(batch.target, batch.sources))
    found = predictions.disparities, predictions.source_T_target
    loss = count("photometric loss", lambda: photometric_loss(*found, batch, CONFIG.depth))
    leaves = [*predictions.disparities, predictions.source_T_target]
    gradients = count("its gradients", lambda: torch.autograd.grad(loss, leaves))
    count("the network's", lambda: torch.autograd.backward(leaves, gradients))


@pytest.mark.slow
@pytest.mark.parametrize("by", ["tensors", "kernels"])
def test_the_photometric_loss_is_most_of_it_in_tensors(
    by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "mtdepth.model.network.Network.lowered", lambda *_: contextlib.nullcontext()
    )
    monkeypatch.setattr(fused, "takes", lambda _: by == "kernels")
    moved: dict[str, int] = {}

    def count(name: str, part: Callable[[], Any]) -> Any:
        with Counter() as counter:
            for module in ("warps", "errors"):
                monkeypatch.setattr(
                    f"mtdepth.losses.fused.{module}.loops_for", lambda _: CountedLoops(counter)
                )
            found = part()
        moved[name] = counter.num_bytes
        print(
            f"{by}, {name}: {counter.num_bytes / 1e9:.1f} GB, {counter.num_operations} operations"
        )
        return found

    parts(count)
    loss = moved["photometric loss"] + moved["its gradients"]
    network = moved["network"] + moved["the network's"]
    assert (loss > network) == (by == "tensors")
