"""Learning curves from a seed, so that the engine can be tried at any size without training.

    run_study(space, out, Settings(trainable=Simulated()))

A curve falls by a power of the epochs towards an asymptote, as learning curves do (Hestness et al.
2017, https://arxiv.org/abs/1712.00409). The asymptote follows from the configuration: each setting
has a best value of its own, drawn from its name. On top is noise that wanders with the seed.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from study.nesting import flattened, value_at
from study.trainable import (
    Calibration,
    Judgement,
    OnProgress,
    Report,
    Split,
    SplitSummary,
    TrainConfig,
    TrialFailed,
    Truth,
    higher_is_better,
    metric_names,
    peak_memory_bytes,
)

STATE = "state.json"
DEPTH_ONLY = Truth(neighbours=False, motion=False, instances=False, poses=False)
_NO_MATTER = ("seed", "epochs", "data.", "evaluation.")
"""Settings that do not move the asymptote, or what they begin with."""
_DEFAULTS = TrainConfig().model_dump(mode="json")


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """A `Trainable` that trains nothing; it goes on from a checkpoint to the last digit."""

    seconds: float = 0.0
    """Of an epoch, and of a judgement."""
    noise: float = 0.01
    """Standard deviation of what wanders on top of a curve, from one epoch to the next."""
    diverges: float = 0.0
    """Share of the trainings that fail, in an epoch that follows from configuration and seed."""
    num_images: int = 4
    """Of the test split."""
    truth: Truth = field(default=DEPTH_ONLY)
    """What validation and test can be judged against."""

    def check_software(self, config: Mapping[str, Any]) -> None:
        """See `Trainable`; nothing is needed."""

    def check_data(
        self,
        config: Mapping[str, Any],  # noqa: ARG002
        on_progress: OnProgress | None = None,  # noqa: ARG002
    ) -> dict[str, SplitSummary]:
        """See `Trainable`; no data is read."""
        return {
            split: SplitSummary(num_samples=num, truth=self.truth, fingerprint=f"simulated-{num}")
            for split, num in (("train", 100), ("val", 10), ("test", self.num_images))
        }

    def calibrate(self, config: Mapping[str, Any]) -> Calibration:  # noqa: ARG002
        """See `Trainable`; an epoch is a step."""
        return Calibration(
            start_seconds=0.0,
            steps_an_epoch=1,
            steps_with_val=1,
            seconds_a_step=self.seconds,
            seconds_a_first_step=self.seconds,
            num_val_images=10,
            seconds_an_image=0.0,
            save_seconds=0.0,
            checkpoint_bytes=2000,
            memory_bytes=peak_memory_bytes(),
            device_memory_bytes=0,
        )

    def fit(self, config: Mapping[str, Any], report: Report, resume_from: Path | None) -> None:
        """See `Trainable`."""
        told = TrainConfig.model_validate(config)
        names = metric_names(told, "val", self.truth)
        diverges_at = self._diverges_at(config, told.epochs)
        state = _State.begin(config) if resume_from is None else _State.read(resume_from)
        with tempfile.TemporaryDirectory(prefix="simulated-") as directory:
            while state.epoch < told.epochs:
                time.sleep(self.seconds)
                state.advance(self.noise)
                if state.epoch == diverges_at:
                    raise TrialFailed(f"expected finite losses, found nan in epoch {state.epoch}")
                loss = state.loss()
                state.write(Path(directory))
                metrics = {name: _value(name, loss) for name in names}
                report({"epoch": state.epoch, "train/loss": loss, **metrics}, Path(directory))

    def judge(self, checkpoint: Path, split: Split) -> Judgement:
        """See `Trainable`; images differ from each other, and are as hard for any model."""
        time.sleep(self.seconds)
        state = _State.read(checkpoint)
        names = metric_names(TrainConfig.model_validate(state.config), split, self.truth)
        images: list[dict[str, Any]] = []
        for index in range(self.num_images):
            loss = state.loss() * (0.8 + 0.4 * _share("image", split, index))
            images.append({"image": f"{index:03d}.png", **{n: _value(n, loss) for n in names}})
        means = {n: math.fsum(row[n] for row in images) / len(images) for n in names}
        return Judgement(metrics=means, images=images)

    def draw(
        self,
        checkpoint: Path,
        split: Split,  # noqa: ARG002
        out: Path,
        images: Sequence[str],
    ) -> None:
        """See `Trainable`; grey pictures, the darker the lower the loss."""
        from PIL import Image
        from PIL.PngImagePlugin import PngInfo

        legend = PngInfo()
        legend.add_itxt("legend", json.dumps({"caption": "predicted grey"}))
        picture = Image.new("L", (48, 16), round(255 * _State.read(checkpoint).loss()))
        for number, _ in enumerate(images):
            picture.save(out / f"{number:02d}-00.png", pnginfo=legend)

    def draw_sheet(self, checkpoint: Path, split: Split, out: Path) -> None:  # noqa: ARG002
        """See `Trainable`; a grey square, the darker the lower the loss."""
        from PIL import Image

        grey = round(255 * _State.read(checkpoint).loss())
        Image.new("L", (16, 16), grey).save(out)

    def _diverges_at(self, config: Mapping[str, Any], num_epochs: int) -> int | None:
        told = json.dumps(config, sort_keys=True)
        if _share("diverges", told) >= self.diverges:
            return None
        return 1 + int(_share("epoch", told) * num_epochs)


@dataclass
class _State:
    """A training between two epochs: all of a checkpoint."""

    config: dict[str, Any]
    asymptote: float
    random: dict[str, Any]
    """State of the generator that the noise comes from."""
    epoch: int = 0
    wander: float = 0.0

    @classmethod
    def begin(cls, config: Mapping[str, Any]) -> _State:
        told = json.dumps(config, sort_keys=True).encode()
        seed = np.random.SeedSequence((config.get("seed", 0), zlib.crc32(told)))
        return cls(dict(config), _asymptote(config), dict(np.random.PCG64(seed).state))

    @classmethod
    def read(cls, directory: Path) -> _State:
        return cls(**json.loads((directory / STATE).read_text()))

    def write(self, directory: Path) -> None:
        (directory / STATE).write_text(json.dumps(vars(self)))

    def advance(self, noise: float) -> None:
        """One epoch."""
        bits: Any = np.random.PCG64()
        bits.state = self.random
        self.epoch += 1
        self.wander = 0.5 * self.wander + noise * float(np.random.Generator(bits).normal())
        self.random = dict(bits.state)

    def loss(self) -> float:
        """What the model has reached, between 0 and 1."""
        return min(1.0, max(1e-3, self.asymptote + 0.3 * self.epoch**-0.7 + self.wander))


def _asymptote(config: Mapping[str, Any]) -> float:
    """From 0.1 for the best of all settings to 0.6; what is not set harms nothing."""
    told = flattened(config)
    harm = sum(_harm(name, value) for name, value in told if not name.startswith(_NO_MATTER))
    return 0.6 - 0.5 * math.exp(-harm)


def _harm(name: str, value: Any) -> float:
    """What a setting adds: 0 at its best value, and below 0.3 anywhere."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return 0.3 * _share(name, value)
    distance = math.log10(value) - _best(name)
    return 0.3 * distance**2 / (1 + distance**2)


def _best(name: str) -> float:
    """The logarithm of a setting's best value, which lies around the default where there is one."""
    default = value_at(_DEFAULTS, name)
    around = math.log10(default) if isinstance(default, int | float) and default > 0 else 0.0
    return around + _share("best", name) - 0.5


def _share(*told: Any) -> float:
    """A number from 0 to 1 that looks drawn, and follows from what is told."""
    return zlib.crc32(repr(told).encode()) / 2**32


def _value(name: str, loss: float) -> float:
    return 1 - loss if higher_is_better(name) else loss
