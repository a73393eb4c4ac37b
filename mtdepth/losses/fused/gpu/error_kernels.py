"""Photometric errors on a GPU: SSIM (Wang et al. 2004, eq. 13) in 3x3 windows with reflected
borders, mixed with L1 (Godard et al. 2019, sec. 3.1)."""

from __future__ import annotations

import triton.language as tl

from mtdepth.losses import ssim as constants
from mtdepth.losses.fused.gpu.kernel import Pointer, Values, kernel

C1, C2 = tl.constexpr(constants.C1), tl.constexpr(constants.C2)


@kernel
def reflected(index: Values, size: Values) -> Values:
    """An index of up to one step outside, inside."""
    index = tl.abs(index)
    return tl.minimum(index, 2 * (size - 1) - index)


@kernel
def ssim_terms(
    x: Pointer, y: Pointer,
    row: Values, column: Values, height: Values, width: Values, inside: Values,
) -> tuple[Values, ...]:  # fmt: skip
    """For the windows around pixels of x and y (H, W): both means, and eq. 13's factors, two above
    the line and two below it, told as how far they are from those above: so nothing is rounded
    differently where x is y."""
    mean_x, mean_y = tl.zeros_like(row).to(tl.float32), tl.zeros_like(row).to(tl.float32)
    xx, yy, xy = mean_x, mean_x, mean_x
    for i in tl.static_range(3):
        along = reflected(row + (i - 1), height) * width
        for j in tl.static_range(3):
            at = along + reflected(column + (j - 1), width)
            one, other = tl.load(x + at, inside, 0.0), tl.load(y + at, inside, 0.0)
            mean_x += one
            mean_y += other
            xx += one * one
            yy += other * other
            xy += one * other
    mean_x, mean_y, xx, yy, xy = mean_x / 9, mean_y / 9, xx / 9, yy / 9, xy / 9
    apart = (mean_x - mean_y) * (mean_x - mean_y)
    a1, a2 = 2 * mean_x * mean_y + C1, 2 * (xy - mean_x * mean_y) + C2
    return mean_x, mean_y, a1, a2, a1 + apart, a2 + ((xx + yy - 2 * xy) - apart)


@kernel
def errors(
    x: Pointer, y: Pointer, out: Pointer,
    ssim: Values, num_targets: Values, channels: Values, height: Values, width: Values,
    BLOCK: tl.constexpr,
) -> None:  # fmt: skip
    """A block of `out` (M, H, W): of images x (M, C, H, W) and targets y (B, C, H, W) in turns."""
    m, num_pixels = tl.program_id(0), height * width
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = pixel < num_pixels
    row, column = pixel // width, pixel % width
    of_ssim, of_l1 = ssim / (2 * channels), (1 - ssim) / channels
    error = tl.zeros([BLOCK], tl.float32)
    for c in range(channels):
        of_x = x + (m.to(tl.int64) * channels + c) * num_pixels
        of_y = y + ((m % num_targets).to(tl.int64) * channels + c) * num_pixels
        _, _, a1, a2, b1, b2 = ssim_terms(of_x, of_y, row, column, height, width, inside)
        lost = 1 - tl.div_rn(a1 * a2, b1 * b2)
        lost = tl.where(lost < 0, 0.0, tl.where(lost > 2, 2.0, lost))
        one, other = tl.load(of_x + pixel, inside, 0.0), tl.load(of_y + pixel, inside, 0.0)
        error += of_ssim * lost + of_l1 * tl.abs(one - other)
    tl.store(out + m.to(tl.int64) * num_pixels + pixel, error, inside)


@kernel
def windows_back(
    x: Pointer, y: Pointer, through: Pointer, by_window: Pointer, ssim: Values,
    num_targets: Values, num: Values, channels: Values, height: Values, width: Values,
    BLOCK: tl.constexpr,
) -> None:  # fmt: skip
    """A block of what windows send back through their sums of x, of x^2 and of x y, into
    `by_window` (3, M, C, H, W), from the gradients of the errors, `through` (M, H, W)."""
    image, num_pixels = tl.program_id(0), height * width
    m, c = image // channels, image % channels
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = pixel < num_pixels
    of_x = x + image.to(tl.int64) * num_pixels
    of_y = y + ((m % num_targets) * channels + c).to(tl.int64) * num_pixels
    row, column = pixel // width, pixel % width
    mean_x, mean_y, a1, a2, b1, b2 = ssim_terms(of_x, of_y, row, column, height, width, inside)
    outer = tl.load(through + m.to(tl.int64) * num_pixels + pixel, inside, 0.0)
    outer *= -ssim / (9 * channels)
    scale = 1 / (b1 * b2)
    value = a1 * a2 * scale
    by_xx = -value * b1 * scale
    by_mean = mean_y * (a2 - a1) * scale - mean_x * (value * b2 * scale + by_xx)
    into, step = by_window + image.to(tl.int64) * num_pixels + pixel, num_pixels.to(tl.int64)
    step *= num * channels
    tl.store(into, outer * by_mean, inside)
    tl.store(into + step, outer * by_xx, inside)
    tl.store(into + 2 * step, outer * a1 * scale, inside)


@kernel
def pixels_back(
    x: Pointer, y: Pointer, through: Pointer, by_window: Pointer, out: Pointer, ssim: Values,
    num_targets: Values, num: Values, channels: Values, height: Values, width: Values,
    BLOCK: tl.constexpr,
) -> None:  # fmt: skip
    """A block of the gradients of images, `out` (M, C, H, W): of what each window sends back, all
    that has a pixel in it, twice where it is reflected into it as well; and of L1."""
    image, num_pixels = tl.program_id(0), height * width
    m, c = image // channels, image % channels
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = pixel < num_pixels
    row, column = pixel // width, pixel % width
    start, step = image.to(tl.int64) * num_pixels, num_pixels.to(tl.int64) * num * channels
    by_x, by_xx = tl.zeros([BLOCK], tl.float32), tl.zeros([BLOCK], tl.float32)
    by_xy = tl.zeros([BLOCK], tl.float32)
    for i in tl.static_range(3):
        near_row = row + (i - 1)
        times_row = times(row, near_row, height)
        for j in tl.static_range(3):
            near_column = column + (j - 1)
            count = times_row * times(column, near_column, width)
            exists = inside & (count > 0)
            window = by_window + start + near_row * width + near_column
            by_x += count * tl.load(window, exists, 0.0)
            by_xx += count * tl.load(window + step, exists, 0.0)
            by_xy += count * tl.load(window + 2 * step, exists, 0.0)
    one = tl.load(x + start + pixel, inside, 0.0)
    of_y = y + ((m % num_targets) * channels + c).to(tl.int64) * num_pixels
    other = tl.load(of_y + pixel, inside, 0.0)
    by_l1 = tl.load(through + m.to(tl.int64) * num_pixels + pixel, inside, 0.0)
    by_l1 *= (1 - ssim) / channels
    sign = tl.where(one > other, 1.0, tl.where(one < other, -1.0, 0.0))
    tl.store(out + start + pixel, by_l1 * sign + by_x + one * by_xx + other * by_xy, inside)


@kernel
def times(pixel: Values, window: Values, size: Values) -> Values:
    """How often a window has a pixel in it, along an axis: once, not at all if there is no such
    window, twice if it reflects the pixel."""
    twice = ((window == 0) & (pixel == 1)) | ((window == size - 1) & (pixel == size - 2))
    return tl.where((window >= 0) & (window < size), tl.where(twice, 2.0, 1.0), 0.0)
