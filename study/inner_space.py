"""The inner search of a training, as a clustering study of its own, and whether it can be had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from study.documents import FieldError, FieldPath
from study.goals import Objective
from study.search_checks import check_search
from study.search_language import InnerSearch, Search
from study.settings import settings_of
from study.space import Arm, Compare, Space
from study.space_checks import check_goal
from study.trainable import TrainConfig

ARM = "clustering"
"""The one arm of the inner study."""


def inner_space(inner: InnerSearch, optics: Mapping[str, Any]) -> Space:
    """What is searched at the end of a training.

    Args:
        inner: how.
        optics: how the training is set to cluster; what is searched goes over it.
    """
    objective = Objective(metric=inner.objective.metric, mode=inner.objective.mode)
    return Space(
        kind="clustering",
        study="inner-search",
        question="How are the instances of this training best clustered?",
        base={"optics": dict(optics)},
        arms={ARM: Arm()},
        objective=objective,
        search=Search(trials_per_arm=inner.trials, sampler=inner.sampler, space=inner.space),
        compare=Compare(baseline=ARM, metrics=("test/instances/ap50",)),
    )


def check_inner_search(space: Space) -> None:
    """Whether an inner search has an arm that learns instances, and searches what it can.

    Raises:
        FieldError: with the path of the field that says otherwise.
    """
    inner = space.inner_search
    if inner is None:
        return
    root: FieldPath = ("inner_search",)
    configs = {arm: settings_of(space, arm) for arm in space.arms}
    learning = {a: c for a, c in configs.items() if "instances" in c.tasks}
    if not learning:
        raise FieldError(root, "no arm learns instances, so there is nothing to cluster")
    searched = space.search.space if space.search else {}
    for name in inner.space:
        if name in searched:
            problem = "searched by search.space already; it can be searched in one of the two"
            raise FieldError((*root, "space", name), problem, at_key=True)
    for arm, config in learning.items():
        assert isinstance(config, TrainConfig)
        own = inner_space(inner, config.optics.model_dump(mode="json"))
        try:
            check_search(own)
            check_goal(config, arm, inner.objective, ("objective",))
        except FieldError as error:
            within = error.path[1:] if error.path[:1] == ("search",) else error.path
            raise FieldError((*root, *within), error.problem, at_key=error.at_key) from None
