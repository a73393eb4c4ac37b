"""The clustering of each training, searched when it is over."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtdepth.checkpoint import load_network
from mtdepth.config import TrainConfig
from mtdepth.evaluate import evaluate
from study import inner_search, replay, tables
from study.documents import FieldError
from study.inner_search import tune
from study.inner_space import check_inner_search
from study.ledger import Ledger
from study.runner import Settings, run_study
from study.search_language import InnerSearch
from study.space import Space
from study.trainable import TrialFailed
from tests.mtdepth.batches import LEARNING
from tests.study.offsets import SEARCHED, save_model, say

METRIC = "val/instances/ap50"


def inner(**changes: Any) -> InnerSearch:
    return InnerSearch.model_validate({"trials": 12, "space": SEARCHED, **changes})


@pytest.fixture
def model(tmp_path: Path, tiny_data: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model that says true offsets with noise, to whoever asks through the platform."""
    saved = save_model(tmp_path / "model", tiny_data)

    def said(checkpoint: Path, split: Any, out: Path, *, whole: bool) -> None:
        assert not whole
        say(out.parent, checkpoint, tiny_data, split, noise_px=1.5)

    monkeypatch.setattr(inner_search, "embed", said)
    return saved


def test_the_best_that_was_tried_is_kept_by_the_model(model: Path) -> None:
    found = tune(model, inner(), {METRIC: 0.0})
    _, config = load_network(model)
    assert found.params == {
        "optics.eps": config.optics.eps, "optics.min_samples": config.optics.min_samples
    }  # fmt: skip
    fewer = tune(model, inner(trials=2), {METRIC: 0.0})
    assert found.metrics[METRIC] >= fewer.metrics[METRIC] > 0


def test_it_follows_from_the_model_and_the_seed(model: Path, tmp_path: Path) -> None:
    shutil.copytree(model, tmp_path / "again")
    first, again = (tune(m, inner(), {METRIC: 0.0}) for m in (model, tmp_path / "again"))
    assert first.params == again.params
    assert first.metrics[METRIC] == again.metrics[METRIC]


def test_a_model_stays_as_it_is_where_nothing_is_better(model: Path) -> None:
    before = (model / "config.json").read_text()
    found = tune(model, inner(), {METRIC: 1.0})
    assert (found.params, found.metrics) == ({}, {})
    assert (model / "config.json").read_text() == before


def test_ways_that_cannot_be_are_passed_over(model: Path) -> None:
    wide = {"optics.eps": {"type": "float", "low": 1.5, "high": 3}}  # max_eps is 2
    found = tune(model, inner(space=wide), {METRIC: 0.0})
    assert 1.5 <= found.params["optics.eps"] <= 2


def test_a_split_that_shows_nothing_fails_the_trial(tiny_data: Any, tmp_path: Path) -> None:
    root = tmp_path / "world"
    shutil.copytree(tiny_data.root, root, ignore=shutil.ignore_patterns("instance_02"))
    model = save_model(tmp_path / "model", tiny_data.model_copy(update={"root": root}))
    with pytest.raises(TrialFailed, match=r"inner_search: .*: expected images with instance maps"):
        tune(model, inner(), {METRIC: 0.0})


def joint_space(data: Any, **changes: Any) -> Space:
    base = {**LEARNING, "epochs": 2, "data": data.model_dump(mode="json")}
    base["optics"] = {
        "min_samples": 60,
        "min_size": 200,
        "max_eps": 3,
    }  # a poor start: nothing is found
    return Space.model_validate(
        {
            "study": "joint",
            "question": "Does it?",
            "base": base,
            "arms": {
                "st-depth": {
                    "set": {"tasks": ["depth"]},
                    "objective": {"metric": "val/depth/abs_rel", "mode": "min"},
                },
                "st-instances": {"set": {"tasks": ["instances"]}},
            },
            "objective": {"metric": METRIC, "mode": "max"},
            "inner_search": {
                "trials": 6,
                "space": {"optics.min_size": {"type": "int", "low": 2, "high": 60}, **SEARCHED},
            },
            "confirm": {"seeds": [1]},
            "compare": {"baseline": "st-instances", "metrics": ["test/instances/ap50"]},
            **changes,
        }
    )


