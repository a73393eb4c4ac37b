"""What befalls a study. Each fault comes at a random moment, and says what it did; it leaves the
study running, or at an end that a person goes on from."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping

import psutil

from tests.chaos.rig import Rig
from tests.cluster.hosts import Host

FULL_MIB = 48
"""Of the disk that fills up."""
NOTICE_S = 5


def a_worker_is_killed(rig: Rig) -> str:
    """As the system does where memory is short."""
    for _ in range(100):
        if found := rig.workers():
            host, process = rig.chance.choice(found)
            process.kill()
            return f"a trial's process on {host.name}"
        time.sleep(0.1)
    return "no trial was running"


def a_node_loses_power(rig: Rig) -> str:
    """A host that is not the head."""
    host = _worker_node(rig)
    host.power_off()
    return host.name


def a_node_is_given_notice(rig: Rig) -> str:
    """A spot machine: it is drained, and gone some seconds later."""
    host = _worker_node(rig)
    command = [sys.executable, "-m", "cluster.spot", "--now"]
    assert host.start(command, rig.cluster.environment).wait() == 0, (host.disk / "log").read_text()
    time.sleep(NOTICE_S)
    host.power_off()
    return host.name


def a_cable_is_pulled(rig: Rig) -> str:
    """For some seconds or for so long that Ray gives the node up."""
    host, seconds = _worker_node(rig), rig.chance.uniform(2, 45)
    host.cut(off=True)
    time.sleep(seconds)
    host.cut(off=False)
    return f"{host.name}, for {seconds:.0f} s"


def the_driver_is_killed(rig: Rig) -> str:
    """Where it runs, its workers are left without it."""
    rig.kill_driver()
    return "kill -9"


def the_head_loses_power(rig: Rig) -> str:
    """With the driver, and Ray's head."""
    rig.cluster.head.power_off()
    return "all else was started anew"


def the_disk_fills_up(rig: Rig) -> str:
    """The head's, until the study has given up."""
    ballast = rig.seen / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(2**16))
        except OSError:
            pass
    code = rig.wait()
    ballast.unlink()
    last = rig.log().strip().splitlines()[-1]
    return f"exit code {code}: {last}" if code else "it was over before it needed room"


def the_store_is_away(rig: Rig) -> str:
    """It lets nobody in for a while, and ends what is under way."""
    seconds = rig.chance.uniform(5, 60)
    with rig.store.door.shut():
        time.sleep(seconds)
    return f"for {seconds:.0f} s"


def a_node_is_slow(rig: Rig) -> str:
    """Ten times slower than the rest for 30 s: it runs a tenth of the time."""
    host = rig.chance.choice(rig.cluster.hosts[1:])
    (host.disk / "slow").touch()
    until = time.monotonic() + 30
    while time.monotonic() < until and rig.is_running():
        found = [process for on, process in rig.workers() if on is host]
        _send(found, signal.SIGSTOP)
        time.sleep(0.9)
        _send(found, signal.SIGCONT)
        time.sleep(0.1)
    return f"{host.name}, for 30 s"


def a_second_driver_comes(rig: Rig) -> str:
    """Of the same study, at the same time."""
    second = rig.run("--resume", "study")
    code = second.wait(timeout=120)
    assert code == 2 or not rig.is_running(), rig.log()
    return f"exit code {code}"


FAULTS: Mapping[str, Callable[[Rig], str]] = {
    "a trial's process is killed": a_worker_is_killed,
    "a node loses power": a_node_loses_power,
    "a node is given notice": a_node_is_given_notice,
    "a cable is pulled": a_cable_is_pulled,
    "the driver is killed": the_driver_is_killed,
    "the head loses power": the_head_loses_power,
    "the disk fills up": the_disk_fills_up,
    "the store is away": the_store_is_away,
    "a node is ten times slower": a_node_is_slow,
    "a second driver comes": a_second_driver_comes,
}


def small_disk(rig: Rig) -> None:
    """Gives the study a disk that can be filled."""
    (rig.cluster.head.disk / rig.name).mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={FULL_MIB}m", "none", str(rig.directory)]
    assert rig.cluster.head.start(mount).wait() == 0


def _worker_node(rig: Rig) -> Host:
    """One that trains, if there is one."""
    busy = [host for host, _ in rig.workers() if host is not rig.cluster.head]
    return rig.chance.choice(busy or rig.cluster.hosts[1:])


def _send(processes: list[psutil.Process], sent: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(sent)
        except psutil.NoSuchProcess:
            continue
