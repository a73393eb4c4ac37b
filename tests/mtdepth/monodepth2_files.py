"""Random models as monodepth2 saves them, and what they predict, in plain functions of torch.

Written from the papers: ResNet-18 (He et al. 2016), the decoder and the pose network of Godard et
al. 2019 (sec. 3.3 and the supplement), and Rodrigues' formula as the exponential that it is.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import resnet18

State = dict[str, Tensor]

STAGES = [  # inputs and outputs of the first convolution, and of the second with its skip
    ((512, 256), (256 + 256, 256)),
    ((256, 128), (128 + 128, 128)),
    ((128, 64), (64 + 64, 64)),
    ((64, 32), (32 + 64, 32)),
    ((32, 16), (16, 16)),
]
HEADS = (16, 32, 64, 128)
POSE = [(256, 512, 1, 1), (256, 256, 3, 3), (256, 256, 3, 3), (12, 256, 1, 1)]


def random_resnet(num_images: int) -> State:
    net = resnet18(weights=None)
    net.conv1 = nn.Conv2d(3 * num_images, 64, 7, 2, 3, bias=False)
    for name, value in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            value.fill_(7)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
        elif value.dim() == 1:
            value.normal_(0.6 if name.endswith("weight") else 0.0, 0.1)
        else:
            value.normal_(0, (2 / value[0].numel()) ** 0.5)
    return {f"encoder.{name}": value for name, value in net.state_dict().items()}


def random_layers(shapes: dict[str, tuple[int, ...]], gain: float = 2.0) -> State:
    state = {}
    for name, shape in shapes.items():
        fan_in = shape[1] * shape[2] * shape[3]
        state[f"{name}.weight"] = torch.randn(shape) * (gain / fan_in) ** 0.5
        state[f"{name}.bias"] = torch.randn(shape[0]) * 0.1
    return state


def random_model(seed: int = 0) -> dict[str, State]:
    torch.manual_seed(seed)
    convs = [pair for stage in STAGES for pair in stage]
    depth = {f"decoder.{i}.conv.conv": (o, n, 3, 3) for i, (n, o) in enumerate(convs)}
    depth |= {f"decoder.{10 + s}.conv": (1, n, 3, 3) for s, n in enumerate(HEADS)}
    return {
        "encoder": random_resnet(1),
        "depth": random_layers(depth),
        "pose_encoder": random_resnet(2),
        "pose": random_layers({f"net.{i}": shape for i, shape in enumerate(POSE)}, gain=20.0),
    }


def save_model(model: dict[str, State], directory: Path, **settings: object) -> None:
    """In the format of the torch of 2018, as the published ones are."""
    for name, state in model.items():
        content = {**state, **settings} if name == "encoder" else state
        torch.save(content, directory / f"{name}.pth", _use_new_zipfile_serialization=False)


def features(state: State, images: Tensor) -> list[Tensor]:
    net = resnet18(weights=None).eval()
    net.conv1 = nn.Conv2d(images.shape[1], 64, 7, 2, 3, bias=False)
    net.load_state_dict({name.removeprefix("encoder."): x for name, x in state.items()})
    found = [F.relu(net.bn1(net.conv1((images - 0.45) / 0.225)))]
    x = F.max_pool2d(found[0], 3, 2, 1)
    for layer in (net.layer1, net.layer2, net.layer3, net.layer4):
        x = layer(x)
        found.append(x)
    return found


def reflected(state: State, name: str, x: Tensor) -> Tensor:
    padded = F.pad(x, (1, 1, 1, 1), mode="reflect")
    return F.conv2d(padded, state[f"{name}.weight"], state[f"{name}.bias"])


def disparities(model: dict[str, State], images: Tensor) -> list[Tensor]:
    """Scales 0 to 3."""
    state, (*skips, x) = model["depth"], features(model["encoder"], images)
    maps = []
    for stage in range(5):
        x = F.elu(reflected(state, f"decoder.{2 * stage}.conv.conv", x))
        x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        if skips:
            x = torch.cat([x, skips.pop()], 1)
        x = F.elu(reflected(state, f"decoder.{2 * stage + 1}.conv.conv", x))
        maps.insert(0, x)
    return [torch.sigmoid(reflected(state, f"decoder.{10 + s}.conv", maps[s])) for s in range(4)]


def later_T_earlier(model: dict[str, State], earlier: Tensor, later: Tensor) -> Tensor:
    state = model["pose"]
    x = features(model["pose_encoder"], torch.cat([earlier, later], 1))[-1]
    for i, padding in enumerate((0, 1, 1, 0)):
        x = F.conv2d(x, state[f"net.{i}.weight"], state[f"net.{i}.bias"], padding=padding)
        x = x if i == 3 else F.relu(x)
    motion = 0.01 * x.mean((2, 3))[:, :6]
    x, y, z, *translation = motion.unbind(1)
    result = torch.zeros(len(motion), 4, 4)
    result[:, 0, 1], result[:, 0, 2], result[:, 1, 2] = -z, y, -x
    result[:, 1, 0], result[:, 2, 0], result[:, 2, 1] = z, -y, x
    result = torch.linalg.matrix_exp(result)
    result[:, :3, 3] = torch.stack(translation, 1)
    return result
