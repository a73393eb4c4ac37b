"""A pack is the same however often, wherever and with whatever interruptions it is made."""

from __future__ import annotations

import dataclasses
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from mtdepth.config import DataConfig
from mtdepth.data.check import check_data
from mtdepth.data.loader import open_split
from mtdepth.data.pack.arrow import open_shard
from mtdepth.data.pack.manifest import MANIFEST, REQUEST, Manifest, read_manifest
from mtdepth.data.pack.rows import schema_of
from mtdepth.data.pack.shards import most_frames
from mtdepth.data.pack.verify import verify
from mtdepth.data.reader import open_reader
from mtdepth.data.root import data_root
from mtdepth.data.splits import Frame
from tests.mtdepth.data.pack.packs import DRIVE, TEST, TRAIN, VAL, at, image, make, request


def halve(path: Path) -> bytes:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return content


def files(root: Path) -> dict[str, int]:
    return {str(x.relative_to(root)): x.stat().st_mtime_ns for x in root.rglob("*") if x.is_file()}


def test_each_frame_is_there_once(tiny_pack: Path) -> None:
    manifest = read_manifest(tiny_pack)
    shards = [open_shard(tiny_pack / entry.file) for entry in manifest.shards]
    found = [
        Frame(*row)
        for shard in shards
        for row in zip(
            *(shard.column(x).to_pylist() for x in ("drive", "index", "side")), strict=True
        )
    ]
    assert found == [Frame(DRIVE.format(drive), i) for drive in range(6) for i in range(5)]
    assert [shard.num_rows for shard in shards] == [8, 8, 8, 6]
    assert all(shard.schema.names == schema_of(manifest.settings).names for shard in shards)


def test_raw_frames_take_their_pixels_and_little_more(tiny_pack: Path) -> None:
    """Truth, of nine frames of thirty, aside."""
    manifest = read_manifest(tiny_pack)
    first = tiny_pack / manifest.shards[0].file  # of training
    pixels = 8 * 64 * 192 * (3 + 1)
    assert pixels < first.stat().st_size < 1.1 * pixels


def test_packed_twice_it_is_the_same(
    tiny_data: DataConfig, tiny_pack: Path, tmp_path: Path
) -> None:
    first = read_manifest(tiny_pack)
    again = make(request(tiny_data, tmp_path / "again", num_workers=2))
    assert again.fingerprint == first.fingerprint
    assert again.shards == first.shards
    assert tiny_data.root
    elsewhere = shutil.copytree(tiny_data.root, tmp_path / "elsewhere")
    moved = tiny_data.model_copy(update={"root": Path(elsewhere)})
    assert make(request(moved, tmp_path / "third")).fingerprint == first.fingerprint


def test_how_frames_are_divided_among_files_is_no_matter(
    tiny_data: DataConfig, tiny_pack: Path, tmp_path: Path
) -> None:
    divided = make(request(tiny_data, tmp_path / "pack", most_frames=3))
    assert len(divided.shards) == 10
    halves = make(request(tiny_data, tmp_path / "halves", most_frames=25))
    assert [shard.num_frames for shard in halves.shards] == [15, 15]
    assert halves.fingerprint == divided.fingerprint
    assert divided.fingerprint == read_manifest(tiny_pack).fingerprint


def repaint(path: Path) -> None:
    with Image.open(path) as opened:
        pixels = np.array(opened)
    pixels[30, 40] ^= 255
    Image.fromarray(pixels).save(path)


CHANGES = {
    "an image": lambda root: repaint(root / TRAIN / "image_02/data/0000000000.png"),
    "a map": lambda root: repaint(root / TRAIN / "instance_02/data/0000000002.png"),
    "no map": lambda root: (root / TRAIN / "instance_02/data/0000000002.png").unlink(),
    "depth": lambda root: repaint(root / VAL / "proj_depth/groundtruth/image_02/0000000002.png"),
    "motion": lambda root: (root / TEST / "motion_02/data/0000000002.png").unlink(),
    "poses": lambda root: (root / TEST / "poses_02.txt").unlink(),
    "calibration": lambda root: replace(root / "2026_01_01/calib_cam_to_cam.txt"),
    "an order": lambda root: turn(root / "splits/driveworld/train_files.txt"),
    "a list": lambda root: (root / "splits/driveworld/val_files.txt").write_text(f"{VAL} 2 l\n"),
}


