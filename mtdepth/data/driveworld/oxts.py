"""What the inertial unit says of the camera's poses, in KITTI's 30 fields."""

from __future__ import annotations

import numpy as np

from mtdepth.data.driveworld.calibration import AXES, CAM2_T_IMU
from mtdepth.data.driveworld.solids import Array

EARTH_RADIUS_M = 6378137.0
LATITUDE_DEG, LONGITUDE_DEG, ALTITUDE_M = 49.0, 8.4, 115.0
QUALITY = (0.05, 0.02, 4, 9, 6, 6, 0)
HEADING = 0.7


def records(world_T_cam: Array, fps: float) -> Array:
    """(N, 30) lat, lon, alt, roll, pitch, yaw, velocities, ... of camera poses (N, 4, 4).

    Read by KITTI's mercator convention, with the first record's latitude as the scale, they give
    back the camera's poses up to a rigid motion of the whole drive.
    """
    earth_T_imu = _earth_T_world() @ world_T_cam @ CAM2_T_IMU
    rotation, position = earth_T_imu[:, :3, :3], earth_T_imu[:, :3, 3]
    position = position - position[0]
    lat, lon = _geographic(position)
    roll = np.arctan2(rotation[:, 2, 1], rotation[:, 2, 2])
    pitch = -np.arcsin(np.clip(rotation[:, 2, 0], -1, 1))
    yaw = np.arctan2(rotation[:, 1, 0], rotation[:, 0, 0])
    velocity = np.gradient(position, 1 / fps, axis=0)
    acceleration = np.gradient(velocity, 1 / fps, axis=0)
    rates = _rates(rotation, fps)
    out = np.zeros((len(position), 30))
    out[:, :6] = np.stack([lat, lon, ALTITUDE_M + position[:, 2], roll, pitch, yaw], 1)
    out[:, 6], out[:, 7] = velocity[:, 1], velocity[:, 0]
    out[:, 8:11] = _levelled(velocity, yaw)
    gravity = np.array([0, 0, 9.81])
    out[:, 11:14] = np.einsum("nji,nj->ni", rotation, acceleration + gravity)
    out[:, 14:17] = _levelled(acceleration, yaw)
    out[:, 17:20] = rates
    out[:, 20:23] = _levelled(np.einsum("nij,nj->ni", rotation, rates), yaw)
    out[:, 23:] = QUALITY
    return out


def _earth_T_world() -> Array:
    """East, north, up from the street's axes."""
    cos, sin = np.cos(HEADING), np.sin(HEADING)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    matrix = np.eye(4)
    matrix[:3, :3] = turn @ AXES.T
    return matrix


def _geographic(position: Array) -> tuple[Array, Array]:
    """Latitude and longitude (degrees) of positions east and north of the start, metres."""
    radius = np.cos(np.radians(LATITUDE_DEG)) * EARTH_RADIUS_M
    north = radius * np.log(np.tan(np.radians(90 + LATITUDE_DEG) / 2)) + position[:, 1]
    lat = np.degrees(2 * np.arctan(np.exp(north / radius))) - 90
    return lat, LONGITUDE_DEG + np.degrees(position[:, 0] / radius)


def _levelled(vectors: Array, yaw: Array) -> Array:
    """(N, 3) east, north, up to forward, left, up."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    east, north, up = vectors.T
    return np.stack([cos * east + sin * north, cos * north - sin * east, up], 1)


def _rates(rotation: Array, fps: float) -> Array:
    """(N, 3) angular rates in the unit's axes, rad/s."""
    turns = np.einsum("nji,njk->nik", rotation[:-1], rotation[1:])
    skew = (turns - turns.swapaxes(1, 2)) / 2
    rates = np.stack([skew[:, 2, 1], skew[:, 0, 2], skew[:, 1, 0]], 1) * fps
    return np.concatenate([rates, rates[-1:]])
