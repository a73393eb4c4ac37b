from __future__ import annotations

import pytest
import torch

from mtdepth.losses.fused import cpu, takes
from mtdepth.losses.fused.loops import loops_for


@pytest.mark.parametrize(
    ("device", "dtype", "expected"),
    [
        ("cpu", torch.float32, True),
        ("cpu", torch.float64, False),
        ("cpu", torch.bfloat16, False),
        ("meta", torch.float32, False),
    ],
)
def test_tensors_of_other_kinds_are_left_to_tensors(
    device: str, dtype: torch.dtype, expected: bool
) -> None:
    assert takes(torch.empty(1, device=device, dtype=dtype)) == expected


def test_a_cpus_tensors_have_a_cpus_loops() -> None:
    assert loops_for(torch.empty(1)) is cpu
