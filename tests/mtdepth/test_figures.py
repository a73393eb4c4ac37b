"""Pictures: bright is near, hue is direction, objects are told apart, sheets have room for all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtdepth.figures import (
    CAPTION,
    GAP,
    PAPER,
    UNKNOWN,
    depth_range,
    draw_depth,
    draw_depth_error,
    draw_instances,
    draw_offsets,
    montage,
)


def brightness(picture: np.ndarray) -> np.ndarray:
    return picture @ np.array([0.299, 0.587, 0.114])


def test_nearer_is_brighter() -> None:
    depth_m = np.linspace(2, 40, 50)[None]
    shades = brightness(draw_depth(depth_m, 2, 40))[0]
    assert (np.diff(shades) <= 0).all()
    assert shades[0] > 200
    assert shades[-1] < 10


def test_depth_beyond_the_range_looks_like_its_ends() -> None:
    drawn = draw_depth(np.array([[1.0, 2.0, 40.0, 90.0]]), 2, 40)[0]
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[2] == drawn[3]).all()


@pytest.mark.parametrize("unknown", [0.0, np.nan])
def test_unknown_depth_is_grey(unknown: float) -> None:
    drawn = draw_depth(np.array([[3.0, unknown]]), 2, 40)
    assert drawn[0, 1].tolist() == [40, 40, 40]
    assert drawn.dtype == np.uint8


@given(scale=st.floats(0.01, 100))
def test_a_depth_map_looks_the_same_at_any_scale(scale: float) -> None:
    depth_m = np.random.default_rng(0).uniform(2, 60, (6, 8))
    first = draw_depth(depth_m, *depth_range(depth_m)).astype(int)
    second = draw_depth(scale * depth_m, *depth_range(scale * depth_m)).astype(int)
    assert np.abs(first - second).max() <= 4  # rounding may step to the next of 256 colours


def test_depth_range_leaves_out_the_ends_and_the_unknown() -> None:
    depth_m = np.concatenate([np.zeros(50), np.linspace(10, 20, 100), [1e6]])[None]
    near, far = depth_range(depth_m)
    assert 10 < near < 10.5
    assert 19.5 < far < 20.5
    assert depth_range(np.zeros((3, 3))) == (1.0, 2.0)
    near, far = depth_range(np.full((3, 3), 5.0))
    assert near < far


def test_no_offset_is_nearly_white_and_directions_differ_in_hue() -> None:
    offsets = np.zeros((2, 4, 40))
    offsets[:, 1, 1], offsets[:, 2, 2] = (9, 0), (-9, 0)
    drawn = draw_offsets(offsets, longest_px=9).astype(int)
    assert (drawn[0, 0] > 240).all()
    right, left = drawn[1, 1], drawn[2, 2]
    assert right[0] > 200 > 100 > right[1]  # red
    assert left[0] < 100 < 200 < left[1]  # cyan
    assert left[2] > 200


def test_longer_offsets_are_more_colourful_and_noise_is_pale() -> None:
    def colourfulness(length: float) -> int:
        offsets = np.zeros((2, 4, 40))
        offsets[0] = length
        drawn = draw_offsets(offsets)[0, 0].astype(int)
        return int(drawn.max() - drawn.min())

    assert colourfulness(0.1) < 20
    assert colourfulness(0.1) < colourfulness(1) < colourfulness(5)


def test_objects_have_their_own_colours_and_outlines() -> None:
    image = np.full((20, 40, 3), 100, np.uint8)
    instances = np.zeros((20, 40), int)
    instances[4:12, 4:12], instances[4:12, 20:30] = 26001, 26002
    drawn = draw_instances(instances, image).astype(int)
    first, second, background = drawn[8, 8], drawn[8, 25], drawn[0, 0]
    assert np.abs(first - second).max() > 60
    assert np.ptp(background) < 5  # grey stays grey
    assert (drawn[4, 4:12] != drawn[5, 5]).any(axis=1).all()  # an outline around it
    assert brightness(drawn[4, 4]) > brightness(first)
    assert (image == 100).all()


def test_without_objects_the_image_is_only_dimmed() -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    drawn = draw_instances(np.zeros((6, 8), int), image)
    assert np.corrcoef(brightness(drawn).ravel(), brightness(image).ravel())[0, 1] > 0.99


def test_an_error_of_depth_has_the_colour_of_its_sign() -> None:
    true_m = np.array([[10.0, 10.0, 10.0, 0.0, 10.0]])
    predicted_m = np.array([[5.0, 10.0, 15.0, 7.0, 99.0]])
    near, right, far, unknown, further = draw_depth_error(predicted_m, true_m, 0.5)[0].astype(int)
    assert near[2] > near[0] + 50, "blue is too near"
    assert far[0] > far[2] + 50, "red is too far"
    assert right.min() > 240, "white is right"
    assert (unknown == UNKNOWN).all()
    assert (further == far).all(), "beyond the range is its end"


def test_a_montage_puts_columns_abreast_and_rows_below() -> None:
    red, blue = (np.full((10, 20, 3), color, np.uint8) for color in ([255, 0, 0], [0, 0, 255]))
    sheet = np.asarray(montage([("red", [red] * 3), ("blue", [blue] * 3)], width=60))
    assert sheet.shape == (GAP + CAPTION + 3 * (30 + GAP), GAP + 2 * (60 + GAP), 3)
    assert tuple(sheet[0, 0]) == PAPER
    for row in range(3):
        middle = GAP + CAPTION + row * (30 + GAP) + 15
        assert sheet[middle, GAP + 30].tolist() == [255, 0, 0]
        assert sheet[middle, GAP + 60 + GAP + 30].tolist() == [0, 0, 255]


@pytest.mark.parametrize(("columns_a_row", "abreast", "blocks"), [(1, 1, 3), (2, 2, 2), (5, 3, 1)])
def test_a_montage_breaks_its_columns(columns_a_row: int, abreast: int, blocks: int) -> None:
    picture = np.zeros((10, 20, 3), np.uint8)
    sheet = montage([(name, [picture]) for name in "abc"], 60, columns_a_row=columns_a_row)
    assert sheet.size == (GAP + abreast * (60 + GAP), GAP + blocks * (CAPTION + 30 + GAP))
