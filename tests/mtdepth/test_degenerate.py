"""No NaN and no Inf, in losses and in gradients, where a scene or a network gives nothing to go by.

All on a batch of one at the smallest size, whose deepest features are 2x2: batch norm in training
wants more than one number a channel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from mtdepth.checkpoint import Training
from mtdepth.config import OffsetConfig, TrainConfig
from mtdepth.data.batch import Batch
from mtdepth.geometry import rigid_transform
from mtdepth.losses import task_losses
from mtdepth.losses.offsets import offset_loss
from mtdepth.losses.photometric import PhotometricError, photometric_loss
from mtdepth.losses.smoothness import multiscale_smoothness
from mtdepth.model.network import Network
from mtdepth.train import _second_look, _step
from mtdepth.weighting import METHODS
from tests.mtdepth.batches import labels_of, random_batch, small_config

CPU = torch.device("cpu")
SATURATED = 200.0
"""A sigmoid of it is exactly 1, and of its negative exactly 0."""


def disparity_of(network: Network, bias: float) -> None:
    for head in cast(nn.ModuleList, network.branches["depth"].heads):
        nn.init.constant_(head.bias, bias)


def last_of_pose(network: Network, *outputs: float) -> None:
    """Lets pose say the same of every pair: three of rotation, three of translation."""
    last = network.pose.decoder.layers[-1]
    nn.init.zeros_(last.weight)
    with torch.no_grad():
        last.bias.copy_(torch.tensor(outputs))


def still(batch: Batch) -> Batch:
    return replace(batch, sources=batch.target[:, None].expand(-1, 2, -1, -1, -1))


def of_one_colour(value: float) -> Callable[[Batch], Batch]:
    return lambda batch: replace(
        batch,
        target=torch.full_like(batch.target, value),
        sources=torch.full_like(batch.sources, value),
    )


def without_instances(batch: Batch) -> Batch:
    assert batch.instances is not None
    return replace(batch, instances=labels_of(torch.zeros_like(batch.instances.numbers)))


def as_it_is(batch: Batch) -> Batch:
    return batch


def nothing_done(network: Network) -> None:
    """The network as it was initialised."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is seen, by which network, taught how."""

    name: str
    batch: Callable[[Batch], Batch] = as_it_is
    network: Callable[[Network], None] = nothing_done
    config: dict[str, Any]


def all_zero(network: Network) -> None:
    if "depth" in network.config.tasks:
        disparity_of(network, -SATURATED)
        last_of_pose(network, *[0.0] * 6)


NOTHING_TO_SEE = Case(
    name="black, still, without depth and instances",
    batch=lambda batch: without_instances(of_one_colour(0)(batch)),
    network=all_zero,
    config={"offsets": {"background": "masked"}},
)
CASES = [
    Case(name="a batch of one", config={}),
    Case(name="no attention", config={"attention": "none"}),
    Case(name="attention on the encoder", config={"attention": "encoder"}),
    Case(name="a pose encoder of its own", config={"pose": {"encoder": "separate"}}),
    Case(name="disparity 0", network=lambda n: disparity_of(n, -SATURATED), config={}),
    Case(name="disparity 1", network=lambda n: disparity_of(n, SATURATED), config={}),
    Case(name="no motion", network=lambda n: last_of_pose(n, *[0.0] * 6), config={}),
    Case(name="all masked", batch=still, config={}),
    Case(
        name="all masked, no motion",
        batch=still,
        network=lambda n: last_of_pose(n, *[0.0] * 6),
        config={},
    ),
    Case(name="black", batch=of_one_colour(0), config={}),
    Case(name="white", batch=of_one_colour(1), config={}),
    Case(name="grey, no automask", batch=of_one_colour(0.5), config={"depth": {"automask": False}}),
    Case(
        name="all behind the camera",
        network=lambda n: last_of_pose(n, 0, 0, 0, 0, 0, -1e6),
        config={},
    ),
    Case(
        name="turned around",
        network=lambda n: last_of_pose(n, 0, 314.159, 0, 0, 0, 0),
        config={},
    ),
    *[
        Case(
            name=f"no instances, {norm}, {background}",
            batch=without_instances,
            config={"offsets": {"norm": norm, "background": background}},
        )
        for norm in ("l2", "squared", "l1")
        for background in ("zero", "balanced", "masked")
    ],
    Case(
        name="no instance large enough",
        config={"offsets": {"min_area": 64 * 64 + 1, "background": "masked"}},
    ),
    NOTHING_TO_SEE,
]


def learn(case: Case, **changes: Any) -> tuple[Training, Batch, Tensor]:
    """A step of training, and what it returned."""
    config = small_config(**case.config, **changes)
    training = Training.start(config, CPU)
    case.network(training.network)
    batch = case.batch(random_batch(1, 64, 64))
    found = _step(training, losses_of(training.network, batch, config))
    return training, batch, found


def losses_of(network: Network, batch: Batch, config: TrainConfig) -> dict[str, Tensor]:
    sources = batch.sources if "depth" in config.tasks else None
    return task_losses(network(batch.target, sources), batch, config)


