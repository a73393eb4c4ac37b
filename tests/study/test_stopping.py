"""A study that is stopped from another process loses nothing, and goes on."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest

from study import run, runner, stopping
from study.ledger import Ledger
from study.stopping import STOP, is_driven, stop, stoppable
from tests.study.driver import Driver
from tests.study.ledgers import write_study
from tests.study.quick import Quick, quick_space
from tests.study.test_interruption import is_within_the_search


@pytest.mark.usefixtures("small_ray")
def test_a_study_in_another_process_is_stopped_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    driver = Driver(tmp_path, quick_space(), Quick, seconds=0.5)
    driver.wait_until(is_within_the_search)
    assert is_driven(driver.out)
    assert stopping.main([str(driver.out)]) == 0
    assert capsys.readouterr().out == (
        f"Stopped. To go on:\n  python -m study resume {driver.out}\n"
    )
    _, err = driver.process.communicate(timeout=60)
    assert driver.process.returncode == run.INTERRUPTED
    assert "No epoch that was reported is lost" in err
    assert not is_driven(driver.out)
    assert not (driver.out / STOP).exists()
    quick = Quick(diary=tmp_path / "diary")
    runner.resume_study(driver.out, runner.Settings(trainable=quick, tracks=False))
    assert Ledger.open(driver.out).manifest["ended"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, "not Ray Tune's"


def test_where_nothing_runs_there_is_nothing_to_stop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = write_study(tmp_path / "told", [])
    assert stopping.main([str(out)]) == 2
    assert capsys.readouterr().err == (
        f"error: {out}: nothing to stop, as no process runs this study\n"
    )
    assert not (out / STOP).exists()


def test_one_that_does_not_end_is_told_and_is_no_longer_asked_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Ledger.open(write_study(tmp_path / "told", []), writable=True)
    try:
        assert stopping.main([str(ledger.directory), "--timeout", "0.3"]) == stopping.NOT_STOPPED
    finally:
        ledger.close()
    assert "its process has not ended within 0.3 s" in capsys.readouterr().err
    assert not (ledger.directory / STOP).exists()


def test_a_wish_that_was_left_behind_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "SECONDS_BETWEEN_LOOKS", 0.01)
    (tmp_path / STOP).touch()
    with stoppable(tmp_path):
        assert not (tmp_path / STOP).exists()
        time.sleep(0.1)
    (tmp_path / STOP).touch()
    time.sleep(0.1)  # nobody looks any more
    (tmp_path / STOP).unlink()
    with pytest.raises(KeyboardInterrupt), stoppable(tmp_path):  # noqa: PT012
        (tmp_path / STOP).touch()
        time.sleep(10)
    assert not (tmp_path / STOP).exists()
    assert not [t for t in threading.enumerate() if t.name == "stop"]


def test_only_a_study_can_be_stopped(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected a study directory with a space\.yaml, found"):
        stop(tmp_path)
