"""A network looks at arrays as it looks at files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mtdepth.checkpoint import Training
from mtdepth.config import OpticsConfig
from mtdepth.data.images import read_map
from mtdepth.predict import ANY_LABEL, predict
from mtdepth.predictor import Predictor
from tests.mtdepth.batches import small_config

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 70, 150, 3), dtype=np.uint8)
NOISY = {"min_samples": 2, "min_size": 2}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("checkpoint")
    Training.start(small_config(optics=NOISY), torch.device("cpu")).save(directory)
    return directory


def test_a_batch_says_what_the_command_line_writes(checkpoint: Path, tmp_path: Path) -> None:
    found = Predictor(checkpoint).look_at_batch(IMAGES, scale=3.0)
    paths = [tmp_path / f"{index}.png" for index in range(len(IMAGES))]
    for path, image in zip(paths, IMAGES, strict=True):
        Image.fromarray(image).save(path)
    predict(checkpoint, tmp_path, paths, tmp_path / "out", 3.0)
    for index in range(len(IMAGES)):
        np.testing.assert_array_equal(
            found["depth_m"][index], np.load(tmp_path / f"out/depth/{index}.npy")
        )
        labels = read_map(tmp_path / f"out/instances/{index}.png")
        numbers = found["instances"][index]
        np.testing.assert_array_equal(np.where(numbers > 0, numbers + ANY_LABEL, 0), labels)
        assert numbers.max() > 0


def test_depth_scales_and_instances_do_not(checkpoint: Path) -> None:
    one, two = (Predictor(checkpoint).look_at_batch(IMAGES, scale) for scale in (1.0, 2.0))
    np.testing.assert_allclose(two["depth_m"], 2 * one["depth_m"], rtol=1e-6)
    np.testing.assert_array_equal(two["instances"], one["instances"])
    assert (one["depth_m"] > 0).all()


def test_an_image_is_told_the_same_alone_and_among_others(checkpoint: Path) -> None:
    predictor = Predictor(checkpoint)
    together = predictor.look_at_batch(IMAGES)
    for index in range(len(IMAGES)):
        alone = predictor.look_at_batch(IMAGES[index : index + 1])
        for name, values in together.items():
            np.testing.assert_array_equal(alone[name][0], values[index])


def test_another_way_of_clustering_can_be_told(checkpoint: Path) -> None:
    strict = Predictor(checkpoint, optics=OpticsConfig(min_samples=10000, min_size=10000))
    assert (strict.look_at_batch(IMAGES)["instances"] == 0).all()


@pytest.mark.parametrize(
    ("images", "found"),
    [
        (IMAGES.astype(np.float32), r"float32 \(3, 70, 150, 3\)"),
        (IMAGES[..., :1], r"uint8 \(3, 70, 150, 1\)"),
        (IMAGES.transpose(0, 3, 1, 2), r"uint8 \(3, 3, 70, 150\)"),
        (IMAGES[0], r"uint8 \(70, 150, 3\)"),
        (IMAGES[:, :0], r"uint8 \(3, 0, 150, 3\)"),
    ],
)
def test_what_is_no_batch_of_images_is_told(checkpoint: Path, images: Any, found: str) -> None:
    expected = (
        rf"^images: expected RGB as uint8 \(B, H, W, 3\), values from 0 to 255, found {found}$"
    )
    with pytest.raises(ValueError, match=expected):
        Predictor(checkpoint).look_at_batch(images)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("inf"), float("nan")])
def test_a_scale_is_positive(checkpoint: Path, scale: float) -> None:
    with pytest.raises(ValueError, match=f"^scale: expected a positive number, found {scale}$"):
        Predictor(checkpoint).look_at_batch(IMAGES, scale)
