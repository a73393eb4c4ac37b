"""Which images are labelled, and how machines share them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtdepth.config import DataConfig
from mtdepth.data.teacher.jobs import Job, Shard, drive_jobs, folder_jobs


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@given(st.sets(st.text("ab01_/", min_size=1), max_size=30), st.integers(1, 12), st.randoms())
def test_shards_are_disjoint_complete_and_the_same_everywhere(
    names: set[str], of: int, random: object
) -> None:
    jobs = {name: [Job(Path(name), Path(name))] for name in names}
    other = {name: jobs[name] for name in reversed(list(jobs))}
    shares = [Shard(number, of).take(jobs) for number in range(1, of + 1)]
    assert shares == [Shard(number, of).take(other) for number in range(1, of + 1)]
    taken = [name for share in shares for name in share]
    assert sorted(taken) == sorted(names)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_shard_is_told_from_one_to_n() -> None:
    assert [Shard.parse(text) for text in ("1/1", "2/4", "04/4")] == [
        Shard(1, 1), Shard(2, 4), Shard(4, 4),
    ]  # fmt: skip
    for text in ("0/4", "5/4", "4", "1/0", "-1/4", "a/b", "1/4/2", ""):
        with pytest.raises(ValueError, match="--shard: expected i/n with i from 1 to n"):
            Shard.parse(text)


def test_maps_go_beside_the_images_of_both_cameras(tmp_path: Path) -> None:
    one, two = (tmp_path / "d" / f"d_drive_000{number}_sync" for number in (1, 2))
    touch(
        one / "image_02" / "data" / "0000000001.png",
        one / "image_02" / "data" / "0000000000.jpg",
        one / "image_02" / "data" / ".17.0000000002.png",
        one / "image_02" / "timestamps.txt",
        one / "image_03" / "data" / "0000000000.jpg",
        one / "image_00" / "data" / "0000000000.png",
        two / "image_02" / "data" / "0000000005.png",
    )
    jobs = drive_jobs(tmp_path)
    assert list(jobs) == ["d/d_drive_0001_sync", "d/d_drive_0002_sync"]
    assert jobs["d/d_drive_0001_sync"] == [
        Job(one / "image_02" / "data" / f"{name}", one / f"instance_02/data/{target}")
        for name, target in (
            ("0000000000.jpg", "0000000000.png"),
            ("0000000001.png", "0000000001.png"),
        )
    ] + [Job(one / "image_03/data/0000000000.jpg", one / "instance_03/data/0000000000.png")]
    assert list(drive_jobs(tmp_path, "*_0002_*")) == ["d/d_drive_0002_sync"]


def test_mistakes_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--root: expected .*sync, found none"):
        drive_jobs(tmp_path)
    drive = tmp_path / "d" / "d_drive_0001_sync"
    drive.mkdir(parents=True)
    with pytest.raises(ValueError, match=r"--drives: .*such as 'd_drive_0001_sync', found 'x'"):
        drive_jobs(tmp_path, "x")
    with pytest.raises(ValueError, match="expected image_02/data with png or jpg images"):
        drive_jobs(tmp_path)


def test_any_folder_is_mirrored(tmp_path: Path) -> None:
    images, out = tmp_path / "in", tmp_path / "out"
    touch(images / "b.jpg", images / "city" / "a.v1.png")
    assert folder_jobs(images, out) == {
        ".": [Job(images / "b.jpg", out / "b.png")],
        "city": [Job(images / "city" / "a.v1.png", out / "city" / "a.v1.png")],
    }


def test_the_sample_of_kitti_is_found(kitti: DataConfig) -> None:
    assert kitti.root is not None
    jobs = drive_jobs(kitti.root)
    assert {name[-9:-5]: len(found) for name, found in jobs.items()} == {"0002": 20, "0095": 268}
    assert all(job.image.is_file() for found in jobs.values() for job in found)
