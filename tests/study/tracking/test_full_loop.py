"""A study registers its models, and a study of clusterings begins from one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from study.ledger import Ledger
from study.runner import Settings, run_study
from study.space import Space
from study.track import main
from study.trainable import open_predictor
from tests.mtdepth.batches import LEARNING
from tests.study.offsets import SEARCHED, clustering_space
from tests.study.tracking.trained import IMAGES, load_champion

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")


def tiny_space(data: Any) -> Space:
    base = {**LEARNING, "epochs": 1, "data": data.model_dump(mode="json")}
    optics = {"min_samples": 2, "min_size": 2}
    return Space.model_validate(
        {
            "study": "tiny",
            "question": "Does it?",
            "base": {**base, "optics": optics},
            "arms": {"mt": {"set": {"tasks": ["depth", "instances"]}}},
            "objective": {"metric": "val/depth/abs_rel", "mode": "min"},
            "confirm": {"seeds": [1]},
            "compare": {"baseline": "mt", "metrics": ["test/instances/ap50"]},
        }
    )


@pytest.mark.usefixtures("small_ray")
@pytest.mark.slow
def test_a_registered_champion_is_the_model_of_a_clustering_study(
    tiny_data: Any, tmp_path: Path, mlflow: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = run_study(tiny_space(tiny_data), tmp_path / "trained", Settings())
    held = mlflow.get_registered_model("mtdepth-tiny").aliases
    assert held == {"mt": 1, "champion": 1}
    expected = open_predictor(trained / "checkpoints" / "confirm-mt-seed1").look_at_batch(IMAGES)
    found = load_champion("mtdepth-tiny").predict(IMAGES)
    assert (found["instances"] == expected["instances"]).all()
    assert (found["depth_m"] == expected["depth_m"]).all()
    monkeypatch.setattr("sys.argv", ["study.track", str(trained)])
    assert main() == 0
    assert len(mlflow.search_model_versions("name = 'mtdepth-tiny'")) == 1

    space = clustering_space(
        "models:/mtdepth-tiny@champion",
        arms={"tuned": {"set": {"optics": {"max_eps": 3}}}},
        search={"trials_per_arm": 1, "space": SEARCHED},
        compare={"baseline": "tuned", "metrics": ["test/instances/ap50"]},
    )
    ledger = Ledger.open(run_study(space, tmp_path / "clustered", Settings()))
    assert set(ledger.trials().status) == {"completed"}
    assert (ledger.directory / "optics-tuned.json").exists()
    assert [model.name for model in mlflow.search_registered_models()] == ["mtdepth-tiny"]
