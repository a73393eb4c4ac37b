"""The differences between arms, and how to read them."""

from __future__ import annotations

from study.report.numbers import interval, p_value, signed, with_arrow
from study.results import Comparison, Results
from study.statistics import CONFIDENCE, MAX_EXACT_PAIRS, smallest_p
from study.words import counted


def difference_row(comparison: Comparison) -> dict[str, str]:
    """A comparison in words and numbers."""
    found = comparison.difference
    verdict = {True: "better", False: "worse", None: "same"}[comparison.is_better]
    return {
        "metric": with_arrow(comparison.metric),
        "arm": comparison.arm,
        "reference": comparison.reference,
        "pairs": str(found.num_pairs),
        "difference": signed(found.mean),
        "interval": interval(found.low, found.high),
        "direction": verdict,
        "p": p_value(found.p_value),
        "p_holm": p_value(comparison.p_adjusted),
    }


def difference_notes(results: Results) -> list[str]:
    """What one has to know to read the differences."""
    if not results.comparisons:
        return []
    num_pairs = max(c.difference.num_pairs for c in results.comparisons)
    notes = [
        "A difference is the arm minus its reference, seed by seed: the same seed means the same "
        "initial weights and the same order of the data.",
        f"Intervals hold the mean difference with {CONFIDENCE:.0%} confidence, by Student's t, "
        "which takes differences for normal; they are not corrected for their number.",
        f"p comes from {'an exact' if num_pairs <= MAX_EXACT_PAIRS else 'a'} two-sided sign-flip "
        f"permutation test; p (Holm) is corrected for {_all(len(results.comparisons))} of this "
        "table.",
        f"With {counted(num_pairs, 'pair')} this test cannot go below "
        f"p = {smallest_p(num_pairs):.2g}, whatever the numbers.",
    ]
    for metric in results.space.compare.metrics:
        others = {c.reference for c in results.comparisons if c.metric == metric}
        notes += [
            f"{results.space.compare.baseline} has no {metric}; there, arms are compared with "
            f"{other}."
            for other in others - {results.space.compare.baseline}
        ]
    return notes


def _all(num_comparisons: int) -> str:
    return "the one comparison" if num_comparisons == 1 else f"all {num_comparisons} comparisons"
