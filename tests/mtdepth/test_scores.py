"""What adds up to a split's metrics: the protocol that is asked for, regions and runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mtdepth.checkpoint import Training
from mtdepth.config import DataConfig, TrainConfig
from mtdepth.data.loader import open_split
from mtdepth.data.splits import Frame
from mtdepth.evaluate import Evaluation, evaluate_network
from mtdepth.metrics.depth import evaluate_image
from mtdepth.metrics.flip import flip_mean
from mtdepth.metrics.names import REGIONS
from mtdepth.metrics.pose import trajectory_errors
from mtdepth.scores import Scores
from tests.mtdepth.test_train import SLIM

CPU = torch.device("cpu")


def judged(data: DataConfig, **evaluation: Any) -> tuple[Training, Evaluation]:
    told = {**SLIM, "data": data, "evaluation": evaluation, "optics": {"min_offset": 1.0}}
    training = Training.start(TrainConfig.model_validate(told), CPU)
    return training, evaluate_network(training.network, training.config, "test", CPU)


def changed(before: Evaluation, after: Evaluation) -> set[str]:
    assert before.metrics.keys() == after.metrics.keys()
    return {name for name in before.metrics if before.metrics[name] != after.metrics[name]}


def test_a_flip_changes_the_judged_disparity_and_nothing_else(tiny_data: DataConfig) -> None:
    _, once = judged(tiny_data)
    training, flipped = judged(tiny_data, flip=True)
    names = changed(once, flipped)
    assert {"test/depth/abs_rel", "test/depth/rmse"} <= names
    assert all(name.startswith("test/depth/") and "photometric" not in name for name in names)
    data = open_split(tiny_data, "test")
    target, truth = data.batch([0], neighbours=False).to(CPU).target, data.truth(0)
    depths = [training.network.predict(x).depth_m for x in (target, target.flip(-1))]
    first, second = (1 / x[0, 0].numpy() for x in depths if x is not None)
    assert truth.depth_m is not None
    expected = evaluate_image(flip_mean(first, second), truth.depth_m, crop="garg")
    assert flipped.images[0]["test/depth/abs_rel"] == pytest.approx(expected["abs_rel"], rel=1e-4)


def test_a_flip_asks_nothing_of_a_network_without_depth(tiny_data: DataConfig) -> None:
    told = {**SLIM, "data": tiny_data, "tasks": ["instances"], "evaluation": {"flip": True}}
    training = Training.start(TrainConfig.model_validate(told), CPU)
    found = evaluate_network(training.network, training.config, "test", CPU)
    assert all(name.startswith("test/instances/") for name in found.metrics)


def test_the_crop_that_is_asked_for_is_used(tiny_data: DataConfig) -> None:
    _, garg = judged(tiny_data)
    _, none = judged(tiny_data, crop="none")
    assert "test/depth/constant_abs_rel" in changed(garg, none)


def test_the_lidars_depth_that_is_asked_for_is_used(kitti: DataConfig) -> None:
    _, velodyne = judged(kitti)
    _, camera = judged(kitti, lidar_depth="camera")
    _, scan = judged(kitti, truth="lidar")
    assert "test/depth/constant_abs_rel" in changed(velodyne, camera)
    assert changed(velodyne, scan) == set()  # this sample has no maps


def test_regions_tell_over_how_many_images_they_are(tiny_data: DataConfig) -> None:
    _, found = judged(tiny_data)
    for region in REGIONS:
        rates = [r[n] for r in found.images if (n := f"test/depth/{region}/hole_rate") in r]
        assert found.metrics[f"test/depth/{region}/num_images"] == len(rates) > 0
        assert found.metrics[f"test/depth/{region}/hole_rate"] == pytest.approx(np.mean(rates))


def test_each_run_counts_by_its_motions(tiny_data: DataConfig) -> None:
    data = open_split(tiny_data, "train")
    scores = Scores(TrainConfig(data=tiny_data), data)
    drives = sorted({frame.drive for frame in data.frames})
    long, short = [Frame(drives[0], i) for i in (1, 2, 3)], Frame(drives[1], 2)
    for frame in (*long, short):
        before, after = (data.source.reader.world_T_cam(f) for f in (frame, frame.shifted(1)))
        assert before is not None
        assert after is not None
        scores.after_T_target[frame] = np.linalg.inv(after) @ before
    found = scores.metrics()
    assert found == pytest.approx(dict.fromkeys(found, 0), abs=1e-6)
    assert set(found) == {"pose/ate", "pose/ate_full", "pose/rpe_m", "pose/rpe_deg"}
    scores.after_T_target[long[1]][0, 3] += 0.3
    poses = [data.source.reader.world_T_cam(f) for f in (*long, long[-1].shifted(1))]
    true = np.stack([pose for pose in poses if pose is not None])
    wrong = true.copy()
    wrong[2:] = (
        true[1]
        @ np.linalg.inv(scores.after_T_target[long[1]])
        @ [np.linalg.inv(true[2]) @ pose for pose in true[2:]]
    )
    found = scores.metrics()
    for name, error in trajectory_errors(wrong, true).items():
        assert found[f"pose/{name}"] == pytest.approx(3 / 4 * error, abs=1e-6)
    assert found["pose/rpe_m"] > 0.05
