"""The benchmark measures what it says, and tells it in a table or as JSON."""

from __future__ import annotations

import json
import time

import pytest
import torch

from mtdepth.bench import __main__ as bench
from mtdepth.bench.floor import ADAM_PASSES, count_flops, least_bytes
from mtdepth.bench.machine import in_turns
from mtdepth.config import DataConfig
from tests.mtdepth.batches import small_config

CPU = torch.device("cpu")


def test_works_are_timed_in_turns_after_a_warm_up() -> None:
    calls: list[str] = []
    works = {"a": lambda: calls.append("a"), "b": lambda: (calls.append("b"), time.sleep(0.01))}
    found = in_turns(works, CPU, 2)
    assert calls == ["a", "b"] * 3
    assert {name: len(seconds) for name, seconds in found.items()} == {"a": 2, "b": 2}


def test_flops_of_a_convolution_and_its_gradients() -> None:
    layer, image = torch.nn.Conv2d(4, 8, 3, padding=1), torch.rand(2, 4, 6, 10)
    once = 2 * 2 * 8 * 4 * 9 * 6 * 10
    assert count_flops(lambda: layer(image)) == once
    assert count_flops(lambda: layer(image).sum().backward()) == 2 * once  # none for the image
    image.requires_grad_()
    assert count_flops(lambda: layer(image).sum().backward()) == 3 * once


def test_bytes_that_a_step_cannot_but_move() -> None:
    """A convolution keeps its image, and the square what the convolution gave."""
    layer, image = torch.nn.Conv2d(4, 8, 1, bias=False), torch.rand(2, 4, 6, 10)
    kept = 4 * (image.numel() + 2 * image.numel())
    found = least_bytes(lambda: layer(image).square().sum(), layer)
    assert found == 2 * kept + ADAM_PASSES * 4 * 32


@pytest.mark.parametrize("as_json", [False, True])
def test_it_measures_and_tells(
    tiny_data: DataConfig,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    as_json: bool,
) -> None:
    config = small_config(data=tiny_data, batch_size=2)
    monkeypatch.setattr(bench, "_config", lambda told: config)
    monkeypatch.setattr("mtdepth.bench.measure.flops_a_second", lambda *_: 1e11)
    monkeypatch.setattr("mtdepth.bench.measure.bytes_a_second", lambda *_: 1e10)
    told = ["--device", "cpu", "--rounds", "1", "--reference", *(["--json"] if as_json else [])]
    assert bench.main(told) == 0
    shown = capsys.readouterr().out
    if not as_json:
        assert "the plain step: " in shown
        assert "arithmetic floor" in shown
        return
    found = json.loads(shown)
    assert found["flops"] > 1e8
    assert found["disagreement"]["same batch"] < 1e-5
    assert found["disagreement"]["as loaded"] < 1e-4
    assert min(times["best"] for times in found["steps"].values()) > 0
    assert set(found["parts"]) > {"loading", "encoder", "pose", "warps", "backward", "optimiser"}


@pytest.mark.parametrize("size", ["100x640", "192", "large"])
def test_a_size_that_cannot_be_is_told(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--size", size, "--device", "cpu"]) == 2
    assert "found" in capsys.readouterr().err or size == ""
