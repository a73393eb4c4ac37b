"""A figure that is a grid of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from study.report.drawing import INK, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, MARGIN, HEAD, GAP, BAR = 2.6, 1.35, 0.28, 0.08, 0.42
"""Inches: of a tile, left of the tiles for names of arms, above them, between them, and below."""


class Sheet:
    """A figure with a grid of tiles of one shape: names on the left, colours below."""

    def __init__(self, num_columns: int, num_rows: int, shape: tuple[int, ...]) -> None:
        self._height = WIDTH * shape[0] / shape[1]
        self._size = (
            MARGIN + num_columns * (WIDTH + GAP),
            HEAD + num_rows * (self._height + GAP) + BAR,
        )
        self.figure = new_figure(*self._size)
        self.figure.set_layout_engine("none")

    def place(self, row: int, column: int) -> Axes:
        """Where a tile goes."""
        bottom = self._size[1] - HEAD - (row + 1) * (self._height + GAP)
        return self._axes(column, bottom, self._height)

    def place_bar(self, column: int) -> Axes:
        """Where the colours of a column go."""
        return self._axes(column, 0.24, 0.09)

    def head(self, column: int, name: str) -> None:
        """Says what a column shows."""
        middle = MARGIN + column * (WIDTH + GAP) + WIDTH / 2
        self._text(middle, self._size[1] - HEAD / 2, name, "center")

    def name(self, row: int, name: str, color: str) -> None:
        """Says whose a row is, with a bar in its colour."""
        middle = self._size[1] - HEAD - row * (self._height + GAP) - GAP - self._height / 2
        self._text(MARGIN - 0.13, middle, name, "right")
        ends = (middle - self._height / 2, middle + self._height / 2)
        box = ((MARGIN - 0.08) / self._size[0], ends[0] / self._size[1],
               0.04 / self._size[0], self._height / self._size[1])  # fmt: skip
        bar = self.figure.add_axes(box, xticks=[], yticks=[], facecolor=color)
        bar.spines[:].set_visible(False)

    def _axes(self, column: int, bottom: float, height: float) -> Axes:
        left, (width, full) = MARGIN + column * (WIDTH + GAP), self._size
        box = (left / width, bottom / full, WIDTH / width, height / full)
        return self.figure.add_axes(box, xticks=[], yticks=[])

    def _text(self, x: float, y: float, text: str, align: str) -> None:
        place = (x / self._size[0], y / self._size[1])
        self.figure.text(*place, plain(text), ha=align, va="center", fontsize=9, color=INK)
