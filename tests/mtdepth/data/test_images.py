"""Image files: what is broken is found and named, and maps keep their values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtdepth.data.images import is_whole, read_image, read_map


def test_values_of_maps_survive(tmp_path: Path) -> None:
    values = np.array([[0, 1, 255], [256, 26001, 65535]], np.uint16)
    for name, told in (("16.png", values), ("8.png", (values & 255).astype(np.uint8))):
        Image.fromarray(told).save(tmp_path / name)
        assert np.array_equal(read_map(tmp_path / name), told)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.99])
def test_truncated_images_are_found(tmp_path: Path, suffix: str, kept: float) -> None:
    path = tmp_path / f"x.{suffix}"
    pixels = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    assert is_whole(path)
    assert read_image(path).size == (96, 64)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    assert not is_whole(path)
    with pytest.raises(ValueError, match="expected a whole image") as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_map_with_colours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.new("RGB", (4, 3)).save(path)
    with pytest.raises(ValueError, match=r"x\.png: expected one channel, found shape \(3, 4, 3\)"):
        read_map(path)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ValueError, match=r"x\.png: expected a whole grey PNG"):
        read_map(path)
