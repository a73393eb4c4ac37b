"""What may be said of a difference, in words."""

from __future__ import annotations

import math
from typing import Literal

from study.report.numbers import p_is
from study.results import Comparison, Results
from study.statistics import LEVEL, TestName, is_exact
from study.words import counted

_TESTS: dict[TestName, str] = {
    "permutation": "sign-flip test",
    "wilcoxon": "Wilcoxon signed-rank test",
}
_VERDICTS = {"claim": "clear", "hint": "a hint", "none": "may be chance"}


def pairs_in_words(num: int, results: Results) -> str:
    """What a difference is over: `3 pairs of seeds`, `80 test images`."""
    if results.space.kind == "clustering":
        return counted(num, "test image")
    return f"{counted(num, 'pair')} of seeds"


def name_of_test(test: TestName | Literal["images"], num_pairs: int) -> str:
    """`exact sign-flip test`; a test that draws at random is not called exact."""
    if test == "images":
        return "paired bootstrap"
    return f"{'exact ' if is_exact(num_pairs, test) else ''}{_TESTS[test]}"


def verdict(comparison: Comparison) -> str:
    """In a word or two; nothing where two arms are the same."""
    untold = comparison.is_better is None or math.isnan(comparison.difference.p_value)
    return "" if untold else _VERDICTS[comparison.claim.verdict]


def mark_of(results: Results, arm: str, metric: str) -> str:
    """`*` where an arm is clearly better than its reference, `†` where clearly worse."""
    for c in results.comparisons:
        if (c.arm, c.metric) == (arm, metric) and c.claim.verdict == "claim":
            return {True: "*", False: "†", None: ""}[c.is_better]
    return ""


def mark_note(results: Results) -> str:
    """What the marks mean, by which test, and against which arms."""
    if not results.comparisons:
        return "Nothing is compared: no two arms have a value for the same seed."
    pairs = sorted({c.difference.num_pairs for c in results.comparisons})
    few = "" if len(pairs) == 1 else f"{pairs[0]} to "
    test = name_of_test(results.comparisons[0].difference.test, pairs[-1])
    level = (
        f"p (Holm) at most {LEVEL}, by {test} over "
        f"{few}{pairs_in_words(pairs[-1], results)}, corrected for "
        f"{counted(len(results.comparisons), 'comparison')}."
    )
    reference = " The reference is " + ", and ".join(_references(results)) + "."
    if not any(c.claim.verdict == "claim" for c in results.comparisons):
        return f"No arm differs from its reference with {level}{reference}"
    return f"* better, † worse than the reference with {level}{reference}"


def _references(results: Results) -> list[str]:
    """The baseline, then what stands for it in metrics that it lacks."""
    baseline = results.space.compare.baseline
    others = {c.metric: c.reference for c in results.comparisons if c.reference != baseline}
    own = [] if len(others) == len({c.metric for c in results.comparisons}) else [baseline]
    return own + [f"{reference} in {metric}" for metric, reference in others.items()]


def certainty(comparison: Comparison, num_comparisons: int) -> str:
    """How sure a difference is, as the end of a sentence that tells it."""
    found, claim = comparison.difference, comparison.claim
    comparisons = counted(num_comparisons, "comparison")
    test = name_of_test(found.test, found.num_pairs)
    level = f"{test}, {p_is(comparison.p_adjusted)} after Holm's correction for {comparisons}"
    if claim.verdict == "claim":
        return f"by chance alone, a difference this clear would be rare ({level})"
    if claim.num_needed is None:
        return f"this may well be chance ({level})"
    proof = "a hint and no proof" if claim.verdict == "hint" else "not even a hint"
    return (
        f"that is {proof}, as {_why_not_even(comparison)}{counted(found.num_pairs, 'pair')} cannot "
        f"give p below {found.smallest_p:.2g} whatever they hold, and {claim.num_needed} would be "
        f"needed for {comparisons}"
    )


def _why_not_even(comparison: Comparison) -> str:
    return "" if comparison.claim.verdict == "hint" else "the pairs disagree, "
