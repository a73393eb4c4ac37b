"""View synthesis on a GPU (Zhou et al. 2017, eq. 2): sources, sampled where a depth and a motion
say."""

from __future__ import annotations

import triton.language as tl

from mtdepth.geometry import NEAREST_M
from mtdepth.losses.fused.gpu.kernel import Pointer, Values, kernel

NEAREST = tl.constexpr(NEAREST_M)


@kernel
def seen(
    depth: Values, motion: Pointer, x: Values, y: Values, height: Values, width: Values
) -> tuple[Values, ...]:
    """Where a source of this height and width sees pixels (x, y).

    Args:
        depth: of the pixels.
        motion: pointer to (3, 4).
        x: of the pixels.
        y: of the pixels.
        height: of the source.
        width: of the source.

    Returns:
        u and v, moved inside; 1 / z; whether the point is nearer than z is taken for; and what a
        metre of depth adds to u z, v z and z.
    """
    ray_x = tl.load(motion) * x + tl.load(motion + 1) * y + tl.load(motion + 2)
    ray_y = tl.load(motion + 4) * x + tl.load(motion + 5) * y + tl.load(motion + 6)
    ray_z = tl.load(motion + 8) * x + tl.load(motion + 9) * y + tl.load(motion + 10)
    z = ray_z * depth + tl.load(motion + 11)
    near = z < NEAREST
    scale = 1 / tl.where(near, NEAREST, z)
    u = (ray_x * depth + tl.load(motion + 3)) * scale
    v = (ray_y * depth + tl.load(motion + 7)) * scale
    u = tl.where(u < 0, 0.0, tl.where(u > width - 1, width - 1.0, u))
    v = tl.where(v < 0, 0.0, tl.where(v > height - 1, height - 1.0, v))
    return u, v, scale, near, ray_x, ray_y, ray_z


@kernel
def corner(u: Values, v: Values, height: Values, width: Values) -> tuple[Values, ...]:
    """The pixel to the upper left of a place: its flat index, that of the one below it, the step to
    their right neighbours, and how far the place is to the right and down; NaN where it is."""
    column = tl.where(u >= 0, u, 0.0).to(tl.int32)
    row = tl.where(v >= 0, v, 0.0).to(tl.int32)
    at = row * width + column
    below = at + tl.where(v < height - 1, width, 0)
    step = tl.where(u < width - 1, 1, 0)
    return at, below, step, u - column.to(tl.float32), v - row.to(tl.float32)


@kernel
def warps(
    depth: Pointer, motion: Pointer, sources: Pointer, out: Pointer,
    num: Values, scales: Values, size: Values,
    num_rows: Values, num_columns: Values, height: Values, width: Values,
    BLOCK: tl.constexpr,
) -> None:  # fmt: skip
    """A block of an image of `out` (N, S, B, 3, H, W); the others are those of `warp`."""
    image, num_pixels = tl.program_id(0), num_rows * num_columns
    n, s, b = image // (scales * size), image // size % scales, image % size
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = pixel < num_pixels
    x, y = (pixel % num_columns).to(tl.float32), (pixel // num_columns).to(tl.float32)
    d = tl.load(depth + (s * size + b).to(tl.int64) * num_pixels + pixel, inside, 1.0)
    u, v, _, _, _, _, _ = seen(d, motion + (n * size + b) * 12, x, y, height, width)
    at, below, step, across, down = corner(u, v, height, width)
    source = sources + (b * num + n).to(tl.int64) * 3 * height * width
    found = out + image.to(tl.int64) * 3 * num_pixels + pixel
    for c in tl.static_range(3):
        colour = source + c * height * width
        upper, lower = tl.load(colour + at), tl.load(colour + below)
        upper += across * (tl.load(colour + at + step) - upper)
        lower += across * (tl.load(colour + below + step) - lower)
        tl.store(found + c * num_pixels, upper + down * (lower - upper), inside)


@kernel
def warps_back(
    depth: Pointer, motion: Pointer, sources: Pointer,
    through: Pointer, by_depth: Pointer, by_motion: Pointer,
    num: Values, scales: Values, size: Values,
    num_rows: Values, num_columns: Values, height: Values, width: Values,
    BLOCK: tl.constexpr,
) -> None:  # fmt: skip
    """A block of the gradients of a depth, and its share of those of the motions of all sources,
    into `by_motion` (S, N, B, blocks, 12), from those of the warped sources, `through`."""
    image, block, num_pixels = tl.program_id(0), tl.program_id(1), num_rows * num_columns
    s, b = image // size, image % size
    pixel = block * BLOCK + tl.arange(0, BLOCK)
    inside = pixel < num_pixels
    x, y = (pixel % num_columns).to(tl.float32), (pixel // num_columns).to(tl.float32)
    d = tl.load(depth + image.to(tl.int64) * num_pixels + pixel, inside, 1.0)
    by_d = tl.zeros([BLOCK], tl.float32)
    for n in range(num):
        moved = motion + (n * size + b) * 12
        u, v, scale, near, ray_x, ray_y, ray_z = seen(d, moved, x, y, height, width)
        at, below, step, across, down = corner(u, v, height, width)
        source = sources + (b * num + n).to(tl.int64) * 3 * height * width
        weights = through + ((n * scales + s) * size + b).to(tl.int64) * 3 * num_pixels + pixel
        by_u, by_v = tl.zeros([BLOCK], tl.float32), tl.zeros([BLOCK], tl.float32)
        for c in tl.static_range(3):
            colour = source + c * height * width
            weight = tl.load(weights + c * num_pixels, inside, 0.0)
            first, under = tl.load(colour + at), tl.load(colour + below)
            upper = tl.load(colour + at + step) - first
            lower = tl.load(colour + below + step) - under
            by_u += weight * (upper + down * (lower - upper))
            by_v += weight * (under - first + across * (lower - upper))
        by_x = tl.where((u > 0) & (u < width - 1), by_u, 0.0) * scale
        by_y = tl.where((v > 0) & (v < height - 1), by_v, 0.0) * scale
        by_z = tl.where(near, 0.0, -(by_x * u + by_y * v))
        by_d += by_x * ray_x + by_y * ray_y + by_z * ray_z
        share = by_motion + (((s * num + n) * size + b) * tl.num_programs(1) + block) * 12
        add(share, by_x, d, x, y)
        add(share + 4, by_y, d, x, y)
        add(share + 8, by_z, d, x, y)
    tl.store(by_depth + image.to(tl.int64) * num_pixels + pixel, by_d, inside)


@kernel
def add(share: Pointer, gradient: Values, depth: Values, x: Values, y: Values) -> None:
    """The gradients of a row of a motion, from those of u z, v z or z."""
    by_ray = gradient * depth
    tl.store(share, tl.sum(by_ray * x))
    tl.store(share + 1, tl.sum(by_ray * y))
    tl.store(share + 2, tl.sum(by_ray))
    tl.store(share + 3, tl.sum(gradient))
