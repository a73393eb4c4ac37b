"""What a study would run: arms, trials by phase, epochs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from study.budget import greatest_of, num_search_trials, values_in_words
from study.conditions import searched_by
from study.goals import Goal
from study.limits import IN_WORDS, limit_in_words
from study.search_language import Parameter
from study.settings import Settings, settings_of
from study.space import Space
from study.trainable import TrainConfig
from study.words import counted, trial_noun


@dataclass(frozen=True, kw_only=True)
class ArmPlan:
    """The trainings of one arm."""

    name: str
    tasks: tuple[str, ...]
    num_search: int
    num_confirm: int
    max_epochs: int
    """Of all its trials, if none is stopped early."""
    objective: str
    searched: Mapping[str, Parameter]

    @property
    def num_trials(self) -> int:
        """Trainings over both phases."""
        return self.num_search + self.num_confirm


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The trainings of a study."""

    space: Space
    data: str
    """Which images, in words."""
    arms: tuple[ArmPlan, ...]

    @property
    def num_trials(self) -> int:
        """Trainings of all arms."""
        return sum(arm.num_trials for arm in self.arms)

    @property
    def max_epochs(self) -> int:
        """Epochs of all trainings, if none is stopped early."""
        return sum(arm.max_epochs for arm in self.arms)


def make_plan(space: Space) -> Plan:
    """What a study would run."""
    arms = tuple(_arm_plan(space, arm) for arm in space.arms)
    first = settings_of(space, arms[0].name)
    data = _data(first) if isinstance(first, TrainConfig) else _of_checkpoint(space.checkpoint)
    return Plan(space=space, data=data, arms=arms)


def _arm_plan(space: Space, arm: str) -> ArmPlan:
    config = settings_of(space, arm)
    num_search, num_confirm = num_search_trials(space, arm), len(space.confirm.seeds)
    objective = space.objective_of(arm)
    searched = searched_by(space, arm)
    return ArmPlan(
        name=arm,
        tasks=config.tasks,
        num_search=num_search,
        num_confirm=num_confirm,
        max_epochs=(num_search + num_confirm) * _most_epochs(config, searched),
        objective=" against ".join(map(_in_words, objective.goals)),
        searched=searched,
    )


def _in_words(goal: Goal) -> str:
    return f"{'lowest' if goal.mode == 'min' else 'highest'} {goal.metric}"


def _most_epochs(config: Settings, searched: Mapping[str, Parameter]) -> int:
    """Of one training: the arm's own, or what is searched instead."""
    parameter = searched.get("epochs")
    if parameter is None:
        return config.epochs
    own = [config.epochs] if parameter.when else []
    return max([*own, greatest_of(parameter)])


def _of_checkpoint(checkpoint: str | None) -> str:
    return f"that of the model {checkpoint or 'that --set checkpoint=DIR is yet to name'}"


def _data(config: TrainConfig) -> str:
    data, world = config.data, config.data.driveworld
    size = f"seen at {data.width}x{data.height}"
    if data.mix:
        others = (f"{x.weight:g} times as much of {x.name} at {x.root}" for x in data.mix)
        size += f"; training draws {', '.join(others)} as well"
    if data.root is not None or data.name != "driveworld":
        return f"{data.name} at {data.root}, split {data.split}, {size}"
    drives = f"{world.num_train_drives} + {world.num_val_drives} + {world.num_test_drives} drives"
    return (
        f"driveworld, a procedural street rendered on first use: {drives} of {world.num_frames} "
        f"frames (train + validation + test), {size}"
    )


def render(plan: Plan) -> RenderableType:
    """The plan for a person who has never seen a study."""
    space = plan.space
    return Group(
        Text(f"Study {space.study!r}: {space.question}", style="bold"),
        Text(f"Data: {plan.data}"),
        Text(),
        _arms_table(plan),
        Text(),
        *(Text(line) for line in (*_searched(plan), *_phases(plan), *_resources(space))),
    )


def _arms_table(plan: Plan) -> Table:
    table = Table(title="What is compared", title_justify="left")
    table.add_column("arm", overflow="fold")
    table.add_column("learns")
    table.add_column("settings are chosen by", overflow="fold")
    trains = plan.space.kind == "training"
    for heading in ("search", "confirm", "epochs at most") if trains else ("search",):
        table.add_column(heading, justify="right")
    for arm in plan.arms:
        numbers = (arm.num_search, *((arm.num_confirm, arm.max_epochs) if trains else ()))
        cells = (arm.name, " + ".join(arm.tasks), arm.objective, *map(str, numbers))
        table.add_row(*map(escape, cells))
    return table


