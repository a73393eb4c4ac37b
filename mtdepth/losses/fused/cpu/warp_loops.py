"""View synthesis on a CPU (Zhou et al. 2017, eq. 2): sources, sampled where a depth and a motion
say."""

from __future__ import annotations

import numpy as np

from mtdepth.geometry import NEAREST_M
from mtdepth.losses.fused.cpu.compiled import Floats, compiled, compiled_sums

COLOURS = 3
"""Of an image; a constant, so that loops over them unroll."""
ZERO, ONE, NEAREST = np.float32(0), np.float32(1), np.float32(NEAREST_M)


@compiled
def row_start(motion: Floats, y: np.float32) -> tuple[np.float32, np.float32, np.float32]:
    """What a metre of depth at the first pixel of row y adds to u z, v z and z in the source."""
    return (
        motion[0, 1] * y + motion[0, 2],
        motion[1, 1] * y + motion[1, 2],
        motion[2, 1] * y + motion[2, 2],
    )


@compiled
def seen(depth: Floats, motion: Floats, row: int, height: int, width: int, places: Floats) -> None:
    """Where a source of this height and width sees a row of pixels.

    Args:
        depth: (W,) of the row.
        motion: (3, 4).
        row: of the target.
        height: of the source.
        width: of the source.
        places: (3, W), gets u and v, moved inside, and 1 / z.
    """
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    x0, y0, z0 = row_start(motion, np.float32(row))
    us, vs, scales = places[0], places[1], places[2]
    for i in range(len(depth)):
        x = np.float32(i)
        z = (motion[2, 0] * x + z0) * depth[i] + motion[2, 3]
        scale = ONE / (NEAREST if z < NEAREST else z)
        u = ((motion[0, 0] * x + x0) * depth[i] + motion[0, 3]) * scale
        v = ((motion[1, 0] * x + y0) * depth[i] + motion[1, 3]) * scale
        us[i] = ZERO if u < 0 else right if u > right else u
        vs[i] = ZERO if v < 0 else bottom if v > bottom else v
        scales[i] = scale


@compiled
def corner(
    u: np.float32, v: np.float32, height: int, width: int
) -> tuple[np.uint32, np.uint32, np.uint32, np.float32, np.float32]:
    """The pixel to the upper left of a place: its flat index, that of the one below it, the step to
    their right neighbours, and how far the place is to the right and down; NaN where it is."""
    column, row = np.uint32(u if u >= 0 else ZERO), np.uint32(v if v >= 0 else ZERO)
    at = row * np.uint32(width) + column
    below = at + np.uint32(width if v < height - 1 else 0)
    step = np.uint32(u < width - 1)
    return at, below, step, u - np.float32(column), v - np.float32(row)


@compiled
def warps(
    depth: Floats, motion: Floats, sources: Floats, out: Floats, first: int, last: int
) -> None:
    """Fills images `first` to before `last` of `out` (N, S, B, 3, H, W); arguments as `warp`."""
    num_scales, size, _, num_rows, num_columns = depth.shape
    height, width = sources.shape[3:]
    places = np.empty((3, num_columns), np.float32)
    us, vs = places[0], places[1]
    for k in range(first, last):
        n, s, b = k // (num_scales * size), k // size % num_scales, k % size
        image = sources[b, n].reshape(COLOURS, -1)
        for row in range(num_rows):
            seen(depth[s, b, 0, row], motion[n, b], row, height, width, places)
            found = out[n, s, b, :, row]
            for i in range(num_columns):
                at, below, step, across, down = corner(us[i], vs[i], height, width)
                for c in range(COLOURS):
                    upper = image[c, at] + across * (image[c, at + step] - image[c, at])
                    lower = image[c, below] + across * (image[c, below + step] - image[c, below])
                    found[c, i] = upper + down * (lower - upper)


@compiled_sums
def seen_back(
    depth: Floats, motion: Floats, row: int, places: Floats, by_place: Floats, by_depth: Floats
) -> Floats:
    """Adds to the gradients of a row's depths, and returns those of the motion (3, 4), from those
    of the places (2, W), by u and v."""
    y = np.float32(row)
    x0, y0, z0 = row_start(motion, y)
    us, vs, scales, by_us, by_vs = places[0], places[1], places[2], by_place[0], by_place[1]
    x_dx = x_d = x_1 = y_dx = y_d = y_1 = z_dx = z_d = z_1 = ZERO
    for i in range(len(depth)):
        x, d = np.float32(i), depth[i]
        by_x, by_y = by_us[i] * scales[i], by_vs[i] * scales[i]
        z = motion[2, 0] * x + z0
        by_z = ZERO if z * d + motion[2, 3] < NEAREST else -(by_x * us[i] + by_y * vs[i])
        by_depth[i] += by_x * (motion[0, 0] * x + x0) + by_y * (motion[1, 0] * x + y0) + by_z * z
        x_dx, x_d, x_1 = x_dx + by_x * d * x, x_d + by_x * d, x_1 + by_x
        y_dx, y_d, y_1 = y_dx + by_y * d * x, y_d + by_y * d, y_1 + by_y
        z_dx, z_d, z_1 = z_dx + by_z * d * x, z_d + by_z * d, z_1 + by_z
    return np.array(
        [[x_dx, y * x_d, x_d, x_1], [y_dx, y * y_d, y_d, y_1], [z_dx, y * z_d, z_d, z_1]]
    )


@compiled
def warps_back(
    depth: Floats,
    motion: Floats,
    sources: Floats,
    through: Floats,
    by_depth: Floats,
    by_motion: Floats,
    first: int,
    last: int,
) -> None:
    """Fills gradients of depth (S, B, 1, H, W) and of motion (S, N, B, 3, 4), for depths `first` to
    before `last`, from those of the warped sources, `through`."""
    size, num_rows, num_columns = depth.shape[1], *depth.shape[3:]
    height, width = sources.shape[3:]
    places = np.empty((3, num_columns), np.float32)
    by_place = np.empty((2, num_columns), np.float32)
    us, vs, by_us, by_vs = places[0], places[1], by_place[0], by_place[1]
    for k in range(first, last):
        s, b = k // size, k % size
        by_depth[s, b] = 0
        for n in range(len(motion)):
            moved, image = motion[n, b], sources[b, n].reshape(COLOURS, -1)
            sums = np.zeros((3, 4), np.float64)
            for row in range(num_rows):
                seen(depth[s, b, 0, row], moved, row, height, width, places)
                weight = through[n, s, b, :, row]
                for i in range(num_columns):
                    u, v, by_u, by_v = us[i], vs[i], ZERO, ZERO
                    at, below, step, across, down = corner(u, v, height, width)
                    for c in range(COLOURS):
                        upper = image[c, at + step] - image[c, at]
                        lower = image[c, below + step] - image[c, below]
                        drop = image[c, below] - image[c, at]
                        by_u += weight[c, i] * (upper + down * (lower - upper))
                        by_v += weight[c, i] * (drop + across * (lower - upper))
                    by_us[i] = by_u if 0 < u < width - 1 else ZERO
                    by_vs[i] = by_v if 0 < v < height - 1 else ZERO
                sums += seen_back(
                    depth[s, b, 0, row], moved, row, places, by_place, by_depth[s, b, 0, row]
                )
            by_motion[s, n, b] = sums
