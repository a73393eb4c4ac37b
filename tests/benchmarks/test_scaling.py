"""What a study of many trials on many nodes takes of its driver: nodes that are made up.

Run by hand: `pytest -m slow -s tests/benchmarks/test_scaling.py`; an hour. Each study runs in a
process of its own, so that its memory is told from the others'. What is counted is the driver's CPU
time, which a busy machine changes little, from the start of Ray Tune's run to its end.
"""

from __future__ import annotations

import contextlib
import cProfile
import json
import math
import os
import pstats
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from study import session
from study.events import Event, TrialEnded
from study.ray_session import ray_session
from study.runner import Settings, run_study
from study.simulate import Simulated
from study.space import Resources
from tests.benchmarks.test_engine_speed import make_space
from tests.study.made_up_nodes import make_up_nodes
from tests.study.made_up_worker import Clock
from tests.study.simulated import told

ROOT = Path(__file__).parents[2]
NUM_WINDOWS = 10
MOST_NODES = 200
MAX_GROWTH = 1.5
"""Of what a trial costs, from the first tenth of a study to its last."""
CHILD = """
import sys
from tests.benchmarks.test_scaling import Asked, run_here

if __name__ == "__main__":
    run_here(Asked.read(sys.argv[1]))
"""


@dataclass(frozen=True)
class Asked:
    """A study to run."""

    out: str
    num_trials: int
    slots: int
    sampler: str = "random"
    is_real: bool = False
    """Whether Ray's actors are its workers."""
    profiles: bool = False
    is_whole: bool = False
    """Whether it goes on after the last trial: to the test split, and to the report."""

    @classmethod
    def read(cls, text: str) -> Asked:
        return cls(**json.loads(text))


class Enough(Exception):
    """What was to be seen has been seen."""


