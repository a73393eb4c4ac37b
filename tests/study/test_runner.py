"""Whole studies under Ray, of a training that takes no time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from study import tables
from study.ledger import Ledger
from study.runner import Settings, resume_study, run_study
from study.space import Space
from tests.study.quick import TESTED, Quick, quick_space

pytestmark = pytest.mark.usefixtures("small_ray")
Study = tuple[Ledger, Quick]
ARMS = ("equal", "dwa")


def run(space: Space, directory: Path, **quick: Any) -> Study:
    """Runs a study, and opens what it left."""
    trainable = Quick(diary=directory.with_suffix(".diary"), **quick)
    settings = Settings(concurrency=1, trainable=trainable, tracks=False)
    return Ledger.open(run_study(space, directory, settings)), trainable


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, small_ray: None) -> Study:
    return run(quick_space(), tmp_path_factory.mktemp("whole") / "study")


def test_arms_have_equal_budgets_and_each_trial_one_row(whole: Study) -> None:
    ledger, quick = whole
    trials = tables.read(ledger.directory / "trials.parquet")
    assert Counter(zip(trials.phase, trials.arm, strict=True)) == {
        (phase, arm): 2 for phase in ("search", "confirm") for arm in ARMS
    }
    assert (set(trials.status), set(trials.epochs)) == ({"completed"}, {3})
    assert len(set(trials.trial_key)) == len(trials) == 8
    assert len(quick.said("fit")) == len(set(quick.said("fit"))) == 8 * 3
    assert len(tables.read(ledger.directory / "epochs.parquet")) == 8 * 3 * 2


def test_the_best_of_each_arm_is_confirmed_with_fresh_seeds(whole: Study) -> None:
    trials = whole[0].trials()
    for arm in ARMS:
        own = trials[trials.arm == arm]
        search, confirm = own[own.phase == "search"], own[own.phase == "confirm"]
        assert len({str(params) for params in search.params}) == 2
        assert list(confirm.seed) == [1, 2]
        assert not set(confirm.seed) & set(search.seed)
        assert list(confirm.params) == [search.sort_values("objective").iloc[0].params] * 2


def test_the_test_split_is_opened_once_at_the_end_for_what_was_confirmed(whole: Study) -> None:
    ledger, quick = whole
    judged = [f"judge test {arm} seed {seed}" for arm in ARMS for seed in (1, 2)]
    assert sorted(quick.said("judge")) == sorted(judged)
    assert len(quick.said("draw test")) == len(ARMS)
    assert quick.said("fit", "judge")[-4:] == quick.said("judge")
    manifest, trials = ledger.manifest, ledger.trials()
    assert max(trials.ended) <= manifest["test_opened"] < manifest["ended"]
    for phase, metrics in zip(trials.phase, trials.metrics, strict=True):
        assert (phase == "confirm") == any(name.startswith("test/") for name in metrics)
        assert phase == "search" or set(TESTED) <= set(metrics)
    images = tables.read(ledger.directory / "test.parquet")
    assert Counter(images.trial_key) == {
        f"confirm-{arm}-seed{seed}": 2 for arm in ARMS for seed in (1, 2)
    }


FIGURES = ("curve-val-depth-abs_rel", "differences", "search-equal", "search-dwa")


def test_it_leaves_a_report_and_the_models_and_no_litter(whole: Study) -> None:
    left = {str(p.relative_to(whole[0].directory)) for p in whole[0].directory.rglob("*")}
    models = {f"checkpoints/confirm-{arm}-seed{seed}" for arm in ARMS for seed in (1, 2)}
    pictures = {f"pictures/{key}" for key in whole[0].records}
    assert left == {
        *("space.yaml", "manifest.json", "requirements.txt", "events.jsonl", "optuna.log", ".lock"),
        *("trials.parquet", "epochs.parquet", "test.parquet"),
        *("report.html", "report.md", "table.tex", "differences.tex", "figures"),
        *(f"figures/{name}.{kind}" for name in FIGURES for kind in ("png", "pdf")),
        *("shown", "shown/images.json", "shown/equal", "shown/dwa"),
        *(f"shown/{arm}/{n:02d}-00.png" for arm in ARMS for n in range(2)),
        *("checkpoints", *models, *(f"{model}/state.json" for model in models)),
        *("pictures", *pictures, *(f"{trial}/epoch-003.png" for trial in pictures)),
    }
    assert set(whole[0].trials().checkpoint) == {None, *models}


def told(ledger: Ledger) -> list[dict[str, Any]]:
    """What was tried and what it gave."""
    columns = ["trial_key", "seed", "status", "epochs", "params", "metrics"]
    rows: list[dict[str, Any]] = ledger.trials()[columns].to_dict("records")  # type: ignore[assignment]
    return rows


def test_one_trial_at_a_time_it_repeats_to_the_last_digit(whole: Study, tmp_path: Path) -> None:
    again, _ = run(quick_space(), tmp_path / "study")
    assert told(again) == told(whole[0])


def test_a_study_that_has_ended_is_not_trained_or_judged_again(
    whole: Study, tmp_path: Path
) -> None:
    ledger, quick = whole
    before, said = told(ledger), quick.said("fit", "judge", "draw")
    settings = Settings(trainable=quick, tracks=False)
    again = Ledger.open(resume_study(ledger.directory, settings))
    assert (told(again), again.manifest) == (before, ledger.manifest)
    assert quick.said("fit", "judge", "draw") == said


def test_with_no_seeds_to_confirm_the_best_of_the_search_is_judged(tmp_path: Path) -> None:
    searched = {"optimizer.lr": {"type": "categorical", "choices": [1e-4, 1e-3, 1e-5]}}
    search = {"trials_per_arm": 3, "sampler": {"name": "grid"}, "space": searched}
    asha = {"name": "asha", "grace_epochs": 1, "reduction_factor": 2}
    ledger, quick = run(quick_space(confirm={}, search=search, scheduler=asha), tmp_path / "study")
    trials = ledger.trials()
    assert list(trials.phase) == ["search"] * 6
    assert Counter(zip(trials.status, trials.epochs, strict=True)) == {
        ("completed", 3): 2, ("pruned", 1): 4
    }  # fmt: skip
    assert sorted(quick.said("judge")) == ["judge test dwa seed 0", "judge test equal seed 0"]
    tested = [any(name.startswith("test/") for name in metrics) for metrics in trials.metrics]
    assert [params["optimizer.lr"] for params in trials.params[tested]] == [1e-4, 1e-4]


def test_with_no_search_arms_are_confirmed_as_they_are_set(tmp_path: Path) -> None:
    base = {"tasks": ["depth"], "epochs": 1, "optimizer": {"lr": 3e-4}}
    ledger, quick = run(quick_space(search=None, base=base), tmp_path / "study")
    assert sorted(ledger.trials().trial_key) == sorted(
        f"confirm-{arm}-seed{seed}" for arm in ARMS for seed in (1, 2)
    )
    assert all("lr 0.0003 " in line for line in quick.said("fit"))
    assert len(quick.said("judge")) == 4
