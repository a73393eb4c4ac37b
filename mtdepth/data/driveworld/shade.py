"""The colour of points on surfaces: texture, windows, lane marks, light.

All that has an edge is filtered to the pixel's footprint on the surface, in metres along u and v.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtdepth.data.driveworld import patterns, shadow
from mtdepth.data.driveworld.scene import Placed
from mtdepth.data.driveworld.solids import FACADE, ROAD, Array
from mtdepth.data.driveworld.texture import COARSE_TEXEL_M, Ripmap
from mtdepth.data.driveworld.world import Light

CHUNK = 1 << 14
F32 = np.float32


@dataclass(frozen=True)
class Shader:
    """What colours one frame."""

    placed: Placed
    light: Light
    fine: Ripmap
    coarse: Ripmap
    baked_sun: Ripmap
    world_T_cam: Array
    pixel: tuple[float, float]
    """Size of a pixel at depth 1."""
    tables: Array
    """(11, F): see `_tables`."""
    lit: Array
    """(3, F) light that falls on a face, without sun for the ground."""
    on_ground: Array
    round_of: Array
    round_tables: Array
    """(18, E): see `_round_tables`."""
    ambient: Array
    sun: Array
    """(3, 1) float32 colours."""
    moving_shadows: list[Array]

    def colors(self, x: Array, y: Array, inverse: Array, faces: Array, size: float) -> Array:
        """(N, 3) colours of rays (x, y, 1) that hit `faces` at inverse depth `inverse`.

        `size` is the side of what a ray stands for, in pixels.
        """
        out = np.empty((len(x), 3), np.float32)
        for start in range(0, len(x), CHUNK):
            here = slice(start, start + CHUNK)
            at = faces[here].astype(np.intp)
            out[here] = self._chunk(x[here], y[here], inverse[here], at, F32(size)).T
        return out

    def _chunk(self, x: Array, y: Array, inverse: Array, faces: Array, size: np.float32) -> Array:
        hit = faces >= 0
        if not hit.all():
            out = np.empty((3, len(x)), np.float32)
            some, none = np.flatnonzero(hit), np.flatnonzero(~hit)
            if len(some):
                seen = (x.take(some), y.take(some), inverse.take(some), faces.take(some))
                out[:, some] = self._chunk(*seen, size)
            out[:, none] = self._sky(x.take(none), y.take(none))
            return out
        t = 1 / inverse
        u, v, fu, fv, lit = self._surface(x, y, t, faces, size)
        looks = self.placed.scene.looks
        color = looks.color.T.take(faces, axis=1)
        pattern = looks.pattern.take(faces)
        for kind, paint in ((ROAD, patterns.road), (FACADE, patterns.facade)):
            at = np.flatnonzero(pattern == kind)
            if len(at):
                params = looks.params.T.take(faces.take(at), axis=1)
                where = (a.take(at) for a in (u, v, fu, fv))
                color[:, at] = paint(color.take(at, axis=1), params, *where)
        patterns.decals(color, looks, faces, u, v, fu, fv)
        color *= self._grain(faces, u, v, fu, fv)
        at = np.flatnonzero(self.on_ground.take(faces))
        if len(at):
            where = (a.take(at) for a in (x, y, t, fu, fv))
            lit[:, at] += self._ground_sun(*where)
        color *= lit
        return color

    def _surface(
        self, x: Array, y: Array, t: Array, faces: Array, size: np.float32
    ) -> tuple[Array, Array, Array, Array, Array]:
        """Metric coordinates and footprints on the surfaces, and the light (3, N) on them."""
        ua, ub, uc, va, vb, vc, wa, wb, _, u0, v0 = self.tables.take(faces, axis=1)
        sx, sy = F32(self.pixel[0]) * size, F32(self.pixel[1]) * size
        u = (ua * x + ub * y + uc) * t
        v = (va * x + vb * y + vc) * t
        wa *= t
        wb *= t
        fu = np.abs((ua - u * wa / t) * sx) + np.abs((ub - u * wb / t) * sy)
        fv = np.abs((va - v * wa / t) * sx) + np.abs((vb - v * wb / t) * sy)
        fu *= t
        fv *= t
        u += u0
        v += v0
        lit = self.lit.take(faces, axis=1)
        at = np.flatnonzero(self.placed.scene.is_round.take(faces))
        if len(at):
            where = (a.take(at) for a in (x, y, t, faces))
            u[at], v[at], lit[:, at] = self._round(*where)
            fu[at] = fv[at] = t.take(at) * F32(sx + sy)
        return u, v, fu, fv, lit

    def _round(self, x: Array, y: Array, t: Array, faces: Array) -> tuple[Array, Array, Array]:
        """Coordinates and light on ellipsoids, textured along the axis that faces out most."""
        rows = self.round_tables.take(self.round_of.take(faces), axis=1)
        p = (rows[0:3] * x + rows[3:6] * y + rows[6:9]) * t + rows[9:12]
        normal = p * rows[12:15]
        normal /= np.sqrt((normal * normal).sum(0))
        u, v = _unfold(p, normal)
        sun = np.maximum(0, (normal * rows[15:18]).sum(0))
        sky = F32(0.75) - F32(0.35) * normal[1]
        return u, v, self.ambient * sky + self.sun * sun

    def _grain(self, faces: Array, u: Array, v: Array, fu: Array, fv: Array) -> Array:
        """(3, N) factors of texture around 1: brightness, and a little hue at large."""
        looks = self.placed.scene.looks
        shift_u, shift_v = looks.shift.T.take(faces, axis=1)
        u, v = u + shift_u, v + shift_v
        scale: Array = (1 / looks.texel_m).take(faces)
        tile = looks.tile.take(faces)
        fine = self.fine.sample(tile, u * scale, v * scale, fu * scale, fv * scale)
        fine *= looks.contrast.take(faces)
        scale = np.full(len(u), 1 / COARSE_TEXEL_M, np.float32)
        tile = np.zeros(len(u), np.int32)
        coarse = self.coarse.sample(tile, u * scale, v * scale, fu * scale, fv * scale)
        fine += 1
        fine += coarse
        coarse *= F32(0.35)
        return np.maximum(np.stack([fine + coarse, fine, fine - coarse]), F32(0.1))

    def _ground_sun(self, x: Array, y: Array, t: Array, fu: Array, fv: Array) -> Array:
        """(3, N) sunlight that reaches points of the ground."""
        (ax, bx, cx), _, (az, bz, cz) = self.world_T_cam[:3, :3].astype(F32)
        ox, _, oz = self.world_T_cam[:3, 3].astype(F32)
        gx, gz = ox + t * (ax * x + bx * y + cx), oz + t * (az * x + bz * y + cz)
        soft = self.light.softness_m
        sun = shadow.sunlight(self.baked_sun, self.moving_shadows, soft, gx, gz, fu, fv)
        return self.sun * F32(-self.light.toward_sun[1]) * sun

    def _sky(self, x: Array, y: Array) -> Array:
        """(3, N) a clear or a grey sky."""
        right, down, ahead = self.world_T_cam[:3, :3].astype(F32) @ np.stack([x, y, x * 0 + 1])
        length = np.sqrt(right * right + down * down + ahead * ahead)
        height = np.maximum(-down / length, F32(0.01))
        share = np.minimum(1, height * F32(2.2))
        cloud_u, cloud_v = (
            right / length / (height + F32(0.15)),
            ahead / length / (height + F32(0.15)),
        )
        zero, small = np.zeros(len(x), np.int32), np.full(len(x), 1.5, F32)
        cloud = self.coarse.sample(zero, cloud_u * 28, cloud_v * 28, small, small)
        low, high = (
            self.light.sky_low.astype(F32)[:, None],
            self.light.sky_high.astype(F32)[:, None],
        )
        blue = low + (high - low) * share
        white = np.clip(cloud * F32(2.5) + F32(0.15), 0, F32(0.8))
        return np.asarray(blue + (F32(0.93) - blue) * white)


def shader(
    placed: Placed,
    light: Light,
    textures: tuple[Ripmap, Ripmap],
    baked_sun: Ripmap,
    world_T_cam: Array,
    pixel: tuple[float, float],
) -> Shader:
    """A shader for one frame."""
    normals = placed.normals
    up = -normals[:, 1]
    on_ground = (placed.scene.face_thing == 0) & (up > 0.9) & (placed.heights < 0.3)
    sun = np.maximum(0, normals @ light.toward_sun) * ~on_ground
    sky = 0.78 + 0.22 * up
    return Shader(
        placed,
        light,
        *textures,
        baked_sun,
        world_T_cam,
        pixel,
        _tables(placed, world_T_cam),
        (light.ambient[:, None] * sky + light.sun[:, None] * sun).astype(F32),
        on_ground,
        *_round_tables(placed, light, world_T_cam),
        light.ambient.astype(F32)[:, None],
        light.sun.astype(F32)[:, None],
        shadow.outlines(placed, light.toward_sun, moving=True),
    )


def _tables(placed: Placed, world_T_cam: Array) -> Array:
    """(11, F) for a ray (x, y, 1) at depth t: u = (t0 x + t1 y + t2) t + t9, v likewise (t3, t4,
    t5, t10), and inverse depth t6 x + t7 y + t8."""
    rotation, origin = world_T_cam[:3, :3], world_T_cam[:3, 3]
    frames, zero = placed.axes[..., :3], placed.axes[..., 3]
    across = frames @ rotation
    gap = placed.heights - placed.normals @ origin
    inverse = placed.normals @ rotation / np.where(gap == 0, 1e-9, gap)[:, None]
    start = frames @ origin + zero
    return np.concatenate([across[:, 0], across[:, 1], inverse, start], 1).T.astype(F32)


def _round_tables(placed: Placed, light: Light, world_T_cam: Array) -> tuple[Array, Array]:
    """(F,) the ellipsoid of a face, and (18, E) for rays (x, y, 1) at depth t: the point in the
    ellipsoid's axes is (t0..2 x + t3..5 y + t6..8) t + t9..11; then inverse squared radii; then
    the direction of the sun."""
    scene = placed.scene
    parts = np.flatnonzero(scene.radii[:, 0] > 0)
    of_face = np.zeros(len(scene.normals), np.intp)
    of_face[scene.first_face[parts]] = np.arange(len(parts))
    turn = placed.rotations[scene.part_thing[parts]].swapaxes(1, 2)
    axes = (turn @ world_T_cam[:3, :3]).swapaxes(1, 2).reshape(-1, 9)
    offset = world_T_cam[:3, 3] - placed.corners[parts].mean(1)
    offset = np.einsum("eij,ej->ei", turn, offset)
    tables = [axes, offset, scene.radii[parts] ** -2.0, turn @ light.toward_sun]
    return of_face, np.concatenate(tables, 1).T.astype(F32)


def _unfold(p: Array, normal: Array) -> tuple[Array, Array]:
    """Coordinates of points (3, N) on the plane that `normal` is most square to."""
    steep = np.abs(normal)
    sideways = (steep[0] > steep[1]) & (steep[0] > steep[2])
    upright = ~sideways & (steep[1] > steep[2])
    return np.where(sideways, p[2], p[0]), np.where(upright, p[2], p[1])
