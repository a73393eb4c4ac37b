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


PathSafe = Annotated[str, AfterValidator(_path_safe)]
StudyName = Annotated[str, AfterValidator(_study_name)]


class Part(BaseModel):
    """A frozen part of a space, which knows no field but its own."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )


class Objective(Part):
    """What an arm is tuned for."""

    metric: str
    """A metric of the validation split, `val/<task>/<metric>`."""
    mode: Literal["min", "max"]
    """Whether less of it is better, or more."""
    fallback: str | None = None
    """Used instead, in the same mode, where the validation split has no truth for `metric`: a real
    KITTI drive without lidar, say."""


class Arm(Part):
    """One level of what is compared."""

    set: dict[str, Any] = {}
    """Fields of the training that make this arm, over `base`: nested, or by dotted name."""
    objective: Objective | None = None
    """What this arm is tuned for, where that is not the study's `objective`."""


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
            raise ValueError(f"a {self.type} parameter needs low and high")
        if self.low >= self.high:
            raise ValueError(f"expected low < high, found {self.low:g} and {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"a logarithmic scale needs low > 0, found {self.low:g}")
        if self.log and self.step is not None:
            raise ValueError("a logarithmic scale has no step")
        whole = all(v is None or v == int(v) for v in (self.low, self.high, self.step))
        if self.type == "int" and not whole:
            raise ValueError("low, high and step of an int parameter must be whole numbers")

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

    name: Literal["tpe", "random", "grid"] = "tpe"
    """Tree-structured Parzen estimator, uniform draws, or every combination in turn."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Proposals follow from it."""


class Search(Part):
    """Phase one: each arm gets the same number of trials to find its best configuration."""

    trials_per_arm: Annotated[int, Field(ge=1)]
    """How many configurations an arm may try."""
    sampler: Sampler = Sampler()
    space: dict[str, Parameter] = {}
    """Searched fields of the training, by dotted name."""

    @model_validator(mode="after")
    def _grid_can_be_listed(self) -> Self:
        if self.sampler.name != "grid":
            return self
        for name, parameter in self.space.items():
            if math.isinf(parameter.num_values()):
                raise ValueError(f"a grid needs a step for the float parameter {name!r}")
        num_points = math.prod(parameter.num_values() for parameter in self.space.values())
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


class Confirm(Part):
    """Phase two: the best of each arm, trained again with seeds that the search never saw."""

    seeds: tuple[Annotated[int, Field(ge=0)], ...] = ()
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

    study: StudyName
    """A short name: of directories, of the MLflow experiment, of registered models."""
    question: str
    """What the study asks, in a sentence."""
    base: dict[str, Any] = {}
    """Fields of the training that all arms share: nested, or by dotted name."""
    arms: Annotated[dict[PathSafe, Arm], Field(min_length=1)]
    """What is compared: equal budgets, paired seeds."""
    objective: Objective
    search: Search | None = None
    """Left out, each arm is confirmed as it is set."""
    scheduler: Scheduler = Scheduler()
    confirm: Confirm = Confirm()
    compare: Compare
    resources: Resources = Resources()

    def objective_of(self, arm: str) -> Objective:
        """What an arm is tuned for."""
        return self.arms[arm].objective or self.objective

    def arm_config(
        self, arm: str, params: Mapping[str, Any] | None = None, seed: int | None = None
    ) -> dict[str, Any]:
        """The training of an arm as nested settings, for `TrainConfig`.

        Args:
            arm: its name.
            params: values of searched fields by dotted name, over what `base` and the arm set.
            seed: over all; left out, the one of `base` holds, which is the search's.
        """
        config = merged(expanded(self.base), expanded(self.arms[arm].set))
        config = merged(config, expanded(params or {}))
        return config if seed is None else merged(config, {"seed": seed})