def turn(path: Path) -> None:
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))


def replace(path: Path) -> None:
    text = path.read_text()
    start = text.index("P_rect_02: ") + len("P_rect_02: ")
    path.write_text(text[:start] + "9" + text[start + 1 :])


@pytest.mark.parametrize("change", CHANGES)
def test_the_fingerprint_is_of_all_that_is_read(
    world: DataConfig, tmp_path: Path, change: str
) -> None:
    before = make(request(world, tmp_path / "before"))
    changed = Path(shutil.copytree(world.root, tmp_path / "changed"))
    CHANGES[change](changed)
    after = make(request(world.model_copy(update={"root": changed}), tmp_path / "after"))
    assert before.fingerprint != after.fingerprint


def test_the_fingerprint_is_of_size_and_codec(tiny_data: DataConfig, tmp_path: Path) -> None:
    told = [
        request(tiny_data, tmp_path / "a", "jpeg"),
        request(tiny_data.model_copy(update={"width": 128}), tmp_path / "b"),
        request(tiny_data, tmp_path / "c"),
    ]
    assert len({make(asked).fingerprint for asked in told}) == 3


def interrupt(root: Path) -> None:
    """As if it had been killed before its end."""
    manifest = read_manifest(root)
    told = f'{{"request": "{manifest.request}", "arguments": []}}'
    (root / REQUEST).write_text(told)
    (root / MANIFEST).unlink()


def test_what_is_there_is_kept_and_what_is_not_is_made(
    tiny_data: DataConfig, tiny_pack: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(tiny_pack, tmp_path / "pack"))
    interrupt(out)
    (out / "frames-00001.arrow").unlink()
    (out / ".123.frames-00001.arrow").write_bytes(b"half")
    (out / "splits/driveworld/.123.val_files.txt").write_bytes(b"half")
    before = files(out)
    made = make(request(tiny_data, out))
    after = files(out)
    assert made.fingerprint == read_manifest(tiny_pack).fingerprint
    kept = [f"frames-{i:05d}.arrow" for i in (0, 2, 3)]
    assert {name: before[name] for name in kept} == {name: after[name] for name in kept}
    assert sorted(after) == sorted(files(tiny_pack))


def test_a_file_tells_what_it_was_made_of(tiny_data: DataConfig, tmp_path: Path) -> None:
    assert tiny_data.root
    asked = request(tiny_data, tmp_path / "pack")
    (job, other, *_) = asked.jobs(open_reader(tiny_data, tiny_data.root))
    changed = [
        dataclasses.replace(job, judged=frozenset(job.frames[:1])),
        dataclasses.replace(job, frames=job.frames[1:], beside=job.beside[1:]),
        dataclasses.replace(job, beside=("0 0 0", *job.beside[1:])),
        dataclasses.replace(job, settings=job.settings.model_copy(update={"codec": "jpeg"})),
    ]
    assert len({x.request for x in (job, other, *changed)}) == 6
    elsewhere = dataclasses.replace(job, path=tmp_path / "x", skip_broken=True)
    assert elsewhere.request == job.request


