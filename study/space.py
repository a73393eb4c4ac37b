"""The language of studies: what a space file may say.

`study.space_loading` reads files and names the line of a mistake; `study.space_checks` holds what
is said against the training that it is said of.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from study.nesting import expanded, merged

MAX_GRID_POINTS = 100_000
MAX_WHOLE = 2**53
"""Whole numbers beyond are no longer told apart."""
MAX_SEED = 2**63 - 1
"""Tables hold no greater one."""


def _path_safe(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise ValueError(
            "expected up to 64 letters, digits, '-' and '_', with no '-' or '_' at the start"
        )
    return name


def _study_name(name: str) -> str:
    if name != name.lower():
        raise ValueError("expected lower-case letters")
    return _path_safe(name)


def _database(url: str) -> str:
    """Never shows what it found: there may be a password in it."""
    if not re.fullmatch(r"[a-z][a-z0-9+]*://\S*", url):
        raise ValueError("expected a database URL such as sqlite:///optuna.db, found another text")
    if re.search(r"://[^/@:]*:(?!\$\{\w+\}@)[^/]*@|[?&]password=(?!\$\{)", url):
        raise ValueError(
            "found a password, and this is kept with the study: write ${NAME} instead, and put it "
            "into the environment variable NAME"
        )
    return url


IN_MLFLOW = ("runs:/", "models:/")
"""How the name of a checkpoint begins that is not a directory."""
Kind = Literal["training", "clustering"]
PathSafe = Annotated[str, AfterValidator(_path_safe)]
StudyName = Annotated[str, AfterValidator(_study_name)]


class Part(BaseModel):
    """A frozen part of a space, which knows no field but its own."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )


class Goal(Part):
    """A metric, and which way it is to go."""

    metric: str
    """A metric of the validation split, `val/<task>/<metric>`."""
    mode: Literal["min", "max"]
    """Whether less of it is better, or more."""


class Objective(Goal):
    """What an arm is tuned for."""

    fallback: str | None = None
    """Used instead, in the same mode, where the validation split has no truth for `metric`: a real
    KITTI drive without lidar, say."""
    against: tuple[Goal, ...] = ()
    """What it is traded against. The search then looks for trials that none other beats in all of
    them, the Pareto front; the best of an arm still is the one that is best in `metric`."""

    @property
    def goals(self) -> tuple[Goal, ...]:
        """The objective itself, and what it is traded against."""
        return (self, *self.against)


class Arm(Part):
    """One level of what is compared."""

    set: dict[str, Any] = {}
    """Fields of the training that make this arm, over `base`: nested, or by dotted name."""
    objective: Objective | None = None
    """What this arm is tuned for, where that is not the study's `objective`."""
    search: bool = True
    """Whether its settings are searched; if not, it is taken as it is set."""


