"""The answer of a study in one careful sentence."""

from __future__ import annotations

import math

from study.report.numbers import interval, mean_and_std, p_is
from study.results import Comparison, Results
from study.statistics import MAX_EXACT_PAIRS, pairs_needed
from study.trainable import higher_is_better
from study.words import counted

LEVEL = 0.05


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
        return start + _difference(best) + "."
    return start + _difference(best) + "; " + _certainty(results, best) + "."


def _no_comparison(metric: str) -> str:
    return (
        f"The question stays open: no two arms have a value in {metric} for the same seed, so "
        "there is nothing to compare."
    )


def _difference(best: Comparison) -> str:
    found = best.difference
    pairs = f"{counted(found.num_pairs, 'pair')} of seeds"
    if best.is_better is None:
        return f"no different over {pairs}"
    verdict = "better" if best.is_better else "worse"
    size = f"{abs(found.mean):.3g} {verdict} on average over {pairs}"
    if math.isnan(found.low):
        return size
    return f"{size}, 95 % interval of the difference {interval(found.low, found.high)}"


def _certainty(results: Results, best: Comparison) -> str:
    found, num = best.difference, len(results.comparisons)
    comparisons = counted(num, "comparison")
    test = f"{'exact ' if found.num_pairs <= MAX_EXACT_PAIRS else ''}sign-flip test"
    level = f"{test}, {p_is(best.p_adjusted)} after Holm's correction for {comparisons}"
    if best.p_adjusted <= LEVEL:
        return f"by chance alone, a difference this clear would be rare ({level})"
    if found.smallest_p * num > LEVEL:
        return (
            f"that is a hint and no proof, as {counted(found.num_pairs, 'pair')} cannot give p "
            f"below {found.smallest_p:.2g} whatever they hold, and "
            f"{pairs_needed(LEVEL, num)} would be needed for {comparisons}"
        )
    return f"this may well be chance ({level})"
