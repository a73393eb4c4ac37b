"""`python -m cluster.local up --nodes 4 --cpus 1`: a Ray cluster whose nodes are processes here.

The nodes are Ray's own, each with a raylet, workers and resources of its own, so that a study runs
on them as on machines: to rehearse, and to test.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cluster import process
from cluster.command_line import run

HOME = Path(".cluster-local")
MAX_NODES = 64
SECONDS_TO_START = 120.0
_COUNT = """
import sys, time, ray
while not ray.is_initialized():
    try:
        ray.init(sys.argv[1], log_to_driver=False, logging_level="ERROR")
    except ConnectionError:
        time.sleep(0.2)
while True:
    print(sum(node["Alive"] for node in ray.nodes()), flush=True)
    time.sleep(0.2)
"""
"""Says how many nodes have joined, as a driver of its own sees it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, and returns its exit code."""
    return run(_parser(), arguments)


def up(
    home: Path,
    *,
    nodes: int,
    cpus: int,
    gpus: int = 0,
    memory_gib: float = 0.5,
    resources: str | None = None,
    port: int = 6379,
) -> str:
    """Starts the nodes, the first of them the head; waits until all have joined.

    Args:
        home: where it is written down which processes they are; logs too.
        nodes: how many.
        cpus: of each, as Ray counts them; there may be more of them than the machine has.
        gpus: of each, likewise.
        memory_gib: object store of each.
        resources: Ray's custom resources of each but the head, as JSON.
        port: of the head.

    Returns:
        The cluster's address.

    Raises:
        ValueError: there is a cluster already, or this one does not start.
    """
    if not 1 <= nodes <= MAX_NODES:
        raise ValueError(f"--nodes: expected 1 to {MAX_NODES}, found {nodes}")
    if running := _notes(home):
        raise ValueError(f"{home}: expected no cluster, found one of {len(running)} nodes; `down`")
    home.mkdir(parents=True, exist_ok=True)
    address = f"127.0.0.1:{port}"
    common = [
        "--node-ip-address=127.0.0.1",
        f"--num-cpus={cpus}", f"--num-gpus={gpus}",
        f"--object-store-memory={round(memory_gib * 2**30)}",
        "--disable-usage-stats", "--block", "--log-style=record",
    ]  # fmt: skip
    head = ["--head", f"--port={port}", "--include-dashboard=false"]
    custom = [f"--resources={resources}"] if resources else []
    _start(home, 0, [*head, *common])
    with _count(home, address) as num_joined:
        _wait(home, num_joined, 1)
        for index in range(1, nodes):  # one after the other, as they choose their ports themselves
            _start(home, index, [f"--address={address}", *common, *custom])
            _wait(home, num_joined, index + 1)
    return address


def down(home: Path) -> int:
    """Ends all nodes, the head last; how many there were."""
    notes = sorted(home.glob("node-*.pid"), reverse=True)
    return sum([process.stop(note) for note in notes])


def alive(home: Path) -> list[int]:
    """Indices of the nodes that run."""
    return [int(note.stem.removeprefix("node-")) for note in _notes(home)]


def kill(home: Path, index: int) -> None:
    """Ends a node at once, with all that runs on it, as a power cut would.

    Raises:
        ValueError: there is no such node.
    """
    found = process.find(_note(home, index))
    if found is None:
        raise ValueError(f"{home}: expected a node {index}, found {alive(home)}")
    for each in [*found.children(recursive=True), found]:
        each.kill()
    _note(home, index).unlink()


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m cluster.local",
        description="A Ray cluster on this machine, for rehearsals: each node is a Ray node.",
        allow_abbrev=False,
    )
    verbs = made.add_subparsers(required=True, metavar="VERB")
    start = verbs.add_parser("up", help="start it", allow_abbrev=False)
    start.set_defaults(run=_up)
    start.add_argument("--nodes", type=int, default=2, help="how many, the head among them (2)")
    start.add_argument("--cpus", type=int, default=1, help="CPUs of each (1)")
    start.add_argument("--gpus", type=int, default=0, help="GPUs of each (0)")
    start.add_argument("--port", type=int, default=6379, help="port of the head (6379)")
    start.add_argument("--resources", help="custom resources of each but the head, as JSON")
    stop = verbs.add_parser("down", help="end it")
    stop.set_defaults(run=_down)
    status = verbs.add_parser("status", help="say which nodes run")
    status.set_defaults(run=_status)
    one = verbs.add_parser("kill", help="end a node, as a power cut would")
    one.set_defaults(run=_kill)
    one.add_argument("node", type=int, help="its number; the head is 0")
    for parser in (start, stop, status, one):
        parser.add_argument("--home", type=Path, default=HOME, help=f"its directory ({HOME})")
    return made


def _up(home: Path, **told: object) -> int:
    address = up(home, **told)  # type: ignore[arg-type]
    print(
        f"{told['nodes']} nodes at {address}. A study runs on them with --address auto:\n"
        "python -m study.run --space weighting.yaml --address auto"
    )
    return 0


def _down(home: Path) -> int:
    print(f"ended {down(home)} nodes")
    return 0


def _status(home: Path) -> int:
    found = alive(home)
    print(f"nodes that run: {', '.join(map(str, found)) or 'none'}")
    return 0 if found else 1


def _kill(home: Path, node: int) -> int:
    kill(home, node)
    print(f"killed node {node}")
    return 0


def _note(home: Path, index: int) -> Path:
    return home / f"node-{index:02d}.pid"


def _notes(home: Path) -> list[Path]:
    """Notes of the nodes that run."""
    return [note for note in sorted(home.glob("node-*.pid")) if process.find(note) is not None]


def _start(home: Path, index: int, options: Sequence[str]) -> None:
    ray = str(Path(sys.executable).with_name("ray"))
    log = home / f"node-{index:02d}.log"
    process.start([ray, "start", *options], _environment(), log, _note(home, index))


def _environment() -> dict[str, str]:
    """Ray asks whoever comes for a token, which it keeps in the user's home."""
    return {**os.environ, "RAY_AUTH_MODE": "token"}


@contextlib.contextmanager
def _count(home: Path, address: str) -> Iterator[Callable[[], int]]:
    """How many nodes have joined, by a process that asks them."""
    told = home / "joined.log"

    def num_joined() -> int:
        counts = [line for line in told.read_text().splitlines() if line.isdecimal()]
        return int(counts[-1]) if counts else 0  # Ray says other things there, too

    with told.open("w") as stream, (home / "joined.err").open("w") as errors:
        asking = subprocess.Popen(
            [sys.executable, "-c", _COUNT, address],
            env=_environment(),
            stdout=stream,
            stderr=errors,
        )
    try:
        yield num_joined
    finally:
        asking.kill()
        asking.wait()


def _wait(home: Path, num_joined: Callable[[], int], num_nodes: int) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while len(_notes(home)) == num_nodes and time.monotonic() < deadline:
        if num_joined() >= num_nodes:
            return
        time.sleep(0.1)
    logs = "".join(log.read_text(errors="replace") for log in sorted(home.glob("node-*.log")))
    down(home)
    *_, last = ["nothing said", *filter(str.strip, logs.splitlines())]
    raise ValueError(f"the nodes did not start: {last.strip()}; {home}/node-*.log say more")


if __name__ == "__main__":
    sys.exit(main())
