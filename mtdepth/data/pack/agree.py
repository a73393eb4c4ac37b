"""Whether a pack is what a configuration names."""

from __future__ import annotations

from pathlib import Path

from mtdepth.config import DataConfig
from mtdepth.data.pack.entries import PackSettings


def require_agreement(config: DataConfig, root: Path, settings: PackSettings) -> None:
    """Sees that a training reads the pack that it is told of.

    Raises:
        ValueError: one line that names the settings to change.
    """
    named = ("name", "split", "width", "height")
    found = {f"data.{key}": getattr(config, key) for key in named}
    expected = {f"data.{key}": getattr(settings, key) for key in named}
    wrong = [key for key in named if found[f"data.{key}"] != expected[f"data.{key}"]]
    if wrong:
        raise ValueError(
            f"data.root: the pack at {root} expects {_told(expected, wrong)}, found "
            f"{_told(found, wrong)}; change these settings, or prepare another pack"
        )
    if settings.world is not None and settings.world != config.driveworld.fingerprint():
        raise ValueError(
            f"data.driveworld: expected world {settings.world}, which the pack at {root} is of, "
            f"found world {config.driveworld.fingerprint()}; change data.driveworld, or prepare "
            "another pack"
        )


def _told(values: dict[str, object], keys: list[str]) -> str:
    return ", ".join(f"data.{key} {values[f'data.{key}']}" for key in keys)
