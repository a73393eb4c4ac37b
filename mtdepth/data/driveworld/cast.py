"""Which surface each ray hits first, and how far away.

On a plane, the inverse distance along a ray is linear in its direction: w = n.d / (h - n.o). A
convex part is entered at the least w of the planes that face the origin, unless one that faces
away is left before. Only the rays in a part's bounding rectangle are tested.
"""

from __future__ import annotations

import numpy as np

from mtdepth.data.driveworld.rays import Rays
from mtdepth.data.driveworld.scene import Placed
from mtdepth.data.driveworld.solids import Array

BLOCK = 1 << 14


def cast(placed: Placed, rays: Rays) -> tuple[Array, Array]:
    """Inverse distance (R, C) float32, 0 for none, and face index (R, C) int32, -1 for none."""
    inverse = np.zeros((len(rays.tan_rows), len(rays.tan_cols)), np.float32)
    faces = np.full(inverse.shape, -1, np.int32)
    rects, nearest = rays.bounds(placed.corners)
    gap = placed.heights - placed.normals @ rays.origin
    gap = np.where(np.abs(gap) < 1e-9, 1e-9, gap)
    planes = _in_sensor(placed.normals / gap[:, None], rays)
    facing = gap < 0
    sphere_of, starts, squash = _spheres(placed, rays)
    right, down, ahead = rays.components()
    first_face = placed.scene.first_face.tolist()
    seen = (rects[:, 1] > rects[:, 0]) & (rects[:, 3] > rects[:, 2])
    order = np.flatnonzero(seen)[np.argsort(nearest[seen], kind="stable")]
    for part, near, (r0, r1, c0, c1) in zip(
        order.tolist(), nearest[order].tolist(), rects[order].tolist(), strict=True
    ):
        face, end, sphere = first_face[part], first_face[part + 1], sphere_of[part]
        vectors = planes[face:end] if sphere < 0 else squash[sphere]
        cols = vectors[:, 0] * right[c0:c1] + vectors[:, 2] * ahead[c0:c1]
        step = max(1, BLOCK // (c1 - c0))
        for r in range(r0, r1, step):
            window = (slice(r, min(r + step, r1)), slice(c0, c1))
            target, which = inverse[window], faces[window]
            if target.min() * near > 1:
                continue
            rows = vectors[:, 1] * down[window[0]]
            if sphere < 0:
                _polyhedron(rows, cols, facing[face:end], face, target, which)
            else:
                _ellipsoid(starts[sphere], rows, cols, face, target, which)
    return inverse, faces


def _in_sensor(vectors: Array, rays: Rays) -> Array:
    """World vectors (K, 3) as (K, 3, 1, 1) float32 along the sensor's axes."""
    turned = vectors @ rays.world_T_sensor[:3, :3]
    return turned.astype(np.float32)[:, :, None, None]


def _polyhedron(
    rows: Array, cols: Array, facing: Array, first: int, inverse: Array, faces: Array
) -> None:
    """Draw planes `rows` (K, R, 1) + `cols` (K, 1, C) into the views `inverse` and `faces`."""
    fronts = np.flatnonzero(facing).tolist()
    if not fronts:
        return
    bound = inverse
    for k in np.flatnonzero(~facing).tolist():
        bound = np.maximum(bound, rows[k] + cols[k])
    enter = rows[fronts[0]] + cols[fronts[0]]
    which: Array | None = None
    for k in fronts[1:]:
        other = rows[k] + cols[k]
        if which is None:
            which = np.where(other < enter, np.int32(first + k), np.int32(first + fronts[0]))
        else:
            which[other < enter] = first + k
        np.minimum(enter, other, out=enter)
    hit = enter > bound
    np.copyto(inverse, enter, where=hit)
    np.copyto(faces, np.int32(first + fronts[0]) if which is None else which, where=hit)


def _spheres(placed: Placed, rays: Rays) -> tuple[list[int], Array, Array]:
    """The number of each part's ellipsoid (-1: none); and, in axes where ellipsoids are unit
    spheres, the rays' origins (E, 3) and these axes in the sensor's (E, 3, 3, 1, 1)."""
    scene = placed.scene
    parts = np.flatnonzero(scene.radii[:, 0] > 0)
    numbers = np.full(len(scene.radii), -1)
    numbers[parts] = np.arange(len(parts))
    turned = placed.rotations[scene.part_thing[parts]]
    squash = turned.swapaxes(1, 2) / scene.radii[parts][:, :, None]
    offset = rays.origin - placed.corners[parts].mean(1)
    starts = np.einsum("eij,ej->ei", squash, offset).astype(np.float32)
    axes = _in_sensor(squash.reshape(-1, 3), rays)
    return numbers.tolist(), starts, axes.reshape(-1, 3, *axes.shape[1:])


def _ellipsoid(
    start: Array, rows: Array, cols: Array, face: int, inverse: Array, faces: Array
) -> None:
    """Draw the unit sphere, seen from `start` along `rows` (3, R, 1) + `cols` (3, 1, C)."""
    outside = start @ start - np.float32(1)
    if outside <= 0:
        return
    square = (rows * rows).sum(0) + (cols * cols).sum(0)
    double = rows + rows
    for k in range(3):
        square += double[k] * cols[k]
    pull = start[:, None, None]
    toward = -(pull * rows).sum(0) - (pull * cols).sum(0)
    root = toward * toward
    square *= outside
    root -= square
    hit = root > 0
    np.maximum(root, 0, out=root)
    toward += np.sqrt(root, out=root)
    toward /= outside
    hit &= toward > inverse
    np.copyto(inverse, toward, where=hit)
    np.copyto(faces, np.int32(face), where=hit)
