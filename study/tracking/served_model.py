"""What MLflow runs to serve a trained network: each registered model holds a copy of this file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from study.trainable import open_predictor

NETWORK = "network"
"""The artifact: weights as safetensors, and the configuration."""


class ServedNetwork(PythonModel):  # type: ignore[misc]  # mlflow is not typed
    """Images to depth and instances; the signature beside it says of which shapes."""

    def load_context(self, context: Any) -> None:
        """Opens the network."""
        self._predictor = open_predictor(Path(context.artifacts[NETWORK]))

    def predict(
        self, model_input: np.ndarray, params: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Predicts a batch of images.

        Args:
            model_input: (B, H, W, 3) uint8, RGB.
            params: `scale`, a factor of depth.

        Raises:
            MlflowException: one line about what is wrong with them.
        """
        try:
            if model_input.size and model_input.max() <= 1:
                raise ValueError(
                    "images: expected values from 0 to 255, found none above 1: they look like "
                    "fractions, or are black"
                )
            return self._predictor.look_at_batch(model_input, (params or {}).get("scale", 1.0))
        except ValueError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from None


set_model(ServedNetwork())
