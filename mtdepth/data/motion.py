"""Which instances stand, move, or move with the camera, where no one has said so: candidates.

The lidar tells where an instance is, the camera's poses how much of its way is the camera's own.
Two things make this robust. An instance is followed over two or three frames, 0.2 to 0.3 s at
KITTI's 10 Hz, both into the past and into the future: within one frame a pedestrian walks no
further than masks and scans err. And its way is not that of its centre, which wanders as it is
passed and more of it comes into view, but the shift that lays its points on each other, seen from
above: ICP, as Lin and Caesar (2024, ICP-Flow) do for scene flow.

What can't be told is left out: instances with too few points, cut off by the image's border,
mistakable for another of their label, or not seen both before and after, as at the ends of a
drive; shifts that fit as well and tell something else, as along a bare wall; what past and future
contradict; and everything where the camera hardly moves or where its poses contradict its speed,
as after a jump of the GPS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from mtdepth.data.alignment import Points, align
from mtdepth.data.sighting import Sighting, matches
from mtdepth.data.splits import Frame
from mtdepth.instances.numbering import numbered

UNKNOWN, STATIC, MOVING, COMOVING = 0, 1, 2, 3
MIN_STEPS, MAX_STEPS = 2, 3
"""Over how many frames an instance is followed."""
STATIC_MPS, MOVING_MPS = 0.5, 1.0
"""What is slower than the first stands: 5 cm in 0.1 s is where Argoverse 2's evaluation of scene
flow draws the line (Wilson et al. 2021). What is faster than the second, a slow walk, moves.
Between them is what a scan's errors of some centimetres may add up to over 0.2 s."""
COMOVING_SHARE = 0.2
"""What moves with the camera has, seen from it, at most this share of the camera's own speed:
photometrically it looks at least five times as far away as it is."""
MIN_CAMERA_MPS = STATIC_MPS / COMOVING_SHARE
"""A slower camera can't tell what moves with it from what stands."""
MAX_RESIDUAL_M = 0.2
"""Points that fit worse are not of the same thing."""
TIE, TIE_M = 1.3, 0.01
"""What fits within this factor of the best, and a centimetre, fits as well."""

Look = Callable[[Frame], Sighting | None]


def work_out(frame: Frame, look: Look) -> dict[int, int]:
    """`STATIC`, `MOVING` or `COMOVING` by the number of each instance of which it can be told.

    Args:
        frame: the image.
        look: gives the sighting of a frame, or None.
    """
    now = look(frame)
    if now is None:
        return {}
    past, future = (
        {
            number: compare(now, number, other, same)
            for number, (other, same) in _followed(frame, now, look, direction).items()
        }
        for direction in (-1, 1)
    )
    return {
        number: motion
        for number, motion in past.items()
        if motion != UNKNOWN and motion == future.get(number)
    }


def _followed(
    frame: Frame, now: Sighting, look: Look, direction: int
) -> dict[int, tuple[Sighting, int]]:
    """The furthest sighting of each instance, and its number there."""
    found: dict[int, tuple[Sighting, int]] = {}
    before, numbers = now, {number: number for number in now.clouds_m}
    for step in range(1, MAX_STEPS + 1):
        after = look(frame.shifted(direction * step))
        if after is None:
            break
        pairs = matches(before, after)
        numbers = {number: pairs[same] for number, same in numbers.items() if same in pairs}
        if step >= MIN_STEPS:
            found |= {number: (after, same) for number, same in numbers.items()}
        before = after
    return found


def compare(now: Sighting, number: int, other: Sighting, same: int) -> int:
    """How an instance moves, as far as two frames tell, in any order.

    Args:
        now: a frame.
        number: of the instance.
        other: another frame.
        same: its number there.

    Returns:
        `STATIC`, `MOVING`, `COMOVING`, or `UNKNOWN`.
    """
    seconds = other.time_s - now.time_s
    if seconds == 0:
        return UNKNOWN
    cam_T_other = np.linalg.inv(now.world_T_cam) @ other.world_T_cam
    camera_mps = _from_above(cam_T_other[:3, 3]) / seconds
    if not _is_driving(camera_mps, now.speed_mps, other.speed_mps):
        return UNKNOWN
    there_m = other.clouds_m[same] @ cam_T_other[:3, :3].T + cam_T_other[:3, 3]
    shifts_m = _shifts(
        _from_above(now.clouds_m[number]), _from_above(there_m), camera_mps * seconds
    )
    motions = {classify(shift_m / seconds, camera_mps) for shift_m in shifts_m}
    return motions.pop() if len(motions) == 1 else UNKNOWN


def _from_above(points_m: Points) -> Points:
    """(..., 2) right and forward of (..., 3): heights are those of the lidar's rings, which are
    elsewhere on an object in every frame."""
    return points_m[..., [0, 2]]


def _is_driving(camera_mps: Points, *told_mps: float | None) -> bool:
    """Whether the camera drives, and as fast as the car says."""
    speed_mps = float(np.hypot(*camera_mps))
    return speed_mps >= MIN_CAMERA_MPS and all(
        abs(told - speed_mps) <= COMOVING_SHARE * speed_mps for told in told_mps if told is not None
    )


def _shifts(cloud_m: Points, other_m: Points, camera_m: Points) -> list[Points]:
    """Where an instance may have gone: the shifts (2,) that fit as well as the best, looked for
    from rest, from the camera's way, and from the way of the instance's middle."""
    middle_m = np.median(other_m, axis=0) - np.median(cloud_m, axis=0)
    fits = [align(cloud_m, other_m, start_m) for start_m in (np.zeros(2), camera_m, middle_m)]
    best_m = min(fit.residual_m for fit in fits)
    if best_m > MAX_RESIDUAL_M:
        return []
    return [fit.shift_m for fit in fits if fit.residual_m <= TIE * best_m + TIE_M]


def classify(velocity_mps: Points, camera_mps: Points) -> int:
    """`STATIC`, `MOVING`, `COMOVING`, or `UNKNOWN`, of a velocity (2,) over ground and that of the
    camera."""
    speed_mps = np.hypot(*velocity_mps)
    if speed_mps < STATIC_MPS:
        return STATIC
    if speed_mps < MOVING_MPS:
        return UNKNOWN
    relative_mps = np.hypot(*(velocity_mps - camera_mps))
    return COMOVING if relative_mps <= COMOVING_SHARE * np.hypot(*camera_mps) else MOVING


def motion_map(instances: NDArray[np.integer], motions: Mapping[int, int]) -> NDArray[np.uint8]:
    """(H, W) motion of each pixel's instance, 0 for background and where it isn't known.

    Args:
        instances: (H, W) instance map.
        motions: by number.
    """
    numbers, pixels = numbered(instances)
    values = np.array([motions.get(number, UNKNOWN) for number in numbers.tolist()], np.uint8)
    return values[pixels]
