"""Where the data of a configuration lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mtdepth.config import DataConfig
from mtdepth.data.missing import WHERE
from mtdepth.data.pack.agree import require_agreement
from mtdepth.data.pack.manifest import is_pack, read_manifest

Progress = Callable[[int, int], None]
"""Hears of drives rendered, and of drives in all."""


def data_root(config: DataConfig, on_progress: Progress | None = None) -> Path:
    """The directory of the data, raw or packed; driveworld is rendered there when it is missing.

    Args:
        config: names the data.
        on_progress: called with drives rendered and drives in all.

    Raises:
        ValueError: the directory is missing, or holds something else.
    """
    if config.root is not None and is_pack(config.root):
        require_agreement(config, config.root, read_manifest(config.root).settings)
        return config.root
    if config.name == "driveworld":
        from mtdepth.data.driveworld import ensure

        world = config.driveworld
        return ensure(
            world,
            config.root or Path("data") / f"driveworld-{world.fingerprint()}",
            progress=on_progress,
        )
    found = "none" if config.root is None else f"nothing at {config.root}"
    if config.root is None or not config.root.is_dir():
        raise ValueError(
            f"data.root: expected the directory of {config.name}, found {found}; set "
            f"base.data.root; {WHERE[config.name]}"
        )
    return config.root
