"""What the settings of an arm are: of a training, or of a clustering."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from study.nesting import value_at
from study.space import Kind, Space
from study.trainable import ClusteringConfig, TrainConfig

Settings: TypeAlias = TrainConfig | ClusteringConfig
KINDS: Mapping[Kind, type[TrainConfig] | type[ClusteringConfig]] = {
    "training": TrainConfig,
    "clustering": ClusteringConfig,
}
"""By `kind` of the space."""
OF_CONFIRM: Mapping[str, str] = {
    "seed": "seeds are not searched; see confirm.seeds",
    "data.train_on": "a search has to be judged on the validation split; see confirm.train_on",
}
"""Fields of a training that no search chooses, and why."""


def settings_of(space: Space, arm: str) -> Settings:
    """The settings of an arm, with nothing of what is searched."""
    return KINDS[space.kind].model_validate(space.arm_config(arm))


def strictly(space: Space, settings: Mapping[str, Any]) -> Settings:
    """Settings from plain data, types taken strictly: `"4"` is no number.

    Raises:
        ValidationError: as pydantic says it.
    """
    return KINDS[space.kind].model_validate_json(json.dumps(settings), strict=True)


def seed_of(space: Space, config: Mapping[str, Any]) -> int:
    """The seed that nested settings of a trial hold, or take for granted."""
    return int(value_at(config, "seed", KINDS[space.kind]().seed))


def num_epochs_of(space: Space, config: Mapping[str, Any]) -> int:
    """As `seed_of`: how many epochs a trial reports."""
    return int(value_at(config, "epochs", KINDS[space.kind]().epochs))