def _searched(plan: Plan) -> list[str]:
    """Each searched parameter, with the arms that search it."""
    search = plan.space.search
    if search is None:
        return _inner(plan.space)
    lines = ["Nothing is searched: arms are taken as they are set."]
    if search.space:
        lines = ["What is searched, for each arm on its own:"]
    for name, parameter in search.space.items():
        arms = [arm.name for arm in plan.arms if name in arm.searched]
        who = "all arms" if len(arms) == len(plan.arms) else ", ".join(arms)
        lines.append(f"  {describe(name, parameter)} ({who})")
    if search.enqueue:
        lines.append(f"  first: {counted(len(search.enqueue), 'point')} of search.enqueue")
    return [*lines, "", *_inner(plan.space)]


def _inner(space: Space) -> list[str]:
    """What is searched at the end of each training."""
    inner = space.inner_search
    if inner is None:
        return []
    return [
        f"At the end of each training that learns instances, {counted(inner.trials, 'clustering')} "
        f"for the {_in_words(inner.objective)}:",
        *(f"  {describe(name, parameter)}" for name, parameter in inner.space.items()),
        "",
    ]


def describe(name: str, parameter: Parameter) -> str:
    """A searched parameter in a few words: its name and what it may be."""
    when = " and ".join(f"{field} is {value}" for field, value in parameter.when.items())
    own = {"grid": ", each as often", "random": ", at random"}.get(parameter.sampler or "", "")
    return f"{name}: {values_in_words(parameter)}{own}" + (f", when {when}" if when else "")


def _phases(plan: Plan) -> list[str]:
    space = plan.space
    num_search, noun = sum(arm.num_search for arm in plan.arms), trial_noun(space.kind)
    epochs = f", {counted(plan.max_epochs, 'epoch')} at most" if space.kind == "training" else ""
    lines = [f"{counted(plan.num_trials, noun)}{epochs}:"]
    if space.search:
        look = f"{counted(num_search, noun)} look{'s' if num_search == 1 else ''}"
        lines.append(f"  search   {look} for good settings of each arm")
        lines.append("           on the validation split" + _early(space))
    if not space.confirm.seeds:
        seeds = ", with one seed each" if space.kind == "training" else ""
        what = f"the best of each arm to {space.compare.baseline}{seeds}, in"
        test = [f"  test     opened once, at the end, to compare {what}"]
        return [*lines, *test, *_metrics(space)]
    num_confirm, num_seeds = plan.num_trials - num_search, len(space.confirm.seeds)
    seeds = f"seed{'s' if num_seeds > 1 else ''} {', '.join(map(str, space.confirm.seeds))}"
    what = "the best settings of each arm" if space.search else "each arm"
    again = " again" if space.search else ""
    both = space.confirm.train_on != "train"
    lines += [
        f"  confirm  {counted(num_confirm, 'training')}: {what}{again} with {seeds}",
        *(["           on the training and validation split, with nothing left to choose"] * both),
        f"  test     opened once, at the end, to compare these to {space.compare.baseline} in",
    ]
    return [*lines, *_metrics(space)]


def in_words_by_arm(space: Space) -> list[str]:
    """What a trial occupies: `1 CPUs and 0 GPUs`, with the arms that it is of where they differ."""
    arms: dict[str, list[str]] = {}
    for arm in space.arms:
        arms.setdefault(space.resources_of(arm).in_words(), []).append(arm)
    return [each if len(arms) == 1 else f"{each} ({', '.join(own)})" for each, own in arms.items()]


def _resources(space: Space) -> list[str]:
    told = in_words_by_arm(space) if any(arm.resources for arm in space.arms.values()) else []
    lines = [f"  {'a trial' if not n else '':9}{each}" for n, each in enumerate(told)]
    if all(space.resources_of(arm).gpus != "auto" for arm in space.arms):
        return lines
    return [
        *lines,
        "  GPUs     resources.gpus: auto: how many trials share one is measured by a few steps of",
        "           each kind of trial before the study starts; 0 where there is none",
    ]


def _metrics(space: Space) -> list[str]:
    lines = [f"           {metric}" for metric in space.compare.metrics]
    told = [limit_in_words(space.budget, n) for n in IN_WORDS if getattr(space.budget, n)]
    return [*lines, f"  budget   search and confirm end at {' or '.join(told)}"] if told else lines


def _early(space: Space) -> str:
    if space.scheduler.name == "none":
        return ""
    grace = counted(space.scheduler.grace_epochs, "epoch")
    return f"; poor ones end early, after {grace} or more"