@pytest.mark.usefixtures("small_ray")
def test_a_study_tunes_each_training_that_learns_instances(tiny_data: Any, tmp_path: Path) -> None:
    space = joint_space(tiny_data)
    check_inner_search(space)
    ledger = Ledger.open(run_study(space, tmp_path / "study", Settings(tracks=False)))
    trials = tables.read(ledger.directory / "trials.parquet").set_index("arm")
    assert set(trials.status) == {"completed"}
    assert trials.tuned["st-depth"] == {}
    record = ledger.records["confirm-st-instances-seed1"]
    checkpoint = ledger.directory / str(record.kept)
    optics = TrainConfig.model_validate_json((checkpoint / "config.json").read_text()).optics
    for name, value in record.tuned.items():
        assert getattr(optics, name.removeprefix("optics.")) == value
    # What is judged, in the ledger and on the test split, is the model with its own clustering.
    again = evaluate(checkpoint, "val").metrics
    for name in ("ap50", "pq"):
        told = record.epochs[-1].metrics[f"val/instances/{name}"]
        assert told == pytest.approx(again[f"val/instances/{name}"], abs=1e-9)
    assert record.test is not None
    judged = evaluate(checkpoint, "test").metrics["test/instances/ap50"]
    assert record.test.metrics["test/instances/ap50"] == pytest.approx(judged, abs=1e-9)
    assert record.epochs[0].tuned == {}
    # Run again, it is tuned again, to the same metrics.
    again = ["confirm-st-instances-seed1", "--study", str(ledger.directory), "--test"]
    assert replay.main(again) == replay.AGREES
    assert (
        "6 clusterings at the end of each training" in (ledger.directory / "report.md").read_text()
    )


@pytest.mark.parametrize(
    ("changes", "path", "problem"),
    [
        (
            {"arms": {"a": {"set": {"tasks": ["depth"]}}}},
            ("inner_search",),
            "no arm learns instances",
        ),
        (
            {"search": {"trials_per_arm": 2, "space": SEARCHED}},
            ("inner_search", "space", "optics.eps"),
            "searched by search.space already",
        ),
        (
            {"inner_search": {"trials": 2, "space": {"optimizer.lr": SEARCHED["optics.eps"]}}},
            ("inner_search", "space", "optimizer.lr"),
            "unknown field",
        ),
        (
            {"inner_search": {"trials": 2, "space": {"optics.min_samples": {
                "type": "int", "low": 1, "high": 9}}}},
            ("inner_search", "space", "optics.min_samples", "low"),
            "expected at least 2, found 1",
        ),
        (
            {"inner_search": {"trials": 2, "space": SEARCHED, "objective": {
                "metric": "val/instances/cluster_ms", "mode": "min"}}},
            ("inner_search", "objective", "metric"),
            "has no metric 'val/instances/cluster_ms'",
        ),
        (
            {"inner_search": {"trials": 2, "space": SEARCHED, "objective": {
                "metric": "val/instances/pq", "mode": "min"}}},
            ("inner_search", "objective", "mode"),
            "expected max for val/instances/pq",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_told_with_its_place(
    tiny_data: Any, changes: dict[str, Any], path: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(FieldError) as caught:
        check_inner_search(joint_space(tiny_data, **changes))
    assert caught.value.path == path
    assert problem in caught.value.problem


def test_the_tests_above_have_something_to_tune(model: Path) -> None:
    values = [tune(model, inner(trials=n), {METRIC: 0.0}).metrics[METRIC] for n in (1, 12)]
    assert np.diff(values) > 0.05