class Watch:
    """Looks at the driver as trials end."""

    def __init__(self, asked: Asked, clock: Clock) -> None:
        self._every = max(1, asked.num_trials // NUM_WINDOWS)
        self._clock, self._num_ended, self.num_events = clock, 0, 0
        self.looks: list[dict[str, float]] = []
        self.look()

    def hear(self, event: Event) -> None:
        self.num_events += 1
        self._num_ended += isinstance(event, TrialEnded)
        if isinstance(event, TrialEnded) and self._num_ended % self._every == 0:
            self.look()

    def look(self) -> None:
        self.looks.append(
            {
                "trials": self._num_ended,
                "cpu_s": time.process_time() - self._clock.not_counted_s,
                "wall_s": time.perf_counter(),
                "rss_mib": psutil.Process().memory_info().rss / 2**20,
            }
        )
        print(json.dumps(self.looks[-1]), file=sys.stderr, flush=True)


def run_here(asked: Asked) -> None:
    """Runs a study in this process, and prints what it took as JSON."""
    found: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patched:
        clock = Clock() if asked.is_real else make_up_nodes(patched, asked.slots)
        train, write_report = session.Session._train, session.write_report

        def watched(self: session.Session) -> None:
            watch, profile = Watch(asked, clock), cProfile.Profile()
            self.ledger.listeners.append(watch.hear)
            if asked.profiles:
                profile.enable()
            try:
                train(self)
            finally:
                profile.disable()
                watch.look()
            if asked.profiles:
                pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(45)
                pstats.Stats(profile, stream=sys.stderr).sort_stats("cumtime").print_stats(80)
            found.update(looks=watch.looks, events=watch.num_events)
            before = time.process_time()
            session.Session(
                self.ledger,
                self.settings,
                self.subject,
                self.progress.console,
                self.progress.at_once,
            )
            found["resume_s"] = time.process_time() - before
            before = time.process_time()
            self.ledger.flush()
            found["tables_s"] = time.process_time() - before
            if not asked.is_whole:
                raise Enough

        def reported(directory: Path) -> Any:
            before = time.process_time()
            done = write_report(directory)
            found["report_s"] = time.process_time() - before
            return done

        patched.setattr(session.Session, "_train", watched)
        patched.setattr(session, "write_report", reported)
        space = make_space(asked.num_trials, asked.sampler)
        if not asked.is_real:  # so that as many as there are nodes fit the CPUs of this machine
            room = (os.cpu_count() or 1) / MOST_NODES
            space = space.model_copy(update={"resources": Resources(cpus=room)})
        with ray_session(Resources()), contextlib.suppress(Enough):
            settings = Settings(concurrency=asked.slots, trainable=Simulated(), tracks=False)
            run_study(space, Path(asked.out), settings)
    files = [path.stat().st_size for path in Path(asked.out).rglob("*") if path.is_file()]
    found.update(
        bytes=sum(files),
        files=len(files),
        journal_bytes=Path(asked.out, "events.jsonl").stat().st_size,
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
        nodes_s=clock.now,
        busy_s=clock.busy_s,
        answers=clock.answers,
    )
    print(json.dumps(found))


@dataclass(frozen=True)
class Took:
    """What a study took of its driver."""

    asked: Asked
    found: dict[str, Any]

    def over(self, name: str, first: int = 0, last: int = -1) -> float:
        """Growth of something from one look to another, per trial."""
        looks = self.found["looks"]
        trials = looks[last]["trials"] - looks[first]["trials"]
        return (looks[last][name] - looks[first][name]) / trials

    @property
    def cpu_s(self) -> float:
        """A trial."""
        return self.over("cpu_s")

    @property
    def growth(self) -> float:
        """CPU time of a trial in the last tenth over that in the second, when all has started."""
        return self.over("cpu_s", -3, -2) / self.over("cpu_s", 1, 2)

    def line(self) -> str:
        asked, found, looks = self.asked, self.found, self.found["looks"]
        wall_s = looks[-1]["wall_s"] - looks[0]["wall_s"]
        windows = [self.over("cpu_s", i, i + 1) for i in range(len(looks) - 2)]
        ideal = found["busy_s"] / asked.slots
        return (
            f"{asked.num_trials} trials, {asked.slots} slots, {asked.sampler}, "
            f"{'real' if asked.is_real else 'made-up'} workers: {self.cpu_s * 1e3:.2f} ms of a "
            f"core a trial (by tenths {', '.join(f'{w * 1e3:.1f}' for w in windows)}), "
            f"{self.over('wall_s') * 1e3:.1f} ms by the clock; {found['events'] / wall_s:.0f} "
            f"events/s; memory {looks[0]['rss_mib']:.0f} to {looks[-1]['rss_mib']:.0f} MiB, "
            f"{self.over('rss_mib', 1, -2) * 1e3:.1f} MiB a 1,000 trials, peak "
            f"{found['peak_mib']:.0f}; directory {found['bytes'] / asked.num_trials / 1e3:.1f} kB "
            f"and {found['files'] / asked.num_trials:.2f} files a trial, journal "
            f"{found['journal_bytes'] / asked.num_trials / 1e3:.1f} kB; taking up "
            f"{found['resume_s']:.1f} s, tables {found['tables_s']:.1f} s, report "
            f"{found.get('report_s', math.nan):.1f} s; nodes' time {found['nodes_s']:.0f} s, "
            f"ideal {ideal:.0f}; load {os.getloadavg()[0]:.1f}"
        )


def took(asked: Asked) -> Took:
    """Runs a study in a process of its own."""
    script = Path(asked.out).parent / "child.py"
    script.write_text(CHILD)
    done = subprocess.run(
        [sys.executable, str(script), json.dumps(vars(asked))],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    if asked.profiles:
        print(done.stderr)
    found = Took(asked, json.loads(done.stdout.splitlines()[-1]))
    print(found.line(), flush=True)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_made_up_workers_tell_what_real_ones_do(tmp_path: Path, sampler: str) -> None:
    for name in ("real", "made-up"):
        took(Asked(str(tmp_path / name), 100, 1, sampler, is_real=name == "real", is_whole=True))
    assert told(tmp_path / "made-up") == told(tmp_path / "real")


@pytest.mark.slow
@pytest.mark.parametrize("slots", [1, 20, MOST_NODES])
@pytest.mark.parametrize("num_trials", [100, 1000, 10000])
def test_a_trial_costs_the_same_however_many_there_are(
    num_trials: int, slots: int, tmp_path: Path
) -> None:
    found = took(Asked(str(tmp_path / "study"), num_trials, slots))
    if num_trials >= 1000:
        assert found.growth < MAX_GROWTH


@pytest.mark.slow
@pytest.mark.parametrize("slots", [1, MOST_NODES])
def test_what_tpe_costs(slots: int, tmp_path: Path) -> None:
    took(Asked(str(tmp_path / "study"), 1000, slots, "tpe"))
