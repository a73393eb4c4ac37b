"""`python -m cluster.spot`: on a spot worker, drains its Ray node once its cloud wants it back.

Ray gives a drained node nothing more to do, and does not count as a failure of a trial's that the
node then goes: the trial goes on elsewhere from its last epoch, however often that happens.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cluster.command_line import run

SERVICE = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
"""AWS's own variable for where the metadata of a machine are asked for."""
DEFAULT_SERVICE = "http://169.254.169.254"
SECONDS_BETWEEN_LOOKS = 5.0
SECONDS_OF_A_SESSION = 60
SECONDS_OF_NOTICE = 120
"""What AWS gives."""
_SECONDS_TO_ANSWER = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, and returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m cluster.spot",
        description="Waits until this machine is given notice, and drains its Ray node.",
        allow_abbrev=False,
    )
    parser.set_defaults(run=_watch)
    parser.add_argument("--now", action="store_true", help="the notice was given: do not wait")
    parser.add_argument("--node-id", help="of the Ray node (the one on this machine)")
    return run(parser, arguments)


def seconds_left() -> float | None:
    """Until AWS takes this machine back; None as long as there is no notice, or no AWS.

    Raises:
        ValueError: the notice is not as AWS documents it.
    """
    service = os.environ.get(SERVICE, DEFAULT_SERVICE).rstrip("/")
    ttl = {"X-aws-ec2-metadata-token-ttl-seconds": str(SECONDS_OF_A_SESSION)}
    try:
        token = _ask(f"{service}/latest/api/token", "PUT", ttl)
        notice = _ask(
            f"{service}/latest/meta-data/spot/instance-action",
            "GET",
            {"X-aws-ec2-metadata-token": token},
        )
    except OSError:  # 404 says that there is no notice
        return None
    at = datetime.fromisoformat(json.loads(notice)["time"])
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def drain(deadline_s: float, node_id: str | None = None) -> None:
    """Tells Ray that a node goes.

    Args:
        deadline_s: seconds until then.
        node_id: which; left out, that of this machine.

    Raises:
        ValueError: Ray does not take it.
    """
    ray = str(Path(sys.executable).with_name("ray"))
    told = [
        ray, "drain-node",
        "--reason=DRAIN_NODE_REASON_PREEMPTION",
        "--reason-message=notice given",
        f"--deadline-remaining-seconds={round(deadline_s)}",
        *([f"--node-id={node_id}"] if node_id else []),
    ]  # fmt: skip
    found = subprocess.run(told, capture_output=True, text=True, check=False)
    if found.returncode != 0:
        *_, last = ["nothing said", *filter(str.strip, found.stderr.splitlines())]
        raise ValueError(f"expected Ray to drain this node, found: {last.strip()}")


def _watch(now: bool, node_id: str | None) -> int:
    deadline_s = SECONDS_OF_NOTICE if now else _wait(seconds_left)
    drain(deadline_s, node_id)
    print(f"drained: this machine goes within {deadline_s:.0f} s", flush=True)
    return 0


def _wait(look: Callable[[], float | None]) -> float:
    while (found := look()) is None:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return found


def _ask(url: str, method: str, headers: dict[str, str]) -> str:
    request = urllib.request.Request(url, method=method, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # of the machine alone
    with opener.open(request, timeout=_SECONDS_TO_ANSWER) as answer:
        return str(answer.read().decode())


if __name__ == "__main__":
    sys.exit(main())
