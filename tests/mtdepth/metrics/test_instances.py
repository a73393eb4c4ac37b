"""Average precision and offset errors: perfect, empty, and in between."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mtdepth.instances.clustering import Instances
from mtdepth.metrics.instances import average_precision, offset_errors


def two_boxes() -> np.ndarray:
    instances = np.zeros((40, 60), dtype=np.int64)
    instances[5:20, 5:25] = 26000
    instances[10:30, 35:55] = 26001
    return instances


def found(instances: np.ndarray, scores: list[float] | None = None) -> Instances:
    labels = np.unique(instances, return_inverse=True)[1].reshape(instances.shape)
    count = int(labels.max())
    return Instances(labels.astype(np.int32), np.array(scores or [1.0] * count))


def test_truth_is_perfect_and_nothing_finds_nothing() -> None:
    true = two_boxes()
    assert average_precision([found(true)], [true], min_area=12) == {"ap": 1.0, "ap50": 1.0}
    nothing = Instances(np.zeros_like(true, dtype=np.int32), np.zeros(0))
    assert average_precision([nothing], [true], min_area=12) == {"ap": 0.0, "ap50": 0.0}


def test_an_object_cut_to_two_thirds_counts_at_a_low_threshold_only() -> None:
    true = two_boxes()
    cut = true.copy()
    cut[15:20, 5:25] = 0  # IoU 2/3
    scores = average_precision([found(cut)], [true], min_area=12)
    assert scores["ap50"] == 1
    assert 0.5 < scores["ap"] < 1


def test_a_sure_mistake_costs_more_than_an_unsure_one() -> None:
    true = two_boxes()
    wrong = true.copy()
    wrong[32:38, 2:20] = 26002
    unsure = average_precision([found(wrong, [0.9, 0.8, 0.1])], [true], min_area=12)
    sure = average_precision([found(wrong, [0.5, 0.4, 0.9])], [true], min_area=12)
    assert sure["ap50"] < unsure["ap50"] == 1


def test_small_objects_neither_help_nor_hurt() -> None:
    true = two_boxes()
    with_small = true.copy()
    with_small[0:2, 0:3] = 24001
    assert average_precision([found(true)], [with_small], min_area=12)["ap"] == 1
    assert average_precision([found(with_small)], [with_small], min_area=12)["ap"] == 1


def test_without_objects_there_is_no_precision() -> None:
    empty = np.zeros((10, 10), dtype=np.int64)
    nothing = Instances(np.zeros((10, 10), np.int32), np.zeros(0))
    assert average_precision([nothing], [empty], min_area=12) == {}


def test_maps_must_fit() -> None:
    with pytest.raises(ValueError, match="as many predicted as true"):
        average_precision([], [two_boxes()], min_area=12)
    with pytest.raises(ValueError, match="maps of one size"):
        average_precision([found(two_boxes()[:20])], [two_boxes()], min_area=12)


def test_offset_errors_by_hand() -> None:
    true = torch.zeros(2, 4, 4)
    true[0, 0, 0], true[1, 0, 0] = 3, 4
    foreground = torch.zeros(4, 4, dtype=torch.bool)
    foreground[0, :2] = True
    assert offset_errors(true, true, foreground) == {
        "offset_error_px": 0.0,
        "zero_offset_error_px": 2.5,
    }
    assert offset_errors(torch.zeros_like(true), true, foreground)["offset_error_px"] == 2.5
    assert offset_errors(true, true, torch.zeros_like(foreground)) == {}


def test_more_objects_than_a_byte_counts_and_than_coco_takes() -> None:
    true = two_boxes()
    rows, columns = np.divmod(np.arange(400), 40)
    crowded = np.where(true == 26000, 1, np.where(true == 26001, 2, 0)).astype(np.int32)
    big = np.zeros((64, 96), dtype=np.int64)
    big[:40, :60] = true
    many = np.zeros((64, 96), dtype=np.int32)
    many[:40, :60] = crowded
    many[42 + 2 * rows, 2 * columns] = np.arange(3, 403)  # 400 specks beside the two
    assert many.max() == 402
    right, wrong = [1.0, 0.9], [0.5] * 400
    assert average_precision([Instances(many, np.array(right + wrong))], [big], min_area=12) == {
        "ap": 1.0,
        "ap50": 1.0,
    }
    drowned = Instances(many, np.array([0.1, 0.2, *wrong]))  # the best hundred are specks
    assert average_precision([drowned], [big], min_area=12) == {"ap": 0.0, "ap50": 0.0}
