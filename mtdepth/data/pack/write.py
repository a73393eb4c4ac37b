"""Makes a pack: its files on all cores, then the lists, then the manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from filelock import FileLock

from mtdepth.data.check import split_truth, unlabelled
from mtdepth.data.pack.arrow import digests_of, open_shard
from mtdepth.data.pack.digests import digest
from mtdepth.data.pack.entries import SplitEntry
from mtdepth.data.pack.manifest import Manifest, fingerprint, write_manifest
from mtdepth.data.pack.place import clear, finished, mark
from mtdepth.data.pack.plan import Lists, needed, without
from mtdepth.data.pack.pool import run_all
from mtdepth.data.pack.request import Request
from mtdepth.data.pack.shards import ShardResult, make_shard
from mtdepth.data.reader import Reader
from mtdepth.data.splits import SPLITS, Frame
from mtdepth.files import replacing
from mtdepth.metrics.names import Split

Hear = Callable[[ShardResult], None]


def make_pack(request: Request, reader: Reader, hear: Hear) -> Manifest:
    """Makes a pack, or goes on where a former run was stopped; of several processes that make the
    same, one works and the others wait.

    Args:
        request: what and where.
        reader: of the raw files.
        hear: told of each file that is there.

    Raises:
        ValueError: something else is there already, or a frame is broken.
    """
    require_samples(request.plan.lists)
    request.out.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(request.out.parent / f".{request.out.name}.lock"):
        jobs = request.jobs(reader)
        there = finished(request.out, request.digest, [job.request for job in jobs])
        if there is not None:
            return there
        mark(request.out, request.digest, request.arguments)
        results: dict[str, ShardResult] = {}
        for result in run_all(make_shard, jobs, request.num_workers):
            hear(result)
            results[result.file] = result
        made = _manifest(request, reader, [results[job.path.name] for job in jobs]).signed()
        write_manifest(request.out, made)
        clear(request.out)
        return made


def require_samples(lists: Lists) -> None:
    """Sees that no split is empty.

    Raises:
        ValueError: one is.
    """
    for split, frames in lists.items():
        if not frames:
            raise ValueError(
                f"expected samples in the {split} split, found none whose frames are all there"
            )


def _manifest(request: Request, reader: Reader, results: Sequence[ShardResult]) -> Manifest:
    broken = {frame: what for result in results for frame, what in result.broken.items()}
    lists, left_out = without(request.plan.lists, broken)
    _require_whole(request, broken, lists)
    require_samples(lists)
    there = frozenset(request.plan.frames) - broken.keys()
    splits = {split: _split(request, reader, split, lists[split], there) for split in SPLITS}
    shards = tuple(result.entry for result in results if result.entry is not None)
    rows = (digests_of(open_shard(request.out / shard.file)) for shard in shards)
    return Manifest(
        arguments=request.arguments,
        settings=request.settings,
        request=request.digest,
        fingerprint=fingerprint(request.settings, splits, rows),
        num_frames=sum(shard.num_frames for shard in shards),
        splits=splits,
        left_out=request.plan.left_out + left_out,
        shards=shards,
    )


def _require_whole(request: Request, broken: Mapping[Frame, str], kept: Lists) -> None:
    if not broken or request.skip_broken:
        return
    num_lost = sum(len(request.plan.lists[split]) - len(kept[split]) for split in SPLITS)
    raise ValueError(
        f"expected whole files, found {len(broken)} broken frames, the first of them: "
        f"{broken[min(broken)]}; mend them and run the same command again, or leave {num_lost} "
        "samples out with --skip-broken"
    )


def _split(
    request: Request, reader: Reader, split: Split, frames: Sequence[Frame], there: frozenset[Frame]
) -> SplitEntry:
    """Writes a list, and tells what it holds."""
    text = "".join(f"{frame}\n" for frame in frames).encode()
    folder = request.out / "splits" / request.settings.split
    with replacing(folder / f"{split}_files.txt") as temporary:
        temporary.write_bytes(text)
    neighbours = any(there.issuperset(needed(frame, "train")) for frame in frames)
    return SplitEntry(
        num_samples=len(frames),
        digest=digest(text),
        truth={
            kind: split_truth(reader, list(frames), neighbours, kind) for kind in ("best", "lidar")
        },
        unlabelled=unlabelled(frames, reader.has_instances),
    )
