"""`python -m mtdepth.data.driveworld`."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtdepth.data.driveworld.__main__ import main
from mtdepth.data.driveworld.config import DriveworldConfig
from mtdepth.data.driveworld.store import holds

SMALL = ["--train-drives", "1", "--val-drives", "0", "--test-drives", "0", "--frames", "3",
         "--size", "64x32", "--workers", "1"]  # fmt: skip


def run(out: Path, *more: str) -> int:
    return main(["--out", str(out), *SMALL, *more])


def test_a_world_is_rendered_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = DriveworldConfig(
        num_train_drives=1, num_val_drives=0, num_test_drives=0, num_frames=3, width=64, height=32,
        seed=7, lidar=False,
    )  # fmt: skip
    assert run(tmp_path / "world", "--seed", "7", "--no-lidar") == 0
    assert holds(config, tmp_path / "world")
    said = capsys.readouterr()
    assert said.out.startswith(f"{tmp_path / 'world'} holds driveworld {config.fingerprint()}, ")
    assert "driveworld: 1/1 drives\n" in said.err
    assert run(tmp_path / "world", "--seed", "7", "--no-lidar") == 0
    said = capsys.readouterr()
    assert said.out == f"{tmp_path / 'world'} already holds driveworld {config.fingerprint()}\n"
    assert not said.err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--size", "64"], "expected --size WIDTHxHEIGHT such as 192x64, found '64'"),
        (["--size", "100x32"], "width: Input should be a multiple of 32, found 100"),
        (["--frames", "2"], "num_frames: Input should be greater than or equal to 3, found 2"),
        (["--train-drives", "0", "--seed", "-1"],
         "num_train_drives: Input should be greater than or equal to 1, found 0; "
         "seed: Input should be greater than or equal to 0, found -1"),
        (["--workers", "0"], "expected workers >= 1, found 0"),
    ],
)  # fmt: skip
def test_mistakes_end_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    assert run(tmp_path / "world", *arguments) == 2
    assert capsys.readouterr().err == f"driveworld: {problem}\n"
    assert not list(tmp_path.iterdir())


def test_a_place_that_is_taken_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path, tmp_path / "file", tmp_path / "file" / "world"):
        assert run(out) == 2
        said = capsys.readouterr().err
        assert said.startswith("driveworld: ")
        assert str(tmp_path) in said
        assert said.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
