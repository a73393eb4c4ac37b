"""What a simulated training promises, as any trainable does."""

from __future__ import annotations

import itertools
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from study.simulate import DEPTH_ONLY, Simulated
from study.trainable import TrialFailed, Truth

CONFIG: dict[str, Any] = {
    "tasks": ["depth", "instances"],
    "epochs": 6,
    "optimizer": {"lr": 1e-4},
    "weighting": {"name": "dwa"},
    "seed": 3,
}


def curve(
    simulated: Simulated, keep: Path | None = None, resume_from: Path | None = None, **changes: Any
) -> list[dict[str, float]]:
    """What a training reports; its checkpoints are kept by epoch."""
    told: list[dict[str, float]] = []

    def report(metrics: dict[str, float], checkpoint: Path) -> None:
        told.append(metrics)
        if keep is not None:
            shutil.copytree(checkpoint, keep / str(int(metrics["epoch"])))

    simulated.fit({**CONFIG, **changes}, report, resume_from)
    return told


def test_a_curve_falls_towards_its_asymptote_and_has_the_names_of_its_configuration() -> None:
    told = curve(Simulated(noise=0))
    assert [metrics["epoch"] for metrics in told] == [1, 2, 3, 4, 5, 6]
    losses = [metrics["val/depth/abs_rel"] for metrics in told]
    drops = [before - after for before, after in itertools.pairwise(losses)]
    assert drops == sorted(drops, reverse=True)
    assert drops[-1] > 0
    assert all(m["val/depth/a1"] == 1 - m["val/depth/abs_rel"] for m in told)
    assert "val/instances/ap50" not in told[0]
    assert "val/instances/ap50" in curve(Simulated(truth=Truth()))[0]


@pytest.mark.parametrize("epoch", [1, 3, 5])
def test_it_goes_on_from_a_checkpoint_to_the_last_digit(tmp_path: Path, epoch: int) -> None:
    whole = curve(Simulated(), tmp_path)
    assert curve(Simulated(), resume_from=tmp_path / str(epoch)) == whole[epoch:]


def test_arm_settings_and_seed_each_move_it_and_nothing_else_does() -> None:
    def last(**changes: Any) -> float:
        return curve(Simulated(), **changes)[-1]["val/depth/abs_rel"]

    others = ({"optimizer": {"lr": 9e-4}}, {"weighting": {"name": "gls"}}, {"seed": 4})
    values = [last(), *(last(**change) for change in others)]
    assert len(set(values)) == 4
    assert last() == values[0]
    assert abs(values[3] - values[0]) < 0.1, "a seed is but noise"


def test_it_is_judged_by_image_and_drawn(tmp_path: Path) -> None:
    told = curve(Simulated(), tmp_path)
    judged = Simulated().judge(tmp_path / "6", "test")
    name = "test/depth/abs_rel"
    assert [row["image"] for row in judged.images] == [f"{i:03d}.png" for i in range(4)]
    assert judged.metrics[name] == pytest.approx(sum(row[name] for row in judged.images) / 4)
    assert judged.metrics[name] == pytest.approx(told[-1]["val/depth/abs_rel"], rel=0.2)
    (tmp_path / "out").mkdir()
    Simulated().draw(tmp_path / "6", "test", tmp_path / "out", ["x", "y"])
    pictures = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in pictures] == ["00-00.png", "01-00.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)


def test_a_share_diverges_and_the_same_ones_each_time() -> None:
    def fails(seed: int) -> bool:
        try:
            curve(Simulated(diverges=0.3), seed=seed)
        except TrialFailed:
            return True
        return False

    failed = [fails(seed) for seed in range(40)]
    assert 4 <= sum(failed) <= 20
    assert failed == [fails(seed) for seed in range(40)]


def test_it_looks_its_data_over_and_travels() -> None:
    found = Simulated(num_images=7).check_data(CONFIG)
    assert found["test"].num_samples == 7
    assert found["val"].truth == DEPTH_ONLY
    assert pickle.loads(pickle.dumps(Simulated(seconds=1))) == Simulated(seconds=1)
