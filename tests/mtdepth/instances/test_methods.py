"""What every way of clustering promises, and how near they come to each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.cluster import OPTICS
from sklearn.metrics import adjusted_rand_score

from mtdepth.config import OpticsConfig
from mtdepth.instances.clustering import Instances, cluster, order_image
from mtdepth.instances.methods import METHODS
from mtdepth.instances.sklearn_optics import SklearnOptics
from mtdepth.instances.votes import Votes
from tests.mtdepth.instances.scenes import noisy_offsets, overlap, three_boxes

SHAPE = (40, 64)


def config_of(method: str, **changes: Any) -> OpticsConfig:
    return OpticsConfig.model_validate({"method": method, **changes})


def agreement(ours: Instances, theirs: Instances) -> float:
    return float(adjusted_rand_score(ours.map.ravel(), theirs.map.ravel()))


def touching_cars() -> np.ndarray:
    instances = np.zeros(SHAPE, dtype=np.int64)
    instances[12:26, 8:28] = 26001
    instances[12:26, 28:46] = 26002
    return instances


@pytest.mark.parametrize("method", METHODS)
class TestContract:
    def test_true_offsets_give_the_true_objects(self, method: str) -> None:
        true = three_boxes()
        found = cluster(noisy_offsets(true, 0), config_of(method))
        assert len(found.scores) == 3
        assert min(overlap(found.map, true)) > 0.99

    def test_a_little_noise_is_borne(self, method: str) -> None:
        true = three_boxes()
        found = cluster(noisy_offsets(true, 0.5), config_of(method))
        assert min(overlap(found.map, true)) > 0.85

    def test_the_map_is_numbered_and_scored(self, method: str) -> None:
        found = cluster(noisy_offsets(three_boxes(), 0.4), config_of(method))
        assert found.map.shape == three_boxes().shape
        assert found.map.dtype == np.int32
        sizes = np.bincount(found.map.ravel())[1:]
        assert len(sizes) == len(found.scores) > 0
        assert (sizes >= OpticsConfig().min_size).all()
        assert ((found.scores > 0) & (found.scores <= 1)).all()

    def test_two_cars_that_touch_stay_two(self, method: str) -> None:
        true = touching_cars()
        found = cluster(noisy_offsets(true, 0.3), config_of(method))
        assert min(overlap(found.map, true)) > 0.85

    def test_small_and_cut_objects_are_found(self, method: str) -> None:
        true = np.zeros(SHAPE, dtype=np.int64)
        true[8:14, 6:12] = 24001  # 36 pixels
        true[20:40, 50:64] = 26001  # cut by the corner
        true[0:12, 30:48] = 26002  # cut by the upper border
        true[24:36, 10:34] = 26003  # cut in two by a pole that stands before it
        true[22:38, 20:23] = 0
        found = cluster(noisy_offsets(true, 0.1), config_of(method))
        assert len(found.scores) == 4
        assert min(overlap(found.map, true)) > 0.9

    def test_offsets_of_zero_are_background(self, method: str) -> None:
        found = cluster(np.zeros((2, *SHAPE)), config_of(method))
        assert not found.map.any()
        assert found.scores.shape == (0,)

    def test_all_votes_at_one_place_are_one_object(self, method: str) -> None:
        ys, xs = np.indices(SHAPE)
        found = cluster(np.stack([30 - xs, 20 - ys]).astype(np.float64), config_of(method))
        assert (found.map == 1).all()
        assert found.scores == pytest.approx([1])

    def test_an_image_without_votes_is_background(self, method: str) -> None:
        away = np.full((2, *SHAPE), 1e6)
        assert not cluster(away, config_of(method)).map.any()
        still = noisy_offsets(three_boxes(), 0)
        assert not cluster(still, config_of(method, min_offset=1000)).map.any()

    def test_fewer_votes_than_make_a_core_are_background(self, method: str) -> None:
        true = np.zeros(SHAPE, dtype=np.int64)
        true[10:13, 10:15] = 24001
        config = config_of(method, min_offset=0.5, min_size=2, min_samples=16)
        assert not cluster(noisy_offsets(true, 0), config).map.any()

    def test_the_smallest_size_is_kept(self, method: str) -> None:
        found = cluster(noisy_offsets(three_boxes(), 0), config_of(method, min_size=450))
        assert len(found.scores) == 2  # 400 of the first are too few; 560 and 600 are not

    @pytest.mark.parametrize(
        "cut",
        [
            {},
            {"eps": 1.0},
            {"min_size": 100},
            {"extraction": "xi"},
            {"extraction": "xi", "xi": 0.3},
        ],
    )
    def test_a_kept_order_cuts_as_one_made_anew(self, method: str, cut: dict[str, Any]) -> None:
        offsets = noisy_offsets(touching_cars(), 0.5)
        kept = order_image(offsets, config_of(method))
        kept.instances(config_of(method, eps=1.5, min_size=7))  # a cut leaves no trace
        ours, anew = (
            kept.instances(config_of(method, **cut)),
            cluster(offsets, config_of(method, **cut)),
        )
        np.testing.assert_array_equal(ours.map, anew.map)
        np.testing.assert_array_equal(ours.scores, anew.scores)

    @pytest.mark.parametrize(
        ("name", "value"), [("min_samples", 24), ("max_eps", 3.0), ("min_offset", 0.5)]
    )
    def test_what_the_order_depends_on_cannot_be_cut(
        self, method: str, name: str, value: float
    ) -> None:
        kept = order_image(noisy_offsets(touching_cars(), 0), config_of(method))
        with pytest.raises(ValueError, match=rf"optics\.{name}: expected .*: order them again"):
            kept.instances(config_of(method, **{name: value}))

    def test_another_method_is_another_order(self, method: str) -> None:
        kept = order_image(noisy_offsets(touching_cars(), 0), config_of(method))
        other = next(name for name in METHODS if name != method)
        with pytest.raises(ValueError, match=f"optics.method: expected {method}"):
            kept.instances(config_of(other))


def test_one_order_serves_all_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    from mtdepth.instances import grid_optics

    orders: list[int] = []
    order = grid_optics.order
    monkeypatch.setattr(
        grid_optics, "order", lambda *told, **named: orders.append(1) or order(*told, **named)
    )
    kept = order_image(noisy_offsets(touching_cars(), 0.5), OpticsConfig())
    found = [
        len(kept.instances(config_of("optics", eps=eps, min_size=size)).scores)
        for eps in (0.3, 1.0, 2.0)
        for size in (20, 300)
    ]
    assert len(orders) == 1
    assert len(set(found)) > 1


@pytest.mark.parametrize("noise_px", [0.2, 0.4])
@pytest.mark.parametrize("eps", [1.5, 2.0])
def test_optics_agrees_with_scikit_learns_on_the_raw_votes(noise_px: float, eps: float) -> None:
    offsets = noisy_offsets(three_boxes(), noise_px)
    found = [cluster(offsets, config_of(m, eps=eps)) for m in ("optics", "optics-sklearn")]
    assert agreement(*found) >= 0.985


def test_the_reference_cuts_slopes_as_scikit_learn_does() -> None:
    rng = np.random.default_rng(0)
    places = np.concatenate([rng.normal(at, 0.4, (60, 2)) for at in (6, 9, 20)])
    places = rng.permutation(places)  # all of them core, so that none is put before another
    config = config_of("optics-sklearn", extraction="xi", max_eps=8, min_samples=5)
    votes = Votes(height=32, width=32, pixel=np.arange(len(places)), place_px=places)
    model = OPTICS(min_samples=5, max_eps=8, xi=config.xi, min_cluster_size=config.min_size)
    expected = model.fit_predict(places) + 1
    assert expected.max() >= 3
    np.testing.assert_array_equal(METHODS["optics-sklearn"](votes, config).labels(config), expected)


def test_the_reference_reaches_each_vote_from_its_predecessor() -> None:
    """Definition 6 of the paper, whatever the order in which the votes were handed over."""
    config = config_of("optics-sklearn", min_samples=6)
    rng = np.random.default_rng(0)
    places = np.concatenate([rng.uniform(0, 31, (40, 2)), rng.normal(16, 1, (80, 2))])
    votes = Votes(height=32, width=32, pixel=np.arange(len(places)), place_px=places)
    found = SklearnOptics(votes, config)
    (reached,) = (found.predecessor >= 0).nonzero()
    before = found.predecessor[reached]
    assert len(reached) > 50
    assert (before < reached).all()
    apart = places[found.visited[reached]] - places[found.visited[before]]
    expected = np.maximum(np.linalg.norm(apart, axis=1), found.core_distance[before])
    np.testing.assert_allclose(found.reachability[reached], expected)


def test_dbscan_finds_what_optics_finds_at_its_eps() -> None:
    offsets = noisy_offsets(three_boxes(), 0.6)
    for eps in (1.0, 1.5, 2.0):
        found = [cluster(offsets, config_of(method, eps=eps)) for method in ("optics", "dbscan")]
        assert len(found[0].scores) == len(found[1].scores)
        assert agreement(*found) > 0.99


def test_hdbscan_parts_what_a_path_connects() -> None:
    """Two cars point to places 4 pixels apart, nearer together than either can be cut by reach."""
    true = touching_cars()
    ys, xs = np.indices(SHAPE)
    offsets = noisy_offsets(np.zeros_like(true), 0.5)
    for car, place in ((26001, 25), (26002, 29)):
        offsets += (true == car) * np.stack([place - xs, 18 - ys])
    reach = {"max_eps": 3, "eps": 3, "min_samples": 40}
    joined, parted = (cluster(offsets, config_of(m, **reach)) for m in ("optics", "hdbscan"))
    assert len(joined.scores) == 1
    assert len(parted.scores) == 2
    assert min(overlap(parted.map, true)) > 0.7
