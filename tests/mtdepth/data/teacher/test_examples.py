"""What torchvision is taught: boxes, classes and masks of an instance map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mtdepth.data.labels import LABELS
from mtdepth.data.teacher.examples import only_instances, read_example, targets
from tests.mtdepth.data.teacher.toys import CAR, PERSON, write_frame

IDS = [0, 7, 26, 24000, 26000, 26001, 29000, 33007]


@given(arrays.arrays(np.int32, (6, 8), elements=st.sampled_from(IDS)), st.integers(0, 8))
def test_masks_and_boxes_fit_the_map(instances: np.ndarray, min_area: int) -> None:
    made = targets(torch.from_numpy(instances), min_area)
    values = [v for v in (24000, 26000, 26001, 33007) if (instances == v).sum() >= max(min_area, 1)]
    assert made["labels"].tolist() == [1 + LABELS.index(v // 1000) for v in values]
    assert made["masks"].shape == (len(values), 6, 8)
    assert made["boxes"].shape == (len(values), 4)
    for value, mask, box in zip(values, made["masks"], made["boxes"].int().tolist(), strict=True):
        assert np.array_equal(mask.numpy(), instances == value)
        rows, columns = np.nonzero(instances == value)
        assert box == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_a_single_pixel_has_a_box_of_one_pixel() -> None:
    instances = torch.zeros(4, 5, dtype=torch.int32)
    instances[2, 3] = 31000
    made = targets(instances, 1)
    assert made["boxes"].tolist() == [[3, 2, 4, 3]]
    assert made["labels"].tolist() == [6]  # train: after person, rider, car, truck and bus
    assert made["boxes"].dtype == torch.float32
    assert made["labels"].dtype == torch.int64


def test_a_street_without_anybody_teaches_background() -> None:
    made = targets(torch.zeros(4, 5, dtype=torch.int32), 1)
    shapes = {name: tuple(value.shape) for name, value in made.items()}
    assert shapes == {"boxes": (0, 4), "labels": (0,), "masks": (0, 4, 5)}


def test_stuff_groups_and_other_labels_are_background() -> None:
    values = torch.tensor([[0, 7, 26, 999, 5001, 26000, 29000, 30001, 34000, 24999]])
    assert only_instances(values).tolist() == [[0, 0, 0, 0, 0, 26000, 0, 0, 0, 24999]]


def test_a_flip_mirrors_image_and_map(tmp_path: Path) -> None:
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    instances = np.array([[CAR * 1000, 0, 0], [0, 0, PERSON * 1000]], np.uint16)
    pair = write_frame(tmp_path, 0, image, instances)
    plain, flipped = read_example(pair), read_example(pair, flip=True)
    assert np.array_equal(plain.pixels.numpy(), image.transpose(2, 0, 1))
    assert np.array_equal(flipped.pixels.numpy(), image[:, ::-1].transpose(2, 0, 1))
    assert plain.instances.tolist() == [[26000, 0, 0], [0, 0, 24000]]
    assert flipped.instances.tolist() == [[0, 0, 26000], [24000, 0, 0]]


def test_a_map_of_another_size_is_told(tmp_path: Path) -> None:
    image, instances = np.zeros((2, 3, 3), np.uint8), np.zeros((2, 4), np.uint16)
    pair = write_frame(tmp_path, 0, image, instances)
    with pytest.raises(ValueError, match=r"the size of its image, \(2, 3\), found \(2, 4\)"):
        read_example(pair)
