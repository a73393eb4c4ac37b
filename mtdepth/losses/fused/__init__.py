"""The photometric loss in float32 as CPUs and GPUs are best given it: compiled, pixel by pixel.

`photometric.py` says the same in tensors, for all other types, and is the reference of the tests
here; it moves each image through memory a hundred times, and these move it a few times.
"""

from __future__ import annotations

from mtdepth.losses.fused.errors import photometric_errors
from mtdepth.losses.fused.loops import takes
from mtdepth.losses.fused.warps import warp

__all__ = ["photometric_errors", "takes", "warp"]
