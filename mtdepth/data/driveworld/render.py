"""From a world to frames: pictures, depth, instances, motion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from mtdepth.data.driveworld import shadow, texture
from mtdepth.data.driveworld.camera import camera_rays, intrinsics
from mtdepth.data.driveworld.cast import cast
from mtdepth.data.driveworld.config import DriveworldConfig
from mtdepth.data.driveworld.rays import Rays
from mtdepth.data.driveworld.scene import Placed, place
from mtdepth.data.driveworld.shade import Shader, shader
from mtdepth.data.driveworld.solids import Array
from mtdepth.data.driveworld.world import World, build


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture and what is true about it. Pixel (u, v) is the ray `K^-1 (u, v, 1)`."""

    index: int
    """Number in its drive."""
    image: Array
    """(H, W, 3) uint8 RGB."""
    depth_m: Array
    """(H, W) float32 depth along the optical axis, 0 for the sky."""
    instances: Array
    """(H, W) uint16 `label_id * 1000 + k` (Cityscapes ids), 0 for background."""
    motion: Array
    """(H, W) uint8: 0 background, 1 static, 2 moving, 3 co-moving instance."""
    world_T_cam: Array
    """(4, 4) float64; the world is x right of the street, y down, z along it."""
    K: Array
    """(3, 3) float64 intrinsics, in pixels."""
    placed: Placed
    """The street at this frame, for other sensors to look at."""


def render_drive(config: DriveworldConfig, index: int) -> Iterator[Frame]:
    """Frames of drive `index`, in order."""
    world = build(config, index)
    textures = texture.bake(np.random.default_rng(world.texture_seed))
    start = place(world.scene, 0, world.path.base[0])
    baked_sun = shadow.bake(start, world.light.toward_sun, world.light.softness_m)
    K = intrinsics(config.width, config.height)
    for number in range(config.num_frames):
        placed = place(world.scene, number, world.path.base[number])
        pose = world.path.poses[number]
        pixel = (1 / K[0, 0], 1 / K[1, 1])
        colors = shader(placed, world.light, textures, baked_sun, pose, pixel)
        yield _frame(config, number, placed, colors, world)


def _frame(
    config: DriveworldConfig, number: int, placed: Placed, colors: Shader, world: World
) -> Frame:
    pose, size = world.path.poses[number], (config.width, config.height)
    rays = camera_rays(pose, *size)
    inverse, faces = cast(placed, rays)
    image = _image(placed, colors, rays, inverse, faces, config.supersampling)
    hit = faces >= 0
    depth = np.zeros_like(inverse)
    np.divide(1, inverse, out=depth, where=hit)
    return Frame(
        index=number,
        image=image,
        depth_m=depth,
        instances=np.where(hit, placed.scene.instance[faces], np.uint16(0)),
        motion=np.where(hit, placed.scene.motion[faces], np.uint8(0)),
        world_T_cam=pose,
        K=intrinsics(*size),
        placed=placed,
    )


def _image(
    placed: Placed, colors: Shader, rays: Rays, inverse: Array, faces: Array, per_side: int
) -> Array:
    """(H, W, 3) uint8. Pixels with one surface are one sample, filtered to the whole pixel; the
    others are the mean of `per_side` squared samples."""
    height, width = faces.shape
    image = np.empty((height * width, 3), np.float32)
    mixed = np.zeros(height * width, bool)
    if per_side > 1:
        fine = camera_rays(rays.world_T_sensor, width, height, per_side)
        fine_inverse, fine_faces = cast(placed, fine)
        mixed = _mixed(faces, fine_faces).ravel()
        row, col = (a[:, None] for a in divmod(np.flatnonzero(mixed), width))
        i, j = divmod(np.arange(per_side**2), per_side)
        at = ((row * per_side + i) * (width * per_side) + col * per_side + j).ravel()
        shaded = _shade(colors, fine, fine_inverse, fine_faces, at, 1 / per_side)
        image[mixed] = shaded.reshape(-1, per_side**2, 3).mean(1)
    whole = np.flatnonzero(~mixed)
    image[whole] = _shade(colors, rays, inverse, faces, whole, 1.0)
    image = np.clip(image, 0, 1) * np.float32(255) + np.float32(0.5)
    return image.astype(np.uint8).reshape(height, width, 3)


def _mixed(faces: Array, fine_faces: Array) -> Array:
    """(H, W) whether any fine ray of a pixel hits another face than its centre does."""
    per_side = len(fine_faces) // len(faces)
    mixed = np.zeros(faces.shape, bool)
    for i, j in product(range(per_side), repeat=2):
        mixed |= fine_faces[i::per_side, j::per_side] != faces
    return mixed


def _shade(
    colors: Shader, rays: Rays, inverse: Array, faces: Array, at: Array, size: float
) -> Array:
    """(N, 3) colours of the rays with flat indices `at`."""
    row, col = divmod(at, faces.shape[1])
    x, y = rays.tan_cols.astype(np.float32)[col], rays.tan_rows.astype(np.float32)[row]
    return colors.colors(x, y, inverse.ravel()[at], faces.ravel()[at], size)
