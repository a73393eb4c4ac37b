"""The constants of monodepth2, each with its place in Godard et al. 2019, and what differs.

What a formula does with them is tested beside the formula: losses/, test_geometry.py, and, for the
networks, test_monodepth2.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from mtdepth.checkpoint import Training
from mtdepth.config import EncoderConfig, PoseConfig, TrainConfig
from mtdepth.data import jitter
from mtdepth.losses import task_losses
from mtdepth.losses.ssim import C1, C2
from mtdepth.model.encoder import Encoder
from mtdepth.model.network import NUM_SCALES, Predictions
from mtdepth.model.pose import PoseDecoder
from tests.mtdepth.batches import random_batch, small_config

CONSTANTS: list[tuple[str, Any, str]] = [
    ("depth.ssim", 0.85, "alpha of the photometric error, sec. 3.1"),
    ("depth.smoothness", 1e-3, "lambda, sec. 3.3"),
    ("depth.min_m", 0.1, "depth lies between 0.1 and 100 units, sec. 3.3"),
    ("depth.max_m", 100.0, "depth lies between 0.1 and 100 units, sec. 3.3"),
    ("depth.automask", True, "mu, eq. 5"),
    ("pose.rotation_rad", 0.01, "outputs of pose times 0.01, sec. 3.3"),
    ("pose.translation_m", 0.01, "outputs of pose times 0.01, sec. 3.3"),
    ("pose.forward_m", 0.0, "nothing else is added to them"),
    ("optimizer.lr", 1e-4, "Adam with 1e-4, sec. 3.3"),
    ("optimizer.lr_step_epoch", 15, "for the first 15 epochs, sec. 3.3"),
    ("optimizer.lr_gamma", 0.1, "1e-5 for the rest, sec. 3.3"),
    ("optimizer.pose_lr_factor", 1.0, "one learning rate for all, sec. 3.3"),
    ("optimizer.weight_decay", 0.0, "no penalty is told, sec. 3.3"),
    ("epochs", 20, "sec. 3.3"),
    ("batch_size", 12, "sec. 3.3"),
    ("augmentation.flip", 0.5, "half of the images, sec. 3.3"),
    ("augmentation.color_jitter", 0.5, "half of the images, sec. 3.3"),
    ("encoder.width", 64, "ResNet-18 (He et al. 2016, table 1), sec. 3.3"),
    ("encoder.weights", "imagenet", "sec. 3.3"),
    ("decoder.width", 16, "16 to 256 channels, supplement"),
    # What differs, and why: an import of monodepth2 sets theirs.
    ("data.height", 64, "192 there; a driveworld is small"),
    ("data.width", 192, "640 there; a driveworld is small"),
    ("pose.encoder", "attended", "separate there; the poster's pose shares the encoder"),
    ("attention", "encoder+decoder", "none there; the poster's is MTAN's"),
    ("tasks", ("depth", "instances"), "depth there"),
]


@pytest.mark.parametrize(("name", "expected", "place"), CONSTANTS)
def test_defaults(name: str, expected: Any, place: str) -> None:
    found: Any = TrainConfig()
    for part in name.split("."):
        found = getattr(found, part)
    assert found == expected, place


def test_constants_that_cannot_be_set() -> None:
    assert pytest.approx((0.01**2, 0.03**2)) == (C1, C2)  # Wang et al. 2004, sec. III.C
    assert NUM_SCALES == 4  # Godard et al. 2019, supplement
    for chances in (jitter.BRIGHTNESS, jitter.CONTRAST, jitter.SATURATION):
        assert chances == (0.8, 1.2)  # sec. 3.3
    assert jitter.HUE == (-0.1, 0.1)  # sec. 3.3


def test_adam_has_1e_4_for_15_epochs_and_1e_5_for_5() -> None:
    training = Training.start(small_config(), torch.device("cpu"))
    assert isinstance(training.optimizer, torch.optim.Adam)
    assert training.optimizer.defaults["betas"] == (0.9, 0.999)
    rates = []
    for epoch in range(training.config.epochs):
        training.epoch = epoch
        training.set_learning_rate()
        rates.append({group["lr"] for group in training.optimizer.param_groups})
    assert [list(x) for x in rates] == [[pytest.approx(1e-4)]] * 15 + [[pytest.approx(1e-5)]] * 5


def test_smoothness_of_scale_s_weighs_1e_3_by_2_to_the_s_and_scales_are_averaged() -> None:
    """A ramp 1, 2, ..., W in front of one colour: normalised by its mean, it rises by 2 / (W + 1)
    a pixel."""
    batch = random_batch()
    batch = replace(batch, target=torch.full_like(batch.target, 0.5))
    widths = [batch.target.shape[-1] // 2**s for s in range(4)]
    ramps = [torch.arange(1.0, w + 1) / (w + 1) for w in widths]
    predictions = Predictions(
        disparities=tuple(x.expand(2, 1, 64 // 2**s, -1) for s, x in enumerate(ramps)),
        source_T_target=torch.eye(4).expand(2, 2, 4, 4),
    )
    losses = []
    for changes in ({}, {"smoothness": 0.0}):
        depth = {"automask": False, **changes}
        config = small_config(tasks=("depth",), depth=depth)
        losses.append(task_losses(predictions, batch, config)["depth"].double().item())
    expected = sum(1e-3 / 2**s * 2 / (w + 1) for s, w in enumerate(widths)) / 4
    assert losses[0] - losses[1] == pytest.approx(expected, abs=2e-7)
    assert expected > 1e-5


def test_ties_are_broken_by_normal_noise_of_1e_5(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image that looks the same unwarped costs the noise, if anything warped costs more."""
    batch = random_batch()
    batch = replace(batch, sources=batch.target[:, None].expand(-1, 2, -1, -1, -1))
    moved = torch.eye(4).repeat(2, 2, 1, 1)
    moved[..., 0, 3] = 0.3
    predictions = Predictions(disparities=(torch.full((2, 1, 64, 96), 0.5),), source_T_target=moved)
    config = small_config(tasks=("depth",), depth={"smoothness": 0.0})
    monkeypatch.setattr(torch, "randn_like", lambda x: torch.full_like(x, 3.0))
    found = task_losses(predictions, batch, config)["depth"].item()
    assert found == pytest.approx(3 * 1e-5, rel=0.02)


def test_outputs_of_pose_are_hundredths_and_rotation_comes_first() -> None:
    decoder = PoseDecoder(8, num_features=1, width=8, config=PoseConfig())
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.zero_()
        decoder.layers[-1].bias.copy_(torch.tensor([0.0, 0.0, 100.0, 4.0, 5.0, 6.0]))
    found = decoder(torch.rand(1, 8, 2, 6))[0]
    assert found[:3, 3].tolist() == pytest.approx([0.04, 0.05, 0.06])
    turn = torch.tensor([[0.5403023, -0.8414710], [0.8414710, 0.5403023]])  # cos 1 and sin 1
    assert torch.allclose(found[:2, :2], turn)


def test_images_enter_as_multiples_of_0_225_around_0_45() -> None:
    """One mean and one deviation for all colours, as in monodepth2's code; the paper is silent."""
    encoder = Encoder(EncoderConfig(width=8, weights="none")).eval()
    image = torch.rand(1, 3, 64, 64)
    normal = F.conv2d((image - 0.45) / 0.225, encoder.conv1.weight, stride=2, padding=3)
    expected = F.relu(normal / (1 + 1e-5) ** 0.5)  # a fresh batch norm: mean 0, variance 1
    assert torch.allclose(encoder(image).stem, expected, atol=1e-5)
