"""Why there is an OPTICS of our own: every image of every validation is clustered.

Run by hand: `pytest -m slow -s tests/benchmarks`. The ratio is what counts, not the seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.cluster import OPTICS

from mtdepth.config import OpticsConfig
from mtdepth.instances.clustering import cluster
from mtdepth.instances.targets import offset_targets
from tests.mtdepth.batches import labels_of

CONFIG = OpticsConfig()
SMALL, LARGE = (64, 192), (192, 640)


def noisy_street(size: tuple[int, int], noise_px: float = 0.4, num_cars: int = 8) -> np.ndarray:
    """(2, H, W) offsets as a network that has learned a little gives them."""
    rng = np.random.default_rng(0)
    height, width = size
    instances = np.zeros(size, dtype=np.int64)
    for car in range(num_cars):
        left, top = width // 48 + car * width // num_cars, rng.integers(height // 3, height // 2)
        tall, wide = rng.integers(height // 8, height // 3), rng.integers(width // 20, width // 10)
        instances[top : top + tall, left : left + wide] = 26001 + car
    offsets = offset_targets(labels_of(instances[None]), min_area=1)[0][0].numpy()
    return offsets + rng.normal(0, noise_px, offsets.shape)


def seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def ours(offsets: np.ndarray, config: OpticsConfig = CONFIG) -> float:
    """Of one core, without what others do on it; the best of five."""
    return min(seconds(lambda: cluster(offsets, config)) for _ in range(5))


def scikit_learns(offsets: np.ndarray, max_eps: float) -> float:
    ys, xs = np.indices(offsets.shape[1:])
    votes = (np.stack([xs, ys]) + offsets).reshape(2, -1).T
    reference = OPTICS(
        min_samples=CONFIG.min_samples,
        max_eps=max_eps,
        cluster_method="dbscan",
        eps=CONFIG.eps,
        algorithm="kd_tree",
    )
    return seconds(lambda: reference.fit(votes))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "max_eps", "ratio"),
    [(SMALL, CONFIG.max_eps, 50), (LARGE, CONFIG.max_eps, 100), (LARGE, np.inf, 1000)],
    ids=["small", "large", "large-without-max_eps"],
)
def test_optics_on_the_grid_is_many_times_as_fast_as_scikit_learns(
    size: tuple[int, int], max_eps: float, ratio: float
) -> None:
    """Without `max_eps`, its default, scikit-learn's takes minutes at the large size."""
    offsets = noisy_street(size)
    fast, slow = ours(offsets), scikit_learns(offsets, max_eps)
    print(f"{offsets[0].size} votes: {fast:.3f} s, scikit-learn {slow:.1f} s, {slow / fast:.0f}x")
    assert slow > ratio * fast


@pytest.mark.slow
def test_time_grows_about_as_the_votes_do() -> None:
    sizes = [(32, 64), (64, 192), (128, 416), (192, 640), (384, 1280)]
    found = {size[0] * size[1]: ours(noisy_street(size)) for size in sizes}
    for votes, took in found.items():
        print(f"{votes:7d} votes: {1e3 * took:6.1f} ms, {1e6 * took / votes:.2f} us a vote")
    assert found[384 * 1280] / found[192 * 640] < 8


@pytest.mark.slow
def test_no_image_takes_much_longer_than_a_street() -> None:
    street = ours(noisy_street(LARGE))
    ys, xs = np.indices(LARGE)
    worst = {
        "true offsets": noisy_street(LARGE, 0),
        "zero": np.zeros((2, *LARGE)),
        "one place": np.stack([320.0 - xs, 96.0 - ys]),
        "random": np.random.default_rng(0).normal(0, 30, (2, *LARGE)),
        "noise of 2 px": noisy_street(LARGE, 2),
        "noise of 4 px": noisy_street(LARGE, 4),
    }
    for name, offsets in worst.items():
        took = ours(offsets)
        print(f"{name}: {took / street:.1f} times a street")
        assert took < 20 * street


@pytest.mark.slow
def test_a_cut_costs_less_than_an_order() -> None:
    from mtdepth.instances.clustering import order_image

    offsets = noisy_street(LARGE)
    kept = order_image(offsets, CONFIG)
    cut = min(seconds(lambda: kept.instances(CONFIG)) for _ in range(5))
    print(f"a cut takes {cut / ours(offsets):.2f} of a clustering")
    assert cut < ours(offsets)
