"""For which metrics a difference is told for new images, and why not for others."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from study.events import Judged
from study.new_images import NewImages, new_images
from study.results import read_results
from study.statistics import image_interval
from tests.study.ledgers import METRIC, trial, write_study

SEEDS = (1, 2, 3)
NAMES = [f"{index:02d}.png" for index in range(20)]


def values(shift: float) -> dict[int, dict[str, float]]:
    generator = np.random.default_rng(0)
    return {
        seed: {name: shift * seed + float(generator.uniform()) for name in NAMES} for seed in SEEDS
    }


def rows(table: dict[str, float]) -> list[dict[str, Any]]:
    return [{"image": name, METRIC: value} for name, value in table.items()]


def judged(table: dict[str, float], reported: float | None = None) -> Judged:
    mean = float(np.mean(list(table.values()))) if reported is None else reported
    return Judged(trial_key="x", metrics={METRIC: mean}, images=rows(table))


def both(**change: Any) -> NewImages:
    """Two arms, of which the first differs in its second seed."""
    arm, reference = (
        {seed: judged(table) for seed, table in values(shift).items()} for shift in (0.1, 0.0)
    )
    return new_images(METRIC, {**arm, **change.get("arm", {})}, change.get("other", reference))


def test_images_are_paired_by_name() -> None:
    found = both()
    arm, reference = values(0.1), values(0.0)
    expected = image_interval(
        {seed: list(table.values()) for seed, table in arm.items()},
        {seed: list(table.values()) for seed, table in reference.items()},
    )
    assert found == NewImages(interval=expected, why_not=None)
    turned = {2: judged(dict(reversed(arm[2].items())))}
    assert both(arm=turned).interval == pytest.approx(expected)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({2: judged(values(0.1)[2], reported=0.5)}, "it is of the whole split, and no mean over "
         "images"),
        ({2: judged({}, reported=0.5)}, "it is not known image by image"),
        ({2: judged(dict(list(values(0.1)[2].items())[1:]))}, "not every model has it for the same "
         "images"),
        ({2: judged({**values(0.1)[2], NAMES[0]: math.nan}, reported=0.5)},
         "not every model has it for the same images"),
    ],
)  # fmt: skip
def test_what_is_no_mean_over_the_same_images_has_none(change: dict[int, Judged], why: str) -> None:
    found = both(arm=change)
    assert found.why_not == why
    assert all(map(math.isnan, found.interval))


def test_a_mean_may_be_off_by_rounding() -> None:
    table = values(0.1)[2]
    mean = float(np.mean(list(table.values())))
    assert both(arm={2: judged(table, reported=mean * (1 + 1e-8))}).why_not is None
    assert both(arm={2: judged(table, reported=mean * (1 + 1e-5))}).why_not is not None


def test_images_that_no_model_has_a_value_for_are_left_out() -> None:
    tables = [values(shift) for shift in (0.1, 0.0)]
    few = [{s: dict(list(t.items())[3:]) for s, t in each.items()} for each in tables]
    gaps = [
        {s: Judged(trial_key="x", metrics=judged(t).metrics,
                   images=[{"image": NAMES[0]}, {"image": NAMES[1], METRIC: math.nan}, *rows(t)])
         for s, t in each.items()}
        for each in few
    ]  # fmt: skip
    plain = [{s: judged(t) for s, t in each.items()} for each in few]
    assert new_images(METRIC, *gaps) == new_images(METRIC, *plain)
    assert new_images(METRIC, *gaps).why_not is None


def test_it_takes_two_seeds_and_two_images() -> None:
    assert both(other={1: judged(values(0.0)[1])}).why_not == "it takes two seeds or more"
    nan = judged(values(0.0)[2], reported=math.nan)
    assert both(other={1: judged(values(0.0)[1]), 2: nan}).why_not == "it takes two seeds or more"
    one = {seed: judged({"a.png": 1.0 * seed}) for seed in SEEDS}
    assert new_images(METRIC, one, one).why_not == "it is known of one image alone"


def test_a_ledger_gives_it_for_its_comparisons(tmp_path: Path) -> None:
    events = [
        event
        for arm, shift in (("a", 0.0), ("b", 0.1))
        for seed, table in values(shift).items()
        for event in trial(arm, seed, test=judged(table).metrics, images=rows(table))
    ]
    events += trial("b", 0, phase="search", number=0, test={METRIC: 9.0})
    (found,) = read_results(write_study(tmp_path / "s", events)).comparisons
    assert found.new_images == both()
    low, high = found.new_images.interval
    assert low < found.difference.mean < high
