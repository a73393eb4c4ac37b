"""The command line of predictions: what it writes, and how it tells what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mtdepth.checkpoint import Training
from mtdepth.data.images import read_map
from mtdepth.predict import ANY_LABEL, find_images, main
from tests.mtdepth.batches import small_config

SIZE = (150, 70)
MakeCheckpoint = Callable[[tuple[str, ...]], Path]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> MakeCheckpoint:
    """Untrained networks; what they say means nothing, but is written as any other."""
    made: dict[tuple[str, ...], Path] = {}

    def make(tasks: tuple[str, ...]) -> Path:
        if tasks not in made:
            directory = tmp_path_factory.mktemp("-".join(tasks))
            # Offsets of a random network are noise: any two votes within reach are an object.
            optics = {"min_samples": 2, "min_size": 2}
            config = small_config(tasks=tasks, optics=optics)
            Training.start(config, torch.device("cpu")).save(directory)
            made[tasks] = directory
        return made[tasks]

    return make


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Three images in two directories, of which two share their name."""
    root = tmp_path / "images"
    for seed, name in enumerate(["a.png", "drive.01/a.JPG", "drive.01/b.jpeg"]):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (*SIZE[::-1], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    (root / "notes.txt").write_text("not an image")
    return root


def run(checkpoint: Path, images: Path, out: Path, *more: str) -> int:
    options = ["--checkpoint", checkpoint, "--images", images, "--out", out, *more]
    return main([str(option) for option in options])


def written(out: Path) -> set[str]:
    return {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}


def test_each_image_gets_its_files_under_its_own_name(
    checkpoint: MakeCheckpoint, images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run(checkpoint(("depth", "instances")), images, out) == 0
    kinds = (
        "depth/{}.png",
        "depth/{}.npy",
        "offsets/{}.npy",
        "instances/{}.png",
        "pictures/{}.png",
    )
    names = ("a", "drive.01/a", "drive.01/b")
    assert written(out) == {kind.format(name) for kind in kinds for name in names}


def test_depth_is_in_kittis_format_at_the_size_of_the_image(
    checkpoint: MakeCheckpoint, images: Path, tmp_path: Path
) -> None:
    assert run(checkpoint(("depth", "instances")), images / "a.png", tmp_path / "out") == 0
    depth_m = np.load(tmp_path / "out/depth/a.npy")
    with Image.open(tmp_path / "out/depth/a.png") as png:
        assert png.mode == "I;16"
        assert png.size == SIZE
        units = np.asarray(png).astype(np.float64)
    assert depth_m.shape == SIZE[::-1]
    assert depth_m.dtype == np.float32
    assert units.min() >= 1
    assert np.abs(units / 256 - depth_m.clip(1 / 256, 65535 / 256)).max() <= 0.5 / 256


def test_instances_are_in_the_projects_format(
    checkpoint: MakeCheckpoint, images: Path, tmp_path: Path
) -> None:
    assert run(checkpoint(("instances",)), images / "a.png", tmp_path / "out") == 0
    instances = read_map(tmp_path / "out/instances/a.png")
    assert instances.shape == SIZE[::-1]
    labels = np.setdiff1d(instances, [0])
    assert len(labels) > 0
    assert (labels // 1000 == ANY_LABEL // 1000).all()
    config = small_config()
    offsets_px = np.load(tmp_path / "out/offsets/a.npy")
    assert offsets_px.shape == (2, config.data.height, config.data.width)
    assert offsets_px.dtype == np.float32


@pytest.mark.parametrize(
    ("tasks", "folders"),
    [
        (("depth",), {"depth", "pictures"}),
        (("instances",), {"instances", "offsets", "pictures"}),
    ],
)
def test_a_network_writes_what_it_learned(
    checkpoint: MakeCheckpoint, images: Path, tmp_path: Path, tasks: tuple[str], folders: set[str]
) -> None:
    out = tmp_path / "out"
    assert run(checkpoint(tasks), images / "a.png", out) == 0
    assert {path.name for path in out.iterdir()} == folders


def test_scale_multiplies_depth(checkpoint: MakeCheckpoint, images: Path, tmp_path: Path) -> None:
    for scale in ("1", "2.5"):
        out = tmp_path / scale
        assert run(checkpoint(("depth",)), images / "a.png", out, "--scale", scale) == 0
    once, scaled = (np.load(tmp_path / scale / "depth/a.npy") for scale in ("1", "2.5"))
    assert np.allclose(scaled, 2.5 * once)


def test_results_below_the_images_are_not_images(
    checkpoint: MakeCheckpoint, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert run(checkpoint(("depth",)), images, images / "out") == 0
        assert capsys.readouterr().out.startswith("3 images done")


def test_results_above_the_images_do_not_hide_them(images: Path) -> None:
    root, found = find_images(images, out=images.parent)
    assert [path.relative_to(root).as_posix() for path in found] == [
        "a.png",
        "drive.01/a.JPG",
        "drive.01/b.jpeg",
    ]


def assert_refused(
    capsys: pytest.CaptureFixture[str], out: Path, code: int, *messages: str
) -> None:
    """Exit code 2, one line on standard error, and nothing written."""
    told = capsys.readouterr()
    assert code == 2
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert told.err.count("\n") == 1
    for message in messages:
        assert message in told.err
    assert not out.is_dir()


def test_a_missing_checkpoint_is_told(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(tmp_path / "none", images, tmp_path / "out")
    assert_refused(capsys, tmp_path / "out", code, str(tmp_path / "none"), "found none")


def test_a_broken_checkpoint_is_told(
    checkpoint: MakeCheckpoint, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in checkpoint(("depth",)).iterdir():
        (broken / path.name).write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (broken / "config.json").write_text(small_config(tasks=["depth"]).model_dump_json())
    code = run(broken, images, tmp_path / "out")
    assert_refused(capsys, tmp_path / "out", code, "state.pt: expected a whole checkpoint")


def test_a_truncated_image_is_told_before_anything_is_written(
    checkpoint: MakeCheckpoint, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    last = images / "drive.01/z.png"
    whole = (images / "a.png").read_bytes()
    last.write_bytes(whole[: len(whole) // 2])
    code = run(checkpoint(("depth",)), images, tmp_path / "out")
    assert_refused(capsys, tmp_path / "out", code, f"{last}: expected a whole image")


@pytest.mark.parametrize(("make", "message"), [(False, "found no"), (True, ".jpeg files under")])
def test_where_no_images_are_is_told(
    checkpoint: MakeCheckpoint,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make: bool,
    message: str,
) -> None:
    images = tmp_path / "images"
    if make:
        images.mkdir()
    code = run(checkpoint(("depth",)), images, tmp_path / "out")
    assert_refused(capsys, tmp_path / "out", code, message, str(images))


def test_names_that_would_overwrite_each_other_are_told(
    checkpoint: MakeCheckpoint, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", SIZE).save(images / "a.jpg")
    code = run(checkpoint(("depth",)), images, tmp_path / "out")
    assert_refused(capsys, tmp_path / "out", code, "a.jpg", "a.png")


def test_an_out_that_cannot_be_is_told(
    checkpoint: MakeCheckpoint, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(checkpoint(("depth",)), images, images / "notes.txt")
    assert_refused(capsys, images / "notes.txt", code, "expected a directory, found the file")
    assert run(checkpoint(("depth",)), images, images) == 2
    assert "another directory than --images" in capsys.readouterr().err


@pytest.mark.parametrize("scale", ["0", "-1", "nan", "inf", "two"])
def test_a_scale_is_a_positive_number(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], scale: str
) -> None:
    with pytest.raises(SystemExit) as error:
        run(tmp_path, images, tmp_path / "out", f"--scale={scale}")
    assert error.value.code == 2
    assert "expected a positive number" in capsys.readouterr().err


def test_help_answers_at_once() -> None:
    started = time.perf_counter()
    command = [sys.executable, "-X", "importtime", "-m", "mtdepth.predict", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    assert time.perf_counter() - started < 2
    assert "KITTI" in done.stdout
    assert "torch" not in done.stderr.split()
    assert "numpy" not in done.stderr.split()
