"""From offsets to objects: what the targets say is found again, noise and all."""

from __future__ import annotations

import numpy as np
import pytest

from mtdepth.config import OpticsConfig
from mtdepth.instances.clustering import cluster
from tests.mtdepth.instances.scenes import noisy_offsets, overlap, three_boxes

CONFIG = OpticsConfig()


@pytest.mark.parametrize("extraction", ["eps", "xi"])
def test_true_offsets_give_the_true_objects(extraction: str) -> None:
    true = three_boxes()
    config = OpticsConfig.model_validate({"extraction": extraction})
    found = cluster(noisy_offsets(true, 0), config)
    assert min(overlap(found.map, true)) > 0.95
    if extraction == "eps":
        assert len(found.scores) == 3


@pytest.mark.parametrize("noise_px", [0.3, 0.7])
def test_a_little_noise_is_borne(noise_px: float) -> None:
    true = three_boxes()
    found = cluster(noisy_offsets(true, noise_px), CONFIG)
    assert min(overlap(found.map, true)) > 0.7


def test_offsets_of_zero_are_background() -> None:
    found = cluster(np.zeros((2, 64, 96)), CONFIG)
    assert not found.map.any()
    assert found.scores.shape == (0,)


def test_labels_are_numbered_and_scored() -> None:
    found = cluster(noisy_offsets(three_boxes(), 0.3), CONFIG)
    assert sorted(set(found.map.ravel())) == list(range(len(found.scores) + 1))
    assert ((found.scores > 0) & (found.scores <= 1)).all()


def test_sharper_votes_score_higher() -> None:
    sharp = cluster(noisy_offsets(three_boxes(), 0.1), CONFIG).scores
    blurred = cluster(noisy_offsets(three_boxes(), 0.6), CONFIG).scores
    assert sharp.min() > blurred.max()


def test_small_clusters_are_dropped() -> None:
    config = OpticsConfig(min_size=450)
    found = cluster(noisy_offsets(three_boxes(), 0), config)
    assert len(found.scores) == 2  # 400 of the first are too few; 560 and 600 are not


def test_votes_far_outside_the_image_are_noise() -> None:
    offsets = np.zeros((2, 64, 96))
    offsets[0] = 1e6
    assert not cluster(offsets, CONFIG).map.any()


def test_what_diverged_is_refused() -> None:
    offsets = np.zeros((2, 64, 96))
    offsets[0, 3, 3] = np.nan
    with pytest.raises(ValueError, match="found NaN or infinity: did training diverge"):
        cluster(offsets, CONFIG)
    with pytest.raises(ValueError, match=r"expected offsets_px \(2, H, W\)"):
        cluster(np.zeros((3, 4, 4)), CONFIG)


def test_an_unknown_method_is_told_with_the_known_ones() -> None:
    config = OpticsConfig.model_construct(method="kmeans")
    valid = "optics, optics-sklearn, dbscan, hdbscan"
    with pytest.raises(ValueError, match=f"optics.method: expected one of {valid}, found 'kmeans'"):
        cluster(np.zeros((2, 8, 8)), config)
