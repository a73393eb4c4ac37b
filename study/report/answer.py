"""The answer of a study in one careful sentence."""

from __future__ import annotations

import math

from study.report.numbers import interval, mean_and_std, p_value
from study.results import Comparison, Results
from study.statistics import pairs_needed
from study.trainable import higher_is_better

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
    start += f"{mean_and_std(results.summaries[best.arm][metric])}"
    others = (
        f", the best of the {len(compared)} arms compared with" if len(compared) > 1 else ", and"
    )
    start += f"{others} {best.reference} ({mean_and_std(reference)}): "
    return start + _difference(best) + "; " + _certainty(results, best) + "."


def _no_comparison(metric: str) -> str:
    return (
        f"The question stays open: no two arms have a value in {metric} for the same seed, so "
        "there is nothing to compare."
    )


def _difference(best: Comparison) -> str:
    found = best.difference
    verdict = {True: "better", False: "worse", None: "no different"}[best.is_better]
    pairs = f"{found.num_pairs} pair{'s' if found.num_pairs != 1 else ''} of seeds"
    if best.is_better is None:
        return f"no different over {pairs}"
    size = f"{abs(found.mean):.3g} {verdict} on average over {pairs}"
    if math.isnan(found.low):
        return size
    return f"{size}, 95 % interval of the difference {interval(found.low, found.high)}"


def _certainty(results: Results, best: Comparison) -> str:
    found, num = best.difference, len(results.comparisons)
    if best.p_adjusted <= LEVEL:
        return (
            f"by chance alone, a difference this clear would be rare (exact sign-flip test, "
            f"p = {p_value(best.p_adjusted)} after Holm's correction for {num} comparisons)"
        )
    if found.smallest_p * num > LEVEL:
        return (
            f"that is a hint and no proof, as {found.num_pairs} "
            f"pair{'s' if found.num_pairs != 1 else ''} cannot give p below "
            f"{p_value(found.smallest_p)} whatever they hold, and "
            f"{pairs_needed(LEVEL, num)} would be needed for {num} comparisons"
        )
    return (
        f"this may well be chance (exact sign-flip test, p = {p_value(best.p_adjusted)} after "
        f"Holm's correction for {num} comparisons)"
    )
