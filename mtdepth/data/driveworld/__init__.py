"""Driveworld: a procedural street on KITTI raw's layout, with exact depth, poses and instances.

`ensure` puts a world on disk, `render_drive` yields its frames. Importing this package imports
neither NumPy nor an image library; using it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mtdepth.data.driveworld.config import DriveworldConfig

if TYPE_CHECKING:
    from mtdepth.data.driveworld.render import Frame, render_drive
    from mtdepth.data.driveworld.store import ensure

__all__ = ["DriveworldConfig", "Frame", "ensure", "render_drive"]


def __getattr__(name: str) -> Any:
    if name == "ensure":
        from mtdepth.data.driveworld import store

        return store.ensure
    if name in ("Frame", "render_drive"):
        from mtdepth.data.driveworld import render

        return getattr(render, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
