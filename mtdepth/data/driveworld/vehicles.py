"""Cars, a van, a bus, a lorry and bicycles, built of parts around their place on the ground."""

from __future__ import annotations

import numpy as np

from mtdepth.data.driveworld.solids import (
    PAINT,
    PLASTER,
    Color,
    Decal,
    Look,
    Part,
    Rect,
    box,
    ellipsoid,
    frustum,
    wheel,
)

CAR, TRUCK, BUS, BICYCLE, PERSON, RIDER = 26, 27, 28, 33, 24, 25
GLASS: Color = (0.13, 0.16, 0.20)
DARK: Color = (0.07, 0.07, 0.08)
PAINTS: tuple[Color, ...] = (
    (0.72, 0.72, 0.74),
    (0.86, 0.86, 0.85),
    (0.16, 0.17, 0.20),
    (0.62, 0.10, 0.09),
    (0.13, 0.25, 0.48),
    (0.35, 0.40, 0.45),
    (0.18, 0.35, 0.24),
    (0.78, 0.60, 0.16),
    (0.45, 0.62, 0.75),
    (0.50, 0.30, 0.20),
)
RED, LAMP, PLATE = (0.75, 0.06, 0.05), (0.98, 0.96, 0.86), (0.92, 0.92, 0.88)

REAR = (
    Decal(0, 1, 0, 0.22, (0.16, 0.16, 0.17)),
    Decal(0.02, 0.20, 0.55, 0.88, RED),
    Decal(0.80, 0.98, 0.55, 0.88, RED),
    Decal(0.34, 0.66, 0.36, 0.56, PLATE),
)
NOSE = (
    Decal(0, 1, 0, 0.16, DARK),
    Decal(0.28, 0.72, 0.45, 0.75, DARK),
    Decal(0.03, 0.23, 0.52, 0.82, LAMP),
    Decal(0.77, 0.97, 0.52, 0.82, LAMP),
    Decal(0.36, 0.64, 0.22, 0.38, PLATE),
)
FLANK = (
    Decal(0, 1, 0, 0.14, DARK),
    Decal(0.47, 0.475, 0.15, 0.95, DARK),
    Decal(0.27, 0.275, 0.15, 0.95, DARK),
    Decal(0.0, 1.0, 0.62, 0.66, (0.55, 0.55, 0.57)),
)
SIDE_WINDOWS = (
    Decal(0.13, 0.47, 0.12, 0.86, GLASS),
    Decal(0.51, 0.84, 0.12, 0.86, GLASS),
)
SCREEN = (Decal(0.08, 0.92, 0.10, 0.90, GLASS),)
TYRE = Look(color=DARK, tile=PLASTER)
RIM = Look(
    color=DARK,
    decals=(
        Decal(0.22, 0.78, 0.35, 0.65, (0.62, 0.63, 0.65)),
        Decal(0.35, 0.65, 0.22, 0.78, (0.62, 0.63, 0.65)),
    ),
)


def _paint(rng: np.random.Generator) -> Look:
    color = np.array(PAINTS[rng.integers(len(PAINTS))]) * rng.uniform(0.85, 1.1)
    return Look(color=(color[0], color[1], color[2]), tile=PAINT, texel_m=0.02, contrast=1.5)


def _wheels(track: float, z: float, radius: float, label: int) -> list[Part]:
    return [
        wheel(sign * track, at, radius, 0.22, TYRE, label, RIM)
        for sign in (-1, 1)
        for at in (-z, z)
    ]


def car(rng: np.random.Generator) -> tuple[Part, ...]:
    """A hatchback, saloon or estate; its nose points along z."""
    paint = _paint(rng)
    half_long, half_wide = rng.uniform(1.95, 2.3), rng.uniform(0.84, 0.92)
    belt, roof = rng.uniform(0.82, 0.92), rng.uniform(1.40, 1.60)
    kind = rng.integers(3)
    tail = (half_long * 0.92, half_long * 0.62, half_long * 0.95)[kind]
    tail_top = tail - (0.35, 0.55, 0.12)[kind]
    body = Rect(-half_wide, half_wide, -half_long, half_long)
    cabin = Rect(-half_wide + 0.06, half_wide - 0.06, -tail, half_long * 0.42)
    top = Rect(-half_wide + 0.24, half_wide - 0.24, -tail_top, half_long * 0.10)
    flank, glass = paint.plus(*FLANK), paint.plus(*SIDE_WINDOWS)
    sides = {"left": flank, "right": flank, "back": paint.plus(*REAR), "front": paint.plus(*NOSE)}
    windows = {"left": glass, "right": glass}
    screens = {"back": paint.plus(*SCREEN), "front": paint.plus(*SCREEN)}
    return (
        frustum(body, body.inset(0.05, 0.10), 0.24, belt, paint, CAR, **sides),
        frustum(cabin, top, belt, roof, paint, CAR, **windows, **screens),
        *_wheels(half_wide - 0.10, half_long * 0.62, 0.32, CAR),
    )