class Parameter(Part):
    """One searched field of the training."""

    type: Literal["float", "int", "categorical", "bool"]
    """`float` and `int` lie between `low` and `high`; `categorical` is one of `choices`."""
    low: float | None = None
    """Smallest value, included."""
    high: float | None = None
    """Largest value, included."""
    log: bool = False
    """Search on a logarithmic scale."""
    step: Annotated[float, Field(gt=0)] | None = None
    """Distance between neighbouring values; a grid over a float needs one."""
    choices: tuple[Any, ...] | None = None
    """The values of a `categorical`."""
    when: dict[str, Any] = {}
    """Searched only where these fields have these values; a list of values means any of them."""
    sampler: Literal["grid", "random"] | None = None
    """How this one is chosen, where that is not the arm's sampler. `grid`: its values are dealt
    evenly over the arm's trials, each combination of such parameters as often as any other;
    `random`: drawn from all of its range, whatever was learned."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type in ("float", "int"):
            self._check_range()
            return self
        given = [name for name in ("low", "high", "step") if getattr(self, name) is not None]
        if given or self.log:
            raise ValueError(f"a {self.type} parameter has no {(given or ['log'])[0]}")
        if self.type == "bool" and self.choices is not None:
            raise ValueError("a bool parameter has no choices: it is true or false")
        if self.type == "categorical":
            choices = self.choices or ()
            if len(choices) < 2 or any(c in choices[:i] for i, c in enumerate(choices)):
                raise ValueError(f"expected two or more different choices, found {list(choices)}")
        return self

    def _check_range(self) -> None:
        if self.choices is not None:
            raise ValueError(f"choices belong to a categorical parameter, not to {self.type}")
        if self.low is None or self.high is None:
            kind = "an int" if self.type == "int" else "a float"
            raise ValueError(f"{kind} parameter needs low and high")
        if self.low >= self.high:
            raise ValueError(f"expected low < high, found {self.low:g} and {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"a logarithmic scale needs low > 0, found {self.low:g}")
        if self.log and self.step is not None:
            raise ValueError("a logarithmic scale has no step")
        numbers = [v for v in (self.low, self.high, self.step) if v is not None]
        if self.type == "int" and any(v != int(v) or abs(v) > MAX_WHOLE for v in numbers):
            raise ValueError(
                "low, high and step of an int parameter must be whole numbers, of at most 2**53"
            )
        if self.step and (self.high - self.low) / self.step > MAX_WHOLE:
            raise ValueError(f"expected at most 2**53 steps, found more of {self.step:g}")
        if math.isinf(self.high - self.low):
            raise ValueError("expected a range that can be told as a number, found a wider one")

    def num_values(self) -> float:
        """How many values it may take, infinity among the answers; a grid lists them all."""
        if self.low is None or self.high is None:
            return len(self.choices or (False, True))
        if self.type == "float" and self.step is None:
            return math.inf
        return 1 + int((_exact(self.high) - _exact(self.low)) // _exact(self.step or 1))

    def nth_value(self, index: int) -> float:
        """So many steps above `low`: as decimals, where 0.1 + 2 * 0.1 is 0.3 and no more."""
        assert self.low is not None
        return float(_exact(self.low) + index * _exact(self.step or 1))


def _exact(value: float) -> Decimal:
    """The decimal number that was written."""
    return Decimal(str(value))


class Sampler(Part):
    """How configurations are proposed; each arm has a sampler of its own."""

    name: Literal["tpe", "gp", "random", "grid", "nsga2"] = "tpe"
    """`tpe`: tree-structured Parzen estimator (Bergstra et al. 2011); `gp`: Gaussian process, which
    gets most out of few trials; `random`: uniform draws; `grid`: every combination in turn;
    `nsga2`: an evolving population (Deb et al. 2002). A parameter whose `when` names another
    searched one is proposed on its own by `tpe`, and at random by `gp` and `nsga2`."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Proposals follow from it."""
    population_size: Annotated[int, Field(ge=2)] = 10
    """Trials of a generation of `nsga2`, of which the first is drawn at random. Trials that were
    stopped early or failed belong to none."""


class Search(Part):
    """Phase one: each arm gets the same number of trials to find its best configuration."""

    trials_per_arm: Annotated[int, Field(ge=1)]
    """How many configurations an arm may try."""
    sampler: Sampler = Sampler()
    space: dict[str, Parameter] = {}
    """Searched fields of the training, by dotted name."""
    enqueue: tuple[dict[str, Any], ...] = ()
    """Points to try first, in order, by every arm that searches their parameters; what a point
    leaves out, the sampler proposes. The arm's own values come next; without points, first."""
    storage: Annotated[str, AfterValidator(_database)] | None = None
    """Database of Optuna's studies, for optuna-dashboard: `sqlite:///optuna.db`, or
    `postgresql://me:${NAME}@host/db` with the password in the environment variable NAME. There
    they are named `<study id>/<arm>`. Left out, a journal in the study directory."""

    def sampler_of(self, name: str) -> str:
        """What proposes a parameter: a sampler of its own, or the arm's."""
        return self.space[name].sampler or self.sampler.name

    @model_validator(mode="after")
    def _grid_can_be_listed(self) -> Self:
        swept = {n: p for n, p in self.space.items() if self.sampler_of(n) == "grid"}
        for name, parameter in swept.items():
            if math.isinf(parameter.num_values()):
                raise ValueError(f"a grid needs a step for the float parameter {name!r}")
        num_points = math.prod(parameter.num_values() for parameter in swept.values())
        if num_points > MAX_GRID_POINTS:
            raise ValueError(
                f"expected a grid of at most {MAX_GRID_POINTS} points, found {num_points:g}"
            )
        return self


class Scheduler(Part):
    """Whether poor trials end early, judged against trials of their own arm alone."""

    name: Literal["asha", "none"] = "none"
    """Asynchronous successive halving (Li et al. 2020), or none."""
    grace_epochs: Annotated[int, Field(ge=1)] = 1
    """No trial ends before so many epochs."""
    reduction_factor: Annotated[float, Field(gt=1)] = 3
    """At each rung, one of so many goes on."""


