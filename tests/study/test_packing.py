"""How many trials share a GPU: the sum, and a study on GPUs that Ray is told of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.ledger import Ledger
from study.packing import CONTEXT_BYTES, GIB, MARGIN, largest, pack, settle, settled_as
from study.ray_session import room_for
from study.simulate import Simulated
from study.space import Space
from tests.study.simulated import simulated_space

ROOT = Path(__file__).parents[2]
AUTO = {"cpus": 1, "gpus": "auto"}
DRIVER = """
import sys
from dataclasses import dataclass, replace
from pathlib import Path
import ray
from study import packing
from study.ray_session import worker_env
from study.runner import Settings, run_study
from study.simulate import Simulated
from study.space import Resources
from tests.study.simulated import simulated_space

@dataclass(frozen=True, kw_only=True)
class OnGpu(Simulated):
    def calibrate(self, config):
        many = 2 if config["weighting"]["name"] == "dwa" else 1
        return replace(super().calibrate(config), device_memory_bytes=many * 2**30)

def total():
    return 16 * 2**30

if __name__ == "__main__":
    packing.device_total_bytes = total
    ray.init(address="local", num_cpus=5, num_gpus=2, include_dashboard=False,
             runtime_env={"env_vars": worker_env(Resources())})
    space = simulated_space(resources={"cpus": 1, "gpus": "auto"})
    run_study(space, Path(sys.argv[1]), Settings(trainable=OnGpu(), tracks=False))
"""


@given(
    peak=st.integers(2**20, 2**37),
    total=st.integers(2**33, 2**38),
    cpus=st.floats(1, 64),
    each=st.floats(0.5, 8),
)
def test_as_many_as_fit_and_no_more(peak: int, total: int, cpus: float, each: float) -> None:
    need = peak * MARGIN + CONTEXT_BYTES
    if need > total:
        with pytest.raises(ValueError, match=r"^resources\.gpus: auto: expected a GPU that takes"):
            pack(peak, total, cpus, each)
        return
    found = pack(peak, total, cpus, each)
    assert found.trials_a_gpu >= 1
    assert found.trials_a_gpu * need <= total
    more_memory = (found.trials_a_gpu + 1) * need <= total
    more_cpus = (found.trials_a_gpu + 1) * each <= cpus
    assert not (more_memory and more_cpus)
    assert found.limit == ("cpus" if more_memory else "memory")


def test_what_is_searched_is_measured_at_its_largest() -> None:
    searched = {
        "batch_size": {"type": "int", "low": 2, "high": 12},
        "encoder.width": {"type": "categorical", "choices": [64, 16]},
        "optimizer.lr": {"type": "float", "low": 1e-5, "high": 1e-3},
    }
    space = simulated_space(search={"trials_per_arm": 2, "space": searched})
    assert largest(space) == {"batch_size": 12, "encoder.width": 64}
    assert largest(simulated_space(search=None, confirm={"seeds": [1]})) == {}


@pytest.mark.usefixtures("small_ray")
def test_without_a_gpu_trials_run_on_cpus_and_that_is_said() -> None:
    said: list[str] = []
    space, packing = settle(simulated_space(resources=AUTO), Simulated(), said.append)
    assert (space.resources.num_gpus, packing) == (0, None)
    assert said == ["resources.gpus: auto: there is no GPU, so that trials run on CPUs."]
    assert room_for(space.resources) == 2


def test_what_was_settled_stays() -> None:
    old, new = simulated_space(resources={"gpus": 0.25}), simulated_space(resources=AUTO)
    assert settled_as(old, new) == old
    assert settled_as(old, simulated_space(resources={"gpus": 0.5})).resources.num_gpus == 0.5


@pytest.mark.parametrize("bad", ["all", -1, "0,5"])
def test_another_word_is_no_number(bad: Any) -> None:
    with pytest.raises(ValueError, match="gpus"):
        Space.model_validate(
            {**simulated_space().model_dump(mode="json"), "resources": {"gpus": bad}}
        )


def test_a_study_packs_its_trials_by_the_arm_that_needs_most(tmp_path: Path) -> None:
    (tmp_path / "driver.py").write_text(DRIVER)
    out = tmp_path / "study"
    done = subprocess.run(
        [sys.executable, str(tmp_path / "driver.py"), str(out)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    # 5 CPUs over 2 GPUs leave room for 2 trials on each, and memory for 5
    assert "resources.gpus: auto: 2 trials on a GPU, of 2.0 GiB each at the peak" in done.stdout
    ledger = Ledger.open(out)
    assert ledger.space.resources.gpus == 0.5
    assert ledger.manifest["packing"] == {
        "trials_a_gpu": 2, "peak_bytes": 2 * GIB, "total_bytes": 16 * GIB, "limit": "cpus",
    }  # fmt: skip
    assert {record.status for record in ledger.records.values()} == {"completed"}
