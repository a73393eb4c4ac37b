"""A trained network as the files of an MLflow model: no pickle, no optimiser, no guesses."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from study.trainable import extract_network

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

NEEDED = ("mtdepth", "torch", "torchvision", "numpy", "scikit-learn")
"""What a server of the model must have, beside MLflow; the project brings the rest."""
EXAMPLE_SIZE = (24, 72)
"""Height and width of the input example: any do."""


def save_model(
    checkpoint: Path, out: Path, versions: Mapping[str, str], origin: Mapping[str, Any]
) -> None:
    """Writes the files of a model.

    Args:
        checkpoint: directory of the trained model.
        out: directory that does not exist yet.
        versions: of packages, as the study's manifest has them.
        origin: what the model's own file says of where it is kept: fields of MLflow's `Model`.

    Raises:
        ValueError: the checkpoint is missing or damaged.
    """
    import mlflow.pyfunc
    from mlflow.models import Model

    with tempfile.TemporaryDirectory(prefix="study-") as directory:
        network = Path(directory, "network")
        tasks = extract_network(checkpoint, network).tasks
        mlflow.pyfunc.save_model(
            path=str(out),
            python_model=str(Path(__file__).with_name("served_model.py")),
            artifacts={network.name: str(network)},
            signature=_signature(tasks),
            input_example=(_example(), {"scale": 1.0}),
            pip_requirements=requirements(versions),
            mlflow_model=Model(**origin),
        )


def requirements(versions: Mapping[str, str]) -> list[str]:
    """The packages that a study ran with, pinned; a build such as `+cu130` is left open."""
    return [f"{name}=={versions[name].split('+')[0]}" for name in NEEDED if name in versions]


def _signature(tasks: tuple[str, ...]) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import DataType, ParamSchema, ParamSpec, Schema, TensorSpec

    outputs = {"depth": ("depth_m", np.float32), "instances": ("instances", np.int32)}
    told = [outputs[task] for task in tasks]
    return ModelSignature(
        inputs=Schema([TensorSpec(np.dtype(np.uint8), (-1, -1, -1, 3))]),
        outputs=Schema([TensorSpec(np.dtype(kind), (-1, -1, -1), name) for name, kind in told]),
        params=ParamSchema([ParamSpec("scale", DataType.double, 1.0)]),
    )


def _example() -> np.ndarray:
    """One image: a bright sky above a dark street."""
    height, width = EXAMPLE_SIZE
    rows = np.linspace(220, 60, height).astype(np.uint8)
    return np.broadcast_to(rows[None, :, None, None], (1, height, width, 3)).copy()
