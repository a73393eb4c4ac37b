"""Confirmed on both splits: what is chosen before, and what is not claimed after."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mtdepth.checkpoint_files import read_config
from mtdepth.config import DataConfig, TrainConfig
from study import replay
from study.clustering import Clustering
from study.cost import cost_of
from study.documents import FieldError
from study.events import Dealt, EpochEnded, TrialEnded
from study.extension import differences
from study.ledger import Ledger
from study.plan import _phases, make_plan
from study.preflight import check_data
from study.recorded import recorded_in
from study.replaying import replay as replayed
from study.report.course import how_test_was_shut
from study.results import read_results
from study.runner import Settings, run_study
from study.schema import space_schema
from study.searcher import ArmSearcher
from study.simulate import Simulated
from study.space import Space
from study.space_checks import check_space
from study.space_loading import checked_space
from study.trainable import SplitSummary, Truth
from tests.mtdepth.batches import LEARNING
from tests.study.ledgers import write_study
from tests.study.simulated import OBJECTIVE, simulated_space
from tests.study.test_searcher import searcher_of

BOTH = {"seeds": [1, 2], "train_on": "train+val"}
INNER = {"trials": 4, "space": {"optics.min_size": {"type": "int", "low": 2, "high": 60}}}


def space(**changes: Any) -> Space:
    return simulated_space(confirm=BOTH, **changes)


@pytest.mark.usefixtures("small_ray")
def test_a_study_is_searched_on_one_split_and_confirmed_on_both(tmp_path: Path) -> None:
    settings = Settings(trainable=Simulated(), tracks=False, concurrency=2)
    ledger = Ledger.open(run_study(space(), tmp_path / "study", settings))
    for record in ledger.records.values():
        told = record.dealt.config.get("data", {}).get("train_on", "train")
        assert told == ("train+val" if record.phase == "confirm" else "train")
        assert (OBJECTIVE in record.metrics) == (record.phase == "search")
        assert record.status == "completed"
    results = read_results(tmp_path / "study")
    for arm in ledger.space.arms:
        assert not math.isnan(results.summaries[arm]["test/depth/abs_rel"].mean)
        assert results.best[arm]["phase"] == "search"
    assert any("training and validation splits together" in x for x in how_test_was_shut(results))
    report = (tmp_path / "study" / "report.md").read_text()
    assert "learned from the training and validation splits together" in report
    assert "nan" not in report.lower()


def test_a_plan_says_so() -> None:
    told = "           on the training and validation split, with nothing left to choose"
    assert told in _phases(make_plan(space()))
    assert told not in _phases(make_plan(simulated_space(confirm={"seeds": [1]})))


def test_the_clustering_of_the_best_trial_stays() -> None:
    searcher = searcher_of(space(arms=("equal",)))
    for tuned, value in (({"optics.min_samples": 30}, 0.2), ({"optics.min_samples": 40}, 0.1)):
        told: Any = searcher.suggest("any")
        ended(searcher, told["dealt"], value, tuned)
    third: Any = searcher.suggest("any")
    ended(searcher, third["dealt"], 0.3, {})
    for seed in (1, 2):
        told = searcher.suggest("any")
        config = told["dealt"].config
        assert config["optics"] == {"min_samples": 40}
        assert (config["seed"], told["dealt"].seed) == (seed, seed)
        assert set(told["dealt"].params) == {"optimizer.lr"}
        ended(searcher, told["dealt"], math.nan, {})


def ended(searcher: ArmSearcher, dealt: Dealt, value: float, tuned: dict[str, Any]) -> None:
    key, metrics = dealt.trial_key, {OBJECTIVE: value}
    searcher.apply(
        EpochEnded(trial_key=key, epoch=3, metrics=metrics, checkpoint=None, seconds=1, tuned=tuned)
    )
    searcher.apply(TrialEnded(trial_key=key, status="completed", seconds=1))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"confirm": {"train_on": "train+val"}}, "expected confirm.seeds"),
        ({"search": None, "inner_search": {"trials": 2, "space": {
            "optics.min_samples": {"type": "int", "low": 5, "high": 50}}},
          "base": {"tasks": ["instances"], "epochs": 3},
          "objective": {"metric": "val/instances/ap50", "mode": "max"},
          "compare": {"baseline": "equal", "metrics": ["test/instances/ap50"]}},
         "no split is left for inner_search to choose by"),
    ],
)  # fmt: skip
def test_where_nothing_could_be_chosen_it_is_refused(
    changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(FieldError, match=expected) as caught:
        check_space(simulated_space(**{"confirm": BOTH, **changes}))
    assert caught.value.path == ("confirm", "train_on")


def test_a_study_does_not_change_it_on_the_way() -> None:
    (found,) = differences(simulated_space(confirm={"seeds": [1, 2]}), space())
    assert found.field == "confirm.train_on"
    assert not found.extends


def test_confirmed_trainings_cost_more_steps_and_no_judgement() -> None:
    measured = Simulated(seconds=1.0).calibrate({})
    measured = replace(measured, steps_with_val=3, seconds_an_image=0.1)
    told = (_arms(measured), _arms(1))
    of_one = cost_of(make_plan(simulated_space(confirm={"seeds": [1, 2]})), *told)
    of_both = cost_of(make_plan(space()), *told)
    num_epochs = 2 * 2 * 3
    more = num_epochs * ((3 - 1) * 1.0 - 10 * 0.1) / 3600
    assert of_both.hours[1] - of_one.hours[1] == pytest.approx(more)


def real_space(data: DataConfig) -> Space:
    return Space.model_validate(
        {
            "study": "both",
            "question": "Does it?",
            "base": {
                **LEARNING,
                "epochs": 2,
                "tasks": ["instances"],
                "data": data.model_dump(mode="json", exclude={"train_on"}),
                "optics": {"min_samples": 5, "min_size": 300, "max_eps": 3},
            },
            "arms": {"a": {}},
            "objective": {"metric": "val/instances/ap50", "mode": "max"},
            "search": {"trials_per_arm": 1},
            "inner_search": INNER,
            "confirm": {"seeds": [1], "train_on": "train+val"},
            "compare": {"baseline": "a", "metrics": ["test/instances/ap50"]},
        }
    )


@pytest.mark.usefixtures("small_ray")
@pytest.mark.slow
def test_a_real_study_can_be_run_again_from_its_record(
    tiny_data: DataConfig, tmp_path: Path
) -> None:
    space = checked_space(real_space(tiny_data))
    study = run_study(space, tmp_path / "study", Settings(tracks=False))
    searched, confirmed = Ledger.open(study).records.values()
    assert "val/instances/ap50" in searched.metrics
    assert not [name for name in confirmed.metrics if name.startswith("val/")]
    assert confirmed.tuned == {}
    config = read_config(study / str(confirmed.kept), TrainConfig, "a training")
    assert config.data.train_on == "train+val"
    assert config.optics.min_size == searched.tuned.get("optics.min_size", 300)
    assert "test/instances/ap50" in confirmed.metrics
    again = ["confirm-a-seed1", "--study", str(study), "--test"]
    assert replay.main(again) == replay.AGREES
    # A clustering study would choose by what this model has seen.
    seen = Clustering(checkpoint=study / str(confirmed.kept), directory=tmp_path)
    with pytest.raises(ValueError, match=r"alone.*found one that was trained on train\+val$"):
        seen.check_data({})


@pytest.mark.usefixtures("small_ray")
def test_a_study_that_searches_nothing_is_judged_on_the_test_split_alone(tmp_path: Path) -> None:
    settings = Settings(trainable=Simulated(), tracks=False)
    study = run_study(checked_space(space(search=None)), tmp_path / "study", settings)
    results = read_results(study)
    assert results.best == {}
    assert {t["status"] for t in results.trials} == {"completed"}
    assert not [m for t in results.trials for m in t["metrics"] if m.startswith("val/")]
    assert len(results.comparisons) == 1
    found = replayed(recorded_in(study, "confirm-dwa-seed2"), Simulated())
    assert found.epochs[3] == Ledger.open(study).records["confirm-dwa-seed2"].epochs[-1].metrics


def test_the_report_says_it_of_confirmed_models_alone(tmp_path: Path) -> None:
    told = "training and validation splits together"
    for phase in ("confirm", "search"):
        own = space(budget={"trials": 6})
        found = write_study(tmp_path / phase, [], own, objectives={}, tested_phase=phase)
        lines = how_test_was_shut(read_results(found))
        assert any(told in line for line in lines) == (phase == "confirm")


def refused(**changes: Any) -> str:
    with pytest.raises(ValueError) as caught:
        checked_space({**simulated_space().model_dump(mode="json"), **changes})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_it_is_for_confirm_alone_to_say() -> None:
    told, own = {"data": {"train_on": "train+val"}}, "see confirm.train_on"
    found = refused(base={"tasks": ["depth"], **told})
    assert found.startswith("base.data.train_on: ")
    assert own in found
    dotted = {"equal": {"set": {"data.train_on": "train"}}, "dwa": {}}
    assert refused(arms=dotted).startswith("arms.equal.set.data.train_on: ")
    parameter = {"type": "categorical", "choices": ["train", "train+val"]}
    search = {"trials_per_arm": 2, "space": {"data.train_on": parameter}}
    assert own in refused(search=search)
    schema = space_schema()["$defs"]
    assert "train_on" in schema["Confirm"]["properties"]
    assert "train_on" not in schema["DataConfig"]["properties"]
    assert "data.train_on" not in schema["TrainConfig"]["properties"]
    assert "data.train_on" not in schema["Search"]["properties"]["space"]["properties"]


def test_validation_images_must_teach_too() -> None:
    class Unlabelled(Simulated):
        def check_data(self, *_: Any) -> dict[str, SplitSummary]:
            of = {"val": "tasks: none for 7"}
            return {
                split: SplitSummary(
                    num_samples=1, truth=Truth(), fingerprint="", unlabelled=of.get(split)
                )
                for split in ("train", "val", "test")
            }

    changes: dict[str, Any] = {
        "base": {"tasks": ["instances"]},
        "objective": {"metric": "val/instances/ap50", "mode": "max"},
    }
    check_data(simulated_space(**changes), Unlabelled(), lambda _: None)
    with pytest.raises(ValueError, match=r"^arm equal: tasks: none for 7$"):
        check_data(space(**changes), Unlabelled(), lambda _: None)


def _arms(measured: Any) -> dict[str, Any]:
    return dict.fromkeys(("equal", "dwa"), measured)
