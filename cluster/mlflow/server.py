"""MLflow's own server, set up for a team; secrets reach it by its environment alone."""

from __future__ import annotations

import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from cluster import process
from cluster.mlflow.postgres import Postgres
from cluster.mlflow.secrets import Secrets, open_secrets, write_private
from cluster.mlflow.settings import Settings

ADMIN = "admin"
SECONDS_TO_START = 120.0
_USERS = """\
[mlflow]
default_permission = {permission}
database_uri = {database}
admin_username = {admin}
auth_cache_ttl_seconds = 60
"""


def up(settings: Settings) -> str:
    """Starts the database and the server, and waits until they answer; what runs already, stays.

    Returns:
        The server's address.

    Raises:
        ValueError: something is missing, or does not start.
    """
    settings.check()
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.home.chmod(0o711)  # PostgreSQL, another user under root, must get through
    secrets = open_secrets(settings.home)
    runs, users = _databases(settings, secrets)
    address = address_of(settings)
    if process.find(_note(settings.home)) is None:
        _refuse_taken(address)
        process.start(
            _command(settings),
            _environment(settings, secrets, runs, users),
            settings.home / "server.log",
            _note(settings.home),
        )
    _wait(settings.home, address)
    write_private(settings.home / "settings.json", settings.model_dump_json(indent=2))
    return address


def down(home: Path) -> bool:
    """Stops the server, and its database where that is its own; whether anything ran."""
    ran = process.stop(_note(home))
    postgres = _own_postgres(Settings(home=home), open_secrets(home))
    if postgres.is_running():
        postgres.stop()
        return True
    return ran


def is_up(home: Path) -> bool:
    """Whether the server of a directory runs."""
    return process.find(_note(home)) is not None


def settings_of(home: Path) -> Settings:
    """What the server of a directory was last started with.

    Raises:
        ValueError: there was none.
    """
    path = home / "settings.json"
    if not path.exists():
        raise ValueError(f"{home}: expected the directory of a server, found none")
    return Settings.model_validate_json(path.read_bytes())


def address_of(settings: Settings) -> str:
    """How a client on this machine calls the server."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _note(home: Path) -> Path:
    return home / "server.pid"


def _databases(settings: Settings, secrets: Secrets) -> tuple[str, str]:
    """URLs of the databases of runs and of users."""
    if settings.database:
        url = os.environ[settings.database].replace("postgresql://", "postgresql+psycopg://", 1)
        return url, url
    postgres = _own_postgres(settings, secrets)
    postgres.start()
    return postgres.url("mlflow"), postgres.url("mlflow_auth")


def _own_postgres(settings: Settings, secrets: Secrets) -> Postgres:
    return Postgres(settings.home / "postgres", settings.socket, secrets.database)


def _command(settings: Settings) -> list[str]:
    return [
        sys.executable, "-m", "mlflow", "server",
        "--app-name", "basic-auth",
        "--host", settings.host,
        "--port", str(settings.port),
        "--workers", str(settings.workers),
        "--artifacts-destination", settings.artifacts_uri,
        *(("--allowed-hosts", settings.allowed_hosts) if settings.allowed_hosts else ()),
    ]  # fmt: skip


def _environment(settings: Settings, secrets: Secrets, runs: str, users: str) -> dict[str, str]:
    path = settings.home.resolve() / "users.ini"
    database = users.replace("%", "%%")
    text = _USERS.format(permission=settings.permission, database=database, admin=ADMIN)
    write_private(path, text)
    return {
        **os.environ,
        "MLFLOW_BACKEND_STORE_URI": runs,
        "MLFLOW_AUTH_CONFIG_PATH": str(path),
        "MLFLOW_AUTH_ADMIN_PASSWORD": secrets.admin,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.session,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }


def _wait(home: Path, address: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if _answers(address):
            return
        if process.find(_note(home)) is None:
            break
        time.sleep(0.3)
    process.stop(_note(home))
    *_, last = ["nothing said", *(home / "server.log").read_text(errors="replace").splitlines()]
    raise ValueError(f"MLflow did not start: {last.strip()}; {home / 'server.log'} says more")


def _refuse_taken(address: str) -> None:
    if _answers(address):
        raise ValueError(f"expected {address} to be free, found another server there: --port")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
