"""The platform's only door to mtdepth.

Torch is imported when something is trained, judged or looked over, and not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtdepth.calibration import Calibration as Calibration
from mtdepth.config import ClusteringConfig as ClusteringConfig
from mtdepth.config import OpticsConfig as OpticsConfig
from mtdepth.config import TrainConfig as TrainConfig
from mtdepth.data.shut import keep_test_shut as keep_test_shut
from mtdepth.memory import device_free_bytes as device_free_bytes
from mtdepth.memory import peak_memory_bytes as peak_memory_bytes
from mtdepth.metrics.names import Split as Split
from mtdepth.metrics.names import Truth as Truth
from mtdepth.metrics.names import evaluation_names as metric_names
from mtdepth.metrics.names import higher_is_better as higher_is_better
from mtdepth.store import Store as Store
from mtdepth.store import StoreAway as StoreAway
from mtdepth.store_url import StoreUrl as StoreUrl
from study.trainable.checkpoints import checkpoints_below as checkpoints_below
from study.trainable.checkpoints import extract_network as extract_network
from study.trainable.checkpoints import holds_network as holds_network
from study.trainable.checkpoints import open_predictor as open_predictor
from study.trainable.checkpoints import set_optics as set_optics
from study.trainable.checkpoints import trained_with as trained_with
from study.trainable.embeddings import draw_clustering as draw_clustering
from study.trainable.embeddings import embed as embed
from study.trainable.embeddings import expect_instances as expect_instances
from study.trainable.embeddings import identity as identity
from study.trainable.embeddings import map_embeddings as map_embeddings
from study.trainable.embeddings import open_scorer as open_scorer
from study.trainable.embeddings import write_embeddings as write_embeddings
from study.trainable.process import PROCESSES as PROCESSES
from study.trainable.process import device_name as device_name
from study.trainable.process import device_percent as device_percent
from study.trainable.process import peak_device_memory_bytes as peak_device_memory_bytes
from study.trainable.process import random_state_kept as random_state_kept
from study.trainable.protocol import Judgement as Judgement
from study.trainable.protocol import OnProgress as OnProgress
from study.trainable.protocol import Report as Report
from study.trainable.protocol import SplitSummary as SplitSummary
from study.trainable.protocol import Trainable as Trainable
from study.trainable.protocol import TrialFailed as TrialFailed
from study.trainable.training import Mtdepth as Mtdepth
from study.trainable.training import is_other_data as is_other_data

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
