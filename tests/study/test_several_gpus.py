"""A trial on several GPUs, which Ray is told of and a test need not have: the training of one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mtdepth.config import DataConfig
from study.ledger import Ledger
from study.space_loading import checked_space, load_space
from tests.study.driver import run_script

DRIVER = """
import json, sys
from pathlib import Path
import ray
from study.ray_session import worker_env
from study.runner import Settings, run_study
from study.space import Resources
from study.space_loading import checked_space

NO_GPU = {"CUDA_VISIBLE_DEVICES": "", "RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES": "1"}

if __name__ == "__main__":
    ray.init(address="local", num_cpus=2, num_gpus=2, include_dashboard=False,
             runtime_env={"env_vars": {**worker_env(Resources()), **NO_GPU}})
    space = checked_space(json.loads(Path(sys.argv[1]).read_text()))
    run_study(space, Path(sys.argv[2]), Settings(tracks=False))
"""


def told(data: DataConfig, **changes: Any) -> dict[str, Any]:
    return {
        "study": "span",
        "question": "Is a training by two GPUs that by one?",
        "base": {
            "tasks": ["depth", "instances"], "epochs": 2,
            "data": data.model_dump(mode="json", exclude={"train_on"}),
            "encoder": {"width": 8, "weights": "none"}, "decoder": {"width": 4},
            "batch_size": 4, "max_steps_per_epoch": 2, "max_val_samples": 2,
            "weighting": {"name": "uncertainty"},
        },
        "arms": {"one": {}, "two": {"resources": {"gpus": 2}}},
        "objective": {"metric": "val/depth/abs_rel", "mode": "min"},
        "confirm": {"seeds": [1]},
        "compare": {"baseline": "one", "metrics": ["test/depth/abs_rel"]},
        "resources": {"cpus": 1, "gpus": 1},
        "pictures": {"every_epochs": 0},
        **changes,
    }  # fmt: skip


@pytest.mark.slow
def test_two_gpus_train_what_one_does(tiny_data: DataConfig, tmp_path: Path) -> None:
    (tmp_path / "space.json").write_text(json.dumps(told(tiny_data)))
    out = tmp_path / "study"
    run_script(tmp_path, DRIVER, tmp_path / "space.json", out)
    ledger = Ledger.open(out)
    one, two = (ledger.records[f"confirm-{arm}-seed1"] for arm in ("one", "two"))
    assert [one.status, two.status] == ["completed", "completed"], [one.error, two.error]
    assert len(two.epochs) == 2
    for before, after in zip(one.epochs, two.epochs, strict=True):
        assert set(before.metrics) == set(after.metrics)
        for name in (n for n in before.metrics if n.startswith("train/") and "seconds" not in n):
            # what Adam makes of rounding in four steps; `tests/mtdepth/together` is exact
            assert after.metrics[name] == pytest.approx(before.metrics[name], rel=1e-4), name
        more = after.system["memory_peak_mib"] - before.system["memory_peak_mib"]
        assert more > 100, "its processes count"
    assert one.test is not None
    assert two.test is not None
    for name, value in one.test.metrics.items():
        if name.endswith("abs_rel"):
            assert two.test.metrics[name] == pytest.approx(value, rel=1e-3)
    trials = ledger.trials().set_index("trial_key")
    assert trials.device_seconds["confirm-two-seed1"] == pytest.approx(2 * two.seconds)


def test_a_batch_that_cannot_be_divided_is_told_before_anything_runs(
    tiny_data: DataConfig,
) -> None:
    with pytest.raises(ValueError) as caught:
        checked_space(told(tiny_data, arms={"one": {}, "two": {"resources": {"gpus": 3}}}))
    assert str(caught.value) == (
        "arms.two.resources.gpus: arm two: expected a batch_size that is a multiple of 3, as each "
        "GPU of a trial has an equal part of a batch, found 4"
    )
    searched = "search.space.batch_size={type: int, low: 4, high: 12, step: 2}"
    load_space("weighting.yaml", [searched, "resources.gpus=2"])
    with pytest.raises(ValueError, match=r"multiple of 4, as each GPU .*, found 6"):
        load_space("weighting.yaml", [searched, "resources.gpus=4"])
