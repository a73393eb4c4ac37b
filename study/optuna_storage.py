"""A database that Optuna's studies are kept in, for optuna-dashboard."""

from __future__ import annotations

import contextlib
import os
import re

import optuna
from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy.pool import NullPool

from study.space import Space


def check_storage(space: Space) -> None:
    """Sees that the database of a study, if it names one, can be opened.

    Raises:
        ValueError: one line about why not.
    """
    if space.search is not None and space.search.storage is not None:
        open_database(space.search.storage).engine.dispose()


def open_database(url: str) -> RDBStorage:
    """A database, whose tables are made where they are missing.

    Args:
        url: may name environment variables: `${NAME}`.

    Raises:
        ValueError: one line about why it can't be opened, without a password.
    """
    try:
        # a connection is not kept: hours may lie between two trials, and a server's restart
        return RDBStorage(_with_environment(url), engine_kwargs={"poolclass": NullPool})
    except ImportError as error:
        raise ValueError(f"search.storage: {url} needs a driver: {error}") from None
    except Exception as error:  # each database has errors of its own
        reason = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
        for secret in _secrets(url):
            reason = reason.replace(secret, "***")
        raise ValueError(f"search.storage: cannot open {url}: {reason}") from None


def forget_study(storage: BaseStorage, name: str) -> None:
    """Takes a study out of a storage, so that it can be begun anew."""
    with contextlib.suppress(KeyError):
        optuna.delete_study(study_name=name, storage=storage)


def _secrets(url: str) -> list[str]:
    """What must not be shown: all that comes from the environment."""
    return [value for n in re.findall(r"\$\{(\w+)\}", url) if (value := os.environ.get(n))]


def _with_environment(url: str) -> str:
    missing = [name for name in re.findall(r"\$\{(\w+)\}", url) if not os.environ.get(name)]
    if missing:
        raise ValueError(f"the environment variable {missing[0]} is not set")
    return re.sub(r"\$\{(\w+)\}", lambda found: os.environ[found[1]], url)
