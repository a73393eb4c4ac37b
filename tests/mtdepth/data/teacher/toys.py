"""A toy street in KITTI raw's layout, on which a small teacher learns within seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from mtdepth.data.teacher.config import NetworkConfig, SourceConfig, TeacherConfig
from mtdepth.data.teacher.sources import Pair

HEIGHT, WIDTH = 64, 96
CAR, PERSON = 26, 24
DATE = "2026_01_02"


def drive_name(number: int) -> str:
    return f"{DATE}/{DATE}_drive_{number:04d}_sync"


def toy_street(
    root: Path, *, train: int = 4, val: int = 1, test: int = 0, num_frames: int = 4
) -> SourceConfig:
    """Drives in which a bright box (a car) and a dark one (a person) stand about."""
    number = 0
    for split, num_drives in (("train", train), ("val", val), ("test", test)):
        lines = []
        for _ in range(num_drives):
            for frame in range(num_frames):
                write_frame(root / drive_name(number), frame, *scene(number * 100 + frame))
                lines.append(f"{drive_name(number)} {frame} l\n")
            number += 1
        lists = root / "splits" / "toy"
        lists.mkdir(parents=True, exist_ok=True)
        (lists / f"{split}_files.txt").write_text("".join(lines))
    return SourceConfig(name="kitti", root=root, split="toy")


def scene(seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """(H, W, 3) image and (H, W) instance map."""
    rng = np.random.default_rng(seed)
    image = rng.integers(100, 140, (HEIGHT, WIDTH, 3), np.uint8)
    instances = np.zeros((HEIGHT, WIDTH), np.uint16)
    x, y = int(rng.integers(2, 12)), int(rng.integers(2, 30))
    wide, tall = rng.integers(24, 34), rng.integers(16, 28)
    image[y : y + tall, x : x + wide] = (250, 220, 60)
    instances[y : y + tall, x : x + wide] = CAR * 1000
    x, y = int(rng.integers(52, 76)), int(rng.integers(2, 20))
    image[y : y + 36, x : x + 14] = (30, 20, 90)
    instances[y : y + 36, x : x + 14] = PERSON * 1000
    return image, instances


def write_frame(
    drive: Path, frame: int, image: NDArray[np.uint8], instances: NDArray[np.uint16] | None = None
) -> Pair:
    pair = Pair(*(drive / f"{kind}_02" / "data" / f"{frame:010d}.png"
                  for kind in ("image", "instance")))  # fmt: skip
    for path, picture in ((pair.image, image), (pair.instances, instances)):
        if picture is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(path)
    return pair


def toy_config(source: SourceConfig, **changes: Any) -> TeacherConfig:
    network = NetworkConfig(name="small", weights="none", sides=(HEIGHT,))
    told = {"source": source, "network": network, "batch_size": 2, "epochs": 2, **changes}
    return TeacherConfig.model_validate(told)


class Oracle(nn.Module):
    """Sees the toy street's cars (bright) and persons (dark) without having learned anything.

    Persons are what it is told to be blind to, or it is less sure of them than of cars.
    """

    def __init__(self, *, persons: bool = True) -> None:
        super().__init__()
        self.somewhere = nn.Parameter(torch.zeros(1))
        self.roi_heads = nn.Module()
        self.persons = persons

    def forward(self, images: list[Tensor]) -> list[dict[str, Tensor]]:
        number = 2 if self.persons else 1
        return [
            {
                "labels": torch.tensor([3, 1][:number]),
                "scores": torch.tensor([0.9, 0.6][:number]),
                "masks": torch.stack([image[0] > 0.9, image[0] < 0.2])[:number, None].float(),
            }
            for image in images
        ]
