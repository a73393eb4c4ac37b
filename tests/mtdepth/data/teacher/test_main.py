"""`python -m mtdepth.data.teacher`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mtdepth.config import DataConfig
from mtdepth.data.check import check_data
from mtdepth.data.images import read_map
from mtdepth.data.splits import Frame
from mtdepth.data.teacher.__main__ import main
from mtdepth.data.teacher.arguments import label_config, parser, teacher_config
from mtdepth.data.teacher.config import LabelConfig, SourceConfig, TeacherConfig
from tests.mtdepth.data.cityscapes_files import write_snippet

SMALL = ["--network", "small", "--weights", "none", "--side", "64", "--epochs", "1"]


def train(root: Path, out: Path, *more: str) -> int:
    options = ["--data", "kitti", "--split", "driveworld", "--root", str(root), "--out", str(out)]
    return main(["train", *options, "--batch-size", "2", *SMALL, *more])


@pytest.fixture(scope="module")
def teacher(tiny_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("main") / "teacher"
    assert train(tiny_world, out) == 0
    return out


def unlabelled(world: Path, to: Path) -> Path:
    shutil.copytree(world, to, ignore=shutil.ignore_patterns("instance_02", "motion_02"))
    return to


def test_a_driveworld_is_labelled_by_its_teacher(
    teacher: Path, tiny_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = unlabelled(tiny_world, tmp_path / "world")
    options = ["label", "--checkpoint", str(teacher), "--root", str(root), "--score", "0.3"]
    assert main([*options, "--shard", "1/2"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("15 maps with ")
    assert said.err.endswith("\rteacher: 15/15 images, 0:00:00 left\n")
    maps = sorted(root.rglob("instance_02/data/*.png"))
    assert {path.parts[-4][-9:-5] for path in maps} == {"0000", "0002", "0004"}
    times = [path.stat().st_mtime_ns for path in maps]
    assert main(options) == 0
    said = capsys.readouterr()
    assert said.out.startswith("15 maps with ")
    assert said.out.endswith("written; 15 were there already\n")
    assert [path.stat().st_mtime_ns for path in maps] == times
    assert main([*options, "--overwrite", "--drives", "*_0000_*"]) == 0
    assert capsys.readouterr().out.startswith("5 maps with ")
    config = DataConfig(name="kitti", root=root, split="driveworld", height=64, width=192)
    summaries = check_data(config)
    assert all(summary.truth.instances for summary in summaries.values())


def test_any_folder_is_labelled(
    teacher: Path, tiny_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = sorted(tiny_world.rglob("image_02/data/*.png"))[0]
    images = tmp_path / "images" / "city"
    images.mkdir(parents=True)
    shutil.copy(image, images / "a.png")
    options = ["--checkpoint", str(teacher), "--images", str(images.parent)]
    assert main(["label", *options, "--out", str(tmp_path / "maps")]) == 0
    assert capsys.readouterr().out.startswith("1 map with ")
    assert read_map(tmp_path / "maps" / "city" / "a.png").shape == (64, 192)


def test_the_same_command_again_has_nothing_to_do(
    teacher: Path, tiny_world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(tiny_world, teacher) == 0
    assert capsys.readouterr().out == f"{teacher} holds a teacher of 1 epoch\n"
    assert train(tiny_world, teacher, "--seed", "3") == 2
    said = capsys.readouterr().err
    assert "expected a training with seed 3, found one with seed 0; give another --out" in said


def test_what_was_told_becomes_the_configuration() -> None:
    told = ["train", "--out", "o", "--data", "cityscapes", "--root", "r", "--lr", "0.1"]
    config = teacher_config(parser().parse_args([*told, "--val-images", "7", "--side", "8", "9"]))
    assert config.source == SourceConfig(name="cityscapes", root=Path("r"), max_val_images=7)
    assert config.network.sides == (8, 9)
    assert config.network.weights == "coco"
    assert config.lr_per_image == 0.1
    assert teacher_config(parser().parse_args(["train", "--out", "o"])) == TeacherConfig()
    told = ["label", "--checkpoint", "c", "--root", "r", "--min-area", "0", "--score", "0.3"]
    assert label_config(parser().parse_args(told)) == LabelConfig(score=0.3, min_area=0)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["train", "--out", "o", "--network", "small"], "COCO weights exist for resnet50"),
        (["train", "--out", "o", "--weights", "gone.pth"], "'coco', 'none' or a file, found 'gone"),
        (["train", "--out", "o", "--network", "vgg"], "name: Input should be 'resnet50'"),
        (["train", "--out", "o", "--data", "kitti", *SMALL], "the directory of kitti, found none"),
        (["train", "--out", "o", "--lr", "0"], "lr_per_image: Input should be greater than 0"),
        (["label", "--checkpoint", "c"], "expected either --root, or --images and --out"),
        (["label", "--checkpoint", "c", "--root", "r", "--out", "o"], "expected either --root"),
        (["label", "--checkpoint", "c", "--images", "i", "--root", "r", "--out", "o"], "either"),
        (["label", "--checkpoint", "c", "--root", "r", "--shard", "0/2"], "--shard: expected i/n"),
        (["label", "--checkpoint", "c", "--root", "r", "--score", "2"], "score: Input should be"),
        (["label", "--checkpoint", "c", "--root", "r"], "--root: expected r/<date>"),
    ],
)  # fmt: skip
def test_mistakes_end_with_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("teacher: ")
    assert problem in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_an_interruption_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mtdepth.data.teacher.jobs.drive_jobs", interrupted)
    assert main(["label", "--checkpoint", "c", "--root", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "Stopped. The same command goes on from here.\n"


def test_cityscapes_is_learned_from(tmp_path: Path) -> None:
    for number in range(10):
        city = f"city{number:02d}"
        write_snippet(tmp_path / "data", Frame(f"train/{city}/{city}_000000", 19))
    options = ["--data", "cityscapes", "--root", str(tmp_path / "data")]
    out = tmp_path / "teacher"
    assert main(["train", *options, "--out", str(out), "--batch-size", "4", *SMALL]) == 0
    options = ["label", "--checkpoint", str(out), "--out", str(tmp_path / "maps")]
    assert main([*options, "--images", str(tmp_path / "data" / "leftImg8bit_sequence")]) == 0
    maps = sorted((tmp_path / "maps").glob("train/*/*_leftImg8bit.png"))
    assert [read_map(path).shape for path in maps] == [(128, 256)] * 10


def test_a_training_that_diverges_ends_with_one(
    tiny_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(tiny_world, tmp_path / "out", "--lr", "1e9") == 1
    assert "\nteacher: expected finite losses" in capsys.readouterr().err.replace("\r", "\n")
