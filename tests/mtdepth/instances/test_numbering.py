from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from mtdepth.instances.numbering import numbered

maps = arrays(
    st.sampled_from([np.uint8, np.int32, np.int64]),
    array_shapes(min_dims=1, max_dims=2, min_side=0),
    elements=st.integers(0, 5) | st.integers(0, 200),
)


@given(maps)
def test_it_is_numpys(instances: NDArray[np.integer]) -> None:
    values, which = numbered(instances)
    expected, inverse = np.unique(instances, return_inverse=True)
    assert np.array_equal(values, expected)
    assert np.array_equal(which, inverse.reshape(instances.shape))


@pytest.mark.parametrize("value", [0, 26_001, 2**40])
def test_a_map_of_one_value(value: int) -> None:
    values, which = numbered(np.full((3, 4), value))
    assert values.tolist() == [value]
    assert not which.any()
