"""A full disk ends a study in one line; with room made, it goes on as if nothing had been."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ray.exceptions import LocalRayletDiedError

from study import ledger, run, runner
from study.events import Dealt, EpochEnded, Event, Judged, TrialEnded
from study.runner import Settings, resume_study, run_study
from study.simulate import Simulated
from study.space_loading import space_as_yaml
from study.standstill import Standstill, standstill, standstill_told
from study.trainable import Report
from tests.study.simulated import simulated_space, told

SPACE = simulated_space(confirm={"seeds": [1]})
NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, small_ray: None) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "study"
    return run_study(SPACE, out, settings(Simulated()))


def settings(trainable: Simulated) -> Settings:
    return Settings(concurrency=1, trainable=trainable, tracks=False)


def raised(error: BaseException, cause: BaseException) -> BaseException:
    try:
        try:
            raise cause
        except BaseException:
            raise error  # noqa: B904  # as Ray Tune does it
    except BaseException as caught:
        return caught


@pytest.mark.parametrize(
    "error",
    [
        OSError("Failed to read data from the socket: End of file"),
        raised(RuntimeError("Ray Tune's"), LocalRayletDiedError()),
    ],
)
def test_a_cluster_that_has_ended_is_known(error: BaseException, tmp_path: Path) -> None:
    with pytest.raises(Standstill) as caught, standstill_told(tmp_path):
        raise error
    assert str(caught.value).startswith("the Ray cluster has ended (")
    assert f"start it again, then go on: python -m study.run --resume {tmp_path}" in str(
        caught.value
    )
    assert standstill(OSError("any other"), tmp_path) is None


@pytest.mark.parametrize(
    "error",
    [
        NO_SPACE,
        OSError(errno.EDQUOT, "anything"),
        shutil.Error([("a", "b", f"[Errno 28] {os.strerror(errno.ENOSPC)}")]),
        raised(RuntimeError("a library's own words"), NO_SPACE),
    ],
)
def test_a_full_disk_is_known_whoever_tells_of_it(error: BaseException, tmp_path: Path) -> None:
    with pytest.raises(Standstill) as caught, standstill_told(tmp_path):
        raise error
    line = str(caught.value)
    assert line.startswith("the disk of /")
    assert line.endswith(
        "No epoch that was reported is lost; make room, then go on: "
        f"python -m study.run --resume {tmp_path}"
    )


def test_torch_tells_of_it_where_it_writes_to_a_stream_as_checkpoints_are(tmp_path: Path) -> None:
    import torch

    with (
        pytest.raises(Standstill),
        standstill_told(tmp_path),
        Path("/dev/full").open("wb") as stream,
    ):
        torch.save({"weights": torch.zeros(100_000)}, stream)


def test_what_a_worker_said_of_its_disk_is_passed_on(tmp_path: Path) -> None:
    said = Standstill("the disk of /far/away is full", "make room")
    error = raised(RuntimeError(os.strerror(errno.ENOSPC)), said)
    assert standstill(error, tmp_path) is said


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), standstill_told(tmp_path):
        raise PermissionError(errno.EACCES, "no")
    with pytest.raises(KeyboardInterrupt), standstill_told(tmp_path):
        raise KeyboardInterrupt


@pytest.mark.parametrize("kind", [Dealt, EpochEnded, TrialEnded, Judged])
def test_whatever_finds_no_room_the_study_goes_on_from_there(
    tmp_path: Path, undisturbed: Path, kind: type[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = ledger.append_durably, []

    def append(path: Path, line: str) -> None:
        seen.append(f'"event": "{kind.__name__}"' in line)
        if sum(seen) >= 2:
            raise NO_SPACE
        real(path, line)

    out = tmp_path / "study"
    monkeypatch.setattr(ledger, "append_durably", append)
    with pytest.raises(Standstill):
        run_study(SPACE, out, settings(Simulated()))
    monkeypatch.undo()
    resume_study(out, settings(Simulated()))
    assert told(out) == told(undisturbed)


@dataclass(frozen=True, kw_only=True)
class Cramped(Simulated):
    """Finds no room for its second epoch while a file is there."""

    full: Path

    def fit(self, config: Mapping[str, Any], report: Report, resume_from: Path | None) -> None:
        def write(metrics: dict[str, float], checkpoint: Path) -> None:
            if metrics["epoch"] == 2 and self.full.exists():
                raise NO_SPACE
            report(metrics, checkpoint)

        super().fit(config, write, resume_from)


def test_a_worker_without_room_costs_no_trial(tmp_path: Path, undisturbed: Path) -> None:
    out, full = tmp_path / "study", tmp_path / "full"
    full.touch()
    with pytest.raises(Standstill, match=r"the disk of .* is full"):
        run_study(SPACE, out, settings(Cramped(full=full)))
    (first,) = told(out)
    assert (first["status"], first["epochs"]) == ("running", 1)
    full.unlink()
    resume_study(out, settings(Cramped(full=full)))
    assert told(out) == told(undisturbed)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, with room for the beginning of a study."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = mount("tmpfs", disk, "size=64k")
    if not mounted:
        pytest.skip("mounting a file system takes the rights of root")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=False)


def mount(*what: str | Path) -> bool:
    *told, options = what
    command = ["mount", "-t", "tmpfs", "-o", options, *told]
    return bool(shutil.which("mount")) and (
        subprocess.run(command, check=False, capture_output=True).returncode == 0
    )


@pytest.mark.usefixtures("small_ray")
def test_on_a_disk_that_is_full_it_says_so_in_a_line_and_goes_on_with_more(
    small_disk: Path,
    undisturbed: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    made = partial(Settings, trainable=Simulated(), tracks=False)
    monkeypatch.setattr(runner, "Settings", made)
    (small_disk.parent / "space.yaml").write_text(space_as_yaml(SPACE))
    out = small_disk / "study"
    told_to = ["--space", str(small_disk.parent / "space.yaml"), "--out", str(out)]
    assert run.main([*told_to, "--concurrency", "1"]) == run.FAILED
    err = capfd.readouterr().err
    assert err.startswith(f"error: the disk of {out} is full: ")
    assert err.count("\n") == 1
    assert err.endswith(f"python -m study.run --resume {out}\n")
    assert told(out) != told(undisturbed)
    assert mount("tmpfs", small_disk, "remount,size=64m")
    assert run.main(["--resume", str(out), "--concurrency", "1"]) == 0
    assert told(out) == told(undisturbed)
