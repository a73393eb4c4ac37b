"""What goes wrong in one training is told, and costs the study that training alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from study.ledger import Ledger
from study.recorder import NUM_RETRIES
from study.runner import Settings, StudyFailed, run_study
from study.space import Space
from tests.study.quick import Quick, quick_space

pytestmark = pytest.mark.usefixtures("small_ray")


def space(*names: str, **changes: Any) -> Space:
    """An arm for each weighting; each is trained with one seed, and confirmed with another."""
    arms = {name: {"set": {"weighting": {"name": name}}} for name in names}
    once = {"arms": arms, "search": {"trials_per_arm": 1}, "confirm": {"seeds": [1]}}
    return quick_space(**{**once, **changes})


def run(told: Space, out: Path, trouble: dict[str, str]) -> tuple[dict[str, Any], Quick]:
    """The trials by key, and what happened."""
    quick = Quick(diary=out.with_suffix(".diary"), trouble=trouble)
    run_study(told, out, Settings(concurrency=1, trainable=quick, tracks=False))
    rows = Ledger.open(out).trials().to_dict("records")
    return {row["trial_key"]: row for row in rows}, quick


def test_a_failure_is_recorded_with_its_reason_and_the_study_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "study"
    trials, quick = run(
        space("equal", "dwa", "uncertainty"), out, {"dwa": "nan", "uncertainty": "bug"}
    )
    assert {key: row["status"] for key, row in trials.items()} == {
        "search-equal-000": "completed",
        "search-dwa-000": "failed",
        "search-uncertainty-000": "failed",
        "confirm-equal-seed1": "completed",
    }
    nan, bug = trials["search-dwa-000"], trials["search-uncertainty-000"]
    assert nan["error"] == "expected finite losses, found nan in epoch 1"
    assert bug["error"] == "RuntimeError: an unforeseen end"
    for row in (nan, bug):
        assert (row["epochs"], row["metrics"], row["checkpoint"]) == (0, {}, None)
        error = (out / "errors" / f"{row['trial_key']}.txt").read_text()
        assert error.startswith("Traceback")
        assert "_is_in_trouble" in error
    assert Counter(line.split()[1] for line in quick.said("fit"))["dwa"] == 1, "not tried again"
    assert Counter(line.split()[1] for line in quick.said("fit"))["uncertainty"] == 1
    assert quick.said("judge") == ["judge test equal seed 1"]
    assert nan["error"] in (out / "report.md").read_text()
    said, err = capfd.readouterr()
    assert f"search-dwa-000 FAILED: {nan['error']}" in said
    assert "Traceback" not in said + err


def test_an_error_that_names_a_file_in_another_encoding_is_told_like_any_other(
    tmp_path: Path,
) -> None:
    out = tmp_path / "study"
    trials, _ = run(
        space("equal", "dwa", "uncertainty", search=None), out,
        {"dwa": "no image", "uncertainty": "no file"},
    )  # fmt: skip
    image, file = trials["confirm-dwa-seed1"], trials["confirm-uncertainty-seed1"]
    assert (image["status"], image["error"]) == ("failed", "caf\\udce9.png is gone")
    assert file["status"] == "failed"
    assert "gone: 'caf\\udce9.png'" in file["error"]
    for row in (image, file):
        error = (out / "errors" / f"{row['trial_key']}.txt").read_text(encoding="utf-8")
        assert "caf\\udce9.png" in error
    assert (out / "report.md").read_text(encoding="utf-8").count("udce9.png") >= 2


def test_a_lost_worker_goes_on_from_its_checkpoint_and_a_hopeless_one_is_given_up(
    tmp_path: Path,
) -> None:
    out = tmp_path / "study"
    trials, quick = run(
        space("equal", "dwa", "uncertainty", search=None), out,
        {"dwa": "dies once", "uncertainty": "dies"},
    )  # fmt: skip
    undisturbed, lost = trials["confirm-equal-seed1"], trials["confirm-dwa-seed1"]
    assert (lost["status"], lost["error"]) == ("completed", None)
    assert lost["metrics"] == undisturbed["metrics"]
    assert [line[-7:] for line in quick.said("fit dwa")] == [f"epoch {i}" for i in (1, 2, 2, 3)]
    hopeless = trials["confirm-uncertainty-seed1"]
    assert (hopeless["status"], hopeless["epochs"]) == ("failed", 1)
    assert hopeless["error"].startswith(f"its worker failed {NUM_RETRIES + 1} times: ")
    assert "died unexpectedly" in hopeless["error"]
    assert "died" in (out / "errors" / "confirm-uncertainty-seed1.txt").read_text()
    epochs = [line[-7:] for line in quick.said("fit uncertainty")]
    assert epochs == ["epoch 1", *["epoch 2"] * (NUM_RETRIES + 1)]
    assert (out / "report.html").exists()


def test_a_training_that_ends_too_early_has_failed(tmp_path: Path) -> None:
    trials, _ = run(space("equal", "dwa", search=None), tmp_path / "s", {"dwa": "ends early"})
    row = trials["confirm-dwa-seed1"]
    assert (row["status"], row["error"]) == ("failed", "ended after 1 of 3 epochs")


def test_a_model_that_cannot_be_judged_or_drawn_is_told_and_the_others_are_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "study"
    trouble = {"dwa": "no test", "uncertainty": "no picture"}
    trials, _ = run(space("equal", "dwa", "uncertainty", search=None), out, trouble)
    judged = {key for key, row in trials.items() if "test/depth/abs_rel" in row["metrics"]}
    assert judged == {"confirm-equal-seed1", "confirm-uncertainty-seed1"}
    assert {row["status"] for row in trials.values()} == {"completed"}
    said = capsys.readouterr().out
    assert "Test of confirm-dwa-seed1: OSError: the images are gone" in said
    assert "No pictures of uncertainty: OSError: no ink" in said
    drawn = sorted(path.name for path in (out / "shown").iterdir() if path.is_dir())
    assert drawn == ["equal"]
    assert (out / "report.html").exists()


@pytest.mark.usefixtures("empty_mlflow")
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_a_study_outlives_its_tracking_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/file/mlflow.db")
    quick = Quick(diary=tmp_path / "diary")
    out = run_study(space("equal", search=None), tmp_path / "s", Settings(trainable=quick))
    assert list(Ledger.open(out).trials().status) == ["completed"]
    assert (out / "report.html").exists()
    said = capsys.readouterr().out
    assert f"Nothing is lost; to bring it up to date: python -m study.track {out}\n" in said


def test_where_nothing_comes_to_its_end_the_study_has_failed(tmp_path: Path) -> None:
    out = tmp_path / "study"
    with pytest.raises(StudyFailed) as caught:
        run(space("equal", "dwa"), out, {"equal": "nan", "dwa": "bug"})
    message = str(caught.value)
    assert message.startswith("no training came to its end, so there is nothing to report; ")
    assert f"{out}/trials.parquet" in message
    assert "search-equal-000: expected finite losses, found nan" in message
    assert len(Ledger.open(out).trials()) == 2
    assert not (out / "report.html").exists()
