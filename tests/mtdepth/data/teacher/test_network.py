"""The Mask R-CNNs, and what stays as it is in those that begin with weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mtdepth.data.teacher.config import NetworkConfig
from mtdepth.data.teacher.network import build_network, set_training
from tests.mtdepth.data.teacher.toys import scene

RANDOM = NetworkConfig(name="small", weights="none", sides=(64,))
FROM_FILE = NetworkConfig(name="small", weights="file", sides=(64,))


def example() -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    from mtdepth.data.teacher.examples import targets

    image, instances = scene(0)
    pixels = torch.from_numpy(image).permute(2, 0, 1) / 255
    return [pixels], [targets(torch.from_numpy(instances).int(), 1)]


def stepped(config: NetworkConfig) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The state before and after one step."""
    torch.manual_seed(0)
    network = build_network(config)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    set_training(network)
    losses: dict[str, Tensor] = network(*example())
    torch.stack(list(losses.values())).sum().backward()
    torch.optim.SGD([p for p in network.parameters() if p.requires_grad], 0.1).step()
    return before, network.state_dict()


def changed(config: NetworkConfig) -> set[str]:
    before, after = stepped(config)
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_a_random_start_learns_everywhere() -> None:
    names = changed(RANDOM)
    assert "backbone.body.conv1.weight" in names
    assert "backbone.body.bn1.running_mean" in names
    assert "backbone.body.layer4.1.bn2.running_var" in names


def test_first_layers_and_batch_norm_stay_where_there_were_weights() -> None:
    names = changed(FROM_FILE)
    assert "backbone.body.layer2.0.conv1.weight" in names
    assert "rpn.head.conv.0.0.weight" in names
    assert "roi_heads.mask_predictor.mask_fcn_logits.weight" in names
    assert not [
        name for name in names if name.startswith(("backbone.body.conv1", "backbone.body.layer1"))
    ]
    assert not [name for name in names if ".bn" in name or "running" in name]


def test_torchvisions_first_model_has_its_epsilon() -> None:
    epsilons = {}
    for weights in ("coco", "none"):
        network = build_network(NetworkConfig(weights=weights))
        norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        epsilons[weights] = {norm.eps for norm in norms}
        assert len(norms) == 53  # ResNet-50's
    assert epsilons == {"coco": {0.0}, "none": {1e-5}}


@pytest.mark.parametrize("name", ["resnet50", pytest.param("resnet50-v2", marks=pytest.mark.slow)])
def test_torchvisions_models_learn_too(name: str) -> None:
    names = changed(NetworkConfig.model_validate({"name": name, "weights": "f", "sides": (64,)}))
    assert "roi_heads.box_predictor.cls_score.weight" in names
    assert "backbone.body.layer2.0.conv1.weight" in names
    assert not [n for n in names if n.startswith(("backbone.body.conv1", "backbone.body.layer1"))]
    assert not [n for n in names if "running" in n or ".bn" in n]


def test_sides_are_those_that_were_told() -> None:
    network = build_network(RANDOM.model_copy(update={"sides": (96, 128), "max_side": 160}))
    images = network.eval().transform([torch.zeros(3, 64, 96)])[0]  # type: ignore[operator]
    assert images.image_sizes == [(106, 160)]  # 128 would make the longer side 192
    network = build_network(RANDOM.model_copy(update={"sides": (96, 128), "max_side": 999}))
    assert network.eval().transform([torch.zeros(3, 64, 96)])[0].image_sizes == [(128, 192)]  # type: ignore[operator]
