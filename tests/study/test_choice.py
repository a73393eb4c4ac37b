"""Which test images are shown, and why."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from study.choice import NUM_APART, NUM_COMOVING, NUM_EVENLY, NUM_WORST, choose_images
from study.events import Judged
from tests.study.ledgers import METRIC, SCORE, told_space

COMOVING = "test/depth/comoving/abs_rel"


def judged(values: dict[str, float], metric: str = METRIC, **more: dict[str, float]) -> Judged:
    """A model's values by image; `more` is by image, too."""
    rows: list[dict[str, Any]] = [{"image": name, metric: v} for name, v in values.items()]
    for row in rows:
        row.update(more.get(row["image"], {}))
    return Judged(trial_key="confirm-a-seed1", metrics={}, images=rows)


def reasons(*models: tuple[str, Judged], **space: Any) -> dict[str, list[str]]:
    by_arm: dict[str, list[Judged]] = {}
    for arm, model in models:
        by_arm.setdefault(arm, []).append(model)
    return {one.image: one.why for one in choose_images(told_space(**space), by_arm)}


def names(why: dict[str, list[str]], part: str) -> set[str]:
    return {image for image, told in why.items() if any(part in line for line in told)}


def test_images_are_spread_evenly_and_the_worst_and_the_disputed_are_among_them() -> None:
    a = {f"{n:02d}": n / 100 for n in range(20)}
    b = {**a, "04": 0.9, "07": 0.5}
    why = reasons(("a", judged(a)), ("b", judged(b)))
    assert names(why, "evenly") == {"03", "10", "16"}
    assert names(why, "worst of a by test/depth/abs_rel") == {"19", "18"}
    assert names(why, "differ most in test/depth/abs_rel") == {"04", "07"}


def test_the_worst_are_those_of_the_mean_over_seeds_and_by_the_metrics_own_order() -> None:
    one, other = {"x": 0.0, "y": 0.4, "z": 0.5}, {"x": 0.9, "y": 0.4, "z": 0.6}
    compare = {"baseline": "a", "metrics": [SCORE]}
    models = [("a", judged(values, SCORE)) for values in (one, other)]
    assert names(reasons(*models, compare=compare), "worst of a") == {"y", "x"}


def test_cars_that_move_with_the_camera_are_shown_by_their_own_metric() -> None:
    moving = {"c": {COMOVING: 0.2}, "e": {COMOVING: 0.1}, "f": {COMOVING: float("nan")}}
    a = judged(dict.fromkeys("abcdefgh", 0.1), **moving)
    assert names(reasons(("a", a)), "co-moving cars") == {"c", "e"}
    assert not names(reasons(("a", judged({"a": 0.1}))), "co-moving")


def test_without_values_by_image_some_are_shown_all_the_same() -> None:
    rows: list[dict[str, Any]] = [{"image": name} for name in "xyz"]
    found = reasons(("a", Judged(trial_key="", metrics={}, images=rows)))
    assert found == {name: ["evenly chosen"] for name in "xyz"}
    assert reasons() == {}


def test_arms_that_do_not_differ_are_not_said_to() -> None:
    same = judged({"x": 0.1, "y": 0.2})
    why = reasons(("a", same), ("b", same))
    assert names(why, "worst of a")
    assert not names(why, "differ")


@given(
    st.lists(st.dictionaries(st.text(max_size=3), st.floats(), max_size=30), min_size=1, max_size=4)
)
def test_no_image_is_shown_twice_nor_more_than_there_is_room_for(
    models: list[dict[str, float]],
) -> None:
    space = told_space()
    told = {"ab"[n % 2]: [judged(values)] for n, values in enumerate(models)}
    found = choose_images(space, told)
    images = [one.image for one in found]
    assert len(images) == len(set(images))
    assert len(images) <= NUM_EVENLY + NUM_WORST + NUM_APART + NUM_COMOVING
    assert set(images) <= {name for by in models for name in by}
    assert found == choose_images(space, told)
