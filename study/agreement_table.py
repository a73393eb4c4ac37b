"""What a replay says to a person: a table of metrics, and what may be the reason."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table

from study.agreement import Row
from study.recorded import Recorded
from study.replaying import Replayed


def table(rows: Sequence[Row], tolerance: float) -> Table:
    """Each metric, recorded and replayed."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("metric", "epoch", "recorded", "replayed", "difference", ""):
        made.add_column(
            heading, justify="left" if heading in ("metric", "") else "right", overflow="fold"
        )
    for row in rows:
        epoch = "test" if row.epoch is None else str(row.epoch)
        remark = "not compared" if row.is_timing else "" if row.agrees(tolerance) else "DIFFERS"
        difference = "—" if math.isnan(row.difference) else f"{row.difference:.3g}"
        made.add_row(
            row.metric, epoch, _value(row.recorded), _value(row.replayed), difference, remark
        )
    return made


def _value(value: float | None) -> str:
    return "—" if value is None else f"{value:.10g}"


def ends(recorded: Recorded, found: Replayed) -> list[str]:
    """How both ended, where one failed."""
    if recorded.error is None and found.error is None:
        return []
    return [
        f"recorded: {recorded.error or 'did not fail'}",
        f"replayed: {found.error or 'did not fail'}",
    ]


def verdict(rows: Sequence[Row], agrees: bool, tolerance: float) -> str:
    """Whether all agree, in a sentence."""
    apart = [row for row in rows if not row.agrees(tolerance)]
    compared = [row for row in rows if not row.is_timing]
    how = "to the last digit" if tolerance == 0 else f"to within {tolerance:g}"
    if agrees:
        return f"All {len(compared)} metrics agree {how}, in every epoch."
    if not apart:
        return "It did not end as it is on record."
    return f"{len(apart)} of {len(compared)} metrics do not agree {how}."


def why(reasons: Sequence[str], agrees: bool) -> list[str]:
    """What is not as it was, a line each."""
    if reasons:
        heading = "What is not as it was:" if agrees else "Likely reasons, not as they were:"
        return [heading, *(f"  {reason}" for reason in reasons)]
    return [] if agrees else ["Versions, code, machine and data are as they were."]
