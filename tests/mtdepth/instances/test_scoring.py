"""Embeddings of true offsets with noise, clustered in many ways."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from mtdepth.config import OpticsConfig
from mtdepth.instances import scoring
from mtdepth.instances.clustering import cluster
from mtdepth.instances.embeddings import Embedding, Embeddings, as_batch
from mtdepth.instances.scoring import Scorer
from mtdepth.metrics.instances import average_precision
from tests.mtdepth.instances.scenes import noisy_offsets, three_boxes

MIN_AREA = 12
CONFIGS = [OpticsConfig(), OpticsConfig(eps=1), OpticsConfig(min_samples=40), OpticsConfig(eps=0.5)]


def embeddings(noise_px: float = 1.0, num: int = 3) -> Embeddings:
    true = three_boxes().astype(np.int32) % 1000
    rows = [
        Embedding(image=str(seed), offsets_px=noisy_offsets(true, noise_px, seed), instances=true)
        for seed in range(num)
    ]
    told = {"height": 64, "width": 96, "min_area": MIN_AREA, "split": "val"}
    return Embeddings(pa.Table.from_batches([as_batch(rows, told)]))


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[OpticsConfig]:
    """The configurations by which images were ordered."""
    asked: list[OpticsConfig] = []
    order = scoring.order_image
    monkeypatch.setattr(
        scoring, "order_image", lambda px, config: asked.append(config) or order(px, config)
    )
    return asked


def untimed(metrics: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if name != "instances/cluster_ms"}


def test_a_score_is_that_of_each_image_clustered_on_its_own() -> None:
    scorer, config = Scorer(embeddings()), OpticsConfig(eps=1.5)
    found = scorer.score(config)
    anew = [cluster(one.offsets_px, config) for one in scorer.embeddings]
    expected = average_precision(anew, scorer.true, min_area=MIN_AREA)
    assert found["instances/ap50"] == expected["ap50"]
    assert 0 < found["instances/ap50"] <= 1
    assert 0 < found["instances/ap"] < 1
    assert found["instances/cluster_ms"] > 0


def test_an_order_is_made_once_for_all_its_cuts(orders: list[OpticsConfig]) -> None:
    scorer = Scorer(embeddings())
    anew = [untimed(Scorer(embeddings()).score(config)) for config in CONFIGS]
    orders.clear()
    assert [untimed(scorer.score(config)) for config in CONFIGS] == anew
    assert [config.min_samples for config in orders[1:]] == [26] * 3 + [40] * 3
    assert len({tuple(one.items()) for one in anew}) > 2


def test_what_was_kept_counts_as_if_it_had_been_made() -> None:
    scorer = Scorer(embeddings())
    first = scorer.score(OpticsConfig())["instances/cluster_ms"]
    scorer.score(OpticsConfig(min_samples=30))
    _, seconds = scorer._ordered(OpticsConfig())
    again = scorer.score(OpticsConfig(eps=1))["instances/cluster_ms"]
    assert min(first, again) >= 1000 * seconds / 3


def test_old_orders_are_given_up_where_memory_is_short(
    orders: list[OpticsConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "MAX_KEPT_VOTES", 2 * 3 * 64 * 96)
    scorer = Scorer(embeddings())
    for min_samples in (20, 30, 20, 40, 20, 30):
        scorer.score(OpticsConfig(min_samples=min_samples))
    assert [config.min_samples for config in orders[1::3]] == [20, 30, 40, 30]


def test_offset_errors_and_replicates_are_named_as_metrics_are() -> None:
    scorer = Scorer(embeddings(noise_px=2))
    found = scorer.score(OpticsConfig())
    assert found["instances/offset_error_px"] == pytest.approx(2 * np.sqrt(np.pi / 2), rel=0.05)
    assert set(scorer.replicates(OpticsConfig())) == {
        f"instances/{name}" for name in ("ap", "ap50", "pq", "sq", "rq")
    }


def test_where_nothing_can_be_judged_it_is_told() -> None:
    table = embeddings().table
    told = {"height": 64, "width": 96, "min_area": 10_000, "split": "val"}
    rows = [Embeddings(table)[0]]
    with pytest.raises(ValueError, match=r"at least 10000 pixels \(offsets.min_area\) in the val"):
        Scorer(Embeddings(pa.Table.from_batches([as_batch(rows, told)])))
