"""The street of a drive, who is on it, the light, and the camera's way: all from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtdepth.data.driveworld import buildings, vehicles
from mtdepth.data.driveworld.camera import Path, drive_path
from mtdepth.data.driveworld.config import DriveworldConfig
from mtdepth.data.driveworld.scene import Scene, Thing, stack
from mtdepth.data.driveworld.solids import Array, Part, Rect

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Light:
    """Sun and sky; directions are in world axes, y down."""

    toward_sun: Array
    sun: Array
    ambient: Array
    sky_low: Array
    sky_high: Array
    softness_m: float
    """Width of a shadow's edge."""


@dataclass(frozen=True)
class World:
    """Everything about a drive but its pictures."""

    scene: Scene
    path: Path
    light: Light
    texture_seed: int


@dataclass(frozen=True)
class Street:
    """Half widths from the middle of the road, and where the street ends."""

    lane: float
    curb: float
    pavement: float
    end: float

    @property
    def walls(self) -> float:
        """Where the houses begin."""
        return self.curb + self.pavement


def split_of(config: DriveworldConfig, index: int) -> tuple[str, int]:
    """The split of drive `index`, and its number in the split."""
    if not 0 <= index < config.num_drives:
        raise ValueError(f"expected a drive index in [0, {config.num_drives}), found {index}")
    first = 0
    for name, count in zip(SPLITS, split_sizes(config), strict=True):
        if index < first + count:
            return name, index - first
        first += count
    raise AssertionError(index)


def split_sizes(config: DriveworldConfig) -> tuple[int, int, int]:
    """Drives of train, val and test."""
    return config.num_train_drives, config.num_val_drives, config.num_test_drives


def build(config: DriveworldConfig, index: int) -> World:
    """The world of drive `index`; the same for a seed, a split and a number in the split."""
    name, number = split_of(config, index)
    rng = np.random.default_rng([config.seed, SPLITS.index(name), number])
    lane = rng.uniform(3.0, 3.5)
    path = drive_path(rng, config.num_frames, lane / 2)
    travel = float(path.base[-1, 2])
    street = Street(lane, lane + 2.2, rng.uniform(2.2, 4.0), travel + rng.uniform(34, 52))
    static = (
        *buildings.ground(rng, street.curb, street.lane, street.pavement, street.end),
        *_houses(rng, street),
    )
    things = (
        Thing(parts=static),
        *_greenery(rng, street),
        *_furniture(rng, street),
        *_parked(rng, street),
        *_traffic(rng, street, path),
        *_people(rng, street),
    )
    return World(stack(things, rng), path, _light(rng), int(rng.integers(1 << 31)))


def _houses(rng: np.random.Generator, street: Street) -> list[Part]:
    """Two rows of houses, what is seen through their gaps, and the row that ends the street."""
    parts: list[Part] = []
    height = rng.uniform(8, 15)
    for side in (-1, 1):
        z, setback = rng.uniform(-18, -8), rng.uniform(0, 3) * (rng.random() < 0.5)
        while z < street.end - 4:
            length = min(rng.uniform(7, 16), street.end - z)
            near = street.walls + setback + rng.uniform(0, 0.6)
            rect = _mirrored(side, near, near + rng.uniform(7, 10), z, z + length)
            parts += buildings.house(rng, rect, height * rng.uniform(0.75, 1.25))
            if setback > 1 and length > 4:
                fence = (street.walls, street.walls + 0.5, z + 0.3, z + length - 1.5)
                parts.append(buildings.hedge(rng, _mirrored(side, *fence)))
            z += length + rng.uniform(2, 7) * (rng.random() < 0.3)
        back = _mirrored(side, street.walls + 17, street.walls + 25, -20, street.end + 10)
        parts += buildings.house(rng, back, height * 1.1)
    x = -45.0
    while x < 45:
        width = rng.uniform(9, 18)
        rect = Rect(x, x + width, street.end + rng.uniform(9, 10), street.end + 20)
        parts += buildings.house(rng, rect, height * rng.uniform(0.9, 1.4))
        x += width
    return parts


def _mirrored(side: int, near: float, far: float, z0: float, z1: float) -> Rect:
    return Rect(near, far, z0, z1) if side > 0 else Rect(-far, -near, z0, z1)


def _greenery(rng: np.random.Generator, street: Street) -> list[Thing]:
    """Trees along the pavements."""
    things = []
    for side in (-1, 1):
        spacing = rng.uniform(7, 12) if rng.random() < 0.7 else 40.0
        for z in np.arange(rng.uniform(-2, 6), street.end, spacing):
            x = side * (street.curb + 0.75 + rng.uniform(0, 0.3))
            place = (x, -buildings.CURB_M, z + rng.uniform(-1, 1))
            yaw = rng.uniform(0, 6.28)
            things.append(Thing(parts=buildings.tree(rng), position=place, yaw=yaw))
    return things


