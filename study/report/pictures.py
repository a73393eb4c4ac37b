"""What the arms predict for the same test images, side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.report.drawing import FAINT, INK, Picture, arm_style, plain, save
from study.report.sheet import Sheet
from study.results import Results
from study.shown import DIRECTORY, ShownImage, read_images

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TRUE, _PREDICTED = "true ", "predicted "
"""What captions begin with, before what they are of."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A picture that was drawn of a model, and how to read it."""

    picture: Any
    """(H, W, 3) uint8."""
    legend: Mapping[str, str]

    @property
    def column(self) -> str:
        """What it is of, predicted or true."""
        return self.legend["caption"].removeprefix(_TRUE).removeprefix(_PREDICTED)

    @property
    def is_predicted(self) -> bool:
        """Whether it depends on the model."""
        caption = self.legend["caption"]
        return caption != "image" and not caption.startswith(_TRUE)


def draw_pictures(results: Results, study_dir: Path) -> list[Picture]:
    """Draws a figure for each test image that is shown: a row an arm, the truth above.

    Args:
        results: the study.
        study_dir: its directory, with what `study.showing` has drawn.
    """
    pictures = []
    for number, shown in enumerate(read_images(study_dir)):
        tiles = {
            arm: found
            for arm in results.space.arms
            if (found := _tiles(study_dir / DIRECTORY / arm, number))
        }
        if not tiles:
            continue
        path = study_dir / "figures" / f"image-{number:02d}.png"
        save(_draw(results, tiles), path)
        pictures.append(Picture(path=path, caption=_caption(shown), is_wide=True))
    return pictures


def _caption(shown: ShownImage) -> str:
    return f"{shown.image}: {'; '.join(shown.why)}"


def _tiles(directory: Path, number: int) -> list[Tile]:
    """The pictures of an image; those that can't be read are left out."""
    import numpy as np
    from PIL import Image

    tiles = []
    for path in sorted(directory.glob(f"{number:02d}-*.png")):
        try:
            with Image.open(path) as image:
                legend = json.loads(image.info["legend"])
                tiles.append(Tile(picture=np.asarray(image.convert("RGB")), legend=legend))
        except (OSError, KeyError, ValueError):
            continue
    return tiles


def _draw(results: Results, tiles: Mapping[str, list[Tile]]) -> Figure:
    every = [tile for own in tiles.values() for tile in own]
    columns = list(dict.fromkeys(tile.column for tile in every if tile.is_predicted)) or ["image"]
    sheet = Sheet(len(columns), 1 + len(tiles), every[0].picture.shape)
    for column, name in enumerate(columns):
        sheet.head(column, name)
        truth = _truth(every, columns, name)
        if truth is not None:
            _show(sheet.place(0, column), truth)
        for row, own in enumerate(tiles.values(), start=1):
            tile = next((t for t in own if t.is_predicted and t.column == name), None)
            _show(sheet.place(row, column), tile)
        legends = [t.legend for t in every if t.column == name and _has_colours(t.legend)]
        if legends:
            _show_colours(sheet.place_bar(column), legends[0])
    sheet.name(0, "truth", INK)
    for row, arm in enumerate(tiles, start=1):
        sheet.name(row, arm, arm_style(results, arm)["color"])
    return sheet.figure


def _has_colours(legend: Mapping[str, str]) -> bool:
    from matplotlib import colormaps

    return legend.get("colours") in set(colormaps)


def _truth(every: list[Tile], columns: list[str], name: str) -> Tile | None:
    """What stands above a column: its truth; the image in the first that has none."""
    true = {t.column: t for t in every if not t.is_predicted}
    first_without = next((c for c in columns if c not in true), None)
    return true.get("image") if name == first_without else true.get(name)


def _show(axes: Axes, tile: Tile | None) -> None:
    axes.spines[:].set_visible(False)
    if tile is None:
        axes.text(
            0.5, 0.5, "not learned", color=FAINT, fontsize=8.5, ha="center", va="center",
            transform=axes.transAxes,
        )  # fmt: skip
    else:
        axes.imshow(tile.picture, aspect="auto", interpolation="bicubic")
        if tile.legend["caption"] == "image":
            axes.text(
                0.015, 0.05, "image", color="white", fontsize=7.5, transform=axes.transAxes,
                bbox={"color": "black", "alpha": 0.45, "pad": 1.5},
            )  # fmt: skip


def _show_colours(axes: Axes, legend: Mapping[str, str]) -> None:
    import numpy as np

    axes.imshow(np.linspace(0, 1, 256)[None], aspect="auto", cmap=legend["colours"])
    axes.spines[:].set_visible(False)
    for place, side in ((0, "low"), (1, "high")):
        axes.annotate(
            plain(legend.get(side, "")), (place, -0.35), xycoords="axes fraction",
            ha="right" if place else "left", va="top", fontsize=8, color=INK,
        )  # fmt: skip
