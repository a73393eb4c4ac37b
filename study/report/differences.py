"""The differences between arms, and how to read them."""

from __future__ import annotations

from study.report.claims import verdict
from study.report.numbers import effect, interval, p_value, signed, with_arrow
from study.results import Comparison, Results
from study.statistics import CONFIDENCE, LEVEL, TestName, is_exact, pairs_needed, smallest_p
from study.words import counted

_TESTS: dict[TestName, str] = {
    "permutation": "sign-flip permutation test",
    "wilcoxon": "Wilcoxon signed-rank test",
}


def difference_row(comparison: Comparison) -> dict[str, str]:
    """A comparison in words and numbers."""
    found = comparison.difference
    direction = {True: "better", False: "worse", None: "same"}[comparison.is_better]
    return {
        "metric": with_arrow(comparison.metric),
        "arm": comparison.arm,
        "reference": comparison.reference,
        "pairs": str(found.num_pairs),
        "difference": signed(found.mean),
        "interval": interval(found.low, found.high),
        "bootstrap": interval(*found.interval),
        "new_images": interval(*comparison.new_images.interval),
        "effect": effect(found.effect),
        "direction": direction,
        "p": p_value(found.p_value),
        "p_holm": p_value(comparison.p_adjusted),
        "verdict": verdict(comparison),
    }


def difference_notes(results: Results) -> list[str]:
    """What one has to know to read the differences."""
    if not results.comparisons:
        return []
    if results.space.kind == "clustering":
        return _notes_over_images(results)
    return [
        "A difference is the arm minus its reference, seed by seed: the same seed means the same "
        "initial weights and the same order of the data.",
        f"Intervals hold the mean difference with {CONFIDENCE:.0%} confidence, by Student's t, "
        "which takes differences for normal; they are not corrected for their number.",
        *_of_the_test(results),
        "d is the mean difference over the standard deviation of differences (Cohen's d_z), "
        "corrected for few pairs (Hedges); its sign is the difference's.",
        *_other_references(results),
    ]


def _notes_over_images(results: Results) -> list[str]:
    num = results.comparisons[0].difference.num_pairs
    return [
        "A difference is the arm minus its reference, on the same images. Nothing random is in a "
        "clustering: it is the images that could have been others, not seeds.",
        f"Intervals hold the difference with {CONFIDENCE:.0%} confidence for other images like "
        f"these {num}, by drawing images with replacement, the same for both; p is twice the share "
        f"of draws on the far side of zero; p (Holm) is corrected for "
        f"{_all(len(results.comparisons))}. They say nothing of another network.",
        f"Clear: p (Holm) is at most {LEVEL}. What takes time is not drawn anew.",
    ]


def interval_notes(results: Results) -> list[str]:
    """What the three kinds of intervals hold for, and why some are missing."""
    if results.space.kind == "clustering":
        return []
    missing: dict[str, list[str]] = {}
    for c in results.comparisons:
        if c.new_images.why_not is not None:
            metrics = missing.setdefault(c.new_images.why_not, [])
            metrics += [c.metric] if c.metric not in metrics else []
    return [
        "Student's t: for new seeds, where differences are normal; right with few seeds, too.",
        "Bootstrap: for new seeds, whatever the differences' distribution; too narrow with fewer "
        "than twenty.",
        "Seeds and images: for new seeds and new test images, by drawing both anew; where it holds "
        "zero and the others do not, other images might tell otherwise.",
        *(f"No interval for new images of {', '.join(m)}: {why}." for why, m in missing.items()),
    ]


def _of_the_test(results: Results) -> list[str]:
    num, test = len(results.comparisons), results.space.compare.test
    num_pairs = max(c.difference.num_pairs for c in results.comparisons)
    needed = pairs_needed(LEVEL, num)
    too_few = (
        f"; {needed} would be needed to claim anything of {counted(num, 'comparison')}"
        if num_pairs < needed
        else ""
    )
    return [
        f"p comes from {'an exact' if is_exact(num_pairs, test) else 'a'} two-sided "
        f"{_TESTS[test]}; p (Holm) is corrected for {_all(num)} of this table.",
        f"With {counted(num_pairs, 'pair')} this test cannot go below "
        f"p = {smallest_p(num_pairs, test):.2g}, whatever the numbers{too_few}.",
        f"Clear: p (Holm) is at most {LEVEL}. A hint: all pairs agree, and are too few to claim "
        "anything.",
    ]


def _other_references(results: Results) -> list[str]:
    baseline = results.space.compare.baseline
    return [
        f"{baseline} has no {metric}; there, arms are compared with {other}."
        for metric in results.space.compare.metrics
        for other in sorted({c.reference for c in results.comparisons if c.metric == metric})
        if other != baseline
    ]


def _all(num_comparisons: int) -> str:
    return "the one comparison" if num_comparisons == 1 else f"all {num_comparisons} comparisons"
