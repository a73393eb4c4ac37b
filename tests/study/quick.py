"""A training that takes no time: a parabola over the learning rate, with a state of its own."""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from study.space import Space
from study.trainable import (
    Judgement,
    OnProgress,
    Report,
    Split,
    SplitSummary,
    TrainConfig,
    TrialFailed,
    Truth,
    metric_names,
)

OBJECTIVE = "val/depth/abs_rel"
TESTED = ("test/depth/abs_rel", "test/depth/a1")


@dataclass(frozen=True, kw_only=True)
class Quick:
    """A `Trainable` that writes into a diary what was asked of it."""

    diary: Path
    """A line for each thing that happens, by whatever process."""
    trouble: Mapping[str, str] = field(default_factory=dict)
    """What happens to an arm by the name of its weighting: `nan`, `bug`, `no file` and `no image`
    (of a name that is not UTF-8), `dies once`, `dies`, `ends early`, `no test`, `no picture`."""
    seconds: float = 0.0
    """Of an epoch."""
    truth: Truth = field(default_factory=Truth)
    """What validation and test can be judged against."""

    def check_software(self, config: Mapping[str, Any]) -> None:
        pass

    def check_data(
        self, config: Mapping[str, Any], on_progress: OnProgress | None = None
    ) -> dict[str, SplitSummary]:
        self._write("check")
        return {
            split: SplitSummary(num_samples=num, truth=self.truth, fingerprint=split)
            for split, num in (("train", 9), ("val", 3), ("test", 2))
        }

    def fit(self, config: Mapping[str, Any], report: Report, resume_from: Path | None) -> None:
        told = TrainConfig.model_validate(config)
        state: dict[str, Any] = {"config": dict(config), "epoch": 0, "loss": 1.0}
        if resume_from is not None:
            state = json.loads((resume_from / "state.json").read_text())
        who = f"{told.weighting.name} lr {told.optimizer.lr:.6g} seed {told.seed}"
        while state["epoch"] < told.epochs:
            time.sleep(self.seconds)
            epoch = state["epoch"] = state["epoch"] + 1
            self._write(f"fit {who} epoch {epoch}")
            if self._is_in_trouble(told, epoch, who):
                return
            distance = math.log10(told.optimizer.lr) + 4
            state["loss"] = 0.5 * state["loss"] + distance**2 + 0.01 * told.seed
            metrics = {"epoch": epoch, OBJECTIVE: state["loss"], "train/loss": 2 * state["loss"]}
            with tempfile.TemporaryDirectory() as directory:
                Path(directory, "state.json").write_text(json.dumps(state))
                report(metrics, Path(directory))

    def judge(self, checkpoint: Path, split: Split) -> Judgement:
        state, told = self._read(checkpoint)
        self._write(f"judge {split} {told.weighting.name} seed {told.seed}")
        if self._trouble(told) == "no test":
            raise OSError("the images\nare gone")
        reached = {
            name: 1 - state["loss"] if name.endswith("a1") else state["loss"]
            for name in metric_names(told, split, self.truth)
        }
        images = [{"image": f"{index}.png", **reached} for index in range(2)]
        return Judgement(metrics=reached, images=images)

    def draw(self, checkpoint: Path, split: Split, out: Path, images: Sequence[str]) -> None:
        _, told = self._read(checkpoint)
        self._write(f"draw {split} {told.weighting.name} seed {told.seed}")
        if self._trouble(told) == "no picture":
            raise OSError("no ink")
        for number, _ in enumerate(images):
            (out / f"{number:02d}-00.png").write_bytes(b"a picture")

    def draw_sheet(self, checkpoint: Path, split: Split, out: Path) -> None:
        self.draw(checkpoint, split, out.parent, [])
        out.write_bytes(b"a picture")

    def said(self, *what: str) -> list[str]:
        """Lines of the diary that begin so, in order."""
        lines = self.diary.read_text().splitlines() if self.diary.exists() else []
        return [line for line in lines if line.startswith(what)]

    def _is_in_trouble(self, told: TrainConfig, epoch: int, who: str) -> bool:
        """Whether it ends here, in silence; it may end otherwise."""
        trouble = self._trouble(told)
        if trouble == "nan":
            raise TrialFailed(f"expected finite losses,\nfound nan in epoch {epoch}")
        if trouble == "bug":
            raise RuntimeError("an unforeseen\nend")
        if trouble in ("no file", "no image"):
            path = os.fsdecode(b"caf\xe9.png")
            if trouble == "no image":
                raise TrialFailed(f"{path} is gone")
            raise OSError(2, "gone", path)
        first_time = len(self.said(f"fit {who} epoch {epoch}")) == 1
        if epoch == 2 and (trouble == "dies" or (trouble == "dies once" and first_time)):
            os._exit(1)
        return trouble == "ends early" and epoch == 2

    def _trouble(self, told: TrainConfig) -> str | None:
        return self.trouble.get(told.weighting.name)

    def _read(self, checkpoint: Path) -> tuple[dict[str, Any], TrainConfig]:
        state = json.loads((checkpoint / "state.json").read_text())
        return state, TrainConfig.model_validate(state["config"])

    def _write(self, line: str) -> None:
        with self.diary.open("a") as diary:
            diary.write(line + "\n")


def quick_space(**changes: Any) -> Space:
    """Two arms, told apart by their weighting: 2 search trials each, 2 seeds, 3 epochs."""
    content: dict[str, Any] = {
        "study": "quick",
        "question": "Does it?",
        "base": {"tasks": ["depth"], "epochs": 3},
        "arms": {
            "equal": {"set": {"weighting": {"name": "equal"}}},
            "dwa": {"set": {"weighting": {"name": "dwa"}}},
        },
        "objective": {"metric": OBJECTIVE, "mode": "min"},
        "search": {
            "trials_per_arm": 2,
            "space": {"optimizer.lr": {"type": "float", "low": 1e-5, "high": 1e-3, "log": True}},
        },
        "confirm": {"seeds": [1, 2]},
        "compare": {"baseline": "equal", "metrics": list(TESTED)},
    }
    return Space.model_validate({**content, **changes})
