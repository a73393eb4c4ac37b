"""A trial that is run again from its record alone gives what is on record."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from study import replay
from study.agreement import Row, what_differs
from study.ledger import Ledger
from study.manifest import surroundings
from study.nesting import flattened
from study.recorded import Recorded, recorded_in
from study.replaying import Replayed
from study.runner import Settings, run_study
from study.simulate import Simulated
from study.tracked_runs import config_of
from tests.study.quick import Quick, quick_space
from tests.study.simulated import simulated_space
from tests.study.test_trainable import SLIM

pytestmark = [
    pytest.mark.usefixtures("small_ray"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning"),
]
ASHA = {"name": "asha", "grace_epochs": 1, "reduction_factor": 2}
SPACE = simulated_space(
    base={"tasks": ["depth"], "epochs": 3, "seed": 5}, scheduler=ASHA, confirm={"seeds": [1]}
)
DIVERGES = Simulated(diverges=0.4)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory, small_ray: None) -> Path:
    """A study of trials that were completed, stopped early and failed."""
    out = tmp_path_factory.mktemp("simulated") / "study"
    run_study(SPACE, out, Settings(trainable=DIVERGES, concurrency=1, tracks=False))
    assert set(Ledger.open(out).trials().status) == {"completed", "pruned", "failed"}
    return out


def content(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def replayed(*arguments: object, trainable: Any = DIVERGES) -> int:
    return replay.main([str(argument) for argument in arguments], trainable)


def test_every_trial_agrees_to_the_last_digit_and_nothing_is_written(
    simulated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(simulated)
    for key, record in Ledger.open(simulated).records.items():
        assert replayed(key, "--study", simulated) == replay.AGREES == 0, key
        said = capsys.readouterr().out
        assert f"Trial {key}, {record.status}, of {simulated}\n" in said
        assert "metrics agree to the last digit, in every epoch.\n" in said
        assert ("replayed: expected finite losses" in said) == (record.status == "failed")
        assert ("The test split was left alone" in said) == (record.test is not None)
    assert content(simulated) == before


def test_other_numbers_are_told_with_what_is_not_as_it_was(
    simulated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shutil.copytree(simulated, tmp_path / "study")
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["versions"]["torch"] = "1.0"
    (out / "manifest.json").write_text(json.dumps(manifest))
    key = next(k for k, r in Ledger.open(out).records.items() if r.status == "completed")
    noisy = Simulated(diverges=DIVERGES.diverges, noise=0.011)
    assert replayed(key, "--study", out, trainable=noisy) == replay.DIFFERS == 1
    said = capsys.readouterr().out
    assert " DIFFERS\n" in said
    assert "metrics do not agree to the last digit.\nLikely reasons, not as they were:\n" in said
    assert "torch: 1.0 then, " in said
    assert replayed(key, "--study", out, "--tolerance", 0.1, trainable=noisy) == 0
    said = capsys.readouterr().out
    assert "agree to within 0.1, in every epoch.\nWhat is not as it was:\n" in said


def test_the_test_split_is_opened_where_it_was_and_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = Quick(diary=tmp_path / "diary")
    out = run_study(quick_space(), tmp_path / "out", Settings(trainable=quick, tracks=False))
    before = len(quick.said("judge"))
    assert replayed("confirm-dwa-seed1", "--study", out, trainable=quick) == 0
    assert replayed("search-dwa-000", "--study", out, "--test", trainable=quick) == 2
    assert "never judged on the test split, so that --test is refused" in capsys.readouterr().err
    assert len(quick.said("judge")) == before
    assert replayed("confirm-dwa-seed1", "--study", out, "--test", trainable=quick) == 0
    assert "test/depth/abs_rel" in capsys.readouterr().out
    assert len(quick.said("judge")) == before + 1


def test_a_trial_that_cannot_be_run_here_is_told_and_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = Quick(diary=tmp_path / "diary")
    space = quick_space(search=None, confirm={"seeds": [1]})
    out = run_study(space, tmp_path / "out", Settings(trainable=quick, tracks=False))
    broken = Quick(diary=quick.diary, trouble={"dwa": "bug"})
    assert replayed("confirm-dwa-seed1", "--study", out, trainable=broken) == replay.BAD_INPUT
    said = capsys.readouterr()
    assert said.err == (
        "error: confirm-dwa-seed1 cannot be run here: RuntimeError: an unforeseen end\n"
    )
    assert "difference" not in said.out


def test_a_trial_is_found_by_name_where_one_study_has_it(
    simulated: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert replayed("search-dwa-000") == replay.BAD_INPUT == 2
    assert capsys.readouterr().err == (
        "error: expected a study below studies/ that has a trial 'search-dwa-000', found none "
        "among 0; say --study DIR\n"
    )
    shutil.copytree(simulated, Path("studies", "one"))
    assert replayed("search-dwa-000") == 0
    shutil.copytree(simulated, Path("studies", "two"))
    assert replayed("search-dwa-000") == 2
    assert "is a trial of 2 studies: studies/one, studies/two; say" in capsys.readouterr().err
    assert replayed("search-dwa-00", "--study", "studies/one") == 2
    assert "no trial 'search-dwa-00'; did you mean 'search-dwa-00" in capsys.readouterr().err


def test_a_run_of_mlflow_is_enough_even_where_the_study_directory_is_gone(
    tmp_path: Path, mlflow: MlflowClient, capsys: pytest.CaptureFixture[str]
) -> None:
    out = run_study(SPACE, tmp_path / "out", Settings(trainable=DIVERGES))
    runs = {r.dealt.trial_key: r.mlflow_run_id for r in Ledger.open(out).records.values()}
    some = {key: runs[key] for key in ("search-dwa-000", "search-equal-002")}
    for run in some.values():
        assert replayed(run) == 0
    assert f"of {out}\n" in capsys.readouterr().out
    tested = next(r.dealt.trial_key for r in Ledger.open(out).records.values() if r.test)
    shutil.rmtree(out)
    for run in some.values():
        assert replayed(run) == 0
    assert replayed(runs[tested], "--test") == 0
    said = capsys.readouterr().out
    assert "of MLflow alone, as its study directory is gone\n" in said
    assert "test/depth/abs_rel" in said
    parent = mlflow.get_run(str(runs[tested])).data.tags["mlflow.parentRunId"]
    assert replayed(parent) == 2
    assert "expected the run of a trial, found that of a whole study" in capsys.readouterr().err
    assert replayed("0" * 32) == 2
    assert "(MLFLOW_TRACKING_URI), found: " in capsys.readouterr().err


def test_params_of_earlier_versions_hold_the_whole_configuration(simulated: Path) -> None:
    for record in Ledger.open(simulated).records.values():
        told = {name: str(value) for name, value in flattened(record.dealt.config)}
        assert config_of(told) == record.dealt.config
    with pytest.raises(ValueError, match="the first 6000 characters of it alone"):
        config_of({"tasks": "x" * 6000})


def test_a_training_agrees_to_the_last_digit(
    tiny_data: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = quick_space(
        base={**SLIM, "data": tiny_data.model_dump(mode="json")},
        arms={"equal": {}},
        search=None,
        confirm={"seeds": [1]},
    )
    out = run_study(told, tmp_path / "out", Settings(tracks=False))
    assert replay.main(["confirm-equal-seed1", "--study", str(out), "--test"]) == 0
    said = capsys.readouterr().out
    assert "train/seconds" in said
    assert "not compared" in said
    assert "test/depth/abs_rel" in said


def test_nothing_is_compared_where_nothing_was_reported(
    simulated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shutil.copytree(simulated, tmp_path / "study")
    first, *_ = (out / "events.jsonl").read_text().splitlines(keepends=True)
    (out / "events.jsonl").write_text(first)
    assert replayed(next(iter(Ledger.open(out).records)), "--study", out) == 2
    assert "has reported no epoch yet: nothing to compare" in capsys.readouterr().err


@pytest.mark.parametrize("tolerance", ["-1", "nan", "few"])
def test_a_tolerance_is_a_number_from_0(tolerance: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        replayed("search-a-000", "--tolerance", tolerance)
    assert f"expected a number from 0, found '{tolerance}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("then", "now", "agrees"),
    [
        (1.0, 1.0, True), (1.0, 1.5, False), (math.nan, math.nan, True), (math.nan, 1.0, False),
        (None, 1.0, False), (1.0, None, False), (math.inf, 1.0, False), (math.nan, math.inf, True),
    ],
)  # fmt: skip
def test_nan_is_like_nan_and_what_is_missing_differs(
    then: float | None, now: float | None, agrees: bool
) -> None:
    row = Row(metric="val/depth/abs_rel", epoch=1, recorded=then, replayed=now)
    assert row.agrees(0.0) == agrees
    timing = Row(metric="val/instances/cluster_ms", epoch=1, recorded=then, replayed=now)
    assert timing.agrees(0.0)


def test_code_and_data_that_differ_are_named(simulated: Path) -> None:
    recorded = recorded_in(simulated, "search-dwa-000")
    here = {**surroundings(), "git": {"commit": "b" * 40, "dirty": True}}
    manifest = {**recorded.manifest, "git": {"commit": "a" * 40, "dirty": False}}
    other = Recorded(**{**vars(recorded), "manifest": manifest})
    data = {split: {"fingerprint": "other"} for split in ("train", "val", "test")}
    assert list(what_differs(other, Replayed(data=data), here)) == [
        "code: commit aaaaaaaaaaaa then, commit bbbbbbbbbbbb now",
        "code: changed and not committed now",
        "data: not the images that the study read, by their fingerprint",
    ]
