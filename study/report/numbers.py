"""Numbers as a reader wants them."""

from __future__ import annotations

import math

from study.statistics import Summary
from study.trainable import higher_is_better

ABSENT = "—"


def number(value: float) -> str:
    """Three significant digits where there is something to tell; a dash for none."""
    if not math.isfinite(value):
        return ABSENT
    decimals = _decimals(value)
    return f"{value:.2e}" if decimals is None else f"{value:.{decimals}f}"


def _decimals(value: float) -> int | None:
    """How many a number is shown with; None for the very small and the very large."""
    size = abs(value)
    if size != 0 and (size < 1e-3 or size >= 1e5):
        return None
    if 0 < size < 0.01:
        return 5
    return 4 if size < 0.1 else 3 if size < 10 else 2 if size < 100 else 1


def signed(value: float) -> str:
    """A difference, with its sign."""
    return f"+{number(value)}" if value > 0 else number(value)


def mean_and_std(summary: Summary) -> str:
    """`0.312 ± 0.010`, with as many decimals; without a spread when there is one value."""
    if math.isnan(summary.std):
        return number(summary.mean)
    decimals = _decimals(summary.mean)
    vanishes = decimals is None or 0 < summary.std < 10.0**-decimals
    spread = number(summary.std) if vanishes else f"{summary.std:.{decimals}f}"
    return f"{number(summary.mean)} ± {spread}"


def interval(low: float, high: float) -> str:
    """`+0.0100 to +0.0300`, or a dash."""
    return ABSENT if math.isnan(low) else f"{signed(low)} to {signed(high)}"


def span(low: float, high: float) -> str:
    """An interval of what is no difference: `0.300 to 0.320`, or a dash."""
    return ABSENT if math.isnan(low) else f"{number(low)} to {number(high)}"


def effect(value: float) -> str:
    """An effect size with its sign: `+1.23`, `-∞`, or a dash for none."""
    if math.isnan(value):
        return ABSENT
    return f"{value:+.2f}" if math.isfinite(value) else f"{'+' if value > 0 else '-'}∞"


def gain(summary: Summary) -> str:
    """A relative gain in per cent with its sign: `+3.21 ± 1.05`; a dash for none."""
    if math.isnan(summary.mean):
        return ABSENT
    return f"{summary.mean:+.2f}" + ("" if math.isnan(summary.std) else f" ± {summary.std:.2f}")


def p_value(value: float) -> str:
    """A p-value, or a dash."""
    if math.isnan(value):
        return ABSENT
    return "< 0.001" if value < 1e-3 else f"{value:.3f}"


def p_is(value: float) -> str:
    """A p-value within a sentence: `p = 0.031`, `p < 0.001`."""
    shown = p_value(value)
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"


def duration(seconds: float) -> str:
    """`42 s`, `3.5 min`, `1.2 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def with_arrow(metric: str) -> str:
    """A metric's name, and which way is better."""
    return f"{metric} {'↑' if higher_is_better(metric) else '↓'}"
