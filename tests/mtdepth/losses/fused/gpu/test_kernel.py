"""Kernels are compiled for an H200, which needs none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COMPILE = """
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from mtdepth.losses.fused.gpu import error_kernels, warp_kernels

POINTERS = set("depth motion sources out through by_depth by_motion x y by_window".split())
KERNELS = [warp_kernels.warps, warp_kernels.warps_back, error_kernels.errors]
for kernel in [*KERNELS, error_kernels.windows_back, error_kernels.pixels_back]:
    for ones in [(), ("num", "scales", "size", "num_targets", "channels")]:
        fixed = {"BLOCK": 256} | {name: 1 for name in ones if name in kernel.arg_names}
        types = {
            name: "constexpr" if name in fixed else
            "*fp32" if name in POINTERS else "fp32" if name == "ssim" else "i32"
            for name in kernel.arg_names
        }
        source = ASTSource(fn=kernel, signature=types, constexprs=fixed)
        made = compile(source, target=GPUTarget("cuda", 90, 32))
        print(kernel.fn.__name__, len(made.asm["cubin"]) > 0)
"""


def test_every_kernel_has_machine_code_for_a_gpu(tmp_path: Path) -> None:
    """Also with arguments of 1, which Triton takes for constants."""
    told = os.environ | {"TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path)}
    found = subprocess.check_output([sys.executable, "-c", COMPILE], env=told, text=True)
    names = ["warps", "warps_back", "errors", "windows_back", "pixels_back"]
    assert found.split() == [word for name in names for word in (name, "True") * 2]