class InnerSearch(Part):
    """How instances are clustered, searched at the end of each training that learns them.

    The offsets of the validation split are predicted once, and clustered in many ways; the model
    keeps the best, and is judged by it from then on. So arms are compared at the best clustering
    of each training, at no further training.
    """

    trials: Annotated[int, Field(ge=1)]
    """How many ways of clustering each training may try; the first is the one that it is set to."""
    objective: Goal = Goal(metric="val/instances/ap50", mode="max")
    sampler: Sampler = Sampler()
    space: Annotated[dict[str, Parameter], Field(min_length=1)]
    """Searched fields of `optics`, by dotted name."""


class Budget(Part):
    """Where a study ends, with all that it has; what is left out has no limit.

    Search and confirmation count, the test phase does not. When a limit is reached, no trial is
    dealt any more. The best of each arm is then compared with what it has: see `docs/cost.md`.
    """

    trials: Annotated[int, Field(ge=1)] | None = None
    """So many trials are dealt, over all arms; each of them runs to its end."""
    device_hours: Annotated[float, Field(gt=0)] | None = None
    """Sum over all trials, each times the devices that it holds. Trials that run when it is reached
    end with the epoch that they report next."""
    hours: Annotated[float, Field(gt=0)] | None = None
    """In which any trial ran, interruptions left out. Trials end as with `device_hours`."""

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return any(limit is not None for limit in (self.trials, self.device_hours, self.hours))


class Confirm(Part):
    """Phase two: the best of each arm, trained again with seeds that the search never saw."""

    seeds: tuple[Annotated[int, Field(ge=0, le=MAX_SEED)], ...] = ()
    """One training an arm for each; the same seed in every arm makes a pair."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"expected each seed once, found {list(self.seeds)}")
        return self


class Compare(Part):
    """Phase three: what is read off the test split, and against which arm."""

    baseline: str
    """The arm that differences are taken to."""
    metrics: Annotated[tuple[str, ...], Field(min_length=1)]
    """Metrics of the test split, `test/<task>/<metric>`."""
    test: Literal["permutation", "wilcoxon"] = "permutation"
    """Where p-values come from: sign flips of the paired differences, or Wilcoxon's signed ranks,
    which go by the differences' order, and are not led by a single large one."""


class Resources(Part):
    """What one trial occupies."""

    cpus: Annotated[float, Field(gt=0)] = 1
    gpus: Annotated[float, Field(ge=0)] = 0
    """May be a fraction: 0.5 puts two trials on a GPU."""


class Space(Part):
    """One question, and everything that is tried to answer it."""

    kind: Kind = "training"
    """`training`: a trial trains a network. `clustering`: a trial clusters what a trained one says,
    and settings are those of `optics` alone."""
    study: StudyName
    """A short name: of directories, of the MLflow experiment, of registered models."""
    question: str
    """What the study asks, in a sentence."""
    checkpoint: str | None = None
    """Of a clustering: the trained model. A directory, or MLflow's `runs:/<run>/<path>` or
    `models:/<name>@<alias>`, which hold one."""
    base: dict[str, Any] = {}
    """Fields of the training that all arms share: nested, or by dotted name."""
    arms: Annotated[dict[PathSafe, Arm], Field(min_length=1)]
    """What is compared: equal budgets, paired seeds."""
    objective: Objective
    search: Search | None = None
    """Left out, each arm is confirmed as it is set."""
    scheduler: Scheduler = Scheduler()
    inner_search: InnerSearch | None = None
    confirm: Confirm = Confirm()
    budget: Budget = Budget()
    compare: Compare
    resources: Resources = Resources()

    def objective_of(self, arm: str) -> Objective:
        """What an arm is tuned for."""
        return self.arms[arm].objective or self.objective

    def arm_config(
        self, arm: str, params: Mapping[str, Any] | None = None, seed: int | None = None
    ) -> dict[str, Any]:
        """A trial of an arm as nested settings: of a training, or of a clustering.

        Args:
            arm: its name.
            params: values of searched fields by dotted name, over what `base` and the arm set.
            seed: over all; left out, the one of `base` holds, which is the search's. A clustering
                has none.
        """
        config = merged(expanded(self.base), expanded(self.arms[arm].set))
        config = merged(config, expanded(params or {}))
        if seed is None or self.kind == "clustering":
            return config
        return merged(config, {"seed": seed})