def test_a_file_that_was_damaged_meanwhile_is_made_again(
    tiny_data: DataConfig, tiny_pack: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(tiny_pack, tmp_path / "pack"))
    interrupt(out)
    victim = out / "frames-00001.arrow"
    content = bytearray(victim.read_bytes())
    content[len(content) // 3] ^= 4
    victim.write_bytes(content)
    assert make(request(tiny_data, out)).shards == read_manifest(tiny_pack).shards
    assert verify(out, 1, lambda finding: None) == []


def test_of_two_that_make_the_same_one_waits(tiny_data: DataConfig, tmp_path: Path) -> None:
    asked = request(tiny_data.model_copy(update={"width": 640, "height": 192}), tmp_path / "pack")
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(make, [asked, asked]))
    assert made[0] == made[1]
    assert verify(tmp_path / "pack", 1, lambda finding: None) == []


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9, 0.999])
def test_a_half_written_file_is_not_taken_for_whole(
    tiny_data: DataConfig, tiny_pack: Path, tmp_path: Path, keep: float
) -> None:
    out = Path(shutil.copytree(tiny_pack, tmp_path / "pack"))
    interrupt(out)
    victim = out / "frames-00002.arrow"
    content = victim.read_bytes()
    victim.write_bytes(content[: int(keep * len(content))])
    assert make(request(tiny_data, out)).fingerprint == read_manifest(tiny_pack).fingerprint
    victim.write_bytes(content[: int(keep * len(content))].ljust(len(content), b"\0"))
    interrupt(out)  # as after a loss of power
    make(request(tiny_data, out))
    assert verify(out, 1, lambda finding: None) == []


def test_a_pack_that_is_not_finished_is_not_read(
    tiny_data: DataConfig, tiny_pack: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(tiny_pack, tmp_path / "pack"))
    interrupt(out)
    for ask in (check_data, data_root, lambda config: open_split(config, "val")):
        with pytest.raises(ValueError, match="expected a whole pack, found one that is not fini"):
            ask(at(tiny_data, out))


def test_a_finished_pack_is_left_alone(
    tiny_data: DataConfig, tiny_pack: Path, tmp_path: Path
) -> None:
    before = files(tiny_pack)
    assert make(request(tiny_data, tiny_pack)) == read_manifest(tiny_pack)
    assert files(tiny_pack) == before


def test_what_others_left_is_refused(
    tiny_data: DataConfig, tiny_pack: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(tiny_pack, tmp_path / "pack"))
    before = files(out)
    with pytest.raises(ValueError, match=f"{out}: expected this pack .* other settings.*; give an"):
        make(request(tiny_data, out, "jpeg"))
    assert files(out) == before
    interrupt(out)
    with pytest.raises(ValueError, match="found another that is not finished; give another --out"):
        make(request(tiny_data, out, "jpeg"))
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").touch()
    for taken in ("file", "folder"):
        with pytest.raises(ValueError, match=f"{taken}: expected a pack or nothing, found someth"):
            make(request(tiny_data, tmp_path / taken))
    (tmp_path / "empty").mkdir()
    make(request(tiny_data, tmp_path / "empty"))


@pytest.mark.parametrize("change", ["an image", "no map"])
def test_a_pack_of_files_that_have_changed_is_told(
    world: DataConfig, tmp_path: Path, change: str
) -> None:
    make(request(world, tmp_path / "pack"))
    CHANGES[change](world.root)
    with pytest.raises(ValueError, match="expected the pack of these files, found that of other"):
        make(request(world, tmp_path / "pack"))


def test_a_broken_file_is_named_and_nothing_else_is_lost(world: DataConfig, tmp_path: Path) -> None:
    out, victim = tmp_path / "pack", image(world, VAL, 1)
    content = halve(victim)
    with pytest.raises(ValueError) as caught:
        make(request(world, out))
    text = str(caught.value)
    assert f"found 1 broken frames, the first of them: {victim}: expected a whole image" in text
    assert "leave 2 samples out with --skip-broken" in text
    assert not (out / MANIFEST).exists()
    before = files(out)
    assert sorted(x for x in before if x.endswith(".arrow")) == [
        f"frames-{i:05d}.arrow" for i in (0, 1, 3)
    ]
    victim.write_bytes(content)
    made = make(request(world, out))
    assert {name: made_at for name, made_at in files(out).items() if name in before} == {
        name: made_at for name, made_at in before.items() if name != REQUEST
    }
    assert made.left_out == ()
    assert made == make(request(world, tmp_path / "fresh"))


