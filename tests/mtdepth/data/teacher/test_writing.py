"""Maps on disk: right, and whole or absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtdepth.config import DataConfig
from mtdepth.data.images import read_map
from mtdepth.data.teacher.config import LabelConfig
from mtdepth.data.teacher.jobs import Job, drive_jobs
from mtdepth.data.teacher.writing import write_maps
from tests.mtdepth.data.teacher.toys import Oracle, drive_name, scene, toy_street

ALL = LabelConfig(min_area=1)


def jobs(root: Path) -> list[Job]:
    return drive_jobs(root)[drive_name(0)]


@pytest.mark.parametrize("num_threads", [0, 2])
def test_maps_are_those_of_the_images(tmp_path: Path, num_threads: int) -> None:
    toy_street(tmp_path, train=1, val=0, num_frames=5)
    todo = jobs(tmp_path)
    for job in todo:
        job.target.unlink()
    heard: list[tuple[int, int]] = []

    def hear(done: int, total: int, seconds: float) -> None:
        assert seconds >= 0
        heard.append((done, total))

    num_instances = write_maps(
        Oracle(), todo, ALL, batch_size=2, num_threads=num_threads, on_progress=hear
    )
    assert num_instances == 10
    assert heard == [(2, 5), (4, 5), (5, 5)]
    for number, job in enumerate(todo):
        assert np.array_equal(read_map(job.target), scene(number)[1])
        with Image.open(job.target) as image:
            assert image.mode == "I;16"
    assert len(list(todo[0].target.parent.iterdir())) == 5


def test_sizes_and_kinds_of_images_mix_in_a_batch(tmp_path: Path) -> None:
    toy_street(tmp_path, train=1, val=0, num_frames=3)
    todo, expected = jobs(tmp_path), []
    for number, (job, height, width) in enumerate(
        zip(todo, (64, 40, 60), (96, 80, 50), strict=True)
    ):
        image, instances = (each[:height, :width] for each in scene(number))
        Image.fromarray(image).convert("L" if number == 2 else "RGB").save(job.image)
        expected.append(instances)
    write_maps(Oracle(), todo, ALL, batch_size=3)
    assert [read_map(job.target).shape for job in todo] == [(64, 96), (40, 80), (60, 50)]
    for job, instances in zip(todo[:2], expected[:2], strict=True):
        assert np.array_equal(read_map(job.target), instances)


def test_thresholds_are_heard(tmp_path: Path) -> None:
    toy_street(tmp_path, train=1, val=0, num_frames=1)
    (job,) = jobs(tmp_path)
    assert write_maps(Oracle(), [job], LabelConfig(score=0.6, min_area=1)) == 1
    assert np.unique(read_map(job.target)).tolist() == [0, 26000]
    assert write_maps(Oracle(), [], ALL) == 0


def test_the_network_leaves_out_no_more_than_is_asked(tmp_path: Path) -> None:
    toy_street(tmp_path, train=1, val=0, num_frames=1)
    network = Oracle()
    write_maps(network, jobs(tmp_path), LabelConfig(score=0.01))
    assert network.roi_heads.score_thresh == 0.01  # torchvision's own is 0.05


def test_a_broken_image_is_named_and_leaves_no_map(tmp_path: Path) -> None:
    toy_street(tmp_path, train=1, val=0, num_frames=3)
    todo = jobs(tmp_path)
    for job in todo:
        job.target.unlink()
    todo[2].image.write_bytes(todo[2].image.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"0000000002.png: expected a whole image"):
        write_maps(Oracle(), todo, ALL, batch_size=2)
    assert [job.target.is_file() for job in todo] == [True, True, False]


def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy_street(tmp_path, train=1, val=0, num_frames=1)
    (job,) = jobs(tmp_path)
    before = job.target.read_bytes()

    def fail(_image: Image.Image, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="no space left"):
        write_maps(Oracle(), [job], ALL)
    assert job.target.read_bytes() == before
    assert list(job.target.parent.iterdir()) == [job.target]


def test_real_images_of_both_kinds_are_read(kitti: DataConfig, tmp_path: Path) -> None:
    assert kitti.root is not None
    found = drive_jobs(kitti.root)
    chosen = [Job(list_[0].image, tmp_path / f"{n}.png") for n, list_ in enumerate(found.values())]
    assert {job.image.suffix for job in chosen} == {".png", ".jpg"}
    write_maps(Oracle(), chosen, ALL)
    for job in chosen:
        with Image.open(job.image) as image:
            assert read_map(job.target).shape == (image.height, image.width) == (375, 1242)
