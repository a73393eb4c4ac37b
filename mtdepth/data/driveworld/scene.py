"""Parts stacked into arrays, and where they all are at one frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtdepth.data.driveworld.solids import Array, Face, Look, Part

BACKGROUND, STATIC, MOVING, COMOVING = 0, 1, 2, 3
NUM_PARAMS = 8


@dataclass(frozen=True, kw_only=True)
class Thing:
    """Parts that move as one: x right, z forward of the street, yaw to the right."""

    parts: tuple[Part, ...]
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw: float = 0.0
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Metres a frame."""
    follows_camera: bool = False
    """Moves as the camera does, on top of `velocity`."""

    @property
    def motion(self) -> int:
        """STATIC, MOVING or COMOVING."""
        if self.follows_camera:
            return COMOVING
        return MOVING if any(self.velocity) else STATIC


@dataclass(frozen=True)
class Looks:
    """The looks of F faces, stacked; `decals` has rows of left, right, low, high (m), colour."""

    color: Array
    tile: Array
    texel_m: Array
    contrast: Array
    shift: Array
    pattern: Array
    params: Array
    decals: Array
    first_decal: Array
    num_decals: Array
    decal_top: Array
    """Height of the highest decal."""


@dataclass(frozen=True)
class Scene:
    """P parts and F faces of K things, in the things' own axes."""

    things: tuple[Thing, ...]
    part_thing: Array
    corners: Array
    radii: Array
    first_face: Array
    face_thing: Array
    is_round: Array
    """(F,) whether the face is an ellipsoid."""
    normals: Array
    heights: Array
    axes: Array
    """(F, 2, 4): u = axes[:, 0] . (x, y, z, 1), and v."""
    looks: Looks
    instance: Array
    """(F,) uint16 `label_id * 1000 + k`, 0 for background."""
    motion: Array
    """(F,) uint8 BACKGROUND, STATIC, MOVING or COMOVING."""


@dataclass(frozen=True)
class Placed:
    """A scene at one frame, in world axes."""

    scene: Scene
    rotations: Array
    positions: Array
    corners: Array
    normals: Array
    heights: Array
    axes: Array


def stack(things: tuple[Thing, ...], rng: np.random.Generator) -> Scene:
    """Stack things; instance numbers count up for each label in their order."""
    parts = [(k, part) for k, thing in enumerate(things) for part in thing.parts]
    faces = [(k, part, face) for k, part in parts for face in part.faces]
    only = [face for _, _, face in faces]
    counts = [len(part.faces) for _, part in parts]
    instance = _instances(parts)
    per_face = [value for value, count in zip(instance, counts, strict=True) for _ in range(count)]
    motion = [things[k].motion if part.label else BACKGROUND for k, part, _ in faces]
    normals = np.stack([face.normal for face in only])
    origins = np.stack([face.origin for face in only])
    frames = np.stack([[face.axis_u, face.axis_v] for face in only])
    zero = -np.einsum("fak,fk->fa", frames, origins)
    return Scene(
        things=things,
        part_thing=np.array([k for k, _ in parts]),
        corners=np.stack([part.corners for _, part in parts]),
        radii=np.stack([np.zeros(3) if p.radii is None else p.radii for _, p in parts]),
        first_face=np.concatenate([[0], np.cumsum(counts)]),
        face_thing=np.array([k for k, _, _ in faces]),
        is_round=np.logical_not(normals.any(axis=1)),
        normals=normals,
        heights=(normals * origins).sum(1),
        axes=np.concatenate([frames, zero[..., None]], axis=2),
        looks=_stack_looks(only, rng),
        instance=np.array(per_face, np.uint16),
        motion=np.array(motion, np.uint8),
    )


def place(scene: Scene, frame: int, camera_shift: Array) -> Placed:
    """Where everything is at `frame`; `camera_shift` (3,) is how far the camera has come."""
    yaw = np.array([thing.yaw for thing in scene.things])
    cos, sin, zero, one = np.cos(yaw), np.sin(yaw), np.zeros_like(yaw), np.ones_like(yaw)
    rotations = np.stack([cos, zero, sin, zero, one, zero, -sin, zero, cos], 1).reshape(-1, 3, 3)
    positions = np.array([thing.position for thing in scene.things], np.float64)
    positions += frame * np.array([thing.velocity for thing in scene.things])
    positions[[thing.follows_camera for thing in scene.things]] += camera_shift
    of_part, of_face = scene.part_thing, scene.face_thing
    corners = np.einsum("pij,pcj->pci", rotations[of_part], scene.corners)
    normals = np.einsum("fij,fj->fi", rotations[of_face], scene.normals)
    frames = np.einsum("fij,faj->fai", rotations[of_face], scene.axes[..., :3])
    at = positions[of_face]
    zero_at = scene.axes[..., 3] - np.einsum("fai,fi->fa", frames, at)
    return Placed(
        scene,
        rotations,
        positions,
        corners + positions[of_part][:, None],
        normals,
        scene.heights + (normals * at).sum(1),
        np.concatenate([frames, zero_at[..., None]], axis=2),
    )


def _instances(parts: list[tuple[int, Part]]) -> list[int]:
    """`label * 1000 + k` of each part: parts of one thing with one label are one instance."""
    numbers: dict[tuple[int, int], int] = {}
    seen: dict[int, int] = {}
    for k, part in parts:
        if part.label and (k, part.label) not in numbers:
            numbers[k, part.label] = part.label * 1000 + seen.get(part.label, 0)
            seen[part.label] = seen.get(part.label, 0) + 1
    return [numbers.get((k, part.label), 0) for k, part in parts]


def _stack_looks(faces: list[Face], rng: np.random.Generator) -> Looks:
    looks: list[Look] = [face.look for face in faces]
    params = np.zeros((len(looks), NUM_PARAMS), np.float32)
    decals: list[tuple[float, ...]] = []
    for row, face in zip(params, faces, strict=True):
        row[: len(face.look.params)] = face.look.params
        wide, tall = face.size
        for decal in face.look.decals:
            sides = (decal.left * wide, decal.right * wide, decal.low * tall, decal.high * tall)
            decals.append((*sides, *decal.color))
    counts = np.array([len(look.decals) for look in looks])
    return Looks(
        color=np.array([look.color for look in looks], np.float32),
        tile=np.array([look.tile for look in looks], np.int32),
        texel_m=np.array([look.texel_m for look in looks], np.float32),
        contrast=np.array([look.contrast for look in looks], np.float32),
        shift=rng.uniform(0, 64, (len(looks), 2)).astype(np.float32),
        pattern=np.array([look.pattern for look in looks], np.int8),
        params=params,
        decals=np.array(decals, np.float32).reshape(-1, 7),
        first_decal=np.cumsum(counts) - counts,
        num_decals=counts,
        decal_top=np.array(
            [max((d.high * f.size[1] for d in f.look.decals), default=-1e3) for f in faces],
            np.float32,
        ),
    )
