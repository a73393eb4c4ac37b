"""The main table of a report: arms by metric."""

from __future__ import annotations

from dataclasses import dataclass

from study.report.claims import mark_of
from study.report.gain_table import gain_of
from study.report.numbers import ABSENT, mean_and_std, span
from study.results import Results, Row
from study.trainable import higher_is_better


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One arm in one metric."""

    text: str
    note: int | None = None
    """Number of the footnote that says why there is no value, or fewer than there are seeds."""
    is_best: bool = False
    is_second: bool = False
    """The next best mean, where there are three or more."""
    interval: str = ""
    """Of the mean, by bootstrap over seeds."""
    mark: str = ""
    """`*` where it is clearly better than its reference, `†` where worse."""


@dataclass(frozen=True, kw_only=True)
class ArmRow:
    """One arm of the main table."""

    arm: str
    cells: list[Cell]
    gain: str
    """Delta_m over arms of one task, or a dash."""
    sources: list[tuple[list[str], list[str]]]
    """Metrics, and the trials and MLflow runs that their numbers come from."""

    @property
    def has_intervals(self) -> bool:
        """Whether a mean of it is over two seeds or more."""
        return any(cell.interval for cell in self.cells)


def arm_row(results: Results, arm: str, metrics: list[str], footnotes: list[str]) -> ArmRow:
    """An arm's row; why a value is missing is added to the footnotes."""
    cells = []
    for metric in metrics:
        summary = results.summaries[arm][metric]
        why = _why_fewer(results, arm, metric)
        if why and why not in footnotes:
            footnotes.append(why)
        cells.append(
            Cell(
                text=mean_and_std(summary) if summary.num else ABSENT,
                note=footnotes.index(why) + 1 if why else None,
                is_best=_rank(results, arm, metric) == 0,
                is_second=_rank(results, arm, metric) == 1,
                interval="" if summary.num < 2 else span(*summary.interval),
                mark=mark_of(results, arm, metric),
            )
        )
    return ArmRow(
        arm=arm, cells=cells, gain=gain_of(results, arm), sources=_sources(results, arm, metrics)
    )


def _sources(results: Results, arm: str, metrics: list[str]) -> list[tuple[list[str], list[str]]]:
    """Metrics whose numbers come from the same trials stand together."""
    by_runs: dict[tuple[str, ...], list[str]] = {}
    for metric in metrics:
        seeds = results.values.get(arm, {}).get(metric, {})
        runs = tuple(
            f"{t['trial_key']} ({_run(t)})"
            for t in results.trials
            if (t["phase"], t["arm"]) == (results.final_phase, arm)
            and t["seed"] in seeds
            and metric in t["metrics"]
        )
        by_runs.setdefault(runs, []).append(metric)
    return [(own, list(runs)) for runs, own in by_runs.items() if runs]


def _run(trial: Row) -> str:
    return f"run {trial['mlflow_run_id']}" if trial["mlflow_run_id"] else "not tracked"


def num_seeds_of(results: Results) -> int:
    """How many trainings an arm is to be judged by: one, in a study that confirms nothing."""
    return len(results.space.confirm.seeds) if results.final_phase == "confirm" else 1


def _why_fewer(results: Results, arm: str, metric: str) -> str | None:
    num, num_seeds = results.summaries[arm][metric].num, num_seeds_of(results)
    if num == 0:
        return results.why_missing(arm, metric)
    why = "the budget was spent" if results.manifest.get("cut_off") else "the others gave no value"
    return f"over {num} of {num_seeds} seeds: {why}" if num < num_seeds else None


def _rank(results: Results, arm: str, metric: str) -> int | None:
    """0 for the best mean and 1 for the next; None for others, and where there is no contest."""
    means = {a: s[metric].mean for a, s in results.summaries.items() if s[metric].num}
    if len(means) < 2 or arm not in means:
        return None
    order = sorted(set(means.values()), reverse=higher_is_better(metric))
    rank = order.index(means[arm])
    return rank if rank == 0 or (rank == 1 and len(means) > 2) else None
