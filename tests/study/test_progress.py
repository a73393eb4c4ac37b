"""What a person sees of a study under way."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from study import progress
from study.events import Event
from study.progress import Progress, duration
from tests.study.ledgers import trial

METRIC = "val/depth/abs_rel"
AT_ONCE = {"st-depth": 2, "mt-uncertainty": 2}
DONE = trial("mt-uncertainty", phase="search", number=0, val=0.5, epochs=3)
RUNNING = trial("st-depth", phase="search", number=0, val=0.25, epochs=2, status="running")
FAILED = trial("st-depth", phase="search", number=1, epochs=0, status="failed", error="no luck")
PRUNED = trial("st-depth", phase="search", number=2, val=0.75, status="pruned")


def told(width: int = 80, terminal: bool = False, **settings: Any) -> tuple[Progress, StringIO]:
    out = StringIO()
    console = Console(
        file=out, width=width, force_terminal=terminal, highlight=False, color_system=None
    )
    made = {"num_trials": 10, "num_epochs": 30, "at_once": AT_ONCE, **settings}
    objectives = {"st-depth": METRIC, "mt-uncertainty": METRIC}
    return Progress(console=console, objectives=objectives, **made), out


def hear(made: Progress, *events: Event) -> None:
    for event in events:
        made.hear(event)


def table(made: Progress, width: int = 80) -> list[str]:
    console = Console(width=width, file=StringIO(), record=True, highlight=False)
    console.print(made.render())
    return [line.rstrip() for line in console.export_text().splitlines()]


@pytest.mark.parametrize("width", [80, 110])
def test_the_table_has_arm_epoch_metric_state_and_the_time_left(width: int) -> None:
    made, _ = told(width)
    hear(made, *DONE, *FAILED, *PRUNED, *RUNNING)
    heading, *rows, summary = table(made, width)
    assert heading.split() == ["arm", "phase", "trial", "epoch", "objective", "state"]
    assert [re.split(r"\s{2,}", row) for row in rows] == [
        ["mt-uncertainty", "search", "000", "3/3", f"{METRIC} 0.5", "done"],
        ["st-depth", "search", "001", "0/0", f"{METRIC} —", "FAILED"],
        ["st-depth", "search", "002", "1/1", f"{METRIC} 0.75", "stopped early"],
        ["st-depth", "search", "000", "2/2", f"{METRIC} 0.25", "running"],
    ]
    assert summary == "[ 3/10 trials], 1 running, 1 failed, about 12 min left"


def test_the_table_shows_the_last_that_ended_and_all_that_run() -> None:
    made, _ = told()
    ended = [trial("st-depth", phase="search", number=i) for i in range(9)]
    running = [trial("st-depth", seed, status="running") for seed in range(3)]
    for events in [*ended, *running]:
        hear(made, *events)
    names = [line.split()[2] for line in table(made)[1:-1]]
    assert names == ["004", "005", "006", "007", "008", "seed0", "seed1", "seed2"]


def test_time_left_follows_from_the_epochs_of_this_session() -> None:
    made, _ = told(num_epochs=30)
    for event in DONE:
        made.replay(event)
    assert made.seconds_left() is None, "the earlier session may have been on another machine"
    hear(made, *RUNNING)
    assert made.seconds_left() == (30 - 3 - 2) * 60 / 2
    hear(made, *FAILED, *PRUNED)
    assert made.seconds_left() == (30 - 3 - 2 - 1) * 60 / 2


def test_epochs_that_are_never_trained_are_not_waited_for() -> None:
    made, _ = told(num_epochs=6, at_once=dict.fromkeys(AT_ONCE, 1))
    hear(made, *trial("st-depth", 1, epochs=3)[:2])
    left = made.seconds_left()
    assert left == 5 * 60
    hear(made, trial("st-depth", 1, epochs=3, status="pruned")[-1])
    assert made.seconds_left() == 3 * 60, "of the three of this one, two are saved"


def test_without_a_terminal_each_end_is_a_line() -> None:
    made, out = told(width=40)
    with made.shown():
        hear(made, *RUNNING, *DONE, *FAILED, *PRUNED)
        made.say("Note: " + "x" * 60)
    assert out.getvalue().splitlines() == [
        f"[ 1/10 trials]  search-mt-uncertainty-000 done after 3 epochs, 3 min: {METRIC} 0.5",
        "[ 2/10 trials]  search-st-depth-001 FAILED: no luck",
        f"[ 3/10 trials]  search-st-depth-002 stopped early after 1 epoch, 60 s: {METRIC} 0.75",
        "Note: " + "x" * 60,
    ]


def test_between_ends_a_line_says_now_and_then_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    made, out = told()
    hear(made, *DONE, *RUNNING[:2])
    assert out.getvalue().splitlines()[-1] == (
        "[ 1/10 trials], 1 running, about 13 min left: search-st-depth-000 1/2 epochs"
    )


def test_on_a_terminal_the_table_goes_and_what_failed_stays() -> None:
    made, out = told(terminal=True)
    with made.shown():
        hear(made, *DONE, *FAILED, *RUNNING)
        made.say("Note: [this] stays")
    said = out.getvalue()
    assert "Note: [this] stays" in said
    assert "search-st-depth-001 FAILED: no luck" in said
    assert "search-mt-uncertainty-000 done" not in said
    assert " min left" in said
    assert said.endswith("\x1b[2K"), "the table is wiped"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (5400, "1.5 h"), (86400, "24.0 h")],
)
def test_a_span_of_time_is_as_fine_as_anyone_cares(seconds: float, words: str) -> None:
    assert duration(seconds) == words
