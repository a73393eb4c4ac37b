"""The real model: a loss that turns NaN fails its trial alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from study.ledger import Ledger
from study.runner import Settings, run_study
from study.space import Space

SLIM: dict[str, Any] = {
    "tasks": ["depth"],
    "encoder": {"width": 8, "weights": "none"},
    "decoder": {"width": 4, "disparity_bias": -3},
    "batch_size": 2,
    "epochs": 1,
    "max_steps_per_epoch": 3,
    "max_val_samples": 2,
}


@pytest.mark.usefixtures("small_ray")
def test_an_arm_that_diverges_is_told_and_the_other_is_judged(
    tiny_data: Any, tmp_path: Path
) -> None:
    space = Space.model_validate(
        {
            "study": "divergence",
            "question": "Does it go on?",
            "base": {**SLIM, "data": tiny_data.model_dump(mode="json")},
            "arms": {
                "calm": {"set": {"optimizer.lr": 1e-3}},
                "wild": {"set": {"optimizer.lr": 1e30}},
            },
            "objective": {"metric": "val/depth/abs_rel", "mode": "min"},
            "confirm": {"seeds": [1]},
            "compare": {"baseline": "calm", "metrics": ["test/depth/abs_rel"]},
        }
    )
    out = run_study(space, tmp_path / "study", Settings(tracks=False))
    trials = Ledger.open(out).trials().set_index("arm")
    assert dict(trials.status) == {"calm": "completed", "wild": "failed"}
    assert trials.error["wild"].startswith("TrainingDiverged: expected finite losses, found ")
    assert "epoch 1" in trials.error["wild"]
    assert 0 < trials.metrics["calm"]["test/depth/abs_rel"] < 100
    assert trials.device_seconds["calm"] > 0
    assert trials.error["wild"] in (out / "report.md").read_text()
    (picture,) = {path.suffix for path in (out / "shown" / "calm").iterdir()}
    assert picture == ".png"
    assert (out / "figures" / "image-00.png").read_bytes().startswith(b"\x89PNG")
