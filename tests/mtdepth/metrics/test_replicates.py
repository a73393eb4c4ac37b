"""Bootstrap replicates of metrics that are no means over images."""

from __future__ import annotations

import numpy as np
import pytest

from mtdepth.instances.clustering import Instances
from mtdepth.metrics import replicates
from mtdepth.metrics.coco import match
from mtdepth.metrics.instances import average_precision
from mtdepth.metrics.panoptic import panoptic_quality
from mtdepth.metrics.replicates import NUM_REPLICATES, draws, instance_replicates

MIN_AREA = 12


def street(seed: int, num_images: int = 8) -> tuple[list[Instances], list[np.ndarray]]:
    """Predictions that are right, shifted, missing or made up, some of them ignored."""
    rng = np.random.default_rng(seed)
    predicted, true = [], []
    for _ in range(num_images):
        ours, theirs = np.zeros((32, 64), np.int32), np.zeros((32, 64), np.int32)
        num = 0
        for place in range(6):
            top, left, size = rng.integers(0, 20), place * 10, rng.integers(3, 9)
            fate = rng.integers(5)
            if fate != 0:
                theirs[top : top + size, left : left + size] = place + 1
            if fate != 1:
                num += 1
                shift = rng.integers(0, 3)
                ours[top + shift : top + shift + size, left : left + size] = num
        predicted.append(Instances(map=ours, scores=rng.random(num)))
        true.append(theirs)
    return predicted, true


def scores(predicted: list[Instances], true: list[np.ndarray]) -> dict[str, float]:
    found = average_precision(predicted, true, min_area=MIN_AREA)
    return found | panoptic_quality(predicted, true, min_area=MIN_AREA)


@pytest.mark.parametrize("seed", range(5))
def test_each_image_once_gives_cocos_own_numbers(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    predicted, true = street(seed)
    monkeypatch.setattr(replicates, "draws", lambda num: np.ones((1, num), np.int64))
    drawn = instance_replicates(predicted, true, min_area=MIN_AREA)
    for name, value in scores(predicted, true).items():
        assert drawn[name] == pytest.approx([value], abs=1e-6), name


def test_a_draw_gives_what_the_drawn_images_give() -> None:
    predicted, true = street(7)
    drawn = instance_replicates(predicted, true, min_area=MIN_AREA)
    for replicate, times in enumerate(draws(len(true))[:20]):
        which = np.repeat(np.arange(len(true)), times)
        expected = scores([predicted[i] for i in which], [true[i] for i in which])
        for name, value in expected.items():
            assert drawn[name][replicate] == pytest.approx(value, abs=1e-6), name


def test_draws_follow_from_the_number_of_images_alone() -> None:
    np.testing.assert_array_equal(draws(9), draws(9))
    assert draws(9).shape == (NUM_REPLICATES, 9)
    assert (draws(9).sum(1) == 9).all()
    assert draws(9).std(0).min() > 0.5


def test_a_model_against_itself_differs_in_no_draw_and_a_better_one_in_most() -> None:
    predicted, true = street(3)
    perfect = [Instances(map=one, scores=np.ones(one.max())) for one in map(renumbered, true)]
    ours = instance_replicates(predicted, true, min_area=MIN_AREA)
    assert ours == instance_replicates(predicted, true, min_area=MIN_AREA)
    best = instance_replicates(perfect, true, min_area=MIN_AREA)
    assert best["ap50"] == pytest.approx([1] * NUM_REPLICATES)
    assert np.mean(np.array(best["pq"]) > np.array(ours["pq"])) == 1


def renumbered(instances: np.ndarray) -> np.ndarray:
    return np.unique(instances, return_inverse=True)[1].reshape(instances.shape).astype(np.int32)


def test_a_draw_without_instances_is_nan_and_no_predictions_are_zero() -> None:
    true = [np.zeros((8, 8), np.int32) for _ in range(3)]
    true[0][2:7, 2:7] = 1
    empty = [Instances(map=np.zeros((8, 8), np.int32), scores=np.zeros(0)) for _ in true]
    drawn = instance_replicates(empty, true, min_area=MIN_AREA)
    absent = draws(3)[:, 0] == 0
    for values in drawn.values():
        np.testing.assert_array_equal(np.isnan(values), absent)
        assert set(np.array(values)[~absent]) == {0.0}


def test_where_no_instance_counts_there_is_nothing_to_draw() -> None:
    predicted, true = street(0, 2)
    assert match(predicted, [np.zeros_like(one) for one in true], min_area=MIN_AREA) is None
    none = instance_replicates(predicted, [np.zeros_like(t) for t in true], min_area=MIN_AREA)
    assert none == {}
