"""`python -m cluster.mlflow {up,down,status,add-user}`: MLflow for a team, by one command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cluster.command_line import run
from cluster.mlflow import server
from cluster.mlflow.secrets import FILE, open_secrets
from cluster.mlflow.settings import Settings
from cluster.mlflow.users import add_user


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, and returns its exit code."""
    return run(_parser(), arguments)


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m cluster.mlflow",
        description="A tracking server for a team: MLflow on PostgreSQL, with users and passwords.",
        allow_abbrev=False,
    )
    verbs = made.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, run: Callable[..., int], what: str) -> argparse.ArgumentParser:
        parser = verbs.add_parser(name, help=what, allow_abbrev=False)
        parser.set_defaults(run=run)
        return parser

    up = verb("up", _up, "start it; what runs already, stays")
    for name, field in Settings.model_fields.items():
        up.add_argument(
            f"--{name.replace('_', '-')}",
            type=Path if name == "home" else int if name in ("port", "workers") else str,
            required=field.is_required(),
            default=None if field.is_required() else field.default,
            help=" ".join((field.description or name).replace("%", "%%").split()),
        )
    user = verb("add-user", _add_user, "make a user, and print its password once")
    user.add_argument("name")
    down = verb("down", _down, "stop it; nothing is lost")
    status = verb("status", _status, "say whether it runs")
    for parser in (user, down, status):
        parser.add_argument("--home", type=Path, required=True, help="directory of the server")
    return made


def _up(**told: object) -> int:
    settings = Settings.model_validate(told)
    address = server.up(settings)
    print(
        f"MLflow runs at {address}. Its admin's password is in {settings.home / FILE}.\n"
        f"A user: python -m cluster.mlflow add-user --home {settings.home} NAME"
    )
    if settings.is_exposed:
        print(
            "Note: it listens beyond this machine, and passwords travel as they are: put a proxy "
            "that speaks https in front of it."
        )
    return 0


def _down(home: Path) -> int:
    server.settings_of(home)
    print("stopped" if server.down(home) else "it did not run")
    return 0


def _status(home: Path) -> int:
    settings = server.settings_of(home)
    runs = server.is_up(home)
    print(f"{'runs' if runs else 'does not run'}: port {settings.port}, {settings.artifacts_uri}")
    return 0 if runs else 1


def _add_user(home: Path, name: str) -> int:
    settings = server.settings_of(home)
    password = add_user(server.address_of(settings), open_secrets(home).admin, name)
    print(
        f"export MLFLOW_TRACKING_URI=http://<this machine>:{settings.port}\n"
        f"export MLFLOW_TRACKING_USERNAME={name}\n"
        f"export MLFLOW_TRACKING_PASSWORD={password}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
