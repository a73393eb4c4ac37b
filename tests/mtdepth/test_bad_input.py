"""Bad input, as a user meets it: one line that names what was expected and what was found."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from mtdepth import predict
from mtdepth.checkpoint import Training, load_network, save_network
from mtdepth.checkpoint_files import CONFIG, STATE, read_weights, write_weights
from mtdepth.config import DataConfig, TrainConfig
from mtdepth.evaluate import evaluate
from mtdepth.losses import task_losses
from mtdepth.model.network import Network
from mtdepth.train import fit
from tests.mtdepth.batches import random_batch, small_config

CPU = torch.device("cpu")
WIDE = {"width": 16, "weights": "none"}
ANOTHER: list[tuple[dict[str, Any], str, str]] = [
    ({"encoder": WIDE}, "encoder.width 16", "encoder.width 8"),
    ({"decoder": {"width": 8}}, "decoder.width 8", "decoder.width 4"),
    ({"attention": "none"}, "attention none", "attention encoder+decoder"),
    ({"attention": "encoder"}, "attention encoder", "attention encoder+decoder"),
    ({"pose": {"encoder": "separate"}}, "pose.encoder separate", "pose.encoder attended"),
    ({"tasks": ["depth"]}, "tasks [depth]", "tasks [depth, instances]"),
    # The same network, whose weighting knows its tasks by their places.
    ({"tasks": ["instances", "depth"]}, "tasks [instances, depth]", "tasks [depth, instances]"),
    (
        {"encoder": WIDE, "attention": "none"},
        "attention none, encoder.width 16",
        "attention encoder+decoder, encoder.width 8",
    ),
    ({"weighting": {"name": "dwa"}}, "weighting.name dwa", "weighting.name gls"),
    # These keep the same numbers, and mean something else by them.
    ({"weighting": {"name": "rlw"}}, "weighting.name rlw", "weighting.name gls"),
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("checkpoint")
    Training.start(small_config(weighting={"name": "gls"}), CPU).save(directory)
    return directory


def error_of_load(directory: Path, config: TrainConfig) -> str:
    with pytest.raises(ValueError) as caught:
        Training.load(directory, config, CPU)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message.replace(str(directory), "")) < 250
    return message


@pytest.mark.parametrize(("changes", "expected", "found"), ANOTHER)
def test_a_checkpoint_of_another_training_is_told_by_its_settings(
    checkpoint: Path, changes: dict[str, Any], expected: str, found: str
) -> None:
    config = small_config(**{"weighting": {"name": "gls"}, **changes})
    assert error_of_load(checkpoint, config) == (
        f"{checkpoint}: expected a checkpoint with {expected}, found one with {found}; "
        "a training goes on with what it began with"
    )


def test_it_is_told_before_weights_are_fetched(checkpoint: Path) -> None:
    """`imagenet` would be looked for at width 64, and downloaded."""
    config = small_config(encoder={"width": 64, "weights": "imagenet"}, weighting={"name": "gls"})
    assert "expected a checkpoint with encoder.width 64, " in error_of_load(checkpoint, config)


def test_a_training_with_another_checkpoint_does_not_begin(
    checkpoint: Path, tiny_data: DataConfig
) -> None:
    config = small_config(data=tiny_data, attention="none", weighting={"name": "gls"})
    with pytest.raises(ValueError, match="expected a checkpoint with attention none, found one"):
        fit(config, lambda *_: pytest.fail("an epoch was trained"), resume_from=checkpoint)


def test_weights_that_were_trained_elsewhere_fit_any_weighting_and_one_network(
    tmp_path: Path,
) -> None:
    save_network(Network(small_config()), tmp_path)
    for name in ("equal", "dwa"):
        assert Training.load(tmp_path, small_config(weighting={"name": name}), CPU).epoch == 0
    found = error_of_load(tmp_path, small_config(decoder={"width": 8}))
    assert ": expected a checkpoint with decoder.width 8, found one with decoder.width 4" in found


@pytest.fixture
def mixed(checkpoint: Path, tmp_path: Path) -> Path:
    """The configuration of one checkpoint beside the state of another, which is wider."""
    Training.start(small_config(encoder=WIDE, weighting={"name": "gls"}), CPU).save(tmp_path)
    (tmp_path / CONFIG).write_bytes((checkpoint / CONFIG).read_bytes())
    return tmp_path


def test_weights_of_another_network_are_told_by_the_first(mixed: Path) -> None:
    with pytest.raises(ValueError) as caught:
        load_network(mixed)
    message = str(caught.value)
    assert re.fullmatch(
        rf"{mixed}/{STATE}: expected the weights that the configuration beside it describes, with "
        r"encoder.conv1.weight \(8, 3, 7, 7\), found encoder.conv1.weight \(16, 3, 7, 7\) "
        r"\(and \d+ more differ\)",
        message,
    )
    assert error_of_load(mixed, small_config(weighting={"name": "gls"})) == message
    with pytest.raises(ValueError) as judged:
        evaluate(mixed, "val")
    assert str(judged.value) == message


def test_predict_ends_with_that_line(
    mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "image.png"
    Image.new("RGB", (64, 64)).save(image)
    told = ["--checkpoint", str(mixed), "--images", str(image), "--out", str(tmp_path / "out")]
    assert predict.main(told) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {mixed / STATE}: expected the weights that the configuration ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("encoder.bn1.bias", None, r"with encoder.bn1.bias \(8,\), found no encoder.bn1.bias$"),
        ("more", torch.zeros(2, 3), r"with no more, found more \(2, 3\)$"),
        ("encoder.bn1.bias", torch.zeros(3), r"bn1.bias \(8,\), found encoder.bn1.bias \(3,\)$"),
    ],
)
def test_one_wrong_weight_is_told(
    tmp_path: Path, name: str, change: torch.Tensor | None, expected: str
) -> None:
    save_network(Network(small_config()), tmp_path)
    weights = read_weights(tmp_path, CPU)
    weights.pop(name, None)
    if change is not None:
        weights[name] = change
    write_weights(tmp_path, small_config(), weights)
    with pytest.raises(ValueError, match=expected):
        load_network(tmp_path)


def test_an_unknown_weighting_is_told_with_the_known_ones() -> None:
    with pytest.raises(ValidationError) as caught:
        TrainConfig.model_validate({"weighting": {"name": "uncertanty"}})
    (error,) = caught.value.errors()
    assert error["loc"] == ("weighting", "name")
    assert "'uncertainty'" in error["msg"]
    assert error["input"] == "uncertanty"


def test_offsets_without_instance_maps_are_told() -> None:
    config = small_config(tasks=("depth", "instances"))
    batch = replace(random_batch(1, 64, 64), instances=None)
    predictions = Network(config)(batch.target, batch.sources)
    with pytest.raises(ValueError) as caught:
        task_losses(predictions, batch, config)
    assert str(caught.value) == (
        "tasks: 'instances' expects an instance map beside each image that is trained on "
        "(<drive>/instance_02/data/*.png), found an image without"
    )