def assert_sound(training: Training) -> None:
    """Every parameter has a gradient, and it and its gradient are finite."""
    for name, parameter in [
        *training.network.named_parameters(),
        *training.weighting.named_parameters(),
    ]:
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.isfinite().all(), name
    assert training.weighting.weights().isfinite().all()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_step_is_finite(case: Case) -> None:
    training, batch, found = learn(case)
    assert found.isfinite().all()
    assert_sound(training)
    after = losses_of(training.network, batch, training.config)
    assert all(loss.isfinite() for loss in after.values())


@pytest.mark.parametrize("tasks", [["depth"], ["instances"], ["depth", "instances"]])
@pytest.mark.parametrize("name", METHODS)
def test_every_weighting_takes_a_scene_that_teaches_nothing(name: str, tasks: list[str]) -> None:
    training, batch, found = learn(NOTHING_TO_SEE, tasks=tasks, weighting={"name": name})
    for _ in range(3):
        assert found.isfinite().all()
        assert_sound(training)
        if training.weighting.looks_back:
            training.weighting.after_step(_second_look(training, batch, batch))
        means = found[1:].tolist()
        training.weighting.end_epoch(dict(zip(training.config.tasks, means, strict=True)))
        found = _step(training, losses_of(training.network, batch, training.config))
    assert_sound(training)


def gradients_of(loss: Tensor, *inputs: Tensor) -> list[Tensor]:
    """Finite ones, of a finite loss."""
    assert loss.isfinite()
    gradients = torch.autograd.grad(loss, inputs)
    assert all(gradient.isfinite().all() for gradient in gradients)
    return list(gradients)


@pytest.mark.parametrize("disparity", [0.0, 1.0])
@pytest.mark.parametrize("automask", [False, True])
@pytest.mark.parametrize("see", [as_it_is, still, of_one_colour(0), of_one_colour(1)])
def test_photometric_at_the_ends_of_disparity_without_motion(
    see: Callable[[Batch], Batch], automask: bool, disparity: float
) -> None:
    batch = see(random_batch(1, 16, 24))
    config = small_config(depth={"automask": automask}).depth
    maps = [torch.full((1, 1, 16 // 2**s, 24 // 2**s), disparity) for s in range(4)]
    motion = [torch.zeros(1, 2, 3), torch.zeros(1, 2, 3)]
    inputs = [x.requires_grad_() for x in (*maps, *motion)]
    loss = photometric_loss(tuple(maps), rigid_transform(motion[0], motion[1]), batch, config)
    gradients_of(loss, *inputs)
    gradients_of(multiscale_smoothness(tuple(maps), batch.target), *maps)


@pytest.mark.parametrize("ssim", [0.0, 0.85, 1.0])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_flat_images_that_are_alike_have_no_error(value: float, ssim: float) -> None:
    target = torch.full((1, 3, 8, 8), value)
    image = target[None].clone().requires_grad_()
    error = PhotometricError(target, ssim)(image)
    assert error.abs().max() < 1e-6
    (gradient,) = gradients_of(error.sum(), image)
    assert gradient.abs().max() < 1e-3


def test_black_and_white_are_as_unlike_as_can_be() -> None:
    """Flat images: (1 - SSIM) / 2 is 1/2 but for C1, as they do not vary against each other."""
    image = torch.ones(1, 1, 3, 8, 8, requires_grad=True)
    error = PhotometricError(torch.zeros(1, 3, 8, 8), 1.0)(image)
    torch.testing.assert_close(error, torch.full_like(error, (1 - 1e-4 / (1 + 1e-4)) / 2))
    gradients_of(error.sum(), image)


@pytest.mark.parametrize("unit", ["image", "pixel"])
@pytest.mark.parametrize("norm", ["l2", "squared", "l1"])
@pytest.mark.parametrize("background", ["zero", "balanced", "masked"])
@pytest.mark.parametrize(
    "labels",
    [
        torch.zeros(1, 4, 6, dtype=torch.long),  # no instance
        torch.full((1, 4, 6), 26001),  # no background
        torch.tensor([26001] + 23 * [0]).view(1, 4, 6),  # an instance of one pixel
    ],
    ids=["none", "nothing else", "one pixel"],
)
def test_right_offsets_cost_nothing_and_their_gradients_are_finite(
    labels: Tensor, background: str, norm: str, unit: str
) -> None:
    config = OffsetConfig.model_validate(
        {"unit": unit, "norm": norm, "background": background, "min_area": 1}
    )
    ys, xs = torch.meshgrid(torch.arange(4.0), torch.arange(6.0), indexing="ij")
    right = torch.stack([(2.5 - xs) / 6, (1.5 - ys) / 4])[None] * (labels.sum() > 26001)
    batch = replace(random_batch(1, 4, 6), instances=labels_of(labels))
    offsets = right.requires_grad_()
    loss = offset_loss(offsets, batch, config)
    assert loss.item() == pytest.approx(0, abs=1e-6)
    gradients_of(loss, offsets)


@pytest.mark.parametrize("background", ["zero", "balanced", "masked"])
@pytest.mark.parametrize("place", [(0, 0), (30, 40)], ids=["background", "instance"])
def test_a_nan_offset_stays_visible(background: str, place: tuple[int, int]) -> None:
    offsets = torch.zeros(1, 2, 64, 64)
    offsets[0, 0, place[0], place[1]] = torch.nan
    config = OffsetConfig.model_validate({"background": background})
    assert offset_loss(offsets, random_batch(1, 64, 64), config).isnan()
