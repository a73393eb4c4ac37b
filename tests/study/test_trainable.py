"""The platform's door to the model: light to open, and true to what lies behind."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from study.standstill import standstill
from study.trainable import Mtdepth, TrainConfig, TrialFailed, Truth, metric_names
from tests.mtdepth.data.pack.packs import make, request

SLIM: dict[str, Any] = {
    "tasks": ["depth"],
    "encoder": {"width": 8, "weights": "none"},
    "decoder": {"width": 4},
    "batch_size": 1,
    "epochs": 2,
    "max_steps_per_epoch": 1,
    "max_val_samples": 1,
}


def config(tiny_data: Any, **changes: Any) -> dict[str, Any]:
    return {**SLIM, "data": tiny_data.model_dump(mode="json"), **changes}


def test_it_is_light_until_something_is_trained() -> None:
    script = (
        "import sys; from study.trainable import Mtdepth; import mtdepth.data.check; "
        "Mtdepth().check_software({'weighting': {'name': 'dwa'}}); print('torch' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root
    )
    assert found.stdout == "False\n"


def test_it_travels() -> None:
    assert isinstance(pickle.loads(pickle.dumps(Mtdepth())), Mtdepth)


def test_a_data_set_is_summed_up(tiny_data: Any) -> None:
    found = Mtdepth().check_data(config(tiny_data))
    assert {split: summary.num_samples for split, summary in found.items()} == {
        "train": 9, "val": 6, "test": 3
    }  # fmt: skip
    assert all(summary.truth == Truth() for summary in found.values())
    assert len({summary.fingerprint for summary in found.values()}) == 3


def test_a_data_set_is_summed_up_for_how_it_will_be_judged(tiny_data: Any, tmp_path: Path) -> None:
    root = tmp_path / "no-lidar"
    shutil.copytree(tiny_data.root, root, ignore=shutil.ignore_patterns("velodyne_points"))
    data = {"name": "kitti", "root": str(root), "split": "driveworld"}
    for told, missing in (({}, []), ({"truth": "lidar"}, ["depth"])):
        found = Mtdepth().check_data(config(tiny_data, data=data, evaluation=told))
        assert [found[split].truth.missing() for split in ("val", "test")] == [missing, missing]


def test_it_trains_goes_on_judges_and_draws(tiny_data: Any, tmp_path: Path) -> None:
    model, told = Mtdepth(), config(tiny_data)
    heard: list[dict[str, float]] = []

    def report(metrics: dict[str, float], checkpoint_dir: Path) -> None:
        heard.append({k: v for k, v in metrics.items() if k != "train/seconds"})
        shutil.copytree(checkpoint_dir, tmp_path / str(metrics["epoch"]))

    model.fit(told, report, None)
    shutil.rmtree(tmp_path / "2")
    model.fit(told, report, tmp_path / "1")
    assert [metrics["epoch"] for metrics in heard] == [1, 2, 2]
    assert heard[1] == heard[2]
    judgement = model.judge(tmp_path / "2", "test")
    promised = metric_names(TrainConfig.model_validate(told), "test")
    assert set(judgement.metrics) <= set(promised)
    assert {"test/depth/abs_rel", "test/depth/photometric"} <= set(judgement.metrics)
    assert len(judgement.images) == 3
    assert {type(row["image"]) for row in judgement.images} == {str}
    images = [str(row["image"]) for row in judgement.images[:2]]
    model.draw(tmp_path / "2", "test", tmp_path / "out", images)
    assert len(list((tmp_path / "out").glob("01-*.png"))) > 2


def test_a_machine_with_another_pack_than_the_drivers_is_refused(
    tiny_data: Any, tmp_path: Path
) -> None:
    pack = tmp_path / "pack"
    make(request(tiny_data, pack))
    data = tiny_data.model_copy(update={"root": pack})
    driver, told = Mtdepth(), config(data)
    driver.check_data(told)
    node = pickle.loads(pickle.dumps(driver))
    kept: list[Path] = []

    def report(metrics: dict[str, float], checkpoint_dir: Path) -> None:
        kept.append(Path(shutil.copytree(checkpoint_dir, tmp_path / str(len(kept)))))

    node.fit(told, report, None)
    shutil.rmtree(pack)
    make(request(tiny_data, pack, "jpeg"))
    for work in (
        lambda: node.fit(told, report, None),
        lambda: node.judge(kept[-1], "test"),
        lambda: node.draw(kept[-1], "test", tmp_path / "out", []),
    ):
        with pytest.raises(ValueError, match=f"expected the pack [0-9a-f]* at {pack}") as caught:
            work()
        found = standstill(caught.value, tmp_path)
        assert found is not None
        assert found.mend == "give that machine the same"


def test_a_divergence_is_a_failure_that_no_retry_mends(tiny_data: Any) -> None:
    told = config(tiny_data, optimizer={"lr": 1e30}, max_steps_per_epoch=9)
    with pytest.raises(TrialFailed, match=r"^TrainingDiverged: expected finite losses, found"):
        Mtdepth().fit(told, lambda metrics, checkpoint_dir: None, None)
