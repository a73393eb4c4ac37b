"""What a site says of its server, in one place, and what is checked before anything starts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

S3_NEEDS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
MAX_SOCKET_PATH = 90
"""Bytes; the system takes 107 with the socket's own name."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Settings(BaseModel):
    """Where the server listens, and where it keeps things."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    home: Path
    """Its directory: secrets, logs, and PostgreSQL's files."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 5000
    """Port to listen on."""
    artifacts: str | None = None
    """`s3://<bucket>/<prefix>`, or a directory; left out, one in `home`."""
    database: str | None = None
    """Environment variable that holds the URL of a PostgreSQL of the site's own,
    `postgresql://user:password@host/name`; left out, one is kept in `home`."""
    allowed_hosts: str | None = None
    """Names that the server may be called by, comma-separated; left out, MLflow's own list."""
    permission: Literal["READ", "EDIT", "MANAGE", "NO_PERMISSIONS"] = "READ"
    """What a user may do with the experiments and models of others."""
    workers: int = 2
    """Processes that answer."""

    @model_validator(mode="after")
    def _sound(self) -> Settings:
        if not re.fullmatch(r"[A-Za-z0-9.:_-]+", self.host):
            raise ValueError(f"--host: expected a name or an address, found {self.host!r}")
        if not 1 <= self.port <= 65535:
            raise ValueError(f"--port: expected 1 to 65535, found {self.port}")
        if self.workers < 1:
            raise ValueError(f"--workers: expected 1 or more, found {self.workers}")
        if self.artifacts is not None and "://" in self.artifacts and not self._is_s3:
            raise ValueError(
                f"--artifacts: expected s3://<bucket>/<prefix> or a directory, "
                f"found {self.artifacts!r}"
            )
        return self

    @property
    def _is_s3(self) -> bool:
        return bool(re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]+(/[\w./-]*)?", self.artifacts or ""))

    @property
    def is_exposed(self) -> bool:
        """Whether others than this machine may call."""
        return self.host not in LOOPBACK

    @property
    def artifacts_uri(self) -> str:
        """Where the server puts artifacts; no client needs to reach it."""
        if self._is_s3:
            return str(self.artifacts)
        directory = Path(self.artifacts) if self.artifacts else self.home / "artifacts"
        return directory.resolve().as_uri()

    @property
    def socket(self) -> Path:
        """Directory of PostgreSQL's socket."""
        return self.home.resolve() / "postgres" / "run"

    def check(self, environment: Mapping[str, str] = os.environ) -> None:
        """Sees that nothing is missing, before anything starts.

        Raises:
            ValueError: one line for all that is missing.
        """
        wanted = [*(S3_NEEDS if self._is_s3 else ()), *([self.database] if self.database else ())]
        missing = [name for name in wanted if not environment.get(name)]
        if missing:
            raise ValueError(f"expected the environment to hold {', '.join(missing)}, found none")
        if self.database and not environment[self.database].startswith("postgresql"):
            raise ValueError(
                f"expected a postgresql:// URL in the environment variable {self.database}, "
                "found another text"
            )
        length = len(os.fsencode(self.socket))
        if not self.database and length > MAX_SOCKET_PATH:
            raise ValueError(
                f"--home: expected a shorter path, as PostgreSQL's socket lies in {self.socket} "
                f"({length} of {MAX_SOCKET_PATH} bytes)"
            )
