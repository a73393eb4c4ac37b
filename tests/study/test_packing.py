"""How many trials share a GPU: the sum, and a study on GPUs that Ray is told of."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import ray
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from study import calibration, packing
from study.extension import extend
from study.ledger import Ledger
from study.packing import CONTEXT_BYTES, GIB, MARGIN, pack, settle, settled_as
from study.placement import room_for
from study.plan import make_plan, render
from study.runner import Settings, run_study
from study.simulate import Simulated
from study.space import Space
from study.space_loading import checked_space, load_space
from study.trainable import Calibration
from tests.study.driver import run_script
from tests.study.ledgers import told_space, trial, write_study
from tests.study.offsets import clustering_space
from tests.study.simulated import simulated_space

AUTO = {"cpus": 1, "gpus": "auto"}
DRIVER = """
import sys
from dataclasses import dataclass, replace
from pathlib import Path
import ray
import torch
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

    def fit(self, config, report, resume_from):
        if config["weighting"]["name"] == "dwa" and config["optimizer"]["lr"] != 1e-4:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
        super().fit(config, report, resume_from)

def total():
    return 16 * 2**30

if __name__ == "__main__":
    packing.device_free_bytes = total
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
            pack({"st": 1, "mt": peak}, total, cpus, each)
        return
    found = pack({"st": 1, "mt": peak}, total, cpus, each)
    assert (found.largest, found.peak_bytes, found.free_bytes) == ("mt", peak, total)
    assert found.trials_a_gpu >= 1
    assert found.trials_a_gpu * need <= total
    more_memory = (found.trials_a_gpu + 1) * need <= total
    more_cpus = (found.trials_a_gpu + 1) * each <= cpus
    assert not (more_memory and more_cpus)
    assert found.limit == ("cpus" if more_memory else "memory")


@pytest.mark.usefixtures("small_ray")
def test_without_a_gpu_trials_run_on_cpus_and_that_is_said() -> None:
    said: list[str] = []
    space, told = settle(simulated_space(resources=AUTO), Simulated(), said.append)
    assert told is not None
    assert (space.resources.num_gpus, told["trials_a_gpu"], told["limit"]) == (0, 0, "gpus")
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
    out = tmp_path / "study"
    told = run_script(tmp_path, DRIVER, out)
    # 5 CPUs over 2 GPUs leave room for 2 trials on each, and memory for 5
    said = "resources.gpus: auto: 2 trials on a GPU, of 2.0 GiB each at the peak (dwa), where "
    assert f"{said}16.0 GiB are free; more would find no cpus." in told
    ledger = Ledger.open(out)
    assert ledger.space.resources.gpus == 0.5
    assert ledger.manifest["packing"] == {
        "trials_a_gpu": 2, "largest": "dwa", "peak_bytes": 2 * GIB, "free_bytes": 16 * GIB,
        "margin": MARGIN, "context_bytes": CONTEXT_BYTES, "limit": "cpus",
    }  # fmt: skip
    assert "packing.peak_bytes" in (out / "report.md").read_text()
    ended = {
        record.dealt.trial_key: (record.status, record.error) for record in ledger.records.values()
    }
    assert ended.pop("search-dwa-000") == ("completed", None)
    oom = "OutOfMemoryError: CUDA out of memory. Tried to allocate 9 GiB"
    assert {end for key, end in ended.items() if "dwa" in key} == {("failed", oom)}
    assert {end for key, end in ended.items() if "equal" in key} == {("completed", None)}
    trials = ledger.trials().set_index("trial_key")
    for key, record in ledger.records.items():
        assert trials.device_seconds[key] == pytest.approx(0.5 * record.seconds)


def test_a_plan_says_that_it_will_be_measured() -> None:
    for resources, num in ((AUTO, 1), ({"gpus": 0.5}, 0)):
        out = StringIO()
        Console(file=out, width=120).print(render(make_plan(simulated_space(resources=resources))))
        assert out.getvalue().count("resources.gpus: auto: how many trials share one is") == num


class Unfit(Simulated):
    """Has no room on any GPU."""

    def calibrate(self, config: Mapping[str, Any]) -> Calibration:
        raise RuntimeError("CUDA out of memory.\nTried to allocate 9 GiB")


@pytest.mark.usefixtures("small_ray")
def test_a_kind_of_trial_that_does_not_fit_is_told_before_the_study_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = {"Alive": True, "NodeID": "1", "Resources": {"GPU": 1, "CPU": 2}}
    monkeypatch.setattr(packing.ray, "nodes", lambda: [node])
    monkeypatch.setattr(packing, "_free", lambda _: 16 * GIB)
    monkeypatch.setattr(calibration, "options_of", lambda _: {"num_cpus": 1})
    settings = Settings(trainable=Unfit(), tracks=False)
    searched = {"batch_size": {"type": "int", "low": 2, "high": 12}}
    space = simulated_space(
        ["equal"], resources=AUTO, search={"trials_per_arm": 2, "space": searched}
    )
    with pytest.raises(ValueError) as caught:
        run_study(space, tmp_path / "study", settings)
    assert str(caught.value) == (
        "resources.gpus: auto: arm equal (batch_size 12): CUDA out of memory. Tried to allocate "
        "9 GiB"
    )
    assert not (tmp_path / "study").exists()


@pytest.mark.usefixtures("small_ray")
def test_gpus_that_are_in_use_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing.ray, "wait", lambda asked, timeout: ([], asked))
    (node,) = ray.nodes()
    told = {**node, "Resources": {"GPU": 4}, "NodeManagerHostname": "gpu-7"}
    with pytest.raises(ValueError, match=r"expected the 4 GPUs of gpu-7 to be free, .* in use"):
        packing._free(told)


def test_a_clustering_is_refused_and_a_space_file_may_say_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^resources\.gpus: auto measures trainings"):
        checked_space(clustering_space(tmp_path, resources=AUTO))
    assert load_space("weighting.yaml", ["resources.gpus=auto"]).resources.gpus == "auto"


def test_an_extension_keeps_what_was_measured_and_says_so(tmp_path: Path) -> None:
    small = told_space(resources={"gpus": 0.25})
    manifest = {"objectives": {}, "packing": {"trials_a_gpu": 4}}
    write_study(tmp_path / "s", trial("a", 1), small, **manifest)
    large = told_space(resources=AUTO, arms={"a": {}, "b": {}, "c": {}})
    ledger, said = Ledger.open(tmp_path / "s", writable=True), list[str]()
    extend(ledger, settled_as(small, large), Simulated(), said.append)
    ledger.close()
    assert said[0] == "Note: resources.gpus: auto stays 0.25, as it was measured without c."
    assert Ledger.open(tmp_path / "s").space.resources.gpus == 0.25
