"""The camera: rays through pixels, and a way that a car could drive."""

from __future__ import annotations

import numpy as np
import pytest

from mtdepth.data.driveworld.camera import camera_rays, drive_path, intrinsics


def test_the_axis_goes_through_the_middle_of_the_image() -> None:
    k = intrinsics(192, 64)
    assert np.linalg.solve(k, [95.5, 31.5, 1]) == pytest.approx([0, 0, 1])
    # KITTI sees 81 degrees across and 29 up and down
    corner = np.linalg.solve(k, [191.5, 63.5, 1])
    assert np.degrees(2 * np.arctan(corner[:2])) == pytest.approx([81.5, 29.2], abs=0.1)


def test_rays_go_through_the_centres_of_pixels() -> None:
    rays, k = camera_rays(np.eye(4), 192, 64), intrinsics(192, 64)
    for row, column in ((0, 0), (5, 17), (63, 191)):
        direction = (rays.tan_cols[column], rays.tan_rows[row], 1)
        assert k @ direction == pytest.approx([column, row, 1])


@pytest.mark.parametrize("per_side", [2, 3])
def test_fine_rays_share_a_pixel_evenly(per_side: int) -> None:
    coarse = camera_rays(np.eye(4), 64, 32)
    fine = camera_rays(np.eye(4), 64, 32, per_side)
    for name in ("tan_rows", "tan_cols"):
        found = getattr(fine, name)
        assert np.diff(found) == pytest.approx(np.diff(found)[0])
        assert found.reshape(-1, per_side).mean(1) == pytest.approx(getattr(coarse, name))


@pytest.mark.parametrize("seed", range(20))
def test_a_car_could_drive_like_this(seed: int) -> None:
    path = drive_path(np.random.default_rng(seed), 20, lane_x=1.6)
    rotations, positions = path.poses[:, :3, :3], path.poses[:, :3, 3]
    identity = np.tile(np.eye(3), (20, 1, 1))
    assert rotations @ rotations.swapaxes(1, 2) == pytest.approx(identity, abs=1e-12)
    assert np.linalg.det(rotations) == pytest.approx(1)
    assert positions[0, [0, 2]] == pytest.approx([1.6, 0])
    assert positions[:, 1] == pytest.approx(-1.65, abs=0.04)
    assert (positions - path.base)[:, [0, 2]] == pytest.approx(np.tile([1.6, 0], (20, 1)))
    motions = np.linalg.inv(path.poses[:-1]) @ path.poses[1:]
    forward = motions[:, 2, 3]
    assert (forward > 0.45).all()
    assert (forward < 1.25).all()
    assert np.abs(motions[:, 0, 3]).max() < 0.3
    angles = np.degrees(np.arccos((np.trace(motions[:, :3, :3], axis1=1, axis2=2) - 1) / 2))
    assert angles.max() < 3.5
    assert angles.max() > 0.02  # it shakes
