"""Random colours (Godard et al. 2019, sec. 3.3): brightness, contrast, saturation and hue.

Each is changed as torchvision changes it, by a factor and in an order of its own for each sample.
Samples that have the same change in turn are changed together, so that what a GPU is asked to do in
a step does not grow with the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mtdepth.device import copied

BRIGHTNESS = CONTRAST = SATURATION = (0.8, 1.2)
HUE = (-0.1, 0.1)
"""monodepth2's ranges, of factors and of turns of the colour circle."""
Change = Callable[[Tensor, Tensor], Tensor]
Drawn = list[tuple[int, float]]
"""Indices of `CHANGES` and by how much, in turn; empty to change nothing."""


def draw_jitter(generator: torch.Generator) -> Drawn:
    """Each change once, in a random order."""
    found = []
    for index in torch.randperm(len(CHANGES), generator=generator).tolist():
        low, high = CHANGES[index][1]
        found.append((index, low + (high - low) * torch.rand((), generator=generator).item()))
    return found


def jitter(frames: Tensor, drawn: Sequence[Drawn]) -> None:
    """Changes the colours of frames (B, F, 3, H, W) in [0, 1], in place: each sample as was drawn
    for it."""
    todo: list[tuple[Change, list[int], list[float]]] = []
    for turn in range(len(CHANGES)):
        for index, (change, _) in enumerate(CHANGES):
            of = [i for i, one in enumerate(drawn) if one and one[turn][0] == index]
            if of:
                todo.append((change, of, [drawn[i][turn][1] for i in of]))
    if not todo:
        return
    sizes = [len(of) for _, of, _ in todo]
    # as one copy each, which a GPU takes while the program goes on
    rows = copied(torch.tensor([i for _, of, _ in todo for i in of]), frames.device)
    factors = copied(torch.tensor([x for *_, xs in todo for x in xs]), frames.device)
    parts = zip(todo, rows.split(sizes), factors.view(-1, 1, 1, 1, 1).split(sizes), strict=True)
    for (change, _, _), chosen, by in parts:
        frames[chosen] = change(frames[chosen], by)


def brighten(images: Tensor, factors: Tensor) -> Tensor:
    """Images (N, F, 3, H, W), nearer to black or farther from it; factors (N, 1, 1, 1, 1)."""
    return (images * factors).clamp_(0, 1)


def contrast(images: Tensor, factors: Tensor) -> Tensor:
    """Nearer to the mean grey of each frame, or farther from it."""
    return _blend(images, _grey(images).mean((-2, -1), keepdim=True), factors)


def saturate(images: Tensor, factors: Tensor) -> Tensor:
    """Nearer to each pixel's grey, or farther from it."""
    return _blend(images, _grey(images), factors)


def turn_hue(images: Tensor, turns: Tensor) -> Tensor:
    """Hues turned on the colour circle, by turns (N, 1, 1, 1, 1) (HSV, Smith 1978)."""
    red, green, blue = images.unbind(-3)
    value = images.amax(-3)
    chroma = value - images.amin(-3)
    scale = 1 / chroma.clamp_min(1e-12)
    # in sixths of the circle, from red
    hue = torch.where(
        value == red,
        (green - blue) * scale,
        torch.where(value == green, 2 + (blue - red) * scale, 4 + (red - green) * scale),
    )
    hue += 6 * turns.squeeze(-3)
    found = []
    for sixth in (5, 3, 1):
        away = (hue + sixth).remainder_(6)
        share = torch.minimum(away, 4 - away).clamp_(0, 1)
        found.append(value - chroma * share)
    return torch.stack(found, -3)


def _blend(images: Tensor, other: Tensor, factors: Tensor) -> Tensor:
    return torch.lerp(other, images, factors).clamp_(0, 1)


def _grey(images: Tensor) -> Tensor:
    """(..., 1, H, W), the luma of ITU-R BT.601."""
    red, green, blue = images.split(1, -3)
    return 0.2989 * red + 0.587 * green + 0.114 * blue


CHANGES: Sequence[tuple[Change, tuple[float, float]]] = (
    (brighten, BRIGHTNESS),
    (contrast, CONTRAST),
    (saturate, SATURATION),
    (turn_hue, HUE),
)
