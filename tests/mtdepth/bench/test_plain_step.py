"""Fast and plain: the same losses, the same gradients, the same network after a step."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mtdepth.bench import plain_step
from mtdepth.bench.plain_batch import PlainBatch, load, plain_batch
from mtdepth.checkpoint import Training
from mtdepth.config import AugmentationConfig, DataConfig, TrainConfig
from mtdepth.data.batch import Batch
from mtdepth.data.loader import open_split
from mtdepth.losses import task_losses
from mtdepth.train import learn
from tests.mtdepth.batches import random_batch, small_config

CPU = torch.device("cpu")
MODES: dict[str, dict[str, Any]] = {
    "st": {"tasks": ["depth"], "attention": "none", "pose": {"encoder": "separate"}},
    "mt": {"tasks": ["depth", "instances"]},
    "attended encoder": {"tasks": ["depth", "instances"], "attention": "encoder"},
    "instances": {"tasks": ["instances"]},
}


def smooth_batch(seed: int) -> Batch:
    """Images that are alike where they are near, as those of a camera, with some grain."""
    batch = random_batch(seed=seed)

    def smooth(x: Tensor) -> Tensor:
        coarse = torch.nn.functional.avg_pool2d(x.flatten(0, -4), 8)
        fine = torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bilinear")
        return 0.7 * fine.view_as(x) + 0.3 * x

    return Batch(
        target=smooth(batch.target),
        sources=smooth(batch.sources),
        intrinsics=batch.intrinsics,
        instances=batch.instances,
    )


def started(config: TrainConfig, dtype: torch.dtype = torch.float32) -> Training:
    training = plain_step.start(config, CPU)
    training.network.to(dtype)
    return training


def test_both_learn_at_the_same_rates() -> None:
    told = {"pose_lr_factor": 0.5, "lr_step_epoch": 1}
    config = small_config(weighting={"name": "uncertainty"}, optimizer=told)
    both = [Training.start(config, CPU), plain_step.start(config, CPU)]
    for training in both:
        training.epoch = 1
        training.set_learning_rate()
    fast, plain = (
        [(len(group["params"]), group["lr"], group["weight_decay"]) for group in groups]
        for groups in (training.optimizer.param_groups for training in both)
    )
    assert fast == plain
    assert len({rate for _, rate, _ in fast}) > 1


def fast_losses(training: Training, batch: Batch) -> dict[str, Tensor]:
    sources = batch.sources if "depth" in training.config.tasks else None
    return task_losses(training.network(batch.target, sources), batch, training.config)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("precision", "allowed"), [("fp32", 1e-5), ("bf16", 1e-3)])
def test_losses_agree(mode: str, seed: int, precision: str, allowed: float) -> None:
    config = small_config(seed=seed, precision=precision, **MODES[mode])
    batch = smooth_batch(seed)
    expected = plain_step.losses(started(config), plain_batch(batch, batch))
    for task, loss in fast_losses(started(config), batch).items():
        assert loss.dtype == torch.float32
        assert loss.item() == pytest.approx(expected[task].item(), rel=allowed)


def in_double(batch: Batch) -> Batch:
    return Batch(
        target=batch.target.double(),
        sources=batch.sources.double(),
        intrinsics=batch.intrinsics.double(),
        instances=batch.instances,
    )


@pytest.mark.parametrize("mode", MODES)
def test_gradients_agree(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In float64 and without noise on ties, so that what differs is what is computed."""
    monkeypatch.setattr(torch, "randn_like", torch.zeros_like)
    config, batch = small_config(**MODES[mode]), in_double(smooth_batch(0))
    fast, plain = (started(config, torch.float64) for _ in range(2))
    torch.stack(list(fast_losses(fast, batch).values())).sum().backward()
    theirs = plain_step.losses(plain, plain_batch(batch, batch))
    torch.stack(list(theirs.values())).sum().backward()
    for (name, ours), other in zip(
        fast.network.named_parameters(), plain.network.parameters(), strict=True
    ):
        assert ours.grad is not None, name
        scale = other.grad.abs().max().item()
        torch.testing.assert_close(ours.grad, other.grad, rtol=1e-6, atol=1e-6 * scale, msg=name)
    for (name, ours), other in zip(
        fast.network.named_buffers(), plain.network.buffers(), strict=True
    ):
        torch.testing.assert_close(ours, other, rtol=1e-5, atol=1e-9, msg=name)


def test_a_step_moves_the_parameters_alike() -> None:
    """Offsets alone: where photometric errors tie, either source may teach."""
    config, batch = small_config(**MODES["instances"]), smooth_batch(0)
    fast, plain = Training.start(config, CPU), plain_step.start(config, CPU)
    fast.network.train()
    ours, other = learn(fast, batch, batch), plain_step.learn(plain, plain_batch(batch, batch))
    torch.testing.assert_close(ours, other, rtol=1e-5, atol=0)
    pairs = zip(fast.network.parameters(), plain.network.parameters(), strict=True)
    differ = [(a - b).abs() > 0.1 * config.optimizer.lr for a, b in pairs]
    share = sum(x.sum().item() for x in differ) / sum(x.numel() for x in differ)
    assert share < 0.01  # Adam's first step is the sign of a gradient, which may be of noise


def flat(batch: PlainBatch) -> list[Tensor]:
    return [x for kind in (batch.color, batch.color_aug) for scales in kind for x in scales]


def test_a_plain_batch_has_24_images_a_sample(tiny_data: DataConfig) -> None:
    data = open_split(tiny_data, "train")
    off = AugmentationConfig(flip=0, color_jitter=0)
    found = load(data, [0, 3], off, torch.Generator())
    assert len(flat(found)) == 24
    ours = data.batch([0, 3]).to(CPU)
    expected = plain_batch(ours, ours)
    for image, other in zip(flat(found), flat(expected), strict=True):
        assert image.shape == other.shape
        assert (image - other).abs().max() < 2 / 255  # 8 bits of PIL
    assert torch.equal(found.labels().instances.numbers, ours.instances.numbers)


def test_a_plain_batch_is_flipped_and_coloured(tiny_data: DataConfig) -> None:
    data = open_split(tiny_data, "train")
    always = AugmentationConfig(flip=1, color_jitter=1)
    found, ours = load(data, [0], always, torch.Generator().manual_seed(0)), data.batch([0]).to(CPU)
    assert torch.equal(found.color[0][0], ours.target.flip(-1))
    assert 0.005 < (found.color_aug[0][0] - found.color[0][0]).abs().mean() < 0.3
    mirrored = ours.target.shape[-1] - 1 - ours.intrinsics[:, 0, 2]
    assert torch.allclose(found.intrinsics[:, 0, 2], mirrored)
    assert math.isclose(
        found.instances.numbers.float().mean().item(), ours.instances.numbers.float().mean().item()
    )
