"""A world on disk: the same bytes for the same seed, whole or absent, rendered once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mtdepth.data.driveworld.config import DriveworldConfig
from mtdepth.data.driveworld.store import MARK, available_cores, ensure, holds

SMALL = DriveworldConfig(
    num_train_drives=2, num_val_drives=1, num_test_drives=0, num_frames=3, width=64, height=32
)
ARGUMENTS = [
    "--train-drives",
    "2",
    "--val-drives",
    "1",
    "--test-drives",
    "0",
    "--frames",
    "3",
    "--size",
    "64x32",
]


def contents(root: Path) -> dict[str, bytes]:
    paths = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a small world consists of."""
    return contents(ensure(SMALL, tmp_path_factory.mktemp("small") / "world", workers=1))


def start(root: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "mtdepth.data.driveworld", "--out", str(root), *ARGUMENTS]
    return subprocess.Popen([*command, *more], stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_bytes_do_not_depend_on_the_number_of_processes(
    tmp_path: Path, world: dict[str, bytes], workers: int
) -> None:
    assert contents(ensure(SMALL, tmp_path / "world", workers=workers)) == world


def test_another_seed_is_another_world(tmp_path: Path, world: dict[str, bytes]) -> None:
    other = contents(ensure(SMALL.model_copy(update={"seed": 1}), tmp_path / "world", workers=1))
    assert other.keys() == world.keys()
    same = {name for name in world if other[name] == world[name]}
    assert {Path(name).suffix for name in same} == {".txt"}  # calibration, lists and timestamps
    assert not any("poses" in name or "oxts/data" in name for name in same)


def test_a_world_that_is_there_is_not_rendered_again(
    tmp_path: Path, world: dict[str, bytes]
) -> None:
    root = ensure(SMALL, tmp_path / "world", workers=1)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    heard: list[tuple[int, int]] = []
    assert ensure(SMALL, root, workers=1, progress=lambda *x: heard.append(x)) == root
    assert not heard
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_an_error_leaves_nothing_behind(tmp_path: Path, world: dict[str, bytes]) -> None:
    root = tmp_path / "world"

    def interrupt(done: int, total: int) -> None:
        if done == 1:
            assert not root.exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure(SMALL, root, workers=1, progress=interrupt)
    assert not root.exists()
    assert not holds(SMALL, root)
    assert [path.name for path in tmp_path.iterdir()] in ([".world.lock"], [])
    assert contents(ensure(SMALL, root, workers=1)) == world


def test_what_a_killed_render_left_is_not_taken_for_a_world(
    tmp_path: Path, world: dict[str, bytes]
) -> None:
    root, partial = tmp_path / "world", tmp_path / ".world.partial"
    killed = start(root, "--workers", "1", "--frames", "500")
    wait_for(partial / "2026_01_01/2026_01_01_drive_0000_sync/image_02/data/0000000001.png")
    killed.kill()
    killed.communicate()
    assert partial.is_dir()
    assert not root.exists()
    assert contents(ensure(SMALL, root, workers=1)) == world
    assert not partial.exists()


def test_of_two_that_ask_at_once_one_renders(tmp_path: Path, world: dict[str, bytes]) -> None:
    root = tmp_path / "new" / "world"
    asking = [start(root, "--workers", "1") for _ in range(2)]
    told = [process.communicate()[1] for process in asking]
    assert [process.returncode for process in asking] == [0, 0]
    assert sorted("3/3 drives" in text for text in told) == [False, True]
    assert contents(root) == world
    assert not (root.parent / ".world.partial").exists()


def test_only_nothing_or_the_world_itself_may_be_there(tmp_path: Path) -> None:
    root = tmp_path / "world"
    assert not holds(SMALL, root)
    root.mkdir()
    assert not holds(SMALL, root)
    ensure(SMALL, root, workers=1)
    assert holds(SMALL, root)
    more = SMALL.model_copy(update={"num_frames": 4})
    wanted, found = more.fingerprint(), SMALL.fingerprint()
    with pytest.raises(
        ValueError, match=f"expected driveworld {wanted} .*, found driveworld {found}"
    ):
        ensure(more, root)
    assert holds(SMALL, root)


@pytest.mark.parametrize("mark", ["", "[]", "{}", "{"])
def test_an_unreadable_mark_is_told(tmp_path: Path, mark: str) -> None:
    (tmp_path / MARK).write_text(mark)
    with pytest.raises(ValueError, match=f"{tmp_path}, found an unreadable {MARK}; give another"):
        ensure(SMALL, tmp_path)


def test_foreign_things_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match=f"found a directory without {MARK}; give another"):
        ensure(SMALL, tmp_path)
    with pytest.raises(ValueError, match="found a file; give another"):
        ensure(SMALL, tmp_path / "thesis.tex")
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_no_workers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected workers >= 1, found 0"):
        ensure(SMALL, tmp_path / "world", workers=0)
    assert 1 <= available_cores() <= (os.cpu_count() or 1)


def wait_for(path: Path, timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.01)
