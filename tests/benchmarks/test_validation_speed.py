"""Validation whose images are loaded ahead and judged by several threads, beside one after the
other: what a GPU would otherwise wait for at each epoch's end.

Run by hand: `pytest -m slow -s tests/benchmarks`. The ratio is what counts, not the seconds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mtdepth import evaluate, scores
from mtdepth.config import DataConfig, TrainConfig
from mtdepth.data.ahead import ahead
from mtdepth.data.driveworld import DriveworldConfig, ensure
from mtdepth.metrics.names import Split
from mtdepth.model.network import Network, Predictions

WORLD = DriveworldConfig(
    width=1248, height=384, num_train_drives=1, num_val_drives=2, num_test_drives=0,
    num_frames=26, supersampling=1,
)  # fmt: skip
"""Nearly as large as KITTI's images, with its laser's points."""
NUM_ROUNDS = 3
CPU = torch.device("cpu")


def one_by_one(
    make: Callable[[Any], Any],
    of: Iterable[Any],
    num: int = 0,
    num_threads: int = 0,
) -> Iterator[Any]:
    return map(make, of)


class Remembering(Network):
    """Predicts once what it is asked for, as a GPU needs no time for it beside the rest."""

    def forward(self, target: Tensor, sources: Tensor | None = None) -> Predictions:
        known: dict[tuple[int, bool], Predictions] = self.__dict__.setdefault("known", {})
        key = (len(target), sources is None)
        if key not in known:
            known[key] = super().forward(target, sources)
        return known[key]


@pytest.mark.slow
@pytest.mark.parametrize("tasks", [("depth",), ("depth", "instances")], ids=["st", "mt"])
def test_several_threads_judge_faster(
    tasks: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(2)
    root = ensure(WORLD, tmp_path / "world", workers=2)
    data = DataConfig(root=root, driveworld=WORLD, height=192, width=640)
    told = {"data": data, "encoder": {"weights": "none"}, "tasks": tasks}
    config = TrainConfig.model_validate(told)
    network = Remembering(config)
    split: Split = "val"
    evaluate.evaluate_network(network, config, split, CPU)
    best = {"threads": math.inf, "one by one": math.inf}
    for _ in range(NUM_ROUNDS):
        for name, way in (("threads", ahead), ("one by one", one_by_one)):
            for module in (evaluate, scores):
                monkeypatch.setattr(module, "ahead", way)
            start = time.perf_counter()
            found = evaluate.evaluate_network(network, config, split, CPU)
            best[name] = min(best[name], time.perf_counter() - start)
    ratio = best["one by one"] / best["threads"]
    an_image = {name: f"{1e3 * s / len(found.images):.1f} ms" for name, s in best.items()}
    print(f"{tasks}: {ratio:.2f} times as fast by 2 threads; an image takes {an_image}")
    assert ratio > 1.0
