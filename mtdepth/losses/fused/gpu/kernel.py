"""How the kernels here are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import triton
import triton.language as tl

Values = tl.tensor
"""A number; or, for a block of pixels, one of each."""
Pointer = tl.tensor

kernel: Callable[[Callable[..., object]], Any] = triton.jit
"""At their first call, for the GPU that they are called on."""
