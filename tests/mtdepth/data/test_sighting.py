"""Which lidar points are an instance's, and which instances of two frames are the same."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mtdepth.data.sighting import MIN_POINTS, Sighting, instance_clouds, matches

CAR, PERSON = 26000, 24000


def car_at(depths_m: list[float], *, down_m: float = 0.0) -> NDArray[np.float64]:
    return np.array([[0.0, down_m, depth_m] for depth_m in depths_m])


def clouds_of(
    points_m: NDArray[np.float64],
    place: tuple[float, float] = (3, 2),
    instances: NDArray[np.integer] | None = None,
) -> dict[int, NDArray[np.float64]]:
    """Of points that are all seen in one place, by default within a car of 3 x 3 pixels."""
    if instances is None:
        instances = np.zeros((6, 8), np.int32)
        instances[1:4, 2:5] = CAR
    return instance_clouds(instances, points_m, np.tile(np.array(place, float), (len(points_m), 1)))


def test_an_instance_has_the_points_that_are_seen_in_it() -> None:
    points = car_at([10.0] * 12)
    assert clouds_of(points)[CAR] == pytest.approx(points)
    for inside in ((1.6, 0.6), (4.4, 3.4)):
        assert CAR in clouds_of(points, inside)
    for outside in ((1.4, 2), (3, 3.6), (-100, 2), (3, 1e30), (8, 2)):
        assert clouds_of(points, outside) == {}


@pytest.mark.parametrize("num", [0, 1, MIN_POINTS - 1, MIN_POINTS])
def test_few_points_are_none(num: int) -> None:
    assert len(clouds_of(car_at([10.0] * num).reshape(-1, 3))) == (num >= MIN_POINTS)


@pytest.mark.parametrize("cut", [np.s_[2, 0], np.s_[2, -1], np.s_[0, 3], np.s_[-1, 3]])
def test_what_the_border_cuts_off_is_none(cut: tuple[int, int]) -> None:
    instances = np.zeros((6, 8), np.int32)
    instances[1:4, 2:5] = CAR
    assert CAR in clouds_of(car_at([10.0] * 12), instances=instances)
    instances[cut] = CAR
    assert clouds_of(car_at([10.0] * 12), instances=instances) == {}


def test_the_road_under_it_is_left_out() -> None:
    points = np.concatenate([car_at([10.0] * 12), car_at([10.0] * 30, down_m=1.5)])
    assert clouds_of(points)[CAR] == pytest.approx(car_at([10.0] * 12))


def test_a_wall_behind_it_is_left_out() -> None:
    # by hand: 10 to 10.9 m, a gap of 1.1 m, and fewer points from 12 m on
    car = [10 + 0.1 * i for i in range(10)]
    points = car_at([*[12.0] * 9, *car[::-1]])
    assert sorted(clouds_of(points)[CAR][:, 2]) == pytest.approx(car)


def seen(*middles: tuple[int, float, float], pose: NDArray[np.float64] | None = None) -> Sighting:
    """Instances of one frame, by label, and where they are to the right and ahead in the world;
    numbered from the last to the first."""
    world_T_cam = np.eye(4) if pose is None else pose
    cam_T_world = np.linalg.inv(world_T_cam)
    clouds = {}
    for k, (label, right_m, ahead_m) in enumerate(reversed(middles)):
        point = cam_T_world @ [right_m, 0, ahead_m, 1]
        clouds[label + k] = np.tile(point[:3], (5, 1))
    return Sighting(clouds_m=clouds, world_T_cam=world_T_cam, time_s=0.0, speed_mps=None)


def test_the_same_is_the_nearest_in_the_world() -> None:
    pose = np.eye(4)
    pose[:3, :3] = [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]
    pose[:3, 3] = [3, 0, 4]
    before = seen((CAR, 0, 10), (CAR, 0, 16), (PERSON, 2, 10))
    after = seen((CAR, 0, 17.5), (PERSON, 2.1, 10), (CAR, 0, 11.5), pose=pose)
    assert before.clouds_m.keys() == {CAR + 2, CAR + 1, PERSON}
    assert matches(before, after) == {CAR + 2: CAR, CAR + 1: CAR + 2, PERSON: PERSON + 1}
    assert matches(after, before) == {CAR: CAR + 2, CAR + 2: CAR + 1, PERSON + 1: PERSON}


def test_labels_do_not_mix() -> None:
    assert matches(seen((CAR, 0, 10)), seen((PERSON, 0, 10))) == {}
    assert matches(seen(), seen((CAR, 0, 10))) == {}
    assert matches(seen((CAR, 0, 10)), seen()) == {}


@pytest.mark.parametrize(("rival_m", "told"), [(0.9, False), (1.1, True)])
def test_a_rival_makes_it_uncertain(rival_m: float, told: bool) -> None:
    # by hand: half a metre, and whether another is more than twice as far away
    one, two = seen((PERSON, 0, 10)), seen((PERSON, 0.5, 10), (PERSON, -rival_m, 10))
    assert bool(matches(one, two)) is told  # two may be it
    assert bool(matches(two, one)) is told  # it may be of two


def test_two_that_swap_numbers_are_still_themselves() -> None:
    before, after = seen((CAR, -3, 9), (CAR, 3, 9)), seen((CAR, 3, 9.5), (CAR, -3, 9.5))
    assert matches(before, after) == {CAR + 1: CAR, CAR: CAR + 1}