def _furniture(rng: np.random.Generator, street: Street) -> list[Thing]:
    """Lamps and signs at the curb."""
    things = []
    for side in (-1, 1):
        for z in np.arange(rng.uniform(0, 18), street.end, rng.uniform(16, 24)):
            place = (side * (street.curb + 0.4), -buildings.CURB_M, z)
            things.append(Thing(parts=buildings.lamp(rng, -side), position=place))
        if rng.random() < 0.7:
            place = (side * (street.curb + 0.45), -buildings.CURB_M, rng.uniform(6, street.end))
            things.append(Thing(parts=buildings.sign(rng), position=place))
    return things


def _parked(rng: np.random.Generator, street: Street) -> list[Thing]:
    """Cars at the curb, with gaps."""
    things = []
    for side in (-1, 1):
        density, z = rng.uniform(0.25, 0.8), rng.uniform(-4, 4)
        while z < street.end - 4:
            if rng.random() < density:
                x = side * (street.curb - 1.1 + rng.uniform(-0.1, 0.08))
                yaw = rng.normal(0, 0.02) + (np.pi if side < 0 else 0.0)
                things.append(Thing(parts=vehicles.car(rng), position=(x, 0, z), yaw=yaw))
            z += rng.uniform(5.2, 7.0)
    return things


def _traffic(rng: np.random.Generator, street: Street, path: Path) -> list[Thing]:
    """Cars ahead at the camera's own speed or another, oncoming cars, and cyclists."""
    things = []
    x, speed = street.lane / 2, path.speed_m
    ahead = rng.uniform(6, 16)
    kind = rng.random()
    if kind < 0.55:
        for _ in range(1 + (rng.random() < 0.35)):
            place = (x + rng.normal(0, 0.12), 0.0, ahead)
            things.append(Thing(parts=_vehicle(rng), position=place, follows_camera=True))
            ahead += rng.uniform(8, 10)
    elif kind < 0.75:
        other = speed * rng.choice([rng.uniform(0.4, 0.75), rng.uniform(1.2, 1.5)])
        ahead += max(0.0, speed - other) * len(path.base)
        place, velocity = (x + rng.normal(0, 0.12), 0.0, ahead), (0.0, 0.0, other)
        things.append(Thing(parts=_vehicle(rng), position=place, velocity=velocity))
    elif kind < 0.9:
        place, velocity = (x + 0.9, 0.0, rng.uniform(9, 18)), (0.0, 0.0, rng.uniform(0.35, 0.6))
        things.append(Thing(parts=vehicles.cyclist(rng), position=place, velocity=velocity))
    z = rng.uniform(8, 25)
    other = rng.uniform(0.5, 1.1)
    while z < street.end + 10 and rng.random() < 0.75:
        place, velocity = (-x + rng.normal(0, 0.12), 0.0, z), (0.0, 0.0, -other)
        things.append(Thing(parts=_vehicle(rng), position=place, velocity=velocity, yaw=np.pi))
        z += rng.uniform(13, 25)
    return things


def _vehicle(rng: np.random.Generator) -> tuple[Part, ...]:
    kind = rng.random()
    if kind < 0.86:
        return vehicles.car(rng)
    return vehicles.lorry(rng) if kind < 0.94 else vehicles.bus(rng)


def _people(rng: np.random.Generator, street: Street) -> list[Thing]:
    """Pedestrians on the pavements, most of them walking."""
    things = []
    for side in (-1, 1):
        for _ in range(rng.integers(1, 6)):
            x = side * (street.curb + rng.uniform(1.3, street.pavement - 0.3))
            place = (x, -buildings.CURB_M, rng.uniform(6, min(street.end, 40)))
            walks, away = rng.random() < 0.75, rng.random() < 0.5
            pace = rng.uniform(0.1, 0.17) * walks * (1 if away else -1)
            yaw = rng.normal(0, 0.1) + (0.0 if away else np.pi)
            parts = vehicles.person(rng)
            things.append(Thing(parts=parts, position=place, velocity=(0, 0, pace), yaw=yaw))
    return things


def _light(rng: np.random.Generator) -> Light:
    """A sunny or an overcast day."""
    sunny = rng.random() < 0.65
    azimuth, height = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(35, 65))
    if not sunny:
        height = np.radians(88)
    toward = np.array(
        [np.cos(height) * np.sin(azimuth), -np.sin(height), np.cos(height) * np.cos(azimuth)]
    )
    bright = rng.uniform(0.9, 1.12)
    if sunny:
        sun, ambient = np.array([0.72, 0.66, 0.56]), np.array([0.50, 0.54, 0.62])
        low, high = np.array([0.80, 0.87, 0.95]), np.array([0.36, 0.56, 0.86])
    else:
        sun, ambient = np.array([0.30, 0.30, 0.30]), np.array([0.68, 0.70, 0.73])
        low, high = np.array([0.86, 0.88, 0.90]), np.array([0.66, 0.71, 0.78])
    softness = rng.uniform(0.15, 0.3) if sunny else 0.9
    return Light(toward, sun * bright, ambient * bright, low, high, softness)
