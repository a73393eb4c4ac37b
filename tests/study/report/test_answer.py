"""The answer in one sentence: careful, and no more certain than the numbers are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from study.report.answer import answer
from study.results import read_results
from study.space import Space
from tests.study.ledgers import METRIC, SCORE, confirmed, told_space, write_study

BASE = {1: 0.30, 2: 0.31, 3: 0.32}


def shifted(by: float, num: int = 3, noise: float = 0.0) -> dict[int, float]:
    bumps = np.random.default_rng(0).normal(0, noise, num)
    return {seed: 0.29 + 0.01 * seed + by + bumps[seed - 1] for seed in range(1, num + 1)}


def told(
    directory: Path, values: dict[str, dict[int, float]], metric: str = METRIC, **changes: object
) -> str:
    arms: dict[str, object] = {arm: {} for arm in values}
    space: Space = told_space(arms=arms, compare={"baseline": "a", "metrics": [metric]}, **changes)
    return answer(read_results(write_study(directory / "s", confirmed(values, metric), space)))


def test_few_pairs_are_a_hint_and_no_proof(tmp_path: Path) -> None:
    assert told(tmp_path, {"a": BASE, "b": {1: 0.25, 2: 0.26, 3: 0.28}}) == (
        "On test/depth/abs_rel (lower is better), b reaches 0.263 ± 0.015, compared with a "
        "(0.310 ± 0.010): 0.0467 better on average over 3 pairs of seeds, 95 % interval of the "
        "difference -0.0610 to -0.0323; that is a hint and no proof, as 3 pairs cannot give p "
        "below 0.25 whatever they hold, and 6 would be needed for 1 comparison."
    )


def test_many_clear_pairs_are_rare_by_chance(tmp_path: Path) -> None:
    said = told(tmp_path, {"a": shifted(0, 7), "b": shifted(-0.1, 7), "c": shifted(-0.05, 7)})
    assert "b reaches 0.230 ± 0.022, the best of the 2 arms compared with a (0.330" in said
    assert "0.1 better on average over 7 pairs" in said
    assert said.endswith(
        "by chance alone, a difference this clear would be rare (exact sign-flip test, p = 0.031 "
        "after Holm's correction for 2 comparisons)."
    )


def test_what_is_clear_alone_may_not_be_among_many(tmp_path: Path) -> None:
    but_one = {**shifted(-0.1, 7), 7: 0.37}
    said = told(tmp_path, {"a": shifted(0, 7), "b": but_one, "c": shifted(0, 7)})
    assert "this may well be chance (exact sign-flip test, p = 0.062 after Holm's" in said
    said = told(tmp_path / "few", {"a": shifted(0, 6), "b": shifted(-0.1, 6), "c": shifted(0, 6)})
    assert "a hint and no proof, as 6 pairs cannot give p below 0.031 whatever they hold" in said
    assert "and 7 would be needed for 2 comparisons" in said


def test_a_difference_that_may_be_none_may_be_chance(tmp_path: Path) -> None:
    said = told(tmp_path, {"a": shifted(0, 8), "b": shifted(0.0, 8, noise=0.1)})
    low, high = said.split("interval of the difference ")[1].split(";")[0].split(" to ")
    assert float(low) < 0 < float(high)
    assert "this may well be chance" in said
    assert "rare" not in said


def test_so_many_pairs_that_p_is_tiny_or_drawn_at_random(tmp_path: Path) -> None:
    said = told(tmp_path, {"a": shifted(0, 14), "b": shifted(-0.1, 14)})
    assert "(exact sign-flip test, p < 0.001 after" in said
    said = told(tmp_path / "more", {"a": shifted(0, 20), "b": shifted(-0.1, 20)})
    assert "(sign-flip test, p < 0.001 after" in said, "random sign flips are not exact"


@pytest.mark.parametrize(
    ("metric", "by", "expected"),
    [
        (METRIC, -0.05, "(lower is better), b reaches 0.260 ± 0.010, compared with a (0.310 "
         "± 0.010): 0.05 better"),
        (METRIC, 0.05, "b reaches 0.360 ± 0.010, compared with a (0.310 ± 0.010): 0.05 worse"),
        (SCORE, 0.05, "(higher is better), b reaches 0.360 ± 0.010, compared with a (0.310 "
         "± 0.010): 0.05 better"),
        (SCORE, 0.0, "compared with a (0.310 ± 0.010): no different over 3 pairs of seeds."),
    ],
)  # fmt: skip
def test_better_and_worse_go_the_metrics_way(
    tmp_path: Path, metric: str, by: float, expected: str
) -> None:
    base = BASE if by else shifted(0)
    assert expected in told(tmp_path, {"a": base, "b": shifted(by)}, metric)


@pytest.mark.parametrize(("metric", "best"), [(METRIC, "c"), (SCORE, "b")])
def test_the_best_arm_is_named(tmp_path: Path, metric: str, best: str) -> None:
    values = {"a": BASE, "b": shifted(0.05), "c": shifted(-0.05), "d": shifted(0.01)}
    assert f"{best} reaches" in told(tmp_path, values, metric)


def test_one_pair_is_one_pair(tmp_path: Path) -> None:
    said = told(tmp_path, {"a": {1: 0.3}, "b": {1: 0.2}})
    assert "0.1 better on average over 1 pair of seeds; that is a hint and no proof, as" in said
    assert "as 1 pair cannot give p below 1 whatever" in said
    assert "interval" not in said


@pytest.mark.parametrize(
    "values", [{"a": BASE, "b": {}}, {"a": {}, "b": BASE}, {"a": {1: 0.3}, "b": {2: 0.2}}]
)
def test_without_pairs_the_question_stays_open(
    tmp_path: Path, values: dict[str, dict[int, float]]
) -> None:
    assert told(tmp_path, values) == (
        "The question stays open: no two arms have a value in test/depth/abs_rel for the same "
        "seed, so there is nothing to compare."
    )


def test_an_arm_without_a_partner_is_not_named_the_best(tmp_path: Path) -> None:
    said = told(tmp_path, {"a": {1: 0.3}, "b": {2: 0.1}, "c": {1: 0.2}})
    assert "c reaches 0.200, compared with a (0.300)" in said
