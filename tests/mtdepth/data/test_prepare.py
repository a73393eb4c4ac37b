"""`python -m mtdepth.data.prepare`."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from mtdepth.config import DataConfig
from mtdepth.data.check import check_data
from mtdepth.data.loader import open_split
from mtdepth.data.pack.manifest import MANIFEST, read_manifest
from mtdepth.data.prepare import main

DRIVE = "2026_01_01/2026_01_01_drive_{:04d}_sync"
Said = pytest.CaptureFixture[str]


@pytest.fixture
def world(tiny_world: Path, tmp_path: Path) -> Path:
    """The tiny world, to be broken."""
    return Path(shutil.copytree(tiny_world, tmp_path / "world"))


def kitti_like(root: Path, out: Path, *more: str) -> int:
    """Takes a world, which may have lost files, for KITTI."""
    told = ["--root", str(root), "--split", "driveworld", "--size", "192x64", "--out", str(out)]
    return main(["kitti", *told, "--workers", "1", *more])


def test_a_world_is_packed_and_read(tiny_data: DataConfig, tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "pack"
    told = ["driveworld", "--root", str(tiny_data.root), "--out", str(out), "--workers", "1"]
    assert main(told) == 0
    said = capsys.readouterr()
    manifest = read_manifest(out)
    assert said.out.splitlines()[:3] == [
        f"{out}: 30 frames of driveworld at 192x64 as raw, {size(out):.3g} GB, fingerprint "
        f"{manifest.fingerprint}",
        "split driveworld: 9 train, 6 val, 3 test samples",
        f"read with data.name driveworld, data.root {out}, data.split driveworld, data.width 192, "
        "data.height 64",
    ]
    assert said.err.endswith("30/30 frames".ljust(40) + "\n")
    check_data(tiny_data.model_copy(update={"root": out}))
    assert main(told) == 0  # and once more
    assert manifest.fingerprint in capsys.readouterr().out


def size(out: Path) -> float:
    return sum(x.stat().st_size for x in out.glob("*.arrow")) / 1e9


def test_what_trainings_take_for_granted_is_taken_here(kitti: DataConfig, tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    for part, line in (("train", "0095_sync 1"), ("val", "0095_sync 9"), ("test", "0002_sync 0")):
        listed = f"2011_09_26/2011_09_26_drive_{line} l\n"
        (tmp_path / f"few/{part}_files.txt").write_text(listed)
    arguments = ["kitti", "--root", str(kitti.root), "--split", str(tmp_path / "few")]
    assert main([*arguments, "--out", str(tmp_path / "pack"), "--workers", "1"]) == 0
    settings = read_manifest(tmp_path / "pack").settings
    assert (settings.width, settings.height, settings.codec) == (640, 192, "raw")
    assert settings.split == "few"
    manifest = read_manifest(tmp_path / "pack")
    assert manifest.num_frames == 3 + 3 + 2
    data = open_split(DataConfig(name="kitti", root=tmp_path / "pack", split="few"), "train")
    assert data.batch([0]).frames.shape == (1, 3, 3, 192, 640)


def test_show_tells_what_a_pack_holds(world: Path, tmp_path: Path, capsys: Said) -> None:
    shutil.rmtree(world / DRIVE.format(1))
    assert kitti_like(world, tmp_path / "pack", "--codec", "jpeg") == 0
    capsys.readouterr()
    assert main(["show", str(tmp_path / "pack")]) == 0
    said = capsys.readouterr().out
    assert "25 frames of kitti at 192x64 as jpeg, " in said
    assert f"left out: {DRIVE.format(1)}: 3 of 3 triplets incomplete" in said


def test_missing_drives_are_a_line_each(world: Path, tmp_path: Path, capsys: Said) -> None:
    for number in (0, 3):
        shutil.rmtree(world / DRIVE.format(number))
    assert kitti_like(world, tmp_path / "pack") == 0
    said = capsys.readouterr()
    *lines, total = [x for x in said.err.splitlines() if x.startswith("left out: ")]
    assert total.startswith("left out: 6 samples in all; KITTI's page 'Raw Data' has the drives")
    assert [line.split(": ")[1] for line in lines] == [DRIVE.format(0), DRIVE.format(3)]
    assert all("3 of 3 triplets incomplete" in line for line in lines)
    assert "split driveworld: 6 train, 3 val, 3 test samples" in said.out


def test_strict_writes_nothing(world: Path, tmp_path: Path, capsys: Said) -> None:
    shutil.rmtree(world / DRIVE.format(0))
    assert kitti_like(world, tmp_path / "pack", "--strict") == 2
    said = capsys.readouterr()
    assert f"left out: {DRIVE.format(0)}: " in said.err
    assert said.err.endswith("error: expected all listed images, found 3 samples that lack some\n")
    assert not said.out
    assert sorted(x.name for x in tmp_path.iterdir()) == ["world"]


def test_strict_takes_what_is_whole(world: Path, tmp_path: Path) -> None:
    assert kitti_like(world, tmp_path / "pack", "--strict") == 0


def test_broken_files_are_named_and_can_be_left_out(
    world: Path, tmp_path: Path, capsys: Said
) -> None:
    victim = world / DRIVE.format(3) / "image_02/data/0000000001.png"
    victim.write_bytes(victim.read_bytes()[:-500])
    assert kitti_like(world, tmp_path / "pack") == 2
    said = capsys.readouterr()
    assert f"broken: {victim}: expected a whole image" in said.err
    last = said.err.splitlines()[-1]
    assert last.startswith("error: expected whole files, found 1 broken frames, the first of them")
    assert "leave 2 samples out with --skip-broken" in last
    assert kitti_like(world, tmp_path / "pack", "--skip-broken") == 0
    said = capsys.readouterr()
    assert f"left out: {DRIVE.format(3)}: 1 frame broken, first: {victim}" in said.err
    assert "9 train, 4 val, 3 test samples" in said.out


def test_verify_names_damage(world: Path, tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "pack"
    assert kitti_like(world, out) == 0
    assert main(["verify", str(out), "--workers", "1"]) == 0
    assert capsys.readouterr().out.endswith(f"{out}: every byte is as it was written\n")
    path = out / "frames-00000.arrow"
    content = bytearray(path.read_bytes())
    content[len(content) // 4] ^= 1
    path.write_bytes(content)
    assert main(["verify", str(out), "--workers", "1"]) == 1
    said = capsys.readouterr()
    assert re.search(rf"\n{path}: row \d+ \(frame .* l\), column image: damaged\n$", said.err)
    assert not said.out


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (["--size", "640"], "--size: expected WIDTHxHEIGHT such as 640x192, found '640'"),
        (["--size", "640x100"], "height: Input should be a multiple of 32, found 100"),
        (["--split", "none"], "data.split: expected train_files.txt in .*, found neither"),
        (["--workers", "0"], "--workers: expected at least 1, found 0"),
        (["--root", "nowhere"], "data.root: expected .* found nothing at nowhere"),
    ],
)
def test_mistakes_end_with_one_line(
    tiny_world: Path, tmp_path: Path, capsys: Said, more: list[str], problem: str
) -> None:
    assert kitti_like(tiny_world, tmp_path / "pack", *more) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(rf"error: {problem}.*\n", said), said
    assert not (tmp_path / "pack").exists()


def test_a_place_that_is_taken_is_told(tiny_world: Path, tmp_path: Path, capsys: Said) -> None:
    (tmp_path / "thesis.tex").touch()
    assert kitti_like(tiny_world, tmp_path) == 2
    assert f"error: {tmp_path}: expected a pack or nothing, found something" in (
        capsys.readouterr().err
    )
    assert [x.name for x in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_pack_is_no_raw_data(tiny_world: Path, tmp_path: Path, capsys: Said) -> None:
    assert kitti_like(tiny_world, tmp_path / "pack") == 0
    assert kitti_like(tmp_path / "pack", tmp_path / "again") == 2
    assert "--root: expected raw files, found a pack at" in capsys.readouterr().err


def test_a_directory_that_is_no_world_is_told(tmp_path: Path, capsys: Said) -> None:
    assert main(["driveworld", "--root", str(tmp_path), "--out", str(tmp_path / "pack")]) == 2
    said = capsys.readouterr().err
    assert f"--root: expected a driveworld, found no driveworld.json in {tmp_path}; render" in said


@pytest.mark.parametrize("command", ["verify", "show"])
def test_what_is_no_pack_is_told(tmp_path: Path, capsys: Said, command: str) -> None:
    assert main([command, str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / MANIFEST}: expected the manif")


def test_the_manifest_tells_the_command(tiny_world: Path, tmp_path: Path) -> None:
    assert kitti_like(tiny_world, tmp_path / "pack") == 0
    told = json.loads((tmp_path / "pack" / MANIFEST).read_text())
    assert told["arguments"] == [
        "kitti", "--root", str(tiny_world), "--split", "driveworld", "--size", "192x64",
        "--codec", "raw",
    ]  # fmt: skip
