"""What is put into cells comes out of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mtdepth.data.pack.cells import (
    decode_depth,
    decode_instances,
    decode_jpeg,
    decode_map,
    encode_depth,
    encode_instances,
    encode_jpeg,
    encode_map,
)
from mtdepth.instances.targets import number_instances

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, max_side=9)


@given(
    arrays.arrays(np.float32, SHAPES, elements=st.sampled_from([0, 0, 0.001, 1 / 3, 80, 655.35]))
)
def test_depth_comes_back_to_the_last_bit(depth_m: np.ndarray) -> None:
    found = decode_depth(encode_depth(depth_m))
    assert (found.dtype, found.shape) == (np.float32, depth_m.shape)
    assert found.tobytes() == depth_m.tobytes()


def test_sparse_depth_takes_a_bit_a_pixel_and_four_bytes_a_point() -> None:
    depth_m = np.zeros((375, 1242), np.float32)
    depth_m[200:210, ::3] = 20
    cell = encode_depth(depth_m)
    assert len(cell["known"]) == (375 * 1242 + 7) // 8
    assert len(cell["depth_m"]) == 10 * 414 * 4


@settings(deadline=None)
@given(arrays.arrays(np.int32, SHAPES, elements=st.integers(0, 2**16 - 1)))
def test_instance_maps_come_back(values: np.ndarray) -> None:
    assert np.array_equal(decode_map(encode_map(values)), values)


def test_maps_of_bytes_stay_bytes() -> None:
    found = decode_map(encode_map(np.array([[0, 1], [2, 255]], np.uint8)))
    assert found.dtype == np.uint8
    assert found.tolist() == [[0, 1], [2, 255]]


@pytest.mark.parametrize("value", [-1, 65536])
def test_a_map_that_16_bits_cannot_hold_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match=rf"values from 0 to 65535, found .*{value}"):
        encode_map(np.array([[0, value]], np.int32))


@pytest.mark.parametrize(("num_instances", "width"), [(0, 1), (3, 1), (255, 1), (256, 2), (700, 2)])
def test_numbered_maps_come_back_however_many_instances(num_instances: int, width: int) -> None:
    values = np.zeros((28, 50), np.int32)
    values.flat[:num_instances] = 26_000 + np.arange(num_instances)
    numbered = number_instances(values)
    cell = encode_instances(numbered)
    assert len(cell["numbers"]) == width * values.size
    measures = np.array(cell["measures"], np.float32)
    found = decode_instances(cell["numbers"], measures, 28, 50)
    assert found.numbers.dtype == numbered.numbers.dtype
    assert np.array_equal(found.numbers, numbered.numbers)
    assert np.array_equal(found.measures, numbered.measures)
    assert found.measures.shape == (num_instances, 3)


def test_jpeg_keeps_an_image_and_its_colours() -> None:
    ys, xs = np.mgrid[:64, :96] / 96
    pixels = (255 * np.stack([xs, ys, 1 - xs])).astype(np.uint8)
    pixels[:, 20:40, 30:31] = np.array([255, 0, 0], np.uint8)[:, None, None]  # one column of red
    found = decode_jpeg(encode_jpeg(pixels))
    assert (found.dtype, found.shape) == (np.uint8, (3, 64, 96))
    error = np.abs(found.astype(int) - pixels)
    assert error.mean() < 1.5
    assert error[:, 25:35, 30].max() < 40  # 4:2:0 would mix it with its neighbours
