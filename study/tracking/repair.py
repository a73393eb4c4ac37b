"""Brings MLflow up to a study that is not under way, and sees that it is."""

from __future__ import annotations

from pathlib import Path

from study.ledger import Ledger
from study.tracking.mirror import Mirror
from study.tracking.server import failure_line, tracking_uri, without_passwords
from study.tracking.tracker import bring_up
from study.tracking.verification import Check, check

NUM_ROUNDS = 2
"""A run that is made anew changes what those beneath it are to say."""


def track(study_dir: Path) -> Check:
    """Brings MLflow up to a study directory; doing it again changes nothing.

    Every value is compared before and afterwards.

    Returns:
        What was compared, without a difference.

    Raises:
        ValueError: the directory holds no study, or one that is under way; or MLflow cannot be
            reached, or does not keep what is written to it.
    """
    ledger, uri = Ledger.open(study_dir, writable=True), tracking_uri()
    try:
        found = check(ledger, uri)
        for _ in range(NUM_ROUNDS):
            if found.differences:
                _mend(ledger, uri, found)
                found = check(ledger, uri)
        Mirror(ledger, uri).register()
    except Exception as error:  # a tracking server may fail in any way
        raise ValueError(f"MLflow at {without_passwords(uri)}: {failure_line(error)}") from error
    finally:
        ledger.close()
    if found.differences:
        first, num = found.differences[0], len(found.differences)
        raise ValueError(
            f"MLflow at {without_passwords(uri)} still differs in {num} values after writing: "
            f"{first}"
        )
    return found


def _mend(ledger: Ledger, uri: str, found: Check) -> None:
    mirror = Mirror(ledger, uri)
    lost = {one.key for one in found.differences if not one.can_be_mended}
    for key in dict.fromkeys(one.key for one in found.differences):
        mirror.forget(key, remakes=key in lost)
    bring_up(ledger, mirror, is_running=False)
    mirror.close()
