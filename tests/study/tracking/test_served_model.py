"""What a registered model says, loaded or served, and what it is made of."""

from __future__ import annotations

import json
import os
import pickletools
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import torch
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from safetensors.torch import load_file

from study.tracking import models
from study.tracking.repair import track
from study.trainable import open_predictor
from tests.study.tracking.trained import (
    IMAGES,
    NAME,
    confirm,
    load_champion,
    save_network,
    write_trained,
)

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")


def champions_files(mlflow: MlflowClient) -> Path:
    return Path(mlflow.get_model_version_by_alias(NAME, "champion").source)


def test_a_model_holds_weights_and_settings_and_nothing_that_runs(
    mlflow: MlflowClient, trained: Path, tmp_path: Path
) -> None:
    track(trained)
    source = champions_files(mlflow)
    files = {p.relative_to(source).as_posix(): p for p in source.rglob("*") if p.is_file()}
    assert {name for name in files if name.startswith("artifacts/")} == {
        "artifacts/network/config.json",
        "artifacts/network/network.safetensors",
    }
    assert (
        files["served_model.py"].read_bytes()
        == Path(models.__file__).with_name("served_model.py").read_bytes()
    )
    whole = torch.load(trained / "checkpoints/confirm-b-seed1/state.pt", weights_only=True)
    weights = load_file(files["artifacts/network/network.safetensors"])
    assert weights.keys() == whole["network"].keys()
    for path in files.values():
        assert path.suffix not in (".pkl", ".pt", ".pth", ".bin")
        with pytest.raises(ValueError):
            list(pickletools.genops(path.read_bytes()))


def test_a_loaded_model_predicts_what_the_checkpoint_does(
    mlflow: MlflowClient, trained: Path
) -> None:
    track(trained)
    model = load_champion()
    found = model.predict(IMAGES)
    expected = open_predictor(trained / "checkpoints" / "confirm-b-seed1").look_at_batch(IMAGES)
    assert {k: (v.shape, v.dtype) for k, v in found.items()} == {
        "depth_m": ((2, 50, 80), np.float32),
        "instances": ((2, 50, 80), np.int32),
    }
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)
    doubled = model.predict(IMAGES, params={"scale": 2.0})
    np.testing.assert_allclose(doubled["depth_m"], 2 * found["depth_m"], rtol=1e-6)
    signature = model.metadata.signature
    assert {spec.name: spec.shape for spec in signature.outputs} == dict.fromkeys(
        ("depth_m", "instances"), (-1, -1, -1)
    )


@pytest.mark.parametrize(("task", "output"), [("depth", "depth_m"), ("instances", "instances")])
def test_a_model_tells_what_it_has_learned(
    mlflow: MlflowClient, tmp_path: Path, task: str, output: str
) -> None:
    trained = write_trained(tmp_path / "study", confirm("a", 1, 0.5))
    save_network(trained / "checkpoints" / "confirm-a-seed1", tasks=[task])
    track(trained)
    model = load_champion()
    assert set(model.predict(IMAGES)) == {output}
    assert [spec.name for spec in model.metadata.signature.outputs] == [output]


@pytest.mark.parametrize(
    ("images", "scale", "expected"),
    [
        (IMAGES.astype(float), 1.0, "dtype of input float64 does not match expected dtype uint8"),
        (IMAGES[..., :2], 1.0, r"Shape of input \(2, 50, 80, 2\) does not match"),
        (IMAGES[0], 1.0, r"Shape of input \(50, 80, 3\) does not match"),
        (IMAGES[:0], 1.0, r"images: expected RGB as uint8 .* found uint8 \(0, 50, 80, 3\)$"),
        (IMAGES // 200, 1.0, "images: expected values from 0 to 255, found none above 1"),
        (IMAGES, -1.0, "^scale: expected a positive number, found -1.0$"),
        (IMAGES, float("nan"), "^scale: expected a positive number, found nan$"),
    ],
)
def test_a_wrong_request_is_told(
    mlflow: MlflowClient, trained: Path, images: Any, scale: float, expected: str
) -> None:
    track(trained)
    with pytest.raises(MlflowException, match=expected):
        load_champion().predict(images, params={"scale": scale})


@pytest.fixture
def served(mlflow: MlflowClient, trained: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a server of the champion, a process of its own."""
    track(trained)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"]
    command += ["-m", f"models:/{NAME}@champion", "-p", str(port), "--workers", "1"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(Path(models.__file__).parents[2])}
    address = f"http://127.0.0.1:{port}"
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 90
        while not _answers(address):
            assert process.poll() is None, (tmp_path / "server.log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "server.log").read_text()
            time.sleep(0.2)
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/ping", timeout=5).ok
    except requests.ConnectionError:
        return False


def test_a_server_answers_a_request(served: str, trained: Path) -> None:
    url, small = f"{served}/invocations", IMAGES[:, ::2, ::2]
    answer = requests.post(url, json={"inputs": small.tolist()}, timeout=60)
    assert answer.status_code == 200, answer.text
    found = answer.json()["predictions"]
    expected = open_predictor(trained / "checkpoints" / "confirm-b-seed1").look_at_batch(small)
    np.testing.assert_allclose(found["depth_m"], expected["depth_m"], rtol=1e-4)
    np.testing.assert_array_equal(found["instances"], expected["instances"])
    scaled = {"inputs": small.tolist(), "params": {"scale": 2.0}}
    doubled = requests.post(url, json=scaled, timeout=60).json()["predictions"]["depth_m"]
    np.testing.assert_allclose(doubled, 2 * expected["depth_m"], rtol=1e-4)
    fractions = requests.post(url, json={"inputs": (small / 255).tolist()}, timeout=60)
    assert fractions.status_code == 400
    assert "expected values from 0 to 255, found none above 1" in json.dumps(fractions.json())
