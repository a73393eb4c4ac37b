"""Pictures of a training: when they are due, where they go, and that they cost no number."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from pyarrow.fs import LocalFileSystem

from study.ledger import Ledger
from study.pictures import PICTURE, draw_picture, keep_picture, pictures_of
from study.runner import Settings, run_study
from study.simulate import Simulated
from study.storage import Storage
from study.trainable import Report, Split, random_state_kept
from tests.study.quick import Quick, quick_space
from tests.study.simulated import simulated_space

SPACE = simulated_space(search=None, confirm={"seeds": [1]})


@dataclass(frozen=True, kw_only=True)
class Gambler(Simulated):
    """Its metrics are random numbers of the process, and so is what it draws."""

    def fit(self, config: Mapping[str, Any], report: Report, resume_from: Path | None) -> None:
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002  # the state that is to be kept

        def told(metrics: dict[str, float], checkpoint: Path) -> None:
            luck = random.random() + np.random.rand()  # noqa: NPY002
            report({**metrics, "train/luck": luck}, checkpoint)

        super().fit(config, told, resume_from)

    def draw_sheet(self, checkpoint: Path, split: Split, out: Path) -> None:
        np.random.rand(random.randrange(9))  # noqa: NPY002
        super().draw_sheet(checkpoint, split, out)


@pytest.mark.parametrize(
    ("every", "num_epochs", "due"),
    [(5, 12, [5, 10, 12]), (5, 3, [3]), (1, 3, [1, 2, 3]), (3, 3, [3]), (0, 3, [])],
)
def test_they_are_due_each_few_epochs_and_at_the_last(
    tmp_path: Path, every: int, num_epochs: int, due: list[int]
) -> None:
    quick = Quick(diary=tmp_path / "diary")
    (tmp_path / "state.json").write_text('{"config": {}}')
    found = [
        epoch
        for epoch in range(1, num_epochs + 1)
        if draw_picture(quick, tmp_path, epoch, num_epochs, every)
    ]
    assert found == due
    assert len(quick.said("draw val")) == len(due)


def test_one_of_an_epoch_before_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    (tmp_path / PICTURE).write_bytes(b"of another epoch")
    assert not draw_picture(Quick(diary=tmp_path / "diary"), tmp_path, 1, 3, 2)
    assert not (tmp_path / PICTURE).exists()


def test_one_goes_to_the_study_directory_whole_and_one_that_is_gone_is_no_matter(
    tmp_path: Path,
) -> None:
    (tmp_path / PICTURE).write_bytes(b"a picture")
    storage = Storage(root=str(tmp_path.parent), own=LocalFileSystem(), files=None)
    keep_picture(storage, tmp_path.name, tmp_path / "study", "confirm-a-seed1", 7)
    keep_picture(storage, tmp_path.name, tmp_path / "study", "confirm-a-seed1", 8)
    (kept,) = pictures_of(tmp_path / "study", "confirm-a-seed1")
    assert (kept.name, kept.read_bytes()) == ("epoch-007.png", b"a picture")
    assert not (tmp_path / PICTURE).exists(), "what is kept of the checkpoint is a model alone"


def test_random_numbers_are_what_they_would_have_been() -> None:
    def three() -> tuple[float, float, float]:
        return random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002

    def seed() -> None:
        random.seed(3)
        np.random.seed(3)  # noqa: NPY002
        torch.manual_seed(3)

    seed()
    expected = [three(), three()]
    seed()
    found = [three()]
    with random_state_kept():
        three()
    assert [*found, three()] == expected


@pytest.mark.usefixtures("small_ray")
def test_metrics_are_the_same_with_and_without(tmp_path: Path) -> None:
    tables: list[pd.DataFrame] = []
    for every, names in ((0, []), (2, ["epoch-002.png", "epoch-003.png"])):
        space = SPACE.model_copy(
            update={"pictures": SPACE.pictures.model_copy(update={"every_epochs": every})}
        )
        settings = Settings(trainable=Gambler(), concurrency=1, tracks=False)
        out = run_study(space, tmp_path / f"every-{every}", settings)
        tables.append(Ledger.open(out).epochs())
        for key in Ledger.open(out).records:
            assert [path.name for path in pictures_of(out, key)] == names
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    assert "train/luck" in set(tables[0]["metric"])


@pytest.mark.usefixtures("small_ray")
def test_one_that_cannot_be_drawn_fails_no_trial(tmp_path: Path) -> None:
    quick = Quick(diary=tmp_path / "diary", trouble={"dwa": "no picture"})
    space = quick_space(search=None, confirm={"seeds": [1]})
    out = run_study(space, tmp_path / "study", Settings(trainable=quick, tracks=False))
    assert set(Ledger.open(out).trials().status) == {"completed"}
    assert pictures_of(out, "confirm-dwa-seed1") == []
    assert [path.name for path in pictures_of(out, "confirm-equal-seed1")] == ["epoch-003.png"]
