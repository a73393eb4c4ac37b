"""What a space says, held against the training that it is said of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from study.budget import values_of
from study.conditions import searched_by
from study.documents import FieldError, FieldPath
from study.goals import Goal
from study.nesting import expanded, value_at
from study.plain_errors import first_field_error, suggestion
from study.search_checks import check_search, reaches
from study.settings import KINDS, OF_CONFIRM, Settings, strictly
from study.space import Space
from study.trainable import TrainConfig, higher_is_better, metric_names


def check_space(space: Space) -> None:
    """Whether every arm can train, be searched, and gives the metrics that are asked of it.

    Raises:
        FieldError: with the path of the field that says otherwise.
    """
    _check_kind(space)
    configs = {arm: _arm_config(space, arm) for arm in space.arms}
    _check_seeds(space)
    check_search(space)
    for arm, config in configs.items():
        _check_parts(space, arm, config)
    for arm, config in configs.items():
        _check_objective(space, arm, config)
    _check_compare(space, configs)


def _arm_config(space: Space, arm: str) -> Settings:
    try:
        return strictly(space, space.arm_config(arm))
    except ValidationError as error:
        found = first_field_error(error, KINDS[space.kind])
    own = reaches(expanded(space.arms[arm].set), found.path)
    root: FieldPath = ("arms", arm, "set") if own else ("base",)
    raise FieldError((*root, *found.path), found.problem, at_key=found.at_key)


def _check_seeds(space: Space) -> None:
    for arm, settings in space.arms.items():
        if "seed" in settings.set:
            problem = "the same seed in every arm makes a pair; set base.seed or confirm.seeds"
            raise FieldError(("arms", arm, "set", "seed"), problem, at_key=True)
    _check_train_on(space)
    if space.search is None:
        if not space.confirm.seeds:
            raise FieldError(("confirm", "seeds"), "with no search and no seeds, nothing is run")
        return
    seed = strictly(space, space.arm_config(next(iter(space.arms)))).seed
    if seed in space.confirm.seeds:
        problem = f"{seed} is the seed of the search (base.seed); confirm with seeds it never saw"
        raise FieldError(("confirm", "seeds"), problem)


def _check_train_on(space: Space) -> None:
    """Whether `confirm` alone says what is learned from, has something to say it of, and leaves
    nothing to be chosen by a split that was learned from."""
    told: list[tuple[FieldPath, Mapping[str, Any]]] = [(("base",), space.base)]
    told += [(("arms", name, "set"), arm.set) for name, arm in space.arms.items()]
    name = "data.train_on"
    for root, settings in told:
        if value_at(expanded(settings), name) is not None:
            raise FieldError((*root, *name.split(".")), OF_CONFIRM[name], at_key=True)
    if space.confirm.train_on == "train":
        return
    path = ("confirm", "train_on")
    if not space.confirm.seeds:
        raise FieldError(path, "it is how confirmed trainings learn; expected confirm.seeds")
    if space.inner_search is not None and space.search is None:
        problem = (
            "no split is left for inner_search to choose by; expected train, or a search, whose "
            "best clustering is kept"
        )
        raise FieldError(path, problem)


def _check_parts(space: Space, arm: str, config: Settings) -> None:
    """Whether each batch of a training can be divided among the GPUs of a trial."""
    num = space.resources_of(arm).num_processes
    if num == 1 or not isinstance(config, TrainConfig):
        return
    searched = searched_by(space, arm).get("batch_size")
    sizes = [config.batch_size] if searched is None or searched.when else []
    odd = [size for size in [*sizes, *(values_of(searched) if searched else [])] if size % num]
    if odd:
        own = space.arms[arm].resources
        root: FieldPath = ("arms", arm) if own and own.gpus is not None else ()
        problem = (
            f"arm {arm}: expected a batch_size that is a multiple of {num}, as each GPU of a trial "
            f"has an equal part of a batch, found {odd[0]}"
        )
        raise FieldError((*root, "resources", "gpus"), problem)


def _check_kind(space: Space) -> None:
    """Whether a clustering study says nothing of trainings, and the other way round."""
    if space.kind == "training":
        if space.checkpoint is not None:
            problem = "a study of trainings has no checkpoint; expected kind: clustering beside it"
            raise FieldError(("checkpoint",), problem, at_key=True)
        return
    said: dict[FieldPath, object] = {("resources", "gpus"): space.resources.gpus}
    said |= {
        ("arms", name, "resources", "gpus"): arm.resources and arm.resources.gpus
        for name, arm in space.arms.items()
    }
    for path, gpus in said.items():
        if gpus == "auto":
            problem = "auto measures trainings, of which there are none; expected a number"
            raise FieldError(path, problem)
    why = {
        "confirm": (bool(space.confirm.seeds), "nothing is random in a clustering: no seeds"),
        "scheduler": (space.scheduler.name != "none", "a clustering has no epochs to end early"),
        "inner_search": (space.inner_search is not None, "expected search, which is all there is"),
    }
    for field, (is_said, problem) in why.items():
        if is_said:
            raise FieldError((field,), problem, at_key=True)


def _check_objective(space: Space, arm: str, config: Settings) -> None:
    own = space.arms[arm].objective
    root: FieldPath = ("arms", arm, "objective") if own else ("objective",)
    objective = own or space.objective
    check_goal(config, arm, objective, root)
    if objective.fallback is not None:
        stand_in = Goal(metric=objective.fallback, mode=objective.mode)
        check_goal(config, arm, stand_in, root, field="fallback")
    taken = {objective.metric, objective.fallback}
    for index, goal in enumerate(objective.against):
        path = (*root, "against", str(index))
        check_goal(config, arm, goal, path)
        if goal.metric in taken:
            raise FieldError((*path, "metric"), f"{goal.metric!r} is an objective already")
        taken.add(goal.metric)


def check_goal(
    config: Settings, arm: str, goal: Goal, path: FieldPath, *, field: str = "metric"
) -> None:
    """Whether an arm has a metric, and the mode is that in which it gets better.

    Raises:
        FieldError: it has not, or is not.
    """
    names = metric_names(config, "val")
    if goal.metric not in names:
        problem = _no_such_metric(goal.metric, "val", names, f"arm {arm!r} has no metric")
        raise FieldError((*path, field), problem)
    better = "max" if higher_is_better(goal.metric) else "min"
    if goal.mode != better:
        problem = f"expected {better} for {goal.metric}, found {goal.mode}"
        raise FieldError((*path, "mode"), problem)


def _check_compare(space: Space, configs: dict[str, Settings]) -> None:
    if space.compare.baseline not in space.arms:
        problem = (
            f"no arm {space.compare.baseline!r}; {suggestion(space.compare.baseline, configs)}"
        )
        raise FieldError(("compare", "baseline"), problem)
    names = sorted({n for config in configs.values() for n in metric_names(config, "test")})
    for index, metric in enumerate(space.compare.metrics):
        path: FieldPath = ("compare", "metrics", str(index))
        if metric in space.compare.metrics[:index]:
            raise FieldError(path, f"{metric!r} is said twice")
        if metric not in names:
            raise FieldError(path, _no_such_metric(metric, "test", names, "no arm has a metric"))


def _no_such_metric(metric: str, split: str, names: Iterable[str], who: str) -> str:
    if not metric.startswith(f"{split}/"):
        why = (
            "the search reads the validation split only"
            if split == "val"
            else "arms are compared on the test split"
        )
        other = f"{split}/{metric.split('/', 1)[-1]}"
        return f"expected a metric named {split}/..., as {why}; {suggestion(other, names)}"
    return f"{who} {metric!r}; {suggestion(metric, names)}"
