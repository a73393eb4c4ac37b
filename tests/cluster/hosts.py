"""Hosts for real, on one machine: Linux namespaces, joined by a bridge.

Each host has its own network and address, processes, host name, and disk at `/mnt`; the others
reach nothing of it but through the network. The installation is shared, as an image would be.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
DISK = Path("/mnt")
"""Where a host sees its own."""
PATIENCE_S = 120.0


def missing() -> str | None:
    """Why there can be no hosts on this machine; None where there can."""
    wanted = ("ip", "unshare", "nsenter")
    absent = [program for program in wanted if shutil.which(program) is None]
    if absent:
        return f"{', '.join(absent)} not installed"
    tried = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], check=False)
    return None if tried.returncode == 0 else "namespaces are not permitted"


@dataclass
class Host:
    """One of them."""

    name: str
    address: str
    disk: Path
    """Its `/mnt`, as it is seen from outside."""
    link: str
    """Its port of the bridge."""
    started: list[subprocess.Popen[Any]] = field(default_factory=list)
    pid: int = 0
    """What keeps its namespaces; 0 while it is off."""

    def power_on(self, bridge: str) -> None:
        """Makes it, with an empty `/mnt/tmp`."""
        self.disk.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.disk / "tmp", ignore_errors=True)
        (self.disk / "tmp").mkdir()
        flags = ["--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child"]
        script = 'hostname "$1" && mount --bind "$2" /mnt && mount -t tmpfs none /dev/shm'
        alive = subprocess.Popen(
            ["unshare", *flags, "--mount-proc",
             "sh", "-c", f"{script} && exec sleep infinity", "sh", self.name, str(self.disk)]
        )  # fmt: skip
        self.started = [alive]
        self.pid = _child(alive.pid)
        pair = ["type", "veth", "peer", "name", "eth0", "netns", str(self.pid)]
        _ip("link", "add", self.link, *pair)
        _ip("link", "set", self.link, "master", bridge, "up")
        for words in (("addr", "add", f"{self.address}/24", "dev", "eth0"),
                      ("link", "set", "eth0", "up"), ("link", "set", "lo", "up")):  # fmt: skip
            subprocess.run([*self._enter(), "ip", *words], check=True)

    def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        log: str = "log",
        within: Path = DISK,
    ) -> subprocess.Popen[Any]:
        """Starts a program on it, in a directory of its own view; `/mnt/<log>` has what it says."""
        own = {"HOME": str(DISK), "TMPDIR": str(DISK / "tmp"), "RAY_TMPDIR": str(DISK / "tmp")}
        with (self.disk / log).open("ab") as stream:
            process = subprocess.Popen(
                [*self._enter(), f"--wdns={within}", *command],
                env={**os.environ, "PYTHONPATH": str(ROOT), **own, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        self.started.append(process)
        return process

    def processes(self) -> list[psutil.Process]:
        """All that runs on it."""
        return [
            process
            for started in self.started
            if started.poll() is None
            for process in psutil.Process(started.pid).children(recursive=True)
        ]

    def power_off(self) -> None:
        """Ends all of it at once, as a power cut would; its disk stays."""
        for process in self.started[:1]:  # the others are in its namespaces
            process.kill()
        for process in self.started:
            process.wait()
        # it goes with its namespace, which the kernel takes down when it has time
        subprocess.run(["ip", "link", "delete", self.link], check=False, stderr=subprocess.DEVNULL)
        self.pid, self.started = 0, []

    def cut(self, *, off: bool) -> None:
        """Pulls its cable, or puts it back."""
        _ip("link", "set", self.link, "down" if off else "up")

    def _enter(self) -> list[str]:
        return ["nsenter", f"--target={self.pid}", "--all"]


@dataclass
class Hosts:
    """A network of them; the first is to be the head."""

    bridge: str
    outside: str
    """Address of this process among them."""
    hosts: list[Host]
    environment: dict[str, str]
    """Of Ray on each of them: the token."""

    @property
    def head(self) -> Host:
        """The first."""
        return self.hosts[0]

    def start_ray(self, host: Host, *flags: str) -> None:
        """Starts Ray on one, and waits until the head knows it."""
        python = str(Path(sys.executable).parent / "ray")
        first = host is self.head
        where = ["--head", "--port=6379"] if first else [f"--address={self.head.address}:6379"]
        quiet = ["--disable-usage-stats", "--block", "--log-style=record"]
        host.start(
            [python, "start", *where, f"--node-ip-address={host.address}", "--num-cpus=1",
             "--object-store-memory=100000000", *(["--include-dashboard=false"] if first else []),
             *quiet, *flags],
            self.environment,
            "ray.log",
        )  # fmt: skip
        deadline = time.monotonic() + PATIENCE_S
        wanted = b"Ray runtime started"
        while wanted not in (host.disk / "ray.log").read_bytes():
            assert time.monotonic() < deadline, (host.disk / "ray.log").read_text()
            time.sleep(0.2)


@contextmanager
def made(directory: Path, count: int) -> Iterator[Hosts]:
    """Hosts without anything on them.

    Args:
        directory: of their disks.
        count: how many.
    """
    number = os.getpid()
    net = f"10.{number >> 8 & 255}.{number & 255}"
    bridge = f"br{number}"
    _ip("link", "add", bridge, "type", "bridge")
    with ExitStack() as undone:
        undone.callback(_ip, "link", "delete", bridge)
        _ip("addr", "add", f"{net}.254/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        hosts = [
            Host(f"host{i}", f"{net}.{i + 1}", directory / f"host{i}", f"v{number}-{i}")
            for i in range(count)
        ]
        for host in hosts:
            undone.callback(host.power_off)
            host.power_on(bridge)
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        yield Hosts(bridge, f"{net}.254", hosts, token)


def _child(pid: int) -> int:
    """The first process of the namespaces that a process has made, once it is what it is to be."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for child in psutil.Process(pid).children():
            if child.name() == "sleep":
                return child.pid
        time.sleep(0.02)
    raise TimeoutError("a host did not start")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
