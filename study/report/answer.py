"""The answer of a study in one careful sentence."""

from __future__ import annotations

import math

from study.report.claims import certainty, pairs_in_words
from study.report.numbers import interval, mean_and_std
from study.results import Comparison, Results
from study.trainable import higher_is_better


def answer(results: Results) -> str:
    """What the first compared metric says, and how sure that is."""
    metric = results.space.compare.metrics[0]
    order = "higher" if higher_is_better(metric) else "lower"
    compared = [c for c in results.comparisons if c.metric == metric]
    if not compared:
        return _no_comparison(metric)
    sign = -1 if higher_is_better(metric) else 1
    best = min(compared, key=lambda c: sign * c.difference.mean)
    reference = results.summaries[best.reference][metric]
    start = f"On {metric} ({order} is better), {best.arm} reaches "
    start += f"{mean_and_std(results.summaries[best.arm][metric])}, "
    start += f"the best of the {len(compared)} arms " if len(compared) > 1 else ""
    start += f"compared with {best.reference} ({mean_and_std(reference)}): "
    if best.is_better is None:
        return start + _difference(best, results) + "."
    return (
        start + _difference(best, results) + "; " + certainty(best, len(results.comparisons)) + "."
    )


def _no_comparison(metric: str) -> str:
    return (
        f"The question stays open: no two arms have a value in {metric} for the same seed, so "
        "there is nothing to compare."
    )


def _difference(best: Comparison, results: Results) -> str:
    found = best.difference
    pairs = pairs_in_words(found.num_pairs, results)
    if best.is_better is None:
        return f"no different over {pairs}"
    verdict = "better" if best.is_better else "worse"
    mean = "" if found.test == "images" else "on average "
    size = f"{abs(found.mean):.3g} {verdict} {mean}over {pairs}"
    if math.isnan(found.low):
        return size
    return f"{size}, 95 % interval of the difference {interval(found.low, found.high)}"
