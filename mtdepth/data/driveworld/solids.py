"""Convex parts with a look on each face: the bricks that the street is made of.

Local axes are a camera's: x right, y down, z forward. Heights count upwards, so y = -height.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Color = tuple[float, float, float]

PLAIN, ROAD, FACADE = 0, 1, 2
"""Patterns, in the order that `shade` knows them."""
ASPHALT, SLABS, LEAVES, PLASTER, BRICK, PAINT = 0, 1, 2, 3, 4, 5
"""Texture tiles, in the order that `texture` bakes them."""


@dataclass(frozen=True)
class Decal:
    """A rectangle of another colour on a face; sides as fractions of the face, from its foot."""

    left: float
    right: float
    low: float
    high: float
    color: Color


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a face looks before light falls on it."""

    color: Color
    tile: int = PLASTER
    texel_m: float = 0.03
    contrast: float = 1.0
    pattern: int = PLAIN
    params: tuple[float, ...] = ()
    decals: tuple[Decal, ...] = ()

    def plus(self, *decals: Decal) -> Look:
        """The same look with more decals on top."""
        return replace(self, decals=self.decals + decals)


@dataclass(frozen=True)
class Face:
    """A plane `normal . x <= height` with metric coordinates u, v from `origin`, and a size."""

    normal: Array
    axis_u: Array
    axis_v: Array
    origin: Array
    size: tuple[float, float]
    look: Look


@dataclass(frozen=True)
class Part:
    """A convex solid: faces, or an ellipsoid with one face that only lends its look."""

    corners: Array
    faces: tuple[Face, ...]
    radii: Array | None = None
    label: int = 0


@dataclass(frozen=True)
class Rect:
    """A horizontal rectangle in metres."""

    x0: float
    x1: float
    z0: float
    z1: float

    def corners(self, height: float) -> Array:
        """(4, 3) around the rectangle: left back, right back, right front, left front."""
        xs, zs = (self.x0, self.x1, self.x1, self.x0), (self.z0, self.z0, self.z1, self.z1)
        return np.array([(x, -height, z) for x, z in zip(xs, zs, strict=True)])

    def inset(self, dx: float, dz: float) -> Rect:
        """The rectangle with its sides moved inwards."""
        return Rect(self.x0 + dx, self.x1 - dx, self.z0 + dz, self.z1 - dz)


SIDES = ("back", "right", "front", "left", "bottom", "top")
FEET = np.array([(0, 1), (1, 2), (2, 3), (3, 0), (0, 1), (4, 5)])
HEADS = np.array([(4, 5), (5, 6), (6, 7), (7, 4), (3, 2), (7, 6)])


def frustum(
    base: Rect, top: Rect, low: float, high: float, look: Look, label: int = 0, /, **sides: Look
) -> Part:
    """Rectangle `base` at height `low` joined with `top` at `high`.

    `sides` gives faces a look of their own, by the names `back`, `right`, `front`, `left` (-z, +x,
    +z, -x), `top` and `bottom`.
    """
    corners = np.concatenate([base.corners(low), top.corners(high)])
    ridge = min(top.x1 - top.x0, top.z1 - top.z0) < 1e-3
    faces = _between(corners[FEET], corners[HEADS], corners.mean(0))
    looks = [sides.get(name, look) for name in SIDES]
    made = [Face(*face, side) for face, side in zip(faces, looks, strict=True)]
    return Part(corners, tuple(made[:-1] if ridge else made), label=label)


def box(rect: Rect, low: float, high: float, look: Look, label: int = 0, /, **sides: Look) -> Part:
    """An upright box."""
    return frustum(rect, rect, low, high, look, label, **sides)


def wheel(
    x: float, z: float, radius: float, width: float, look: Look, label: int, rim: Look
) -> Part:
    """A twelve-sided disc that stands on the ground and rolls along z."""
    center = np.array([x, -radius, z])
    angles = np.arange(12) * np.pi / 6
    faces = []
    for angle in angles:
        normal = np.array([0.0, np.sin(angle), np.cos(angle)])
        axis_v = np.array([0.0, np.cos(angle), -np.sin(angle)])
        origin = center + normal * radius
        faces.append(Face(normal, np.array([1.0, 0, 0]), axis_v, origin, (1.0, 1.0), look))
    for sign in (-1.0, 1.0):
        origin = center + np.array([sign * width / 2, radius, -radius])
        up, along = np.array([0.0, -1, 0]), np.array([0.0, 0, 1])
        size = (2 * radius, 2 * radius)
        faces.append(Face(np.array([sign, 0.0, 0]), along, up, origin, size, rim))
    offsets = np.array(list(product((-width / 2, width / 2), *((-radius, radius),) * 2)))
    return Part(center + offsets * [1, 1.04, 1.04], tuple(faces), label=label)


def ellipsoid(center: Array, radii: Array, look: Look, label: int = 0) -> Part:
    """An ellipsoid whose axes are the object's."""
    zero = np.zeros(3)
    offsets = np.array(list(product((-1.0, 1.0), repeat=3)))
    face = Face(zero, zero, zero, zero, (1.0, 1.0), look)
    return Part(center + offsets * radii, (face,), radii=radii, label=label)


def _between(
    feet: Array, heads: Array, center: Array
) -> Iterator[tuple[Array, Array, Array, Array, tuple[float, float]]]:
    """Normal, axes, origin and size of faces between parallel edges (F, 2, 3), around `center`."""
    along, along_head = feet[:, 1] - feet[:, 0], heads[:, 1] - heads[:, 0]
    long = (along**2).sum(1, keepdims=True) > (along_head**2).sum(1, keepdims=True)
    along = np.where(long, along, along_head)
    wide = np.sqrt((along**2).sum(1, keepdims=True))
    axis_u = along / wide
    rise = heads.sum(1) / 2 - feet.sum(1) / 2
    rise = rise - axis_u * (axis_u * rise).sum(1, keepdims=True)
    tall = np.sqrt((rise**2).sum(1, keepdims=True))
    axis_v = rise / np.maximum(tall, 1e-9)
    u, v = axis_u[:, [1, 2, 0]], axis_v[:, [1, 2, 0]]
    normal = u * axis_v[:, [2, 0, 1]] - axis_u[:, [2, 0, 1]] * v
    normal *= np.sign((normal * (feet[:, 0] - center)).sum(1, keepdims=True))
    sizes = [(float(w), float(t)) for w, t in zip(wide[:, 0], tall[:, 0], strict=True)]
    return zip(normal, axis_u, axis_v, feet[:, 0], sizes, strict=True)
