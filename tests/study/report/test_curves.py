"""Learning curves: which are drawn, of what, and the same each time."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from study.events import EpochEnded, Event
from study.ledger import Ledger
from study.report.curves import draw_curves, draw_weights
from study.report.drawing import PALETTE, Picture, arm_style
from study.results import read_results
from study.space import Space
from tests.study.ledgers import told_space, trial, write_study


def epoch_of(arm: str, seed: int, **metrics: float) -> EpochEnded:
    key = f"confirm-{arm}-seed{seed}"
    named = {name.replace("__", "/"): value for name, value in metrics.items()}
    return EpochEnded(trial_key=key, epoch=4, metrics=named, checkpoint=None, seconds=1.0)


def drawn(directory: Path, events: list[Event], space: Space | None = None) -> list[Picture]:
    study = write_study(directory / "study", events, space)
    return draw_curves(read_results(study), Ledger.open(study).epochs(), study / "figures")


def test_a_curve_for_each_metric_that_has_values(tmp_path: Path) -> None:
    space = told_space(compare={"baseline": "a", "metrics": ["test/depth/a1", "test/pose/ate"]})
    events = [
        *trial("a", 1, epochs=3),
        epoch_of("a", 1, val__depth__a1=0.5, train__depth__weight=2.0, val__depth__rmse=1.0),
        *trial("b", 1, epochs=3),
    ]
    pictures = drawn(tmp_path, events, space)
    assert [picture.path.name for picture in pictures] == [
        "curve-val-depth-abs_rel.png",
        "curve-val-depth-a1.png",
    ]
    assert pictures[0].caption == (
        "val/depth/abs_rel by epoch: mean over confirmed seeds, smallest to largest shaded"
    )
    for picture in pictures:
        with Image.open(picture.path) as image:
            assert min(image.size) > 300
            assert np.asarray(image.convert("L")).std() > 5, "something is drawn"


def test_weights_of_all_tasks_are_one_figure(tmp_path: Path) -> None:
    weights = {"train__depth__weight": 2.0, "train__instances__weight": 0.5}
    study = write_study(tmp_path / "study", [*trial("a", 1, epochs=3), epoch_of("a", 1, **weights)])
    told = read_results(study), Ledger.open(study).epochs(), study / "figures"
    (picture,) = draw_weights(*told)
    assert picture.path.name == "weights.png"
    with Image.open(picture.path) as wide, Image.open(draw_curves(*told)[0].path) as one:
        assert wide.width > one.width, "a pair of axes a task"
    assert draw_weights(told[0], told[1][told[1]["epoch"] < 4], told[2]) == []


def test_every_figure_is_there_as_pdf_too_and_the_same_each_time(tmp_path: Path) -> None:
    events = trial("a", 1, epochs=3)
    (one,), (other,) = drawn(tmp_path / "1", events), drawn(tmp_path / "2", events)
    pdfs = [picture.path.with_suffix(".pdf").read_bytes() for picture in (one, other)]
    assert pdfs[0] == pdfs[1]
    assert pdfs[0].startswith(b"%PDF")
    assert b"/FontFile2" in pdfs[0], "fonts are TrueType, and embedded"
    assert b"/Type3" not in pdfs[0]


def test_before_confirmation_curves_are_of_the_search(tmp_path: Path) -> None:
    events = [*trial("a", phase="search", number=0, epochs=2)]
    (picture,) = drawn(tmp_path / "1", events)
    assert "over the trials of the search" in picture.caption
    (both,) = drawn(tmp_path / "2", [*events, *trial("a", 1, val=9.0)])
    assert "over confirmed seeds" in both.caption


def test_no_values_no_curves(tmp_path: Path) -> None:
    assert drawn(tmp_path / "1", []) == []
    assert drawn(tmp_path / "2", trial("a", 1, val=float("nan"))) == []


@pytest.mark.parametrize("seeds", [(1, 2), (2, 1)])
def test_the_order_of_events_changes_no_byte(tmp_path: Path, seeds: tuple[int, int]) -> None:
    events = [event for seed in seeds for event in trial("a", seed, epochs=3, val=seed / 8)]
    reference = [event for seed in (1, 2) for event in trial("a", seed, epochs=3, val=seed / 8)]
    (one,), (other,) = drawn(tmp_path / "1", events), drawn(tmp_path / "2", reference)
    assert one.path.read_bytes() == other.path.read_bytes()


def test_other_values_make_another_picture(tmp_path: Path) -> None:
    (one,) = drawn(tmp_path / "1", trial("a", 1, epochs=2, val=1.0))
    (other,) = drawn(tmp_path / "2", [*trial("a", 1, epochs=2, val=1.0), *trial("b", 1, epochs=2)])
    assert one.path.read_bytes() != other.path.read_bytes()
    assert Image.open(io.BytesIO(other.path.read_bytes())).format == "PNG"


def test_arms_look_different_from_each_other(tmp_path: Path) -> None:
    arms: dict[str, object] = {"a": {}, **{f"a{index}": {} for index in range(19)}}
    space = told_space(arms=arms)
    results = read_results(write_study(tmp_path / "study", [], space))
    styles = [arm_style(results, arm) for arm in space.arms]
    assert len({tuple(sorted(style.items())) for style in styles}) == 20
    assert len({style["color"] for style in styles[: len(PALETTE)]}) == len(PALETTE)
