"""Photometric errors on a CPU: SSIM (Wang et al. 2004, eq. 13) in 3x3 windows with reflected
borders, mixed with L1 (Godard et al. 2019, sec. 3.1)."""

from __future__ import annotations

import numpy as np

from mtdepth.losses.fused.cpu.compiled import Floats, compiled
from mtdepth.losses.ssim import C1, C2

ONE, TWO, NINTH = np.float32(1), np.float32(2), np.float32(1 / 9)
C1_, C2_ = np.float32(C1), np.float32(C2)


@compiled
def beside(row: int, height: int) -> tuple[int, int]:
    """The rows above and below one, reflected at the borders."""
    return abs(row - 1), min(row + 1, 2 * height - 3 - row)


@compiled
def ssim_terms(x: Floats, y: Floats, row: int, sums: Floats, terms: Floats) -> None:
    """For the windows around a row of x and y (H, W): both means, and eq. 13's factors, two above
    the line and two below it, into `terms` (6, W). `sums` (5, W + 2) is room to work in.

    What is below the line is told as how far it is from what is above, so that nothing is rounded
    differently where x is y."""
    height, width = x.shape
    above, below = beside(row, height)
    x0, x1, x2, y0, y1, y2 = x[above], x[row], x[below], y[above], y[row], y[below]
    sum_x, sum_y, sum_xx, sum_yy, sum_xy = sums[0], sums[1], sums[2], sums[3], sums[4]
    for i in range(width):
        sum_x[i + 1] = x0[i] + x1[i] + x2[i]
        sum_y[i + 1] = y0[i] + y1[i] + y2[i]
        sum_xx[i + 1] = x0[i] * x0[i] + x1[i] * x1[i] + x2[i] * x2[i]
        sum_yy[i + 1] = y0[i] * y0[i] + y1[i] * y1[i] + y2[i] * y2[i]
        sum_xy[i + 1] = x0[i] * y0[i] + x1[i] * y1[i] + x2[i] * y2[i]
    sums[:, 0] = sums[:, 2]
    sums[:, width + 1] = sums[:, width - 1]
    mean_x, mean_y, a1, a2, b1, b2 = terms[0], terms[1], terms[2], terms[3], terms[4], terms[5]
    for i in range(width):
        mx = (sum_x[i] + sum_x[i + 1] + sum_x[i + 2]) * NINTH
        my = (sum_y[i] + sum_y[i + 1] + sum_y[i + 2]) * NINTH
        xx = (sum_xx[i] + sum_xx[i + 1] + sum_xx[i + 2]) * NINTH
        yy = (sum_yy[i] + sum_yy[i + 1] + sum_yy[i + 2]) * NINTH
        xy = (sum_xy[i] + sum_xy[i + 1] + sum_xy[i + 2]) * NINTH
        mean_x[i], mean_y[i] = mx, my
        apart = (mx - my) * (mx - my)
        a1[i], a2[i] = TWO * mx * my + C1_, TWO * (xy - mx * my) + C2_
        b1[i], b2[i] = a1[i] + apart, a2[i] + ((xx + yy - TWO * xy) - apart)


@compiled
def errors(x: Floats, y: Floats, ssim: np.float32, out: Floats, first: int, last: int) -> None:
    """Errors of images x (M, C, H, W) from `first` to before `last` into `out` (M, H, W).

    Targets y (B, C, H, W) are taken in turns, for M a multiple of B.
    """
    _, channels, height, width = x.shape
    sums, terms = np.empty((5, width + 2), np.float32), np.empty((6, width), np.float32)
    a1, a2, b1, b2 = terms[2], terms[3], terms[4], terms[5]
    of_ssim, of_l1 = ssim / np.float32(2 * channels), (ONE - ssim) / np.float32(channels)
    for m in range(first, last):
        out[m] = 0
        for c in range(channels):
            of_x, of_y = x[m, c], y[m % len(y), c]
            for row in range(height):
                ssim_terms(of_x, of_y, row, sums, terms)
                error, one, other = out[m, row], of_x[row], of_y[row]
                for i in range(width):
                    lost = ONE - a1[i] * a2[i] / (b1[i] * b2[i])
                    lost = np.float32(0) if lost < 0 else TWO if lost > 2 else lost
                    error[i] += of_ssim * lost + of_l1 * abs(one[i] - other[i])


@compiled
def errors_back(
    x: Floats, y: Floats, ssim: np.float32, through: Floats, out: Floats, first: int, last: int
) -> None:
    """Gradients of images from those of their errors, `through` (M, H, W), into `out` like x.

    Each window sends back through the sums of x, of x^2 and of x y that it has.
    """
    _, channels, height, width = x.shape
    sums, terms = np.empty((5, width + 2), np.float32), np.empty((6, width), np.float32)
    mean_x, mean_y, a1, a2, b1, b2 = terms[0], terms[1], terms[2], terms[3], terms[4], terms[5]
    by_window = np.zeros((3, width + 2), np.float32)
    by_pixel = np.empty((3, width), np.float32)
    of_ssim, of_l1 = -ssim / np.float32(18 * channels), (ONE - ssim) / np.float32(channels)
    for m in range(first, last):
        for c in range(channels):
            of_x, of_y, back = x[m, c], y[m % len(y), c], out[m, c]
            for row in range(height):
                for i in range(width):
                    back[row, i] = of_l1 * np.sign(of_x[row, i] - of_y[row, i]) * through[m, row, i]
            for row in range(height):
                ssim_terms(of_x, of_y, row, sums, terms)
                for i in range(width):
                    outer = of_ssim * through[m, row, i]
                    scale = ONE / (b1[i] * b2[i])
                    value = a1[i] * a2[i] * scale
                    by_xx = -value * b1[i] * scale
                    by_mean = mean_y[i] * (a2[i] - a1[i]) * scale
                    by_mean -= mean_x[i] * (value * b2[i] * scale + by_xx)
                    by_window[0, i + 1] = TWO * outer * by_mean
                    by_window[1, i + 1] = TWO * outer * by_xx
                    by_window[2, i + 1] = TWO * outer * a1[i] * scale
                for k in range(3):
                    of_window, of_pixel = by_window[k], by_pixel[k]
                    for i in range(width):
                        of_pixel[i] = of_window[i] + of_window[i + 1] + of_window[i + 2]
                    of_pixel[1] += of_window[1]  # what is reflected belongs to its original
                    of_pixel[width - 2] += of_window[width]
                by_x, by_xx, by_xy = by_pixel[0], by_pixel[1], by_pixel[2]
                above, below = beside(row, height)
                for near in (above, row, below):
                    into, one, other = back[near], of_x[near], of_y[near]
                    for i in range(width):
                        into[i] += by_x[i] + one[i] * by_xx[i] + other[i] * by_xy[i]
