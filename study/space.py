"""The language of studies: what a space file may say.

`study.space_loading` reads files and names the line of a mistake; `study.space_checks` holds what
is said against the training that it is said of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from study.goals import Objective
from study.nesting import expanded, merged
from study.resources import ArmResources
from study.resources import Resources as Resources
from study.search_language import InnerSearch, Search
from study.space_types import Part, PathSafe, StudyName

MAX_SEED = 2**63 - 1
"""Tables hold no greater one."""

IN_MLFLOW = ("runs:/", "models:/")
"""How the name of a checkpoint begins that is not a directory."""
Kind = Literal["training", "clustering"]


class Arm(Part):
    """One level of what is compared."""

    set: dict[str, Any] = Field(default={})
    """Fields of the training that make this arm, over `base`: nested, or by dotted name."""
    objective: Objective | None = None
    """What this arm is tuned for, where that is not the study's `objective`."""
    search: bool = True
    """Whether its settings are searched; if not, it is taken as it is set."""
    resources: ArmResources | None = None
    """What its trials occupy, where that is not what the study's `resources` say."""


class Scheduler(Part):
    """Whether poor trials end early, judged against trials of their own arm alone."""

    name: Literal["asha", "none"] = "none"
    """Asynchronous successive halving (Li et al. 2020), or none."""
    grace_epochs: Annotated[int, Field(ge=1)] = 1
    """No trial ends before so many epochs."""
    reduction_factor: Annotated[float, Field(gt=1)] = 3
    """At each rung, one of so many goes on."""


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
    train_on: Literal["train", "train+val"] = "train"
    """`train+val`: with settings that are chosen, learn from the validation split as well, for all
    epochs of the arm. Nothing is chosen after that, as no split is left to choose by."""

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


class Pictures(Part):
    """Pictures of how each training comes along, on the validation split."""

    every_epochs: Annotated[int, Field(ge=0)] = 5
    """One after each so many epochs, and after the last; 0 draws none. A clustering draws none."""


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
    base: dict[str, Any] = Field(default={})
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
    pictures: Pictures = Pictures()

    def objective_of(self, arm: str) -> Objective:
        """What an arm is tuned for."""
        return self.arms[arm].objective or self.objective

    def resources_of(self, arm: str) -> Resources:
        """What a trial of an arm occupies."""
        own = self.arms[arm].resources
        return own.over(self.resources) if own else self.resources

    def resources_path(self, arm: str) -> str:
        """Where that is said."""
        return f"arms.{arm}.resources" if self.arms[arm].resources else "resources"

    @property
    def num_devices(self) -> dict[str, float]:
        """How many a trial holds while it runs, by its arm."""
        return {arm: self.resources_of(arm).num_devices for arm in self.arms}

    def confirm_config(
        self,
        arm: str,
        params: Mapping[str, Any],
        seed: int,
        tuned: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """A confirmed trial of an arm as nested settings; see `arm_config`.

        Args:
            arm: its name.
            params: what the search found.
            seed: of the trial.
            tuned: what the inner search chose for the best trial; it stays, where no split is left
                to choose by.
        """
        if self.confirm.train_on == "train":
            return self.arm_config(arm, params, seed)
        config = self.arm_config(arm, {**params, **(tuned or {})}, seed)
        return merged(config, {"data": {"train_on": self.confirm.train_on}})

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