def test_broken_files_can_be_left_out(world: DataConfig, tmp_path: Path) -> None:
    out, victim = tmp_path / "pack", image(world, VAL, 1)
    content = halve(victim)
    depth = world.root / TEST / "proj_depth/groundtruth/image_02/0000000003.png"
    halve(depth)
    made = make(request(world, out, skip_broken=True))
    assert made.num_frames == 28
    assert [(x.drive, x.num_samples) for x in made.left_out] == [
        (VAL, {"val": 2}), (TEST, {"test": 1})
    ]  # fmt: skip
    assert str(made.left_out[0]).startswith(f"{VAL}: 1 frame broken, first: {victim}: expected a")
    found = check_data(at(world, out))
    assert [found[split].num_samples for split in ("train", "val", "test")] == [9, 4, 2]
    assert open_split(at(world, out), "val").batch([0, 3]).frames.shape == (2, 3, 3, 64, 192)
    assert verify(out, 1, lambda finding: None) == []
    assert make(request(world, out, skip_broken=True)) == made
    interrupt(out)
    assert make(request(world, out, skip_broken=True)) == made
    interrupt(out)  # the frames that were broken are looked at again
    victim.write_bytes(content)
    assert make(request(world, out, skip_broken=True)).num_frames == 29


def test_a_missing_drive_is_in_the_manifest(world: DataConfig, tmp_path: Path) -> None:
    shutil.rmtree(world.root / TRAIN)
    image(world, DRIVE.format(1), 0).unlink()
    made = make(request(world, tmp_path / "pack"))
    assert [(x.drive, x.num_samples) for x in made.left_out] == [
        (TRAIN, {"train": 3}), (DRIVE.format(1), {"train": 1})
    ]  # fmt: skip
    data = open_split(at(world, tmp_path / "pack"), "train")
    assert len(data) == 5
    assert data.batch(range(5)).frames.shape == (5, 3, 3, 64, 192)


def test_an_empty_split_is_refused(world: DataConfig, tmp_path: Path) -> None:
    for number in (3, 4):
        shutil.rmtree(world.root / DRIVE.format(number))
    with pytest.raises(ValueError, match="expected samples in the val split, found none"):
        make(request(world, tmp_path / "pack"))
    assert not (tmp_path / "pack").exists()


def test_by_drive_and_lists_elsewhere(tiny_world: Path, tmp_path: Path) -> None:
    """A pack has its own lists, under the last part of a path."""
    (tmp_path / "mine").mkdir()
    for part, repeats in (("train", 20), ("val", 1), ("test", 1)):
        lines = (tiny_world / f"splits/driveworld/{part}_files.txt").read_text()
        (tmp_path / f"mine/{part}_files.txt").write_text(lines * repeats)
    raw = DataConfig(
        name="kitti", root=tiny_world, split=f"{tmp_path}/mine_by_drive", height=64, width=192
    )
    made: Manifest = make(request(raw, tmp_path / "pack"))
    config = at(raw, tmp_path / "pack")
    assert config.split == made.settings.split == "mine_by_drive"
    for part in ("train", "val", "test"):
        assert open_split(config, part).frames == open_split(raw, part).frames


def test_files_have_a_bounded_size() -> None:
    assert most_frames(192, 640) == 256
    assert most_frames(64, 192) == 256
    assert most_frames(1024, 2048) == 21
    assert most_frames(9000, 9000) == 1


def test_what_is_null_takes_no_room(world: DataConfig, tmp_path: Path) -> None:
    for folder in world.root.glob("*/*/instance_02"):
        shutil.rmtree(folder)
    made = make(request(world, tmp_path / "pack"))
    first = tmp_path / "pack" / made.shards[0].file
    assert first.stat().st_size < 1.1 * 8 * 3 * 64 * 192
    column: pa.Array = open_shard(first).column("instances")
    assert column.null_count == 8
