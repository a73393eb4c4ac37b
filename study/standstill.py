"""What a study waits for a person to mend: it ends in one line, and loses nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ray.exceptions import LocalRayletDiedError, RpcError

from study.full_disk import full_disk
from study.trainable import StoreAway, is_other_data


class Standstill(RuntimeError):
    """A study can't go on for now.

    Args:
        why: in a line.
        mend: what a person is to do, as an order.
    """

    def __init__(self, why: str, mend: str) -> None:
        super().__init__(why, mend)
        self.why, self.mend = why, mend

    def __str__(self) -> str:
        return f"{self.why}; {self.mend}"


@contextmanager
def standstill_told(directory: Path) -> Iterator[None]:
    """Turns whatever a full disk, a store that is away or a cluster that has ended makes fail into
    a line about it.

    Raises:
        Standstill: what it is, and how to go on with the study in the directory.
    """
    try:
        yield
    except Exception as error:
        found = standstill(error, directory)
        if found is None:
            raise
        go_on = f"then go on: python -m study.run --resume {shlex.quote(str(directory))}"
        raise Standstill(
            f"{found.why}. No epoch that was reported is lost", f"{found.mend}, {go_on}"
        ) from error


def standstill(error: BaseException, directory: Path) -> Standstill | None:
    """What a person is to mend, where an error, or one that led to it, is about that.

    Args:
        error: an exception, from whatever library.
        directory: of the study.
    """
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, Standstill):
            return cause
        if isinstance(cause, StoreAway):
            return Standstill(str(cause), "see that it answers")
        if is_other_data(cause):
            return Standstill(str(cause), "give that machine the same")
        if _is_of_ended_ray(cause):
            return Standstill(f"the Ray cluster has ended ({cause})", "start it again")
    full = full_disk(chain, directory)
    return None if full is None else Standstill(full, "make room")


def _is_of_ended_ray(cause: BaseException) -> bool:
    """Whether Ray's node on this machine has ended; of its errors some are plain ones."""
    if isinstance(cause, LocalRayletDiedError | RpcError):
        return True
    return isinstance(cause, OSError) and cause.errno is None and "the socket" in str(cause)


def _chain(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
