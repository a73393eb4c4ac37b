"""Offset targets: pixels point to their object's centroid, background points nowhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mtdepth.instances.targets import offset_targets

maps = arrays(np.int64, (2, 7, 9), elements=st.sampled_from([0, 24001, 26000, 26001]))


@given(instances=maps)
def test_pixels_of_an_object_point_to_one_place_its_centroid(instances: np.ndarray) -> None:
    offsets, foreground = offset_targets(instances, min_area=1)
    ys, xs = np.indices(instances.shape[1:])
    for image in range(2):
        for label in np.setdiff1d(instances[image], [0]):
            mask = instances[image] == label
            aims = np.stack([xs, ys])[:, mask] + offsets[image].numpy()[:, mask]
            assert aims[0] == pytest.approx(xs[mask].mean(), abs=1e-4)
            assert aims[1] == pytest.approx(ys[mask].mean(), abs=1e-4)
            assert foreground[image].numpy()[mask].all()
    assert not offsets.permute(1, 0, 2, 3)[:, torch.from_numpy(instances == 0)].any()


@given(instances=maps)
def test_an_object_of_another_image_does_not_matter(instances: np.ndarray) -> None:
    together, _ = offset_targets(instances, min_area=1)
    alone, _ = offset_targets(instances[1:], min_area=1)
    assert torch.equal(together[1:], alone)


def test_small_objects_are_background() -> None:
    instances = torch.zeros(1, 6, 6, dtype=torch.long)
    instances[0, :3, :3] = 26001
    assert offset_targets(instances, min_area=9)[1].sum() == 9
    offsets, foreground = offset_targets(instances, min_area=10)
    assert not foreground.any()
    assert not offsets.any()


def test_flipping_the_map_mirrors_the_offsets() -> None:
    instances = torch.zeros(1, 6, 8, dtype=torch.long)
    instances[0, 1:4, 2:5] = 7
    instances[0, 5, 1:7] = 9
    offsets, _ = offset_targets(instances, min_area=1)
    mirrored, _ = offset_targets(instances.flip(-1), min_area=1)
    assert torch.allclose(mirrored.flip(-1)[:, 0], -offsets[:, 0], atol=1e-6)
    assert torch.allclose(mirrored.flip(-1)[:, 1], offsets[:, 1], atol=1e-6)


def test_shape_and_type_are_checked() -> None:
    with pytest.raises(ValueError, match=r"\(B, H, W\) of integers, found \(4, 4\)"):
        offset_targets(torch.zeros(4, 4, dtype=torch.long), min_area=1)
    with pytest.raises(ValueError, match="float32"):
        offset_targets(torch.zeros(1, 4, 4), min_area=1)