def lorry(rng: np.random.Generator) -> tuple[Part, ...]:
    """A box lorry."""
    paint, load = _paint(rng), _paint(rng)
    stripe = Decal(0, 1, 0.35, 0.55, PAINTS[rng.integers(len(PAINTS))])
    cab, body = Rect(-1.1, 1.1, 2.0, 3.6), Rect(-1.2, 1.2, -3.8, 1.9)
    side = load.plus(stripe, Decal(0, 1, 0, 0.05, DARK))
    rear = load.plus(
        Decal(0.49, 0.51, 0.05, 0.97, DARK),
        Decal(0.02, 0.14, 0.04, 0.12, RED),
        Decal(0.86, 0.98, 0.04, 0.12, RED),
        Decal(0.38, 0.62, 0.03, 0.08, PLATE),
    )
    return (
        box(body, 0.75, 3.2, load, TRUCK, left=side, right=side, back=rear),
        box(body.inset(0.15, 0.2), 0.45, 0.75, Look(color=DARK), TRUCK),
        frustum(
            cab,
            cab.inset(0.06, 0.12),
            0.45,
            2.6,
            paint,
            TRUCK,
            front=paint.plus(Decal(0.06, 0.94, 0.52, 0.9, GLASS), *NOSE[1:2]),
            left=paint.plus(Decal(0.2, 0.9, 0.55, 0.88, GLASS)),
            right=paint.plus(Decal(0.1, 0.8, 0.55, 0.88, GLASS)),
        ),
        *_wheels(1.05, 2.7, 0.45, TRUCK),
    )


def bus(rng: np.random.Generator) -> tuple[Part, ...]:
    """A city bus."""
    paint = _paint(rng)
    body = Rect(-1.25, 1.25, -5.0, 5.0)
    panes = tuple(Decal(0.03 + 0.16 * i, 0.165 + 0.16 * i, 0.45, 0.85, GLASS) for i in range(6))
    side = paint.plus(*panes, Decal(0, 1, 0, 0.06, DARK))
    rear = paint.plus(
        Decal(0.1, 0.9, 0.55, 0.85, GLASS),
        Decal(0.04, 0.12, 0.1, 0.3, RED),
        Decal(0.88, 0.96, 0.1, 0.3, RED),
        Decal(0.25, 0.75, 0.12, 0.35, DARK),
    )
    front = paint.plus(
        Decal(0.05, 0.95, 0.35, 0.82, GLASS),
        Decal(0.2, 0.8, 0.86, 0.95, (0.9, 0.6, 0.1)),
        Decal(0.05, 0.2, 0.1, 0.2, LAMP),
        Decal(0.8, 0.95, 0.1, 0.2, LAMP),
    )
    return (
        frustum(
            body,
            body.inset(0.08, 0.08),
            0.35,
            3.0,
            paint,
            BUS,
            left=side,
            right=side,
            back=rear,
            front=front,
        ),
        *_wheels(1.13, 3.0, 0.48, BUS),
    )


def person(rng: np.random.Generator, label: int = PERSON, height: float = 0.0) -> tuple[Part, ...]:
    """Somebody on foot, or on a saddle at `height`."""
    shirt = Look(color=_cloth(rng), tile=PLASTER, texel_m=0.01, contrast=1.6)
    trousers = Look(color=_cloth(rng, 0.5), tile=PLASTER, texel_m=0.01, contrast=1.6)
    skin: Color = tuple(np.array((0.85, 0.65, 0.52)) * rng.uniform(0.45, 1.0))
    tall, step = rng.uniform(0.92, 1.08), rng.uniform(0.08, 0.28)
    parts = []
    for sign in (-1, 1):
        foot = Rect(sign * 0.10 - 0.07, sign * 0.10 + 0.07, sign * step - 0.10, sign * step + 0.12)
        hip = Rect(sign * 0.10 - 0.09, sign * 0.10 + 0.09, -0.11, 0.11)
        parts.append(frustum(foot, hip, height, height + 0.82 * tall, trousers, label))
        hand = Rect(
            sign * 0.30 - 0.05, sign * 0.30 + 0.05, -sign * step - 0.05, -sign * step + 0.05
        )
        arm = Rect(sign * 0.24 - 0.06, sign * 0.24 + 0.06, -0.07, 0.07)
        parts.append(frustum(hand, arm, height + 0.75 * tall, height + 1.40 * tall, shirt, label))
    waist, chest = Rect(-0.17, 0.17, -0.11, 0.11), Rect(-0.21, 0.21, -0.12, 0.12)
    parts.append(frustum(waist, chest, height + 0.80 * tall, height + 1.45 * tall, shirt, label))
    head, hair = np.array([0, -height - 1.60 * tall, 0.01]), rng.uniform(0.05, 0.45)
    parts.append(ellipsoid(head, np.array([0.09, 0.13, 0.11]), Look(color=skin), label))
    parts.append(
        ellipsoid(
            head - [0, 0.05, 0.03],
            np.array([0.10, 0.10, 0.11]),
            Look(color=(hair, hair * 0.8, hair * 0.6)),
            label,
        )
    )
    return tuple(parts)


def cyclist(rng: np.random.Generator) -> tuple[Part, ...]:
    """A rider and the bicycle."""
    frame = Look(color=_cloth(rng))
    tyre = Look(color=(0.15, 0.15, 0.16), decals=(Decal(0.15, 0.85, 0.15, 0.85, (0.4, 0.4, 0.41)),))
    bicycle = (
        *(wheel(0.0, z, 0.34, 0.05, TYRE, BICYCLE, tyre) for z in (-0.52, 0.52)),
        frustum(
            Rect(-0.03, 0.03, -0.25, 0.1), Rect(-0.03, 0.03, -0.25, 0.5), 0.35, 0.85, frame, BICYCLE
        ),
        box(Rect(-0.28, 0.28, 0.42, 0.48), 0.98, 1.03, TYRE, BICYCLE),
    )
    return (*bicycle, *person(rng, RIDER, 0.25))


def _cloth(rng: np.random.Generator, most: float = 0.9) -> Color:
    color = rng.uniform(0.08, most, 3) * 0.75 + rng.uniform(0.05, most) * 0.25
    return (color[0], color[1], color[2])
