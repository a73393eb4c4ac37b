"""What a space file may say of searches: parameters, how they are proposed, how often."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from study.goals import Goal
from study.space_types import Database, Part

MAX_GRID_POINTS = 100_000
MAX_WHOLE = 2**53
"""Whole numbers beyond are no longer told apart."""


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
    when: dict[str, Any] = Field(default={})
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
    space: dict[str, Parameter] = Field(default={})
    """Searched fields of the training, by dotted name."""
    enqueue: tuple[dict[str, Any], ...] = ()
    """Points to try first, in order, by every arm that searches their parameters; what a point
    leaves out, the sampler proposes. The arm's own values come next; without points, first."""
    storage: Database | None = None
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
