"""Settings as a reader wants them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def in_words(params: Mapping[str, Any]) -> str:
    """`optimizer.lr = 0.001, epochs = 4`."""
    return ", ".join(f"{name} = {_value(value)}" for name, value in params.items())


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
