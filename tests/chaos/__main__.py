"""Faults at random moments of a study on hosts that share nothing: a table of what became of it.

    python -m tests.chaos --runs 50 --seed 0             # simulated trainings, half an hour
    python -m tests.chaos --runs 5 --seed 0 --kind real  # real ones

Root on Linux runs it: hosts are namespaces, see `tests/cluster/hosts.py`. Each run takes the next
fault; `--fault` asks for one by a part of its name. The exit code is 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from study.space import Space
from tests.chaos.faults import FAULTS, small_disk, the_disk_fills_up, the_store_is_away
from tests.chaos.rig import Rig
from tests.chaos.verdict import Verdict, judge
from tests.chaos.watched import SECONDS
from tests.cluster import hosts
from tests.cluster.hosts import DISK
from tests.conftest import TINY_WORLD
from tests.stores import running_store
from tests.study.simulated import RANDOM_SEARCH, simulated_space, told

SPACES: dict[str, Space] = {
    "simulated": simulated_space(("equal", "dwa"), search=RANDOM_SEARCH, confirm={"seeds": [1]}),
    "real": simulated_space(
        base={
            "tasks": ["depth", "instances"],
            "epochs": 3,
            "batch_size": 4,
            "encoder": {"weights": "none"},
            "data": {
                "root": str(DISK / "world"),
                "driveworld": TINY_WORLD.model_dump(mode="json"),
            },
        },
        search=RANDOM_SEARCH,
        confirm={"seeds": [1]},
    ),
}
NUM_HOSTS = 3
CUT_OFF = (1, 130, 137)
"""Exit codes of a study that can go on, beside being killed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, and returns its exit code."""
    made = argparse.ArgumentParser(prog="python -m tests.chaos", allow_abbrev=False)
    made.add_argument("--runs", type=int, default=50, help="how many (50)")
    made.add_argument("--seed", type=int, default=0, help="of what is random (0)")
    made.add_argument("--kind", choices=SPACES, default="simulated", help="of trainings")
    made.add_argument("--fault", default="", help="only those whose name has this in it")
    asked = made.parse_args(arguments)
    if reason := hosts.missing():
        print(f"error: expected Linux that lets make namespaces: {reason}", file=sys.stderr)
        return 2
    names = [name for name in FAULTS if asked.fault in name]
    if not names:
        print(f"error: --fault: expected part of {', '.join(FAULTS)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # hosts are taken down
    with tempfile.TemporaryDirectory(prefix="chaos-") as directory:
        return _run(Path(directory), asked, names)


def _run(directory: Path, asked: argparse.Namespace, names: list[str]) -> int:
    verdicts: dict[str, list[Verdict]] = {name: [] for name in names}
    mlflow = _empty_mlflow(directory)
    with (
        hosts.made(directory / "hosts", NUM_HOSTS) as cluster,
        running_store(cluster.outside) as store,
    ):
        cluster.environment |= store.environment
        for host in cluster.hosts:
            cluster.start_ray(host)

        def rig(name: str, chance: str, *, is_stored: bool) -> Rig:
            space = SPACES[asked.kind]
            return Rig(cluster, name, asked.kind, space, store, is_stored, random.Random(chance))

        expected, num_events = _undisturbed(rig("undisturbed", "", is_stored=False), mlflow)
        try:
            for number in range(asked.runs):
                name = names[number % len(names)]
                is_stored = FAULTS[name] is the_store_is_away
                one = rig(f"run{number:03d}", f"{asked.seed}-{number}", is_stored=is_stored)
                verdicts[name].append(_disturb(one, name, num_events, mlflow, expected))
        finally:
            _tell(verdicts)
    return 0 if all(v.is_good for found in verdicts.values() for v in found) else 1


def _undisturbed(rig: Rig, mlflow: Path) -> tuple[list[dict[str, Any]], int]:
    """What a study gives that nothing befalls, and how many events it has."""
    rig.prepare(mlflow)
    rig.start()
    assert rig.wait() == 0, rig.log()
    rows = told(rig.out)
    verdict = judge(rig, rows)
    assert verdict.is_good, verdict
    assert verdict.begun_again == 0, verdict
    return rows, len(rig.events())


def _disturb(
    rig: Rig, name: str, num_events: int, mlflow: Path, expected: list[dict[str, Any]]
) -> Verdict:
    """One study, one fault, and all that a person does until it has ended."""
    if FAULTS[name] is the_disk_fills_up:
        small_disk(rig)
    rig.prepare(mlflow)
    started = time.monotonic()
    rig.start()
    at = rig.chance.randrange(1, num_events)
    rig.wait_for_events(at)
    time.sleep(rig.chance.random() * SECONDS)
    did = FAULTS[name](rig)
    while True:
        code = rig.wait()
        rig.mend()
        if code == 0:
            break
        assert code in CUT_OFF or code < 0, (code, rig.log())
        rig.start()
    verdict = judge(rig, expected)
    seconds = time.monotonic() - started
    print(f"{rig.name}: {name} ({did}) after event {at}; {seconds:.0f} s; {verdict}", flush=True)
    if not verdict.is_good:
        print(rig.log(), flush=True)
    return verdict


def _empty_mlflow(directory: Path) -> Path:
    """MLflow's database with nothing in it; it takes seconds to make."""
    path = directory / "empty.db"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


def _tell(verdicts: dict[str, list[Verdict]]) -> None:
    """A row a fault; of each number the sum over its runs, of `begun_again` the most."""
    columns = [f.name for f in fields(Verdict)]
    print("\n| fault | runs | " + " | ".join(column.replace("_", " ") for column in columns) + " |")
    print("|---|" + "---|" * (1 + len(columns)))
    for name, found in verdicts.items():
        numbers = [
            (max if column == "begun_again" else sum)([getattr(v, column) for v in found] or [0])
            for column in columns
        ]
        print(f"| {name} | {len(found)} | " + " | ".join(map(str, numbers)) + " |")


if __name__ == "__main__":
    sys.exit(main())
