"""The test images that a study shows: which they are, and where their pictures lie."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

DIRECTORY, INDEX = "shown", "images.json"
"""Within a study directory; in it, the index, and a directory an arm."""


@dataclass(frozen=True, kw_only=True)
class ShownImage:
    """An image of the test split, and why it is shown."""

    image: str
    why: list[str]


def read_images(study_dir: Path) -> list[ShownImage]:
    """The images that are shown; none where none are drawn, or what is there can't be read."""
    try:
        rows = json.loads((study_dir / DIRECTORY / INDEX).read_text(encoding="utf-8"))
        return [ShownImage(**row) for row in rows]
    except (OSError, ValueError, TypeError):
        return []
