"""The study platform: one question, one space file, one run.

`from study import Study` is the way in from Python; see `docs/api.md`. Names are imported when they
are asked for, so that `import study` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from study.api import Study as Study
    from study.goals import Goal as Goal
    from study.goals import Objective as Objective
    from study.search_language import InnerSearch as InnerSearch
    from study.search_language import Parameter as Parameter
    from study.search_language import Sampler as Sampler
    from study.search_language import Search as Search
    from study.space import Arm as Arm
    from study.space import Compare as Compare
    from study.space import Confirm as Confirm
    from study.space import Resources as Resources
    from study.space import Scheduler as Scheduler
    from study.space import Space as Space

_NAMES = {
    "study.api": ("Study",),
    "study.goals": ("Goal", "Objective"),
    "study.search_language": ("InnerSearch", "Parameter", "Sampler", "Search"),
    "study.space": ("Arm", "Compare", "Confirm", "Resources", "Scheduler", "Space"),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}
"""Where each name lives."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'study' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
