"""Training a teacher: it learns, the same however it is interrupted, and is honest if it can't."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mtdepth.checkpoint_files import STATE
from mtdepth.config import DataConfig
from mtdepth.data.teacher.checkpoint import Teaching
from mtdepth.data.teacher.config import SourceConfig, TeacherConfig
from mtdepth.data.teacher.examples import read_example
from mtdepth.data.teacher.sources import Pair, list_pairs
from mtdepth.data.teacher.training import _Draw, _draws, fit, train_epoch
from mtdepth.train import TrainingDiverged
from tests.mtdepth.data.teacher.toys import (
    drive_name,
    scene,
    toy_config,
    toy_street,
    write_frame,
)


class Listener:
    """Keeps what is reported, and stops the training when it is told to."""

    def __init__(self, last_epoch: int | None = None) -> None:
        self.epochs: list[dict[str, float]] = []
        self.last_epoch = last_epoch

    def __call__(self, epoch: int, metrics: dict[str, float], /) -> None:
        kept = {name: value for name, value in metrics.items() if name != "seconds"}
        self.epochs.append({"epoch": epoch, **kept})
        if epoch == self.last_epoch:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> SourceConfig:
    return toy_street(tmp_path_factory.mktemp("street"), train=8, val=2)


def same(left: Any, right: Any) -> bool:
    if isinstance(left, torch.Tensor):
        return torch.equal(left, right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def test_it_learns_to_label_images_that_it_never_saw(source: SourceConfig, tmp_path: Path) -> None:
    told = toy_config(source, epochs=4, lr_per_image=0.0025, warm_up_steps=10, lr_drops=(0.8,))
    heard = Listener()
    fit(told, tmp_path, heard)
    assert [epoch["epoch"] for epoch in heard.epochs] == [1, 2, 3, 4]
    assert heard.epochs[-1]["loss"] < 0.5 * heard.epochs[0]["loss"]
    assert heard.epochs[0]["ap50"] < 0.3
    assert heard.epochs[-1]["ap50"] > 0.5


def test_interrupted_and_resumed_it_ends_the_same(tmp_path: Path) -> None:
    told = toy_config(toy_street(tmp_path, train=1, val=1), epochs=2, lr_drops=(0.5,))
    whole, before, after = Listener(), Listener(last_epoch=1), Listener()
    fit(told, tmp_path / "whole", whole)
    with pytest.raises(KeyboardInterrupt):
        fit(told, tmp_path / "cut", before)
    fit(told, tmp_path / "cut", after)
    assert before.epochs + after.epochs == whole.epochs
    states = [torch.load(tmp_path / n / STATE, weights_only=True) for n in ("whole", "cut")]
    assert same(*states)
    # 0.00125 for each of two images, and a tenth of it in the second epoch.
    assert states[0]["optimizer"]["param_groups"][0]["lr"] == pytest.approx(0.00025)
    assert torch.initial_seed() == 2  # proposals are sampled anew in every epoch
    fit(told, tmp_path / "cut", after)  # nothing is left to do
    assert len(after.epochs) == 1


def test_fine_tuning_begins_with_weights_and_keeps_batch_norm(tmp_path: Path) -> None:
    told = toy_config(toy_street(tmp_path, train=1, val=1, num_frames=2), epochs=1)
    fit(told, tmp_path / "first", Listener())
    weights = tmp_path / "first" / STATE
    tuned = told.network.model_copy(update={"weights": str(weights)})
    fit(told.model_copy(update={"network": tuned}), tmp_path / "second", Listener())
    first, second = (
        torch.load(tmp_path / name / STATE, weights_only=True)["network"]
        for name in ("first", "second")
    )
    changed = {name for name in first if not torch.equal(first[name], second[name])}
    assert "backbone.body.layer2.0.conv1.weight" in changed
    assert not [name for name in changed if ".bn" in name or "layer1" in name]


def test_who_reads_the_images_makes_no_difference(tmp_path: Path) -> None:
    told = toy_config(toy_street(tmp_path, train=1, val=1, num_frames=2), epochs=1)
    alone, helped = Listener(), Listener()
    fit(told, tmp_path / "alone", alone)
    fit(told, tmp_path / "helped", helped, num_threads=2)
    assert alone.epochs == helped.epochs


def test_a_loss_that_is_not_finite_ends_it(tmp_path: Path) -> None:
    told = toy_config(toy_street(tmp_path, train=1, val=1), lr_per_image=1e9, warm_up_steps=1)
    with pytest.raises(
        TrainingDiverged, match=r"expected finite losses, found loss_classifier .*lower --lr"
    ):
        fit(told, tmp_path / "out", Listener())
    assert not (tmp_path / "out").exists()


def test_streets_without_anybody_and_of_any_size_are_learned_from(tmp_path: Path) -> None:
    told = toy_config(toy_street(tmp_path, train=1, val=1), epochs=1)
    pairs = list_pairs(told.source, "train")
    image, instances = scene(7)
    write_frame(tmp_path / drive_name(0), 1, image[:50, :70], instances[:50, :70])
    for frame in (2, 3):
        write_frame(tmp_path / drive_name(0), frame, image, np.zeros_like(instances))
    teaching = Teaching.start(told, torch.device("cpu"))
    assert 0 < train_epoch(teaching, pairs) < math.inf
    assert 0 < train_epoch(teaching, pairs[2:]) < math.inf  # a batch of background alone


def test_where_nothing_can_be_written_nothing_is_trained(tmp_path: Path) -> None:
    told = toy_config(toy_street(tmp_path, train=1, val=1))
    (tmp_path / "file").touch()
    heard: list[int] = []
    with pytest.raises(ValueError, match="out: expected a directory to write to, found the file"):
        fit(told, tmp_path / "file" / "out", Listener(), on_step=lambda *_: heard.append(1))
    assert not heard


def test_more_images_a_step_than_there_are_is_told(tmp_path: Path) -> None:
    told = toy_config(toy_street(tmp_path, train=1, val=1, num_frames=3), batch_size=4)
    with pytest.raises(ValueError, match="batch_size: expected at most the 3 images"):
        fit(told, tmp_path / "out", Listener())


def test_every_image_is_drawn_once_an_epoch_in_another_order() -> None:
    told = TeacherConfig(batch_size=4, flip=0.5)
    pairs = [Pair(Path(str(number)), Path()) for number in range(103)]
    first, second = (_draws(told, epoch, pairs) for epoch in range(2))
    for draws in (first, second):
        assert len(draws) == len({draw.pair for draw in draws}) == 100
        assert 20 < sum(draw.flip for draw in draws) < 80
    assert first != second
    assert first == _draws(told, 0, pairs)
    assert first != _draws(told.model_copy(update={"seed": 1}), 0, pairs)
    never = _draws(told.model_copy(update={"flip": 0.0}), 0, pairs)
    assert not any(draw.flip for draw in never)


def test_a_draw_reads_the_mirror_image_where_it_says_so(tmp_path: Path) -> None:
    pair = write_frame(tmp_path, 0, *scene(0))
    for flip in (False, True):
        read = _Draw(pair, flip).read()
        assert torch.equal(read.pixels, read_example(pair, flip=flip).pixels)
        assert torch.equal(read.instances, read_example(pair, flip=flip).instances)
    assert not torch.equal(_Draw(pair, True).read().pixels, _Draw(pair, False).read().pixels)


@pytest.mark.slow
def test_it_learns_driveworld(tmp_path: Path) -> None:
    """Some minutes on one core."""
    from mtdepth.data.driveworld import DriveworldConfig, ensure

    world = DriveworldConfig(lidar=False)
    root = ensure(world, tmp_path / "world")
    assert DataConfig(root=root, driveworld=world).root == root
    source = SourceConfig(name="kitti", root=root, split="driveworld", max_val_images=None)
    network = {"name": "small", "weights": "none"}
    told = {"source": source, "network": network, "epochs": 5, "lr_per_image": 0.005}
    heard = Listener()
    fit(TeacherConfig.model_validate(told), tmp_path / "teacher", heard)
    assert heard.epochs[-1]["ap50"] > 0.35
