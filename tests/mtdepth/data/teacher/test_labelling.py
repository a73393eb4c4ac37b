"""Detections to an instance map: thresholds, overlaps, ids."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mtdepth.data.labels import LABELS
from mtdepth.data.teacher.config import LabelConfig, NetworkConfig
from mtdepth.data.teacher.labelling import Labelled, label_images, resolve
from mtdepth.data.teacher.network import build_network

CAR, PERSON = 3, 1
ANY = LabelConfig(score=0.0, min_area=0, min_visible=0.0)


def detections(*found: tuple[int, float, str]) -> dict[str, Tensor]:
    """Class, score and a row of pixels (`#` is in the mask) of each."""
    masks = [[[[0.9 if pixel == "#" else 0.1 for pixel in row]]] for _, _, row in found]
    return {
        "labels": torch.tensor([label for label, _, _ in found]),
        "scores": torch.tensor([score for _, score, _ in found]),
        "masks": torch.tensor(masks),
    }


def ids(labelled: Labelled) -> list[int]:
    return labelled.ids()[0].tolist()


def test_the_better_score_is_on_top() -> None:
    found = resolve(detections((CAR, 0.6, "####.."), (PERSON, 0.9, "..###.")), ANY)
    assert ids(found) == [26000, 26000, 24000, 24000, 24000, 0]
    assert found.labels == (24, 26)
    assert found.instances.scores.tolist() == pytest.approx([0.9, 0.6])
    assert found.instances.map.tolist() == [[2, 2, 1, 1, 1, 0]]


def test_instances_are_counted_for_each_label_from_the_best() -> None:
    found = resolve(
        detections((CAR, 0.5, "#...."), (CAR, 0.9, ".#..."), (PERSON, 0.7, "..#.."),
                   (CAR, 0.8, "...#."), (8, 0.6, "....#")), ANY,
    )  # fmt: skip
    assert ids(found) == [26002, 26000, 24000, 26001, 33000]
    assert found.ids().dtype == np.uint16


def test_only_scores_above_the_threshold_count() -> None:
    found = detections((CAR, 0.5, "#.."), (CAR, 0.51, ".#."), (CAR, 0.2, "..#"))
    assert ids(resolve(found, LabelConfig(score=0.5, min_area=1))) == [0, 26000, 0]


def test_what_is_too_small_leaves_its_pixels_to_others() -> None:
    found = detections((PERSON, 0.9, "##...."), (CAR, 0.8, "#####."))
    assert ids(resolve(found, LabelConfig(min_area=3))) == [26000] * 5 + [0]
    # The car keeps three visible pixels beside a person that is large enough.
    assert ids(resolve(found, LabelConfig(min_area=2))) == [24000] * 2 + [26000] * 3 + [0]
    # And is left out where three are not enough.
    found = detections((PERSON, 0.9, "####.."), (CAR, 0.8, ".#####"))
    assert ids(resolve(found, LabelConfig(min_area=4, min_visible=0))) == [24000] * 4 + [0] * 2


def test_a_second_look_at_an_object_is_left_out() -> None:
    found = detections((CAR, 0.9, "####.."), (PERSON, 0.8, ".#####"))  # two of five are seen
    assert ids(resolve(found, LabelConfig(min_area=1, min_visible=0.5))) == [26000] * 4 + [0] * 2
    labels = resolve(found, LabelConfig(min_area=1, min_visible=0.4)).labels
    assert labels == (26, 24)


def test_nothing_and_nan_make_an_empty_map() -> None:
    empty = {
        "labels": torch.zeros(0, dtype=torch.int64),
        "scores": torch.zeros(0),
        "masks": torch.zeros(0, 1, 2, 3),
    }
    assert resolve(empty, ANY).ids().tolist() == [[0, 0, 0], [0, 0, 0]]
    broken = detections((CAR, float("nan"), "##."), (PERSON, 0.6, ".##"))
    assert ids(resolve(broken, ANY)) == [0, 24000, 24000]
    broken["masks"][1] = float("nan")
    assert ids(resolve(broken, ANY)) == [0, 0, 0]


def test_what_is_beside_an_image_has_no_say() -> None:
    torch.manual_seed(0)
    network = build_network(NetworkConfig(name="small", weights="none", sides=(64,))).eval()
    small, wide = torch.randint(256, (3, 64, 96)).byte(), torch.randint(256, (3, 64, 160)).byte()
    limits = LabelConfig(score=0.0, min_area=0, min_visible=0.0)
    (alone,) = label_images(network, [small], limits)
    assert alone.labels
    for beside in label_images(network, [small, wide, small], limits)[::2]:
        assert beside.instances.scores.tolist() == alone.instances.scores.tolist()
        assert np.array_equal(beside.ids(), alone.ids())


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.integers(0, 20), st.floats(0, 1))
def test_any_detections_make_a_sound_map(
    seed: int, score: float, min_area: int, min_visible: float
) -> None:
    random = torch.Generator().manual_seed(seed)
    found = {
        "labels": torch.randint(1, 9, (7,), generator=random),
        "scores": torch.rand(7, generator=random),
        "masks": torch.rand(7, 1, 5, 8, generator=random),
    }
    config = LabelConfig(score=score, min_area=min_area, min_visible=min_visible)
    made = resolve(found, config)
    values, areas = np.unique(made.ids(), return_counts=True)
    areas = areas[values > 0]
    values = values[values > 0]
    assert len(values) == len(made.labels) == len(made.instances.scores)
    assert sorted(made.labels) == (values // 1000).tolist()
    assert set(made.labels) <= set(LABELS)
    assert (areas >= min_area).all()
    assert (made.instances.scores > score).all()
    assert (np.diff(made.instances.scores) <= 0).all()
    union = (found["masks"][:, 0] >= 0.5).any(0).numpy()
    assert not made.ids()[~union].any()
    for label in set(made.labels):
        numbers = [value % 1000 for value in values.tolist() if value // 1000 == label]
        assert numbers == list(range(len(numbers)))
