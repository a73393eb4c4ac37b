"""Where checkpoints lie, seen by a study whose nodes write there through Ray."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import ray
from pyarrow import fs

from study import session
from study.events import EpochEnded
from study.head_files import HeadFiles
from study.keeper import Keeper
from study.ledger import Ledger
from study.runner import Settings, resume_study, run_study
from study.simulate import Simulated
from study.standstill import Standstill
from study.storage import Storage
from tests.study.simulated import simulated_space, told

SPACE = simulated_space(("equal",), confirm={"seeds": [1]})


class Forgetful(Keeper):
    """Fails at the end of a file, which pyarrow passes over."""

    def finish(self, path: str, writer: str) -> None:
        if "checkpoint_000001" in path:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().finish(path, writer)


def opened(kind: type[Keeper]) -> Callable[..., Storage]:
    def open_storage(directory: Path, *_: object) -> Storage:
        root = str(directory.resolve())
        keeper = ray.remote(kind).options(num_cpus=0).remote(root)
        files = fs.PyFileSystem(HeadFiles(keeper))
        return Storage(root=root, own=fs.LocalFileSystem(), files=files)

    return open_storage


def test_an_epoch_whose_checkpoint_is_not_whole_has_not_been(
    small_ray: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "study"
    settings = Settings(concurrency=1, trainable=Simulated(), tracks=False)
    monkeypatch.setattr(session, "open_storage", opened(Forgetful))
    with pytest.raises(Standstill, match=r"found no whole state.json.*--resume"):
        run_study(SPACE, out, settings)
    epochs = [event.epoch for event in Ledger.open(out).events() if isinstance(event, EpochEnded)]
    assert epochs == [1]
    monkeypatch.setattr(session, "open_storage", opened(Keeper))
    resume_study(out, settings)
    assert told(out) == told(run_study(SPACE, tmp_path / "undisturbed", settings))
