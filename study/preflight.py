"""What is looked at before anything starts: the data, and which metrics it can give."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from study.goals import Objective
from study.manifest import described, fingerprints
from study.settings import Settings, settings_of
from study.space import Space
from study.trainable import ClusteringConfig, Split, SplitSummary, Trainable, Truth, metric_names

Say = Callable[[str], None]
Summaries = Mapping[str, SplitSummary]


def check_software(space: Space, trainable: Trainable) -> None:
    """Sees that what each arm needs is installed.

    Raises:
        ValueError: one line about what is missing.
    """
    for arm in space.arms:
        try:
            trainable.check_software(space.arm_config(arm))
        except ValueError as error:
            raise ValueError(f"arm {arm}: {error}") from None


def check_data(
    space: Space, trainable: Trainable, say: Say
) -> tuple[dict[str, Summaries], dict[str, Any]]:
    """Looks the data of every arm over, each set once.

    Returns:
        The splits of each arm; and every data set, described for the manifest.

    Raises:
        ValueError: one line about what is missing or broken.
    """
    found: dict[str, Summaries] = {}
    of_arms: dict[str, Summaries] = {}
    for arm in space.arms:
        config = settings_of(space, arm)
        key = _data_key(config)
        if key not in found:
            found[key] = trainable.check_data(space.arm_config(arm), _progress(say))
            sizes = (f"{s.num_samples} {split}" for split, s in found[key].items())
            say(f"Data: {_data_name(config)}, {', '.join(sizes)} samples")
        of_arms[arm] = found[key]
        both = space.confirm.train_on != "train"
        unlabelled = found[key]["train"].unlabelled or (both and found[key]["val"].unlabelled)
        if unlabelled and "instances" in config.tasks:
            raise ValueError(f"arm {arm}: {unlabelled}")
    return of_arms, {f"data-{i}": described(s) for i, s in enumerate(found.values())}


def refuse_other_data(before: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    """Sees that what a study has read so far is still there, unchanged.

    Args:
        before: its data sets, as its manifest describes them.
        data: those of `check_data`.

    Raises:
        ValueError: one line about a split that is another now.
    """
    are_there = [fingerprints(splits) for splits in data.values()]
    for name, splits in before.items():
        if fingerprints(splits) in are_there:
            continue
        found = data.get(name, {})
        for split, told in splits.items():
            now = found.get(split, {})
            if now.get("fingerprint") != told["fingerprint"]:
                raise ValueError(
                    f"expected the data that the study has read so far: its {split} split, "
                    f"{_split_in_words(told)}; found {_split_in_words(now)}; put them back as they "
                    "were, or start another study with these"
                )


def _split_in_words(told: Mapping[str, Any]) -> str:
    if not told:
        return "none"
    return f"{told.get('num_samples')} samples with fingerprint {told['fingerprint']}"


def data_names(space: Space) -> dict[str, str]:
    """The data set of each arm, by its name in the manifest."""
    keys = {arm: _data_key(settings_of(space, arm)) for arm in space.arms}
    order = list(dict.fromkeys(keys.values()))
    return {arm: f"data-{order.index(key)}" for arm, key in keys.items()}


def _data_key(config: Settings) -> str:
    """The same for arms that read the same data, and are judged alike."""
    if isinstance(config, ClusteringConfig):
        return ""
    told = [part.model_dump(mode="json") for part in (config.data, config.evaluation)]
    return json.dumps(told, sort_keys=True)


def _data_name(config: Settings) -> str:
    return "the checkpoint's" if isinstance(config, ClusteringConfig) else config.data.name


def resolve_objectives(
    space: Space, data: Mapping[str, Summaries], say: Say
) -> dict[str, Objective]:
    """What each arm is tuned for, given what its validation split can be judged against.

    Raises:
        ValueError: an arm's metric can't be had, and there is no fallback that can.
    """
    found = {arm: _resolved(space, arm, data[arm]["val"]) for arm in space.arms}
    notes: dict[str, list[str]] = {}
    for arm, objective in found.items():
        first = space.objective_of(arm)
        if objective.metric != first.metric:
            config = settings_of(space, arm)
            why = _why(config, "val", first.metric, data[arm]["val"].truth)
            note = f"tuned for {objective.metric}, not {first.metric}: {why}"
            notes.setdefault(note, []).append(arm)
    for note, arms in notes.items():
        say(f"Note: {', '.join(arms)} {'is' if len(arms) == 1 else 'are'} {note}")
    return found


def tell_missing(space: Space, data: Mapping[str, Summaries], say: Say) -> None:
    """Says which metrics of `compare` the test split has no truth for."""
    for metric in space.compare.metrics:
        whys: list[str] = []
        for arm, splits in data.items():
            config, truth = settings_of(space, arm), splits["test"].truth
            if metric in metric_names(config, "test", truth):
                break
            if metric in metric_names(config, "test"):
                whys.append(_why(config, "test", metric, truth))
        else:
            say(f"Note: {metric} will be shown as —, as {whys[0]}")


def _resolved(space: Space, arm: str, val: SplitSummary) -> Objective:
    objective = space.objective_of(arm)
    config = settings_of(space, arm)
    names = metric_names(config, "val", val.truth)
    if objective.metric in names:
        return objective
    if objective.fallback in names:
        return objective.model_copy(update={"metric": objective.fallback, "fallback": None})
    why = _why(config, "val", objective.metric, val.truth)
    raise ValueError(
        f"arm {arm}: expected an objective that its data can give, found {objective.metric}, and "
        f"{why}; set objective.fallback to one of {', '.join(names)}"
    )


def _why(config: Settings, split: Split, metric: str, truth: Truth) -> str:
    """What a split lacks of that which a metric is measured against."""
    lacking = [
        kind
        for kind in truth.missing()
        if metric not in metric_names(config, split, Truth(**{kind: False}))
    ]
    name = {"val": "validation"}.get(split, split)
    return f"the {name} split has no truth for {', '.join(lacking)}"


def _progress(say: Say) -> Callable[[int, int], None]:
    """Says at every tenth how far a preparation is."""
    told = -1

    def on_progress(done: int, total: int) -> None:
        nonlocal told
        tenth = 10 * done // max(total, 1)
        if tenth > told:
            told = tenth
            say(f"Preparing data: {done} of {total}")

    return on_progress
