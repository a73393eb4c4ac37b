"""The server's passwords: made once, and readable by nobody else."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict

FILE = "secrets.json"


class Secrets(BaseModel):
    """What the server must know, and no log, no argument and no other user may."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    database: str
    """Password of PostgreSQL's user."""
    admin: str
    """Password of MLflow's user `admin`."""
    session: str
    """What MLflow signs its web forms with."""


def open_secrets(home: Path) -> Secrets:
    """The passwords of a server; made where there are none yet.

    `MLFLOW_AUTH_ADMIN_PASSWORD` in the environment is taken for a new server's admin.

    Raises:
        ValueError: the file is damaged.
    """
    path = home / FILE
    if path.exists():
        try:
            return Secrets.model_validate_json(path.read_bytes())
        except ValueError:
            raise ValueError(f"{path}: expected the server's passwords, found others") from None
    made = Secrets(
        database=secrets.token_hex(24),
        admin=os.environ.get("MLFLOW_AUTH_ADMIN_PASSWORD") or secrets.token_urlsafe(18),
        session=secrets.token_hex(32),
    )
    write_private(path, made.model_dump_json(indent=2))
    return made


def write_private(path: Path, text: str) -> None:
    """Writes a file that its owner alone can read, beside, and renames it."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    temporary.replace(path)
