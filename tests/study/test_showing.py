"""Pictures of the test phase: whole or not at all, and not drawn twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from study.ledger import Ledger
from study.runner import Settings, resume_study, run_study
from study.shown import read_images
from tests.study.quick import Quick, quick_space

pytestmark = pytest.mark.usefixtures("small_ray")


def test_what_is_missing_is_drawn_when_a_study_goes_on(tmp_path: Path) -> None:
    quick = Quick(diary=tmp_path / "diary")
    settings = Settings(trainable=quick, tracks=False)
    out = run_study(quick_space(), tmp_path / "study", settings)
    assert [one.image for one in read_images(out)] == ["0.png", "1.png"]
    first = sorted(quick.said("draw test"))
    assert first == ["draw test dwa seed 1", "draw test equal seed 1"]
    shutil.rmtree(out / "shown" / "dwa")
    resume_study(out, settings)
    assert quick.said("draw test")[2:] == ["draw test dwa seed 1"]
    (out / "shown" / "images.json").write_text(json.dumps([{"image": "other", "why": []}]))
    resume_study(out, settings)
    assert len(quick.said("draw test")) == 5, "pictures of other images are drawn anew"
    assert len(quick.said("judge")) == 4
    assert Ledger.open(out).manifest["test_opened"] is not None
    left = sorted(path.name for path in (out / "shown").iterdir())
    assert left == ["dwa", "equal", "images.json"]
