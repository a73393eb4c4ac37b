from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtdepth.losses.fused.cpu.compiled import shared

GRADIENTS = """
import hashlib
import torch
from mtdepth.losses.fused import photometric_errors, warp

torch.manual_seed(0)
depth_m = torch.rand(1, 1, 1, 33, 47).mul(20).add(1).requires_grad_()
motion = torch.eye(3, 4).add(0.01 * torch.randn(2, 1, 3, 4)).requires_grad_()
warped = warp(depth_m, motion, torch.rand(1, 2, 3, 33, 47))
photometric_errors(warped.flatten(0, 1), torch.rand(1, 3, 33, 47), 0.85).mean().backward()
for gradient in (depth_m.grad, motion.grad):
    print(hashlib.sha256(gradient.numpy().tobytes()).hexdigest())
"""


def test_what_the_cache_holds_computes_the_same_to_the_last_bit(tmp_path: Path) -> None:
    command = [sys.executable, "-c", GRADIENTS]
    told = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
    compiled, cached = (subprocess.check_output(command, env=told) for _ in range(2))
    assert list(tmp_path.rglob("*.nbc"))
    assert compiled == cached


@given(st.integers(1, 5), st.integers(0, 40))
def test_each_is_done_once(threads: int, num: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    done: list[int] = []
    shared(lambda first, last: done.extend(range(first, last)), num)
    torch.set_num_threads(before)
    assert sorted(done) == list(range(num))


def test_one_thread_does_it_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    names: list[str] = []
    shared(lambda _first, _last: names.append(threading.current_thread().name), 7)
    assert names == [threading.current_thread().name]


def test_an_error_of_a_thread_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)

    def fail(first: int, _last: int) -> None:
        if first > 0:
            raise ValueError("of a thread")

    with pytest.raises(ValueError, match="of a thread"):
        shared(fail, 9)
