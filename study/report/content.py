"""What a report says, ready to be set in HTML, Markdown or LaTeX: text and numbers, no markup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from study.cost_words import against_actual
from study.report import course
from study.report.answer import answer
from study.report.arm_table import ArmRow, arm_row, num_seeds_of
from study.report.claims import mark_note
from study.report.differences import difference_notes, difference_row, interval_notes
from study.report.drawing import Picture
from study.report.gain_table import gain_notes, gain_rows
from study.report.importance import importance_rows
from study.report.numbers import with_arrow
from study.report.pareto import front_rows
from study.report.repeating import needed
from study.results import Results
from study.space_loading import space_as_yaml
from study.words import trial_noun

_TOLD = ("planned", "actual", "cut_off", "tested_phase")
"""Of the manifest: what the report says in words."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """All pictures of a report."""

    differences: list[Picture] = field(default_factory=list)
    two_tasks: list[Picture] = field(default_factory=list)
    tradeoffs: list[Picture] = field(default_factory=list)
    images: list[Picture] = field(default_factory=list)
    curves: list[Picture] = field(default_factory=list)
    weights: list[Picture] = field(default_factory=list)
    searches: list[Picture] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Content:
    """All that a report says."""

    study: str
    question: str
    answer: str
    is_finished: bool
    cut_off: list[str]
    """That the budget ended the study, and what that leaves undone."""
    metrics: list[str]
    """Columns of the main table, with an arrow towards better."""
    rows: list[ArmRow]
    footnotes: list[str]
    mark_note: str
    """What marks in the main table mean, and by which test."""
    caption: str
    """What a number in the main table is."""
    trials: str
    """What trials are, in the plural."""
    pairs: str
    """What differences are over."""
    front: list[dict[str, str]]
    """Trials that no other of their arm beats in all that is traded."""
    differences: list[dict[str, str]]
    difference_notes: list[str]
    interval_notes: list[str]
    gains: list[dict[str, str]]
    gain_notes: list[str]
    searched: list[str]
    best: list[dict[str, str]]
    importances: list[dict[str, str]]
    """How much each setting mattered to an arm."""
    tuned: list[dict[str, str]]
    """What the inner search chose for final trainings."""
    costs: list[dict[str, str]]
    planned: list[dict[str, str]]
    """What the study was to cost, beside what it came to."""
    failures: list[dict[str, str]]
    shut: list[str]
    """How the test split was kept shut."""
    command: str
    needed: list[tuple[str, str]]
    """What repeating it takes, in words."""
    facts: list[tuple[str, str]]
    """The manifest, flat."""
    space: str
    """The space file, as it was read."""
    figures: Figures

    pictures_note: str
    """How to read the pictures of the arms."""
    searches_note: str = (
        "Dots are completed trials, rings those that ended early, crosses those that failed; the "
        "line is the best so far. By a setting, later trials are darker."
    )

    @property
    def has_cut(self) -> bool:
        """Whether any trial was cut short by the budget."""
        return any(row["cut"] != "0" for row in self.costs)

    @property
    def has_intervals(self) -> bool:
        """Whether any mean is over two seeds or more."""
        return any(row.has_intervals for row in self.rows)


def make_content(results: Results, figures: Figures | None = None) -> Content:
    """Puts results into words.

    Args:
        results: of the study.
        figures: its pictures; left out, none.
    """
    space = results.space
    footnotes: list[str] = []
    metrics = list(space.compare.metrics)
    return Content(
        study=space.study,
        question=space.question,
        answer=answer(results),
        is_finished=bool(results.manifest.get("ended")),
        cut_off=course.cut_off(results),
        metrics=[with_arrow(metric) for metric in metrics],
        rows=[arm_row(results, arm, metrics, footnotes) for arm in space.arms],
        footnotes=footnotes,
        mark_note=mark_note(results),
        caption=_caption(results),
        trials=f"{trial_noun(space.kind)}s",
        pairs="images" if space.kind == "clustering" else "pairs",
        front=front_rows(results),
        differences=[difference_row(c) for c in results.comparisons],
        difference_notes=difference_notes(results),
        interval_notes=interval_notes(results),
        gains=gain_rows(results),
        gain_notes=gain_notes(results),
        searched=course.searched(results),
        best=[course.best_row(results, arm, trial) for arm, trial in results.best.items()],
        importances=importance_rows(results),
        tuned=course.tuned(results),
        costs=course.costs(results),
        planned=against_actual(results.manifest.get("planned"), results.manifest.get("actual")),
        failures=course.failures(results),
        shut=course.how_test_was_shut(results),
        command=str(results.manifest.get("command", "python -m study.run --space space.yaml")),
        needed=needed(results),
        facts=list(_flat({k: v for k, v in results.manifest.items() if k not in _TOLD})),
        pictures_note=_pictures_note(results),
        space=space_as_yaml(space),
        figures=figures or Figures(),
    )


def _caption(results: Results) -> str:
    if results.space.kind == "clustering":
        return "The best clustering of each arm"
    num_seeds = num_seeds_of(results)
    if num_seeds == 1:
        return "One training of each arm"
    return f"Mean ± standard deviation over {num_seeds} seeds"


def _pictures_note(results: Results) -> str:
    offsets = "The colour of an offset is its direction, the fuller the longer."
    if results.space.kind == "clustering":
        return f"The same test images, by the best clustering of each arm. {offsets}"
    return (
        "The same test images for each arm, by the model of its first seed. A prediction of depth "
        "is scaled to the median of the truth, and an image has one range of depth for all arms. "
        "In an error, blue is too near, red too far, and dark grey is where no truth is known. "
        f"{offsets}"
    )


def _flat(manifest: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    for name, value in manifest.items():
        if isinstance(value, Mapping):
            facts += _flat(value, f"{prefix}{name}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            facts.append((f"{prefix}{name}", text))
    return facts
