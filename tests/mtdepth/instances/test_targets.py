"""Offset targets: pixels point to their object's centroid, background points nowhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mtdepth.instances.targets import batch_labels, number_instances, offset_targets
from tests.mtdepth.batches import labels_of

maps = arrays(np.int64, (2, 7, 9), elements=st.sampled_from([0, 24001, 26000, 26001]))


@given(instances=maps)
def test_pixels_of_an_object_point_to_one_place_its_centroid(instances: np.ndarray) -> None:
    offsets, foreground = offset_targets(labels_of(instances), min_area=1)
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
    together, _ = offset_targets(labels_of(instances), min_area=1)
    alone, _ = offset_targets(labels_of(instances[1:]), min_area=1)
    assert torch.equal(together[1:], alone)


def test_small_objects_are_background() -> None:
    instances = torch.zeros(1, 6, 6, dtype=torch.long)
    instances[0, :3, :3] = 26001
    assert offset_targets(labels_of(instances), min_area=9)[1].sum() == 9
    offsets, foreground = offset_targets(labels_of(instances), min_area=10)
    assert not foreground.any()
    assert not offsets.any()


def test_flipping_the_map_mirrors_the_offsets() -> None:
    instances = torch.zeros(1, 6, 8, dtype=torch.long)
    instances[0, 1:4, 2:5] = 7
    instances[0, 5, 1:7] = 9
    offsets, _ = offset_targets(labels_of(instances), min_area=1)
    mirrored, _ = offset_targets(labels_of(instances.flip(-1)), min_area=1)
    assert torch.allclose(mirrored.flip(-1)[:, 0], -offsets[:, 0], atol=1e-6)
    assert torch.allclose(mirrored.flip(-1)[:, 1], offsets[:, 1], atol=1e-6)


def test_shape_and_type_are_checked() -> None:
    with pytest.raises(ValueError, match=r"\(H, W\) of integers, found \(1, 4, 4\)"):
        number_instances(np.zeros((1, 4, 4), dtype=np.int32))
    with pytest.raises(ValueError, match="float32"):
        number_instances(np.zeros((4, 4), dtype=np.float32))


def test_a_numbered_map_by_hand() -> None:
    found = number_instances(np.array([[0, 26001, 26001], [24000, 0, 26001]]))
    assert found.numbers.tolist() == [[0, 2, 2], [1, 0, 2]]
    assert found.numbers.dtype == np.uint8
    assert found.measures.tolist() == [[0, 1, 1], [pytest.approx(5 / 3), pytest.approx(1 / 3), 3]]


def test_a_map_without_background_and_one_without_instances() -> None:
    full = number_instances(np.full((2, 3), 7))
    assert full.numbers.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert full.measures.tolist() == [[1, 0.5, 6]]
    empty = number_instances(np.zeros((2, 3), dtype=np.int32))
    assert not empty.numbers.any()
    assert empty.measures.shape == (0, 3)
    offsets, foreground = offset_targets(batch_labels([empty, empty]), min_area=0)
    assert not offsets.any()
    assert not foreground.any()


def test_more_instances_than_a_byte_holds() -> None:
    found = number_instances(np.arange(20 * 20).reshape(20, 20))
    assert found.numbers.dtype == np.uint16
    assert found.numbers[19, 19] == 399
    assert found.measures[398].tolist() == [19, 19, 1]


def test_labels_of_a_batch_keep_each_images_own_instances() -> None:
    maps = [np.array([[5, 5, 0, 9]]), np.array([[0, 0, 8, 8]])]
    labels = batch_labels([number_instances(one) for one in maps])
    assert labels.measures.shape == (2, 2, 3)
    assert labels.measures[1, 1].tolist() == [0, 0, 0]
    offsets, foreground = offset_targets(labels, min_area=2)
    assert offsets[:, 0, 0].tolist() == [[0.5, -0.5, 0, 0], [0, 0, 0.5, -0.5]]
    assert foreground[:, 0].tolist() == [[True, True, False, False], [False, False, True, True]]
