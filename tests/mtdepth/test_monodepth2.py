"""Imported models: the same disparities and poses, a checkpoint like any, and clear refusals."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mtdepth.checkpoint import Training, load_network
from mtdepth.checkpoint_files import CONFIG, WEIGHTS
from mtdepth.evaluate import evaluate
from mtdepth.importing import main
from mtdepth.monodepth2 import FILES, import_model
from mtdepth.predict import predict
from mtdepth.train import fit
from tests.mtdepth import monodepth2_files as theirs
from tests.mtdepth.test_train import Listener

CPU = torch.device("cpu")
SETTINGS = {"height": 64, "width": 192, "use_stereo": False}


@pytest.fixture(scope="module")
def model() -> dict[str, theirs.State]:
    return theirs.random_model()


@pytest.fixture(scope="module")
def source(model: dict[str, theirs.State], tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("monodepth2")
    theirs.save_model(model, directory, **SETTINGS)
    return directory


@pytest.fixture(scope="module")
def imported(source: Path, tiny_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("imported") / "checkpoint"
    import_model(source, directory, tiny_world, "driveworld")
    return directory


@torch.no_grad()
def test_disparities_and_poses_are_theirs(model: dict[str, theirs.State], imported: Path) -> None:
    network, config = load_network(imported)
    assert (config.data.height, config.data.width) == (64, 192)
    before, target, after = torch.rand(3, 2, 3, 64, 192)
    found = network(target, torch.stack([before, after], 1))
    for ours, expected in zip(found.disparities, theirs.disparities(model, target), strict=True):
        assert expected.std() > 0.01
        assert torch.allclose(ours, expected, atol=1e-5)
    poses = [
        torch.linalg.inv(theirs.later_T_earlier(model, before, target)),
        theirs.later_T_earlier(model, target, after),
    ]
    for ours, expected in zip(found.source_T_target.unbind(1), poses, strict=True):
        assert (expected - torch.eye(4)).abs().max() > 0.01
        assert torch.allclose(ours, expected, atol=1e-6)


def test_every_tensor_of_ours_is_one_of_theirs(
    model: dict[str, theirs.State], imported: Path
) -> None:
    network, _ = load_network(imported)
    num_unused = 2 * 2  # each encoder's classifier
    assert len(network.state_dict()) == sum(map(len, model.values())) - num_unused
    assert network.encoder.bn1.num_batches_tracked == 7


def test_it_is_judged_and_predicts_like_any_checkpoint(imported: Path, tmp_path: Path) -> None:
    found = evaluate(imported, "test")
    assert len(found.images) == 3
    assert np.isfinite(found.metrics["test/depth/abs_rel"])
    assert np.isfinite(found.metrics["test/pose/ate"])
    Image.new("RGB", (100, 50), "gray").save(tmp_path / "a.png")
    predict(imported, tmp_path, [tmp_path / "a.png"], tmp_path / "out")
    depth_m = np.load(tmp_path / "out/depth/a.npy")
    assert depth_m.shape == (50, 100)
    assert depth_m.min() >= 0.1


def test_training_begins_from_it_at_epoch_0_as_it_is_told(imported: Path, tmp_path: Path) -> None:
    network, config = load_network(imported)
    changes: dict[str, Any] = {
        "optimizer": {"lr": 3e-5},
        "weighting": {"name": "dwa"},
        "batch_size": 1,
        "epochs": 1,
        "max_steps_per_epoch": 1,
        "max_val_samples": 1,
    }
    told = config.model_validate({**config.model_dump(), **changes})
    training = Training.load(imported, told, CPU)
    assert training.epoch == 0
    assert training.optimizer.state_dict()["state"] == {}
    assert {group["lr"] for group in training.optimizer.param_groups} == {3e-5}
    weights = network.state_dict()
    assert all(torch.equal(weights[k], x) for k, x in training.network.state_dict().items())
    listener = Listener(tmp_path)
    fit(told, listener, resume_from=imported)
    assert [metrics["epoch"] for metrics in listener.epochs] == [1]


def test_counters_of_batches_need_not_be_there(source: Path, tmp_path: Path) -> None:
    linked = link(source, tmp_path)
    change(linked / "encoder.pth", lambda x: remove(x, "num_batches_tracked"))
    import_model(linked, tmp_path / "out")
    assert load_network(tmp_path / "out")[0].encoder.bn1.num_batches_tracked == 0


def link(source: Path, directory: Path) -> Path:
    """A copy, whose files are changed by replacing them."""
    (directory / "model").mkdir()
    for name in FILES:
        (directory / "model" / name).symlink_to(source / name)
    return directory / "model"


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    state = torch.load(path, weights_only=True)
    edit(state)
    path.unlink()
    torch.save(state, path)


def remove(state: dict[str, Any], ending: str) -> None:
    for name in [x for x in state if x.endswith(ending)]:
        del state[name]


class Strange:
    """What a state dict has no reason to hold."""


WRONG: list[tuple[str, Callable[[dict[str, Any]], object], str]] = [
    ("encoder", lambda x: remove(x, "bn2.bias"),
     r"expected the tensor encoder.layer1.0.bn2.bias \(and 7 more\), found none"),
    ("depth", lambda x: remove(x, "decoder.13.conv.bias"),
     r"expected the tensor decoder.13.conv.bias, found none"),
    ("pose_encoder", lambda x: x.update({"encoder.layer1.0.conv3.weight": torch.ones(1)}),
     r"ResNet-18 alone, found also encoder.layer1.0.conv3.weight$"),
    ("pose_encoder", lambda x: x.update({"encoder.conv1.weight": torch.ones(64, 9, 7, 7)}),
     r"encoder.conv1.weight of \(64, 6, 7, 7\), found \(64, 9, 7, 7\)"),
    ("pose", lambda x: x.update({"net.3.bias": torch.ones(6)}),
     r"expected net.3.bias of \(12,\), found \(6,\)"),
    ("pose", lambda x: x.update({"net.3.bias": 3}), r"net.3.bias of \(12,\), found int"),
    ("pose", lambda x: x.update({"net.3.bias": Strange()}),
     r"expected a state dict, found what torch cannot read \(UnpicklingError\)"),
    ("encoder", lambda x: x.update(height=65), r"multiple of 32 and .*, found 65 and 192"),
    ("encoder", lambda x: x.update(width="192"), r"multiple of 32 and .*, found 64 and '192'"),
    ("encoder", lambda x: remove(x, "width"), r"multiple of 32 and .*, found 64 and None"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "edit", "message"), WRONG)
def test_what_is_wrong_is_told_with_its_file(
    source: Path, tmp_path: Path, name: str, edit: Callable[[dict[str, Any]], object], message: str
) -> None:
    linked = link(source, tmp_path)
    change(linked / f"{name}.pth", edit)
    with pytest.raises(ValueError, match=message) as caught:
        import_model(linked, tmp_path / "out")
    assert str(caught.value).startswith(f"{linked / name}.pth: expected")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(source: Path, tmp_path: Path, name: str) -> None:
    linked = link(source, tmp_path)
    (linked / name).unlink()
    with pytest.raises(ValueError, match=rf"{linked}: expected .*, found no {name}$"):
        import_model(linked, tmp_path / "out")


def test_a_list_is_no_state_dict(source: Path, tmp_path: Path) -> None:
    linked = link(source, tmp_path)
    (linked / "pose.pth").unlink()
    torch.save([1, 2], linked / "pose.pth")
    with pytest.raises(ValueError, match=r"pose.pth: expected a state dict, found a list"):
        import_model(linked, tmp_path / "out")


def test_a_checkpoint_is_not_written_over(source: Path, imported: Path, tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text("{}")
    with pytest.raises(ValueError, match=f"without a checkpoint, found {CONFIG} in it"):
        import_model(source, tmp_path)
    assert sorted(x.name for x in imported.iterdir()) == [CONFIG, WEIGHTS]


def test_the_command_says_what_it_wrote_and_what_stereo_means(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    linked = link(source, tmp_path)
    change(linked / "encoder.pth", lambda x: x.update(use_stereo=True))
    assert main(["import", "--from", str(linked), "--out", str(tmp_path / "out")]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"{tmp_path / 'out'}: depth and pose for images of 192x64"
    assert "--scale 5.4" in second
    shutil.rmtree(tmp_path / "out")
    assert main(["import", "--from", str(source), "--out", str(tmp_path / "out")]) == 0
    assert "stereo" not in capsys.readouterr().out


def test_the_checkpoint_module_is_the_command(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "mtdepth.checkpoint", "import"]
    told = ["--from", str(tmp_path / "none"), "--out", str(tmp_path / "out")]
    run = subprocess.run([*program, *told], capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stderr == f"error: {tmp_path / 'none'}: expected {', '.join(FILES)}, found no " + (
        "encoder.pth\n"
    )
