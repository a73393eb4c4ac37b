"""A tracked study in MLflow's own page, opened in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from study.tracking.repair import track
from tests.study.ledgers import trial
from tests.study.tracking.pages import Pages, browser, chromium
from tests.study.tracking.servers import Server
from tests.study.tracking.trained import EVENTS, NAME, write_trained

KEYS = [
    "confirm-a-seed1", "confirm-a-seed2", "confirm-b-seed1", "search-a-000", "search-b-000",
]  # fmt: skip
PICTURE = "pictures/epoch-001.png"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, empty_mlflow: Path) -> Iterator[Pages]:
    if chromium() is None:
        pytest.skip("no Chromium is installed; on Debian: apt-get install chromium")
    root = tmp_path_factory.mktemp("page")
    searched = [
        *trial("a", phase="search", number=0, params={"optimizer.lr": 1e-4}, val=0.5, epochs=3),
        *trial("b", phase="search", number=0, params={"optimizer.lr": 1e-3}, val=0.6),
    ]
    study = write_trained(root / "study", [*searched, *EVENTS])
    picture = study / "pictures" / "confirm-a-seed1" / "epoch-001.png"
    picture.parent.mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 256, (200, 640, 3), dtype=np.uint8)
    Image.fromarray(noise).save(picture)
    with Server(root / "server", empty_mlflow) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", server.uri)
        track(study)
        with browser() as page:
            yield Pages(page, server.uri, "told", root)


def test_runs_are_grouped_by_arm_with_the_columns_that_matter(pages: Pages) -> None:
    pages.by_arm()
    text = pages.page.inner_text("body")
    for group in ("Group: a", "Group: b"):
        assert group in text
    for column in ("test/depth/abs_rel", "val/depth/abs_rel", "study.phase"):
        assert column in text
    for key in KEYS:
        assert key in text
    assert "data.name" not in text, "the whole configuration is no column"


def test_five_runs_are_compared(pages: Pages) -> None:
    pages.compare(KEYS)
    text = pages.page.inner_text("body")
    for key in KEYS:
        assert key in text
    assert "optimizer.lr" in text
    assert "test/depth/abs_rel" in text


def test_a_picture_of_a_run_is_shown(pages: Pages) -> None:
    pages.picture("confirm-a-seed1", PICTURE)
    assert "epoch-001.png" in pages.page.inner_text("body")


def test_a_registered_model_has_its_aliases(pages: Pages) -> None:
    pages.model(NAME)
    text = pages.page.inner_text("body").replace("\xa0", " ")
    for alias in ("@ champion", "@ a", "@ b"):
        assert alias in text
    assert "Version 1" in text
