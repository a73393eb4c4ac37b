"""What figures are drawn for which studies, beside learning curves."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from study.events import EpochEnded, Event
from study.report import write_report
from study.report.forest import draw_forest
from study.report.importance import MIN_TRIALS, importance, importance_rows
from study.report.pictures import draw_pictures
from study.report.searches import draw_searches
from study.report.two_tasks import draw_two_tasks
from study.results import read_results
from study.space import Space
from tests.study.ledgers import METRIC, confirmed, told_space, trial, write_study

AP = "test/instances/ap50"
LR: dict[str, Any] = {"type": "float", "low": 1e-5, "high": 1e-3, "log": True}
SPACE = {
    "optimizer.lr": LR,
    "batch_size": {"type": "int", "low": 1, "high": 8},
    "attention": {"type": "categorical", "choices": ["none", "encoder"]},
}


def is_drawn(path: Path) -> bool:
    with Image.open(path) as image:
        return float(np.asarray(image.convert("L")).std()) > 5 and path.with_suffix(".pdf").exists()


def two_tasks() -> Space:
    return told_space(
        arms={
            "depth": {},
            "inst": {"set": {"tasks": ["instances"]}},
            "both": {"set": {"tasks": ["depth", "instances"]}},
        },
        compare={"baseline": "depth", "metrics": [METRIC, AP]},
    )


def searched(num: int, **space: Any) -> tuple[Space, list[Event]]:
    """Trials of arm `a` whose objective follows from the learning rate alone."""
    rng = np.random.default_rng(0)
    events: list[Event] = []
    for number in range(num):
        lr = float(10 ** rng.uniform(-5, -3))
        params = {
            "optimizer.lr": lr,
            "batch_size": int(rng.integers(1, 9)),
            "attention": "none" if rng.random() < 0.5 else "encoder",
        }
        value = (math.log10(lr) + 4) ** 2
        events += trial("a", phase="search", number=number, params=params, val=value)
    return told_space(search={"trials_per_arm": num, "space": SPACE}, **space), events


def test_differences_are_one_figure_and_none_without_any(tmp_path: Path) -> None:
    values = {arm: {s: 0.3 + s / 100 for s in (1, 2, 3)} for arm in "ab"}
    (picture,) = draw_forest(
        read_results(write_study(tmp_path / "1", confirmed(values))), tmp_path / "f"
    )
    assert is_drawn(picture.path)
    assert draw_forest(read_results(write_study(tmp_path / "2", [])), tmp_path / "f") == []


@pytest.mark.parametrize("num_seeds", [1, 2])
def test_depth_against_instances_needs_an_arm_that_has_both(tmp_path: Path, num_seeds: int) -> None:
    def events(*arms: str) -> list[Event]:
        reached = {"depth": {METRIC: 0.1}, "inst": {AP: 0.5}, "both": {METRIC: 0.09, AP: 0.6}}
        seeds = range(1, 1 + num_seeds)
        return [e for arm in arms for s in seeds for e in trial(arm, s, test=reached[arm])]

    every = write_study(tmp_path / "1", events("depth", "inst", "both"), two_tasks())
    (picture,) = draw_two_tasks(read_results(every), tmp_path / "f")
    assert is_drawn(picture.path)
    alone = write_study(tmp_path / "2", events("depth", "inst"), two_tasks())
    assert draw_two_tasks(read_results(alone), tmp_path / "f") == []


def test_a_search_is_drawn_with_its_settings_however_its_trials_ended(tmp_path: Path) -> None:
    space, events = searched(6)
    events += trial("a", phase="search", number=6, status="failed", error="x", epochs=0)
    events += trial("a", phase="search", number=7, status="pruned", val=0.4)
    events += trial("a", phase="search", number=8, status="running", epochs=0)
    results = read_results(write_study(tmp_path / "1", events, space))
    (picture,) = draw_searches(results, tmp_path / "f")
    assert picture.path.name == "search-a.png"
    assert is_drawn(picture.path)
    assert draw_searches(read_results(write_study(tmp_path / "2", [])), tmp_path / "f") == []


def test_importance_finds_what_mattered_and_says_from_how_many_trials(tmp_path: Path) -> None:
    space, events = searched(40)
    events += trial("a", phase="search", number=40, status="failed", error="x", epochs=0)
    results = read_results(write_study(tmp_path / "1", events, space))
    found = importance(results, "a")
    assert found.num_trials == 40
    assert set(found.shares) == set(SPACE)
    assert found.shares["optimizer.lr"] > 0.7
    assert sum(found.shares.values()) == pytest.approx(1)
    (row,) = importance_rows(results)
    assert row["shares"].startswith("optimizer.lr ")


def test_importance_is_refused_where_it_would_be_noise(tmp_path: Path) -> None:
    space, events = searched(MIN_TRIALS - 1)
    told = importance(read_results(write_study(tmp_path / "1", events, space)), "a")
    assert (told.shares, told.num_trials) == ({}, MIN_TRIALS - 1)
    assert told.why_not == "it takes 30 completed trials"
    same = [e for n in range(30) for e in trial("a", phase="search", number=n, val=1.0,
            params={"optimizer.lr": 1e-4, "batch_size": 1, "attention": "none"})]  # fmt: skip
    told = importance(read_results(write_study(tmp_path / "2", same, space)), "a")
    assert told.why_not == "all trials reached the same"


def tile(path: Path, caption: str, **legend: str) -> None:
    info = PngInfo()
    info.add_itxt("legend", json.dumps({"caption": caption, **legend}))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (48, 16), "#c04040").save(path, pnginfo=info)


def test_pictures_of_an_image_stand_together_and_broken_ones_are_left_out(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", trial("a", 1, test={METRIC: 0.3}))
    index = [{"image": "<x> 1 l", "why": ["evenly chosen", "worst"]}, {"image": "y", "why": ["z"]}]
    for arm in "ab":
        tile(study / "shown" / arm / "00-00.png", "image")
        tile(study / "shown" / arm / "00-01.png", "true depth", colours="magma_r", low="1 m")
        tile(
            study / "shown" / arm / "00-02.png", "predicted depth",
            colours="no such colours", low="1 m", high="9 m",
        )  # fmt: skip
        (study / "shown" / arm / "01-00.png").write_bytes(b"broken")
    (study / "shown" / "images.json").write_text(json.dumps(index))
    (picture,) = draw_pictures(read_results(study), study)
    assert picture.caption == "<x> 1 l: evenly chosen; worst"
    assert is_drawn(picture.path)
    write_report(study)
    assert "&lt;x&gt; 1 l: evenly chosen; worst" in (study / "report.html").read_text()
    (study / "shown" / "images.json").write_text("{")
    assert draw_pictures(read_results(study), study) == []


def test_two_tasks_of_validation_count_before_the_test(tmp_path: Path) -> None:
    key = "search-both-000"
    events = trial("both", phase="search", number=0, epochs=1, status="running")
    both: dict[str, float] = {"val/depth/abs_rel": 0.3, "val/instances/ap50": 0.2}
    events.append(EpochEnded(trial_key=key, epoch=2, metrics=both, checkpoint=None, seconds=1.0))
    running = read_results(write_study(tmp_path / "1", events, two_tasks()))
    assert draw_two_tasks(running, tmp_path / "f") == [], "it has not ended"
