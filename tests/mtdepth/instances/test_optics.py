"""OPTICS on a grid against scikit-learn's on the same points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import OPTICS, cluster_optics_dbscan

from mtdepth.config import OpticsConfig
from mtdepth.instances.grid_optics import GridOptics
from mtdepth.instances.optics import Plot, order
from mtdepth.instances.votes import votes_of
from tests.mtdepth.instances.scenes import noisy_offsets


def random_counts(seed: int, height: int = 14, width: int = 17) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.choice(4, size=(height, width), p=[0.6, 0.2, 0.12, 0.08])


def points_of(counts: np.ndarray) -> np.ndarray:
    """(N, 2) each place as often as it counts."""
    return np.repeat(np.argwhere(counts), counts[counts > 0], axis=0)


def reference(points: np.ndarray, reach: float, min_samples: int) -> OPTICS:
    model = OPTICS(
        min_samples=min_samples, max_eps=reach, algorithm="brute", cluster_method="dbscan", eps=1.0
    )
    return model.fit(points)


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    reach=st.sampled_from([1.0, 1.5, 2.0, 3.0]),
    min_samples=st.integers(2, 9),
)
def test_core_distances_are_scikit_learns(seed: int, reach: float, min_samples: int) -> None:
    counts = random_counts(seed)
    plot, points = order(counts, reach=reach, min_samples=min_samples), points_of(counts)
    theirs = reference(points, reach, min_samples).core_distances_
    flat = points[:, 0] * counts.shape[1] + points[:, 1]
    expected = dict(zip(flat.tolist(), theirs.tolist(), strict=True))
    for place, core in zip(plot.place.tolist(), plot.core_distance.tolist(), strict=True):
        assert core == pytest.approx(expected[place])
    never_visited = set(expected) - set(plot.place.tolist())
    assert all(np.isinf(expected[place]) for place in never_visited)


@pytest.mark.parametrize("noise_px", [0.0, 0.5])
def test_core_distances_of_merged_votes_are_scikit_learns(noise_px: float) -> None:
    """Each cell's centre as often as it has votes, in pixels; all but a millionth."""
    true = np.zeros((32, 48), dtype=np.int64)
    true[6:20, 4:20], true[10:28, 26:44] = 26001, 26002
    config = OpticsConfig()
    optics = GridOptics(votes_of(noisy_offsets(true, noise_px), config), config)
    step, counts, plot = optics.grid.step_px, optics.grid.counts, optics.plot
    theirs = reference(points_of(counts) * step, config.max_eps, config.min_samples)
    of_place = np.full(counts.size, np.inf)
    of_place[plot.place] = plot.core_distance * step
    ours = np.repeat(of_place[counts.ravel() > 0], counts[counts > 0])
    assert np.isfinite(ours).any()
    np.testing.assert_allclose(ours, theirs.core_distances_, rtol=0, atol=1e-6)


def labels_of(plot: Plot, eps: float, size: int) -> np.ndarray:
    """ExtractDBSCAN-Clustering (section 4.1) of a plot, by place; 0 is noise."""
    far, core = plot.reachability > eps, plot.core_distance <= eps
    labels = np.zeros(size, dtype=int)
    labels[plot.place] = np.where(far & ~core, 0, np.cumsum(far & core))
    return labels


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), eps=st.sampled_from([1.0, 1.5, 2.0]))
def test_core_points_fall_into_the_clusters_of_scikit_learn(seed: int, eps: float) -> None:
    counts, reach, min_samples = random_counts(seed), 2.0, 5
    plot, points = order(counts, reach=reach, min_samples=min_samples), points_of(counts)
    ours = labels_of(plot, eps, counts.size)[points[:, 0] * counts.shape[1] + points[:, 1]]
    fitted = reference(points, reach, min_samples)
    theirs = cluster_optics_dbscan(
        reachability=fitted.reachability_,
        core_distances=fitted.core_distances_,
        ordering=fitted.ordering_,
        eps=eps,
    )
    core = fitted.core_distances_ <= eps  # border points may go to either neighbour
    pairs = set(zip(ours[core].tolist(), theirs[core].tolist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_order_visits_each_place_once_and_its_predecessor_before() -> None:
    plot = order(random_counts(3), reach=2.0, min_samples=4)
    assert len(set(plot.place.tolist())) == len(plot.place)
    assert (plot.predecessor < np.arange(len(plot.place))).all()
    assert (np.isinf(plot.reachability) == (plot.predecessor == -1)).all()


def test_empty_and_sparse_grids() -> None:
    assert len(order(np.zeros((5, 5), int), reach=2.0, min_samples=2).place) == 0
    lonely = np.zeros((9, 9), int)
    lonely[4, 4] = 1
    assert len(order(lonely, reach=2.0, min_samples=2).place) == 0
