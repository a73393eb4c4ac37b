"""The same tests of a CPU's loops and of a GPU's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from mtdepth.losses.fused import cpu, gpu


@pytest.fixture(scope="module", params=["cpu", "gpu"])
def device(request: pytest.FixtureRequest) -> Iterator[torch.device]:
    """Where tensors are put; without a GPU, Triton interprets what is for one on the CPU."""
    device = "cuda" if request.param == "gpu" and torch.cuda.is_available() else "cpu"
    loops = {"cpu": cpu, "gpu": gpu}[request.param]
    with pytest.MonkeyPatch.context() as patch:
        for module in ("warps", "errors"):
            patch.setattr(f"mtdepth.losses.fused.{module}.loops_for", lambda _: loops)
        yield torch.device(device)
