"""Frames of a drive: pictures, depth, poses and instances of one and the same street."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch

from mtdepth.config import DataConfig
from mtdepth.data.driveworld import DriveworldConfig, render_drive
from mtdepth.data.driveworld.render import Frame
from mtdepth.data.driveworld.solids import Array
from mtdepth.data.loader import SplitData, open_split
from mtdepth.geometry import backproject, project, sample
from mtdepth.losses.photometric import PhotometricError

SHORT = DriveworldConfig(num_frames=3)
LABELS = {24, 25, 26, 27, 28, 31, 32, 33}


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    return list(render_drive(SHORT, 0))


def first(drive: int, **changes: int) -> Frame:
    return next(render_drive(SHORT.model_copy(update=changes), drive))


def test_a_frame_has_what_it_promises(frames: list[Frame]) -> None:
    assert [frame.index for frame in frames] == [0, 1, 2]
    for frame in frames:
        assert (frame.image.shape, frame.image.dtype) == ((64, 192, 3), np.uint8)
        assert (frame.depth_m.shape, frame.depth_m.dtype) == ((64, 192), np.float32)
        assert (frame.instances.shape, frame.instances.dtype) == ((64, 192), np.uint16)
        assert (frame.motion.shape, frame.motion.dtype) == ((64, 192), np.uint8)
        assert 40 < frame.image.mean() < 215
        assert frame.image.std() > 25
        sky = frame.depth_m == 0
        assert not frame.instances[sky].any()
        assert frame.depth_m[~sky].min() > 1
        # in the lowest rows there is road, as far away as the camera is high
        expected = 1.65 * frame.K[1, 1] / (63 - frame.K[1, 2])
        assert np.median(frame.depth_m[-1]) == pytest.approx(expected, rel=0.1)


def test_instances_have_cityscapes_ids_and_one_motion_each(frames: list[Frame]) -> None:
    for frame in frames:
        present = np.unique(frame.instances[frame.instances > 0])
        assert {int(x) // 1000 for x in present} <= LABELS
        assert np.array_equal(frame.instances > 0, frame.motion > 0)
        for instance in present:
            assert len(np.unique(frame.motion[frame.instances == instance])) == 1


def test_an_instance_keeps_its_number_and_its_motion(frames: list[Frame]) -> None:
    kinds = [
        dict(zip(frame.instances.ravel().tolist(), frame.motion.ravel().tolist(), strict=True))
        for frame in frames
    ]
    kept = kinds[0].keys() & kinds[2].keys()
    assert len(kept) > 4
    assert {k: kinds[0][k] for k in kept} == {k: kinds[2][k] for k in kept}


def test_a_drive_is_the_same_each_time(frames: list[Frame]) -> None:
    again, other = list(render_drive(SHORT, 0)), list(render_drive(SHORT, 1))
    arrays = [field.name for field in fields(Frame) if field.name not in ("index", "placed")]
    for one, two in zip(frames, again, strict=True):
        assert all(np.array_equal(getattr(one, name), getattr(two, name)) for name in arrays)
    assert not np.array_equal(frames[0].image, other[0].image)
    assert not np.array_equal(frames[0].image, first(0, seed=1).image)


def error(one: Array, other: Array) -> float:
    return float(np.abs(one.astype(float) - other).mean())


@pytest.mark.parametrize("drive", [0, 3])
def test_a_picture_is_the_mean_of_a_finer_one(drive: int) -> None:
    """Pixels are filtered, not picked, and both sizes show the same view to half a pixel."""
    coarse, fine = first(drive).image, first(drive, width=384, height=128).image
    mean = fine.reshape(64, 2, 192, 2, 3).astype(float).mean((1, 3))
    assert error(mean, coarse) < 3.5
    assert error(mean, coarse) < 0.5 * error(fine[::2, ::2], coarse)
    for shift, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1)):
        assert error(mean, coarse) < 0.5 * error(np.roll(mean, shift, axis), coarse)


def test_supersampling_is_of_edges_alone() -> None:
    plain, four, eight = (first(3, supersampling=n) for n in (1, 4, 8))
    assert np.array_equal(plain.depth_m, eight.depth_m)
    changed = (plain.image != four.image).any(2)
    assert 0.02 < changed.mean() < 0.25
    assert error(four.image, eight.image) < 0.27 * error(plain.image, eight.image)


def visible(data: SplitData, index: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the neighbour sees what the target sees, in its pixels (1, H, W, 2), and of which of
    them (H, W) it is true that nothing hides it and it does not move by itself."""
    frame, truth = data.frames[index], data.truth(index)
    reader, there = data.source.reader, data.frames[index].shifted(step)
    target, source = reader.world_T_cam(frame), reader.world_T_cam(there)
    source_depth = reader.depth_m(there)
    assert target is not None
    assert source is not None
    assert source_depth is not None
    assert truth.depth_m is not None
    source_T_target = torch.from_numpy(np.linalg.inv(source) @ target).float()[None]
    intrinsics = data.batch([index]).to("cpu").intrinsics
    points = backproject(torch.from_numpy(truth.depth_m)[None, None], intrinsics)
    pixels = project(points, intrinsics, source_T_target)
    expected = torch.einsum("j,bjhw->bhw", source_T_target[0, 2, :3], points)
    expected = (expected + source_T_target[0, 2, 3])[0]
    found = sample(torch.from_numpy(source_depth)[None, None], pixels)[0, 0]
    u, v = pixels[0].unbind(-1)
    inside = (u >= 0) & (u <= 191) & (v >= 0) & (v <= 63)
    still = torch.from_numpy((truth.depth_m > 0) & (truth.motion != 2) & (truth.motion != 3))
    return pixels, inside & still & ((found - expected).abs() < 0.03 * expected)


def test_true_depth_and_poses_explain_the_neighbours(tiny_data: DataConfig) -> None:
    """Warped into the target, a neighbour looks like it; as it is, it does not."""
    data = open_split(tiny_data, "train")
    warped_errors, identity_errors, shares = [], [], []
    for index in range(len(data)):
        batch = data.batch([index]).to("cpu")
        photometric = PhotometricError(batch.target, 0.85)
        for column, step in enumerate((-1, 1)):
            pixels, known = visible(data, index, step)
            source = batch.sources[:, column]
            both = photometric(torch.stack([sample(source, pixels), source]))[:, 0]
            warped_errors.append(both[0][known].mean().item())
            identity_errors.append(both[1][known].mean().item())
            shares.append(known.float().mean().item())
    assert np.mean(shares) > 0.3
    assert np.mean(warped_errors) < 0.07
    assert np.mean(warped_errors) < 0.3 * np.mean(identity_errors)
    assert (np.array(warped_errors) < 0.5 * np.array(identity_errors)).all()


def test_what_is_written_for_a_configuration_is_what_it_was() -> None:
    """Whoever changes these raises RENDERER_VERSION, so that worlds on disk are made anew."""
    frame = first(0)
    counts = [int((frame.motion == kind).sum()) for kind in range(4)]
    assert counts == pytest.approx([9333, 2612, 138, 205], abs=5)
    assert frame.image.mean((0, 1)) == pytest.approx([62.6, 59.8, 61.5], abs=0.2)
    assert np.median(frame.depth_m) == pytest.approx(11.37, abs=0.02)
