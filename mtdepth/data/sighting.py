"""The instances of a frame as the lidar measures them, and the same ones in another frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mtdepth.data.alignment import Points

MIN_POINTS = 10
"""Fewer points of the lidar make no shape."""
ROAD_M = 1.3
"""Points this far below the camera may be road, seen through or under an instance; KITTI's cameras
are 1.65 m above it (Geiger et al. 2013). The lidar's rings on the road move with the camera, and
would make everything seem to."""
GAP_M = 1.0
"""Sorted by depth, points that are further apart belong to two things: masks bleed."""
DISTINCT = 2.0
"""The nearest instance of a label is the same one if the next is this many times further away."""


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """The instances of one frame, and where and when they are seen from."""

    clouds_m: Mapping[int, Points]
    """(N, 3) points of each instance in the camera's frame, right, down and forward, by its number
    `label_id * 1000 + k`."""
    world_T_cam: NDArray[np.float64]
    """(4, 4) in the world of its drive."""
    time_s: float
    """Since whenever."""
    speed_mps: float | None
    """What the car says of its own speed, if it does."""

    @cached_property
    def middles_m(self) -> Mapping[int, Points]:
        """(3,) the median of each cloud, in the world."""
        rotation, position_m = self.world_T_cam[:3, :3], self.world_T_cam[:3, 3]
        return {
            number: rotation @ np.median(cloud, axis=0) + position_m
            for number, cloud in self.clouds_m.items()
        }


def instance_clouds(
    instances: NDArray[np.integer], points_m: Points, places: Points
) -> dict[int, Points]:
    """The lidar points of each instance that has enough, and isn't cut off by the image's border.

    Of what is cut off, another part is seen in every frame, which seems to move with the camera.

    Args:
        instances: (H, W) instance map, 0 for background.
        points_m: (N, 3) in the camera's frame: right, down, forward.
        places: (N, 2) column and row where each is seen, within the map or not.

    Returns:
        (M, 3) metres by number; of several parts along the depth the largest.
    """
    height, width = instances.shape
    inside = ((places > -0.5) & (places < np.array([width, height]) - 0.5)).all(1)
    columns, rows = np.round(places[inside]).astype(np.int64).T
    points_m, numbers = points_m[inside], instances[rows, columns]
    cut_off = np.union1d(instances[:, [0, -1]], instances[[0, -1]])
    clouds: dict[int, Points] = {}
    for number in np.setdiff1d(numbers, np.append(cut_off, 0)).tolist():
        cloud = _largest_part(points_m[(numbers == number) & (points_m[:, 1] < ROAD_M)])
        if len(cloud) >= MIN_POINTS:
            clouds[number] = cloud
    return clouds


def _largest_part(cloud: Points) -> Points:
    cloud = cloud[np.argsort(cloud[:, 2], kind="stable")]
    gaps = np.flatnonzero(np.diff(cloud[:, 2]) > GAP_M) + 1
    return max(np.split(cloud, gaps), key=len)


def matches(before: Sighting, after: Sighting) -> dict[int, int]:
    """Which instances of two frames are the same: of one label, and by far the nearest to each
    other in the world. An instance's number is of no use, it is another in every frame.

    Args:
        before: a frame.
        after: the next one, or the one before: 0.1 s, in which a car at 50 km/h drives a third of
            its length.

    Returns:
        Numbers in `after` by those in `before`; without those that may be one or the other.
    """
    found: dict[int, int] = {}
    for label in {number // 1000 for number in before.middles_m}:
        rows, columns = (
            [number for number in sighting.middles_m if number // 1000 == label]
            for sighting in (before, after)
        )
        if not columns:
            continue
        here = np.stack([before.middles_m[number] for number in rows])
        there = np.stack([after.middles_m[number] for number in columns])
        distance_m = np.linalg.norm(here[:, None] - there[None], axis=2)
        for row, column in enumerate(distance_m.argmin(1).tolist()):
            of_row = np.delete(distance_m[row], column)
            of_column = np.delete(distance_m[:, column], row)
            if (
                np.append(of_row, of_column).min(initial=np.inf)
                > DISTINCT * distance_m[row, column]
            ):
                found[rows[row]] = columns[column]
    return found
