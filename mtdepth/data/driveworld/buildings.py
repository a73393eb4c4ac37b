"""Houses, trees, hedges, lamps and the ground."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from mtdepth.data.driveworld.solids import (
    ASPHALT,
    BRICK,
    FACADE,
    LEAVES,
    PLASTER,
    ROAD,
    SLABS,
    Color,
    Decal,
    Look,
    Part,
    Rect,
    box,
    ellipsoid,
    frustum,
)

WALLS: tuple[Color, ...] = (
    (0.80, 0.72, 0.58),
    (0.70, 0.45, 0.34),
    (0.62, 0.33, 0.25),
    (0.85, 0.82, 0.76),
    (0.78, 0.62, 0.40),
    (0.60, 0.62, 0.62),
    (0.72, 0.58, 0.52),
    (0.55, 0.62, 0.68),
    (0.66, 0.70, 0.56),
    (0.50, 0.40, 0.35),
)
ROOFS: tuple[Color, ...] = ((0.48, 0.24, 0.17), (0.30, 0.28, 0.28), (0.40, 0.30, 0.24))
CURB_M = 0.12


def jitter(rng: np.random.Generator, color: Color, amount: float = 0.12) -> Color:
    """A colour nearby."""
    shaken = np.clip(np.array(color) * rng.uniform(1 - amount, 1 + amount, 3), 0.02, 0.97)
    return (shaken[0], shaken[1], shaken[2])


def house(rng: np.random.Generator, rect: Rect, height: float) -> tuple[Part, ...]:
    """A house with windows, doors, a plinth, a cornice and a flat or a gabled roof."""
    wall = jitter(rng, WALLS[rng.integers(len(WALLS))])
    floor = rng.uniform(2.9, 3.6)
    floors = max(2, round(height / floor))
    height = floors * floor + 0.4
    cell, inset = rng.uniform(2.0, 3.4), rng.uniform(0.2, 0.32)
    trim = rng.uniform(0.45, 1.25)
    params = (
        cell,
        floor,
        inset * cell,
        (1 - inset) * cell,
        rng.uniform(0.22, 0.32) * floor,
        rng.uniform(0.72, 0.85) * floor,
        floors * floor,
        trim,
    )
    doors = tuple(
        Decal(x - 0.05, x + 0.05, 0.0, 2.3 / height, jitter(rng, (0.35, 0.22, 0.15), 0.5))
        for x in rng.uniform(0.1, 0.9, rng.integers(1, 3))
    )
    plinth = Decal(0, 1, 0, 0.6 / height, jitter(rng, (0.42, 0.40, 0.38)))
    facade = Look(
        color=wall,
        tile=BRICK if rng.random() < 0.5 else PLASTER,
        contrast=1.3,
        pattern=FACADE,
        params=params,
        decals=(plinth, *doors),
    )
    roof = Look(color=jitter(rng, ROOFS[rng.integers(len(ROOFS))]), tile=BRICK, contrast=1.2)
    body = box(rect, 0, height, facade, top=roof)
    eaves = Rect(rect.x0 - 0.3, rect.x1 + 0.3, rect.z0, rect.z1)
    if rng.random() < 0.55:
        middle = (rect.x0 + rect.x1) / 2
        ridge = Rect(middle - 1e-4, middle + 1e-4, rect.z0, rect.z1)
        return body, frustum(eaves, ridge, height, height + rng.uniform(2, 4), roof)
    cornice = Look(color=jitter(rng, wall, 0.2), tile=PLASTER)
    return body, box(eaves, height - 0.3, height + 0.3, cornice)


def tree(rng: np.random.Generator) -> tuple[Part, ...]:
    """A trunk and a crown of overlapping ellipsoids."""
    green = jitter(
        rng,
        ((0.28, 0.42, 0.14), (0.20, 0.34, 0.13), (0.45, 0.42, 0.12))[
            rng.choice(3, p=(0.5, 0.35, 0.15))
        ],
        0.2,
    )
    height, wide = rng.uniform(2.2, 3.2), rng.uniform(1.1, 1.9)
    bark = Look(color=jitter(rng, (0.30, 0.23, 0.17)), tile=PLASTER, contrast=2, texel_m=0.015)
    trunk = frustum(
        Rect(-0.17, 0.17, -0.17, 0.17), Rect(-0.09, 0.09, -0.09, 0.09), 0, height + 1, bark
    )
    crown = []
    for i in range(7):
        angle, out = i * 2.4 + rng.uniform(0, 1), wide * rng.uniform(0.3, 0.7) * (i > 0)
        radii = wide * rng.uniform(0.5, 0.72, 3) * np.array([1, 0.85, 1])
        rise = height + wide * (0.4 + 0.22 * i * rng.uniform(0.6, 1.1))
        center = np.array([out * np.cos(angle), -rise, out * np.sin(angle)])
        look = Look(color=jitter(rng, green, 0.14), tile=LEAVES, contrast=1.5)
        crown.append(ellipsoid(center, radii, look))
    return trunk, *crown


def hedge(rng: np.random.Generator, rect: Rect) -> Part:
    """A clipped hedge, or a garden wall."""
    if rng.random() < 0.35:
        look = Look(color=jitter(rng, WALLS[rng.integers(len(WALLS))]), tile=BRICK, contrast=1.5)
        return box(rect, 0, rng.uniform(0.7, 1.3), look)
    look = Look(color=jitter(rng, (0.22, 0.34, 0.13), 0.2), tile=LEAVES, contrast=1.5)
    return frustum(rect, rect.inset(0.08, 0.05), 0, rng.uniform(0.8, 1.6), look)


def lamp(rng: np.random.Generator, side: float) -> tuple[Part, ...]:
    """A lamp post with an arm towards the road, which lies to `side`."""
    iron = Look(color=jitter(rng, (0.28, 0.30, 0.30)), tile=PLASTER)
    head = sorted((0.0, side * 1.3))
    return (
        frustum(Rect(-0.09, 0.09, -0.09, 0.09), Rect(-0.05, 0.05, -0.05, 0.05), 0, 6.2, iron),
        box(Rect(head[0], head[1], -0.05, 0.05), 6.1, 6.22, iron),
    )


def sign(rng: np.random.Generator) -> tuple[Part, ...]:
    """A traffic sign that faces the camera."""
    face = (0.75, 0.10, 0.10) if rng.random() < 0.5 else (0.12, 0.28, 0.65)
    plate = Look(color=face, decals=(Decal(0.2, 0.8, 0.3, 0.7, (0.93, 0.93, 0.93)),))
    pole = Look(color=(0.55, 0.56, 0.57))
    return (
        box(Rect(-0.035, 0.035, -0.035, 0.035), 0, 2.9, pole),
        box(Rect(-0.32, 0.32, -0.06, -0.035), 2.2, 2.85, plate),
    )


def ground(
    rng: np.random.Generator, curb: float, lane: float, pavement: float, length: float
) -> tuple[Part, ...]:
    """Road |x| < curb, raised pavements of the given width, and what lies behind them."""
    tone = rng.uniform(0.30, 0.44)
    dash = rng.uniform(2.0, 3.5)
    zebra = rng.uniform(15, length - 12) if rng.random() < 0.6 else -1e3
    asphalt = Look(
        color=jitter(rng, (tone, tone, tone * 1.02), 0.05),
        tile=ASPHALT,
        pattern=ROAD,
        contrast=rng.uniform(0.9, 1.3),
        params=(lane, dash, dash * rng.uniform(1.8, 2.4), zebra, curb, float(rng.random() < 0.6)),
    )
    slab = Look(color=jitter(rng, (0.56, 0.54, 0.50), 0.1), tile=SLABS, contrast=1.2)
    grass = Look(color=jitter(rng, (0.30, 0.38, 0.15), 0.15), tile=LEAVES, contrast=1.1)
    stone = Look(color=jitter(rng, (0.62, 0.61, 0.58), 0.05), tile=PLASTER, contrast=1.6)
    parts = [box(Rect(-60, 60, -20, length + 30), -1.0, 0.0, asphalt)]
    for side in (-1, 1):
        x = np.array([curb, curb + 0.18, curb + pavement, curb + 40])
        for (start, end), look in zip(pairwise(x), (stone, slab, grass), strict=True):
            near, far = sorted((side * start, side * end))
            parts.append(box(Rect(near, far, -20, length), -0.5, CURB_M, look))
    return tuple(parts)
