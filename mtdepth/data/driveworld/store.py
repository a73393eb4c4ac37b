"""A whole world on disk: rendered once, by many processes, all or nothing."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from mtdepth.data.driveworld.config import DriveworldConfig
from mtdepth.data.driveworld.writer import write_common, write_drive

MARK = "driveworld.json"
Progress = Callable[[int, int], None]


def ensure(
    config: DriveworldConfig,
    root: Path,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Return `root`, which holds the world of `config`; render it where it is missing.

    The world is rendered beside `root` and renamed, so `root` is never half written. Of several
    processes that ask for the same root, one renders and the others wait. `progress` is told the
    drives done and the drives in all. ValueError if `root` holds anything else.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"expected workers >= 1, found {workers}")
    root = Path(root)
    if holds(config, root):
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(root.parent / f".{root.name}.lock"):
        if not holds(config, root):
            with _scratch(root) as scratch:
                _render(config, scratch, workers or available_cores(), progress)
                mark = {"fingerprint": config.fingerprint(), "config": config.model_dump()}
                (scratch / MARK).write_text(json.dumps(mark, indent=1) + "\n", encoding="utf-8")
                scratch.replace(root)
    return root


def holds(config: DriveworldConfig, root: Path) -> bool:
    """Whether `root` is this world (True) or nothing yet (False); ValueError if anything else."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    expected = f"expected driveworld {config.fingerprint()} or nothing at {root}"
    advice = "give another directory, or delete that one"
    mark = root / MARK
    if not mark.is_file():
        kind = f"a directory without {MARK}" if root.is_dir() else "a file"
        raise ValueError(f"{expected}, found {kind}; {advice}")
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))["fingerprint"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{expected}, found an unreadable {MARK}; {advice}") from error
    if found != config.fingerprint():
        raise ValueError(f"{expected}, found driveworld {found}; {advice}")
    return True


def available_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _scratch(root: Path) -> Iterator[Path]:
    """An empty directory beside `root`, gone afterwards; only the lock's holder may ask.

    What a killed renderer left there is removed.
    """
    scratch = root.parent / f".{root.name}.partial"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _render(config: DriveworldConfig, root: Path, workers: int, progress: Progress | None) -> None:
    write_common(root, config)
    report = progress or (lambda _done, _total: None)
    total = config.num_drives
    report(0, total)
    if workers == 1 or total == 1:
        for index in range(total):
            write_drive(root, config, index)
            report(index + 1, total)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, total), mp_context=context) as pool:
        drives = [pool.submit(write_drive, root, config, index) for index in range(total)]
        try:
            for done, drive in enumerate(as_completed(drives), start=1):
                drive.result()
                report(done, total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
