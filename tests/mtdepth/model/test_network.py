from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from mtdepth.config import EncoderConfig
from mtdepth.data.batch import Batch
from mtdepth.losses import task_losses
from mtdepth.model.encoder import Encoder
from mtdepth.model.network import Network
from tests.mtdepth.batches import random_batch, small_config

ATTENTION = ("none", "encoder", "encoder+decoder")


@pytest.mark.parametrize("attention", ATTENTION)
@pytest.mark.parametrize("pose", ["attended", "shared", "separate"])
@pytest.mark.parametrize("tasks", [("depth",), ("instances",), ("depth", "instances")])
def test_every_variant_predicts_and_teaches_all_its_parameters(
    attention: str, pose: str, tasks: tuple[str, ...]
) -> None:
    torch.manual_seed(0)
    config = small_config(attention=attention, pose={"encoder": pose}, tasks=tasks)
    network, batch = Network(config), random_batch()
    learns_depth = "depth" in tasks
    predictions = network(batch.target, batch.sources if learns_depth else None)
    assert (predictions.disparities is not None) is learns_depth
    assert (predictions.source_T_target is not None) is learns_depth
    if predictions.disparities is not None:
        shapes = [tuple(x.shape) for x in predictions.disparities]
        assert shapes == [(2, 1, 64 // 2**s, 96 // 2**s) for s in range(4)]
        assert all(x.min() >= 0 and x.max() <= 1 for x in predictions.disparities)
        assert predictions.source_T_target.shape == (2, 2, 4, 4)
    if predictions.offsets is not None:
        assert predictions.offsets.shape == (2, 2, 64, 96)
    sum(task_losses(predictions, batch, config).values()).backward()
    untaught = [name for name, p in network.named_parameters() if p.grad is None]
    assert untaught == []


def test_an_image_predicts_the_same_alone_and_in_a_batch() -> None:
    network, batch = Network(small_config()), random_batch(3)
    together = network.predict(batch.target)
    alone = network.predict(batch.target[1:2])
    assert network.training
    assert torch.allclose(together.depth_m[1:2], alone.depth_m, rtol=1e-4)
    assert torch.allclose(together.offsets_px[1:2], alone.offsets_px, atol=1e-4)


def test_depth_lies_in_its_range() -> None:
    network = Network(small_config(depth={"min_m": 2, "max_m": 30}))
    depth_m = network.predict(random_batch().target).depth_m
    assert depth_m.min() >= 2
    assert depth_m.max() <= 30


def test_swapping_the_sources_swaps_and_inverts_the_motion() -> None:
    """Pose is predicted in temporal order: time reversed, each motion is undone."""
    network, batch = Network(small_config()).eval(), random_batch()
    still = network(batch.target, batch.target[:, None].expand(-1, 2, -1, -1, -1))
    before_T_target, after_T_target = still.source_T_target.unbind(1)
    assert torch.allclose(before_T_target @ after_T_target, torch.eye(4), atol=1e-5)


def separate_pose() -> tuple[Network, Batch, list[torch.Tensor]]:
    """A network whose pose encoder sees pairs, and the pairs of a batch: the earlier one first.

    Brightness tells the frames apart, so that statistics of one pair are not those of both.
    """
    torch.manual_seed(0)
    network = Network(small_config(pose={"encoder": "separate"}, tasks=("depth",)))
    batch = random_batch()
    before, after = batch.sources.unbind(1)
    batch = replace(batch, sources=torch.stack([0.2 * before, 0.8 + 0.2 * after], 1))
    before, after = batch.sources.unbind(1)
    return (
        network,
        batch,
        [torch.cat([before, batch.target], 1), torch.cat([batch.target, after], 1)],
    )


def test_batch_norm_of_a_pose_encoder_sees_the_pairs_one_after_the_other() -> None:
    """It moves its mean by a tenth of the way to that of each pair, in temporal order."""
    network, batch, pairs = separate_pose()
    encoder = network.pose.encoder
    kernel = encoder.conv1.weight.detach()
    means = [
        F.conv2d((x - 0.45) / 0.225, kernel, stride=2, padding=3).mean((0, 2, 3)) for x in pairs
    ]
    assert (means[0] - means[1]).abs().max() > 0.1
    network(batch.target, batch.sources)
    assert encoder.bn1.num_batches_tracked == 2
    expected = 0.9 * 0.1 * means[0] + 0.1 * means[1]
    assert torch.allclose(encoder.bn1.running_mean, expected, atol=1e-5)


def test_a_pose_encoder_that_is_not_trained_sees_pairs_as_it_would_all_at_once() -> None:
    network, batch, pairs = separate_pose()
    network.eval()
    pose = network.pose
    together = pose.decoder(pose.encoder(torch.cat(pairs)).last[-1])
    target_T_before, after_T_target = together.chunk(2)
    found = network(batch.target, batch.sources).source_T_target
    assert torch.allclose(found[:, 0] @ target_T_before, torch.eye(4).expand(2, 4, 4), atol=1e-6)
    assert torch.allclose(found[:, 1], after_T_target, atol=1e-6)
    assert (target_T_before - after_T_target).abs().max() > 1e-4


def test_the_same_seed_starts_what_arms_share_alike() -> None:
    states = []
    for tasks in (("depth",), ("depth", "instances")):
        torch.manual_seed(7)
        states.append(Network(small_config(tasks=tasks)).state_dict())
    single, multi = states
    assert all(torch.equal(value, multi[name]) for name, value in single.items())


def test_a_pair_encoder_sees_two_equal_images_as_one() -> None:
    config = EncoderConfig(width=8, weights="none")
    single, pair = Encoder(config).eval(), Encoder(config, num_images=2).eval()
    pair._load(dict(single.state_dict()), config, 2)
    image = torch.rand(1, 3, 64, 64)
    expected = single(image).last[-1]
    assert torch.allclose(pair(torch.cat([image, image], 1)).last[-1], expected, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 16, "weights": "imagenet"}, "ImageNet weights exist for encoder.width 64"),
        ({"width": 16, "weights": "no/such/file"}, "expected 'imagenet', 'none' or a file"),
    ],
)
def test_weights_that_cannot_be_had_are_told(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Encoder(EncoderConfig.model_validate(changes))


@pytest.mark.parametrize(("saved", "found"), [(None, "what torch cannot read"), ([1], "a list")])
def test_a_file_that_holds_no_weights_is_told(tmp_path, saved: object, found: str) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"no weights") if saved is None else torch.save(saved, path)
    with pytest.raises(ValueError, match=rf"weights\.pth: expected a state dict, found {found}"):
        Encoder(EncoderConfig(width=8, weights=str(path)))


def test_weights_come_from_a_file(tmp_path) -> None:
    saved = Encoder(EncoderConfig(width=8, weights="none"))
    path = tmp_path / "encoder.pt"
    torch.save(saved.state_dict(), path)
    loaded = Encoder(EncoderConfig(width=8, weights=str(path)))
    assert torch.equal(loaded.conv1.weight, saved.conv1.weight)
    with pytest.raises(ValueError, match="does not fit a ResNet-18 of width 16"):
        Encoder(EncoderConfig(width=16, weights=str(path)))
