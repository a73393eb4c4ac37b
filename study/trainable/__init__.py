"""The platform's only door to mtdepth.

Torch is imported when something is trained, judged or looked over, and not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtdepth.calibration import Calibration
from mtdepth.config import ClusteringConfig, OpticsConfig, TrainConfig
from mtdepth.data.shut import keep_test_shut
from mtdepth.data.split_summary import SplitSummary
from mtdepth.memory import device_free_bytes, peak_memory_bytes
from mtdepth.metrics.names import Split, Truth, higher_is_better
from mtdepth.metrics.names import evaluation_names as metric_names
from mtdepth.store import Store, StoreAway
from mtdepth.store_url import StoreUrl
from study.trainable.checkpoints import (
    checkpoints_below,
    extract_network,
    holds_network,
    open_predictor,
    set_optics,
    trained_with,
)
from study.trainable.embeddings import (
    draw_clustering,
    embed,
    expect_instances,
    identity,
    map_embeddings,
    open_scorer,
    write_embeddings,
)
from study.trainable.process import (
    PROCESSES,
    device_name,
    device_percent,
    peak_device_memory_bytes,
    random_state_kept,
)
from study.trainable.protocol import Judgement, OnProgress, Report, Trainable, TrialFailed
from study.trainable.training import Mtdepth, is_other_data

if TYPE_CHECKING:
    from mtdepth.instances.scoring import Scorer as Scorer
    from mtdepth.predictor import Predictor as Predictor

__all__ = [
    "PROCESSES",
    "Calibration",
    "ClusteringConfig",
    "Judgement",
    "Mtdepth",
    "OnProgress",
    "OpticsConfig",
    "Report",
    "Split",
    "SplitSummary",
    "Store",
    "StoreAway",
    "StoreUrl",
    "TrainConfig",
    "Trainable",
    "TrialFailed",
    "Truth",
    "checkpoints_below",
    "device_free_bytes",
    "device_name",
    "device_percent",
    "draw_clustering",
    "embed",
    "expect_instances",
    "extract_network",
    "higher_is_better",
    "holds_network",
    "identity",
    "is_other_data",
    "keep_test_shut",
    "map_embeddings",
    "metric_names",
    "open_predictor",
    "open_scorer",
    "peak_device_memory_bytes",
    "peak_memory_bytes",
    "random_state_kept",
    "set_optics",
    "trained_with",
    "write_embeddings",
]
