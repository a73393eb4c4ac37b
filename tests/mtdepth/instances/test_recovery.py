"""True offsets give the true objects back: driveworld's, and those of the KITTI sample."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score

from mtdepth.config import DataConfig, OpticsConfig
from mtdepth.data.driveworld import DriveworldConfig
from mtdepth.data.driveworld.render import render_drive
from mtdepth.data.loader import open_split
from mtdepth.instances.clustering import cluster
from mtdepth.metrics.instances import average_precision
from mtdepth.metrics.names import Split
from mtdepth.metrics.panoptic import panoptic_quality
from tests.mtdepth.instances.scenes import noisy_offsets

MIN_AREA = 12
SMALLEST = OpticsConfig(min_samples=MIN_AREA, eps=1.25, min_size=MIN_AREA)
"""Takes an object for one that has no more pixels than have to be found."""
LARGE_WORLD = DriveworldConfig(
    num_train_drives=1, num_val_drives=2, num_test_drives=1, num_frames=3, width=640, height=192
)


def maps(data: DataConfig, split: Split, num: int) -> list[np.ndarray]:
    """Instance maps at the network's size."""
    opened = open_split(data, split)
    found = []
    for index in np.linspace(0, len(opened) - 1, num).astype(int).tolist():
        batch = opened.batch([index], neighbours=False).to(torch.device("cpu"))
        assert batch.instances is not None
        found.append(batch.instances.numbers[0].numpy().astype(np.int64))
    return found


def judged(
    true: list[np.ndarray], noise_px: float, config: OpticsConfig, min_area: int = MIN_AREA
) -> dict[str, float]:
    offsets = [noisy_offsets(one, noise_px, i, MIN_AREA) for i, one in enumerate(true)]
    found = [cluster(one, config) for one in offsets]
    scores = average_precision(found, true, min_area=min_area)
    return scores | panoptic_quality(found, true, min_area=min_area)


def large_maps() -> Iterator[np.ndarray]:
    for drive in (1, 2):
        for frame in render_drive(LARGE_WORLD, drive):
            yield frame.instances.astype(np.int64)


def test_driveworld_is_recovered() -> None:
    found = judged(list(large_maps()), 0, OpticsConfig())
    assert found["ap50"] > 0.95
    assert found["pq"] > 0.95


def test_a_small_driveworld_is_recovered_to_its_smallest_objects(tiny_data: DataConfig) -> None:
    true = maps(tiny_data, "val", 8)
    found = judged(true, 0, SMALLEST)
    assert found["ap50"] > 0.95
    assert found["pq"] > 0.95


def test_by_default_a_small_driveworld_is_recovered_but_for_what_is_too_small(
    tiny_data: DataConfig,
) -> None:
    """The defaults bear noise, and pay with objects of fewer pixels than a core needs votes."""
    true, config = maps(tiny_data, "val", 8), OpticsConfig()
    found = judged(true, 0, config, min_area=config.min_samples)
    assert found["ap50"] > 0.95
    assert found["pq"] > 0.95
    assert judged(true, 0, config)["ap50"] > 0.75


def test_noise_is_borne_by_default() -> None:
    """A pixel of it: background's votes then are where chance has them."""
    found = judged(list(large_maps())[:2], 1, OpticsConfig())
    assert found["ap50"] > 0.9
    assert found["pq"] > 0.9


def test_noise_takes_objects_away(tiny_data: DataConfig) -> None:
    true = maps(tiny_data, "val", 6)
    curve = [judged(true, noise_px, OpticsConfig())["ap50"] for noise_px in (0, 1, 2, 4)]
    assert curve == sorted(curve, reverse=True)
    assert curve[0] > curve[-1] + 0.3


def agreement(true: np.ndarray, noise_px: float) -> float:
    """ARI of our OPTICS and scikit-learn's on the same raw votes."""
    offsets = noisy_offsets(true, noise_px, min_area=MIN_AREA)
    theirs = cluster(offsets, OpticsConfig(method="optics-sklearn"))
    ours = cluster(offsets, OpticsConfig())
    assert len(theirs.scores) > 0
    return float(adjusted_rand_score(theirs.map.ravel(), ours.map.ravel()))


@pytest.mark.parametrize("noise_px", [0.25, 0.5])
def test_scikit_learn_agrees_on_driveworld(tiny_data: DataConfig, noise_px: float) -> None:
    assert agreement(maps(tiny_data, "val", 2)[0], noise_px) >= 0.985


def test_scikit_learn_agrees_on_kitti(kitti: DataConfig) -> None:
    assert agreement(maps(kitti, "val", 2)[0], 0) >= 0.985


@pytest.mark.slow
@pytest.mark.parametrize("noise_px", [0, 0.25, 0.5])
def test_scikit_learn_agrees_at_full_size_on_driveworld(noise_px: float) -> None:
    found = [agreement(one, noise_px) for one in list(large_maps())[::3]]
    print(f"192x640 driveworld, noise of {noise_px} px: ARI {', '.join(f'{x:.4f}' for x in found)}")
    assert min(found) >= 0.985


@pytest.mark.slow
def test_scikit_learn_agrees_at_full_size_on_kitti(kitti: DataConfig) -> None:
    large = kitti.model_copy(update={"height": 192, "width": 640})
    found = [agreement(one, 0) for one in maps(large, "val", 3)]
    print(f"192x640 KITTI sample, true offsets: ARI {', '.join(f'{x:.4f}' for x in found)}")
    assert min(found) >= 0.985


@pytest.mark.slow
def test_more_noise_leaves_less_at_full_size() -> None:
    true = list(large_maps())
    found = {noise_px: judged(true, noise_px, OpticsConfig()) for noise_px in (0, 0.5, 1, 2, 4)}
    for noise_px, scores in found.items():
        print(f"noise of {noise_px} px: AP50 {scores['ap50']:.3f}, PQ {scores['pq']:.3f}")
    curve = [scores["ap50"] for scores in found.values()]
    assert curve == sorted(curve, reverse=True)
    assert curve[0] > 0.95
