"""A PostgreSQL of the server's own: in its directory, on a socket, for no other user."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

USER = "mlflow"
DATABASES = ("mlflow", "mlflow_auth")
"""Of runs and models, and of users."""
UNPRIVILEGED = "postgres"
"""Who runs it where the one who starts it is root, as PostgreSQL refuses to run as root."""
_OPTIONS = "listen_addresses = ''\nunix_socket_directories = '{socket}'\n"


def binaries() -> Path:
    """The directory of PostgreSQL's programs.

    Raises:
        ValueError: it is not installed.
    """
    on_path = shutil.which("pg_ctl")
    if on_path:
        return Path(on_path).resolve().parent
    of_debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda p: float(p.parts[-3])
    )
    if not of_debian:
        raise ValueError(
            "expected PostgreSQL to be installed, found no pg_ctl; on Debian or Ubuntu: "
            "apt-get install postgresql; or name a database of your own with --database"
        )
    return of_debian[-1].parent


class Postgres:
    """A database server in a directory.

    Args:
        directory: of its files.
        socket: directory of its socket.
        password: of its one user.
    """

    def __init__(self, directory: Path, socket: Path, password: str) -> None:
        self._directory, self._socket, self._password = directory.resolve(), socket, password
        self._data = self._directory / "data"

    def start(self) -> None:
        """Starts it, and waits until it answers; its files are made the first time.

        Raises:
            ValueError: it does not start.
        """
        if not (self._data / "PG_VERSION").exists():
            self._make()
        if not self.is_running():
            self._run("pg_ctl", "start", "-w", "-D", str(self._data), "-l", str(self._log))
        self._make_databases()

    def stop(self) -> None:
        """Stops it, if it runs; whoever is connected is cut off."""
        if self.is_running():
            self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", str(self._data))

    def is_running(self) -> bool:
        """Whether it runs."""
        return self._data.is_dir() and self._call("pg_ctl", "status", "-D", str(self._data)) == 0

    def url(self, database: str) -> str:
        """How SQLAlchemy reaches a database of it; it holds the password."""
        where = quote(str(self._socket), safe="")
        return f"postgresql+psycopg://{USER}:{self._password}@/{database}?host={where}"

    @property
    def _log(self) -> Path:
        return self._directory / "postgres.log"

    def _make(self) -> None:
        for directory in (self._directory, self._socket):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            if _is_root():
                shutil.chown(directory, UNPRIVILEGED, UNPRIVILEGED)
        with tempfile.NamedTemporaryFile("w", dir=self._directory) as file:
            file.write(self._password)
            file.flush()
            if _is_root():
                shutil.chown(file.name, UNPRIVILEGED, UNPRIVILEGED)
            self._run(
                "initdb", "-D", str(self._data), "-U", USER, "-E", "UTF8", "--locale=C.UTF-8",
                "--auth=scram-sha-256", f"--pwfile={file.name}",
            )  # fmt: skip
        quoted = str(self._socket).replace("'", "''")
        with (self._data / "postgresql.conf").open("a") as options:
            options.write(_OPTIONS.format(socket=quoted))

    def _make_databases(self) -> None:
        import psycopg

        with psycopg.connect(
            user=USER,
            password=self._password,
            host=str(self._socket),
            dbname="postgres",
            autocommit=True,
        ) as connection:
            there = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
            for name in DATABASES:
                if name not in there:
                    connection.execute(f"CREATE DATABASE {name}".encode())

    def _run(self, program: str, *arguments: str) -> None:
        if self._call(program, *arguments) != 0:
            raise ValueError(f"{program} failed: {self._told}")

    def _call(self, program: str, *arguments: str) -> int:
        with tempfile.TemporaryFile("w+") as told:  # no pipe: the server would keep it open
            done = subprocess.run(
                [str(binaries() / program), *arguments],
                stdout=told,
                stderr=told,
                cwd="/",
                user=UNPRIVILEGED if _is_root() else None,
                group=UNPRIVILEGED if _is_root() else None,
                extra_groups=() if _is_root() else None,
            )
            told.seek(0)
            self._told = " ".join(told.read().split())[-400:]
        return done.returncode


def _is_root() -> bool:
    return os.geteuid() == 0
