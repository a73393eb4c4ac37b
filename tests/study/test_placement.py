"""Where trials go: what each arm occupies, how many find room, and what is said where none does."""

from __future__ import annotations

import json
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import ray
from rich.console import Console

from study import placement
from study.cost import cost_of
from study.ledger import Ledger
from study.packing import settled_as
from study.placement import bundle_of, room_for, rooms_for
from study.plan import make_plan, render
from study.resources import ArmResources, Resources
from study.space import Space
from study.space_loading import checked_space, load_space, space_as_yaml
from tests.study.driver import run_script
from tests.study.simulated import simulated_space
from tests.study.test_cost import ONE

ARMS = {
    "equal": {"set": {"weighting": {"name": "equal"}}},
    "dwa": {
        "set": {"weighting": {"name": "dwa"}},
        "resources": {"cpus": 2, "gpus": 2, "custom": {"fast": 1}},
    },
    "fixed": {"set": {"weighting": {"name": "fixed"}}, "resources": {"gpus": 0.5}},
}
DRIVER = """
import json, os, sys, time
from dataclasses import dataclass
from pathlib import Path
import ray
from study.ray_session import worker_env
from study.runner import Settings, run_study
from study.simulate import Simulated
from study.space import Resources
from tests.study.test_placement import arms_space

@dataclass(frozen=True, kw_only=True)
class Told(Simulated):
    out: Path

    def fit(self, config, report, resume_from):
        self.tell("fit", config)
        super().fit(config, report, resume_from)

    def judge(self, checkpoint, split):
        self.tell("judge", json.loads((checkpoint / "state.json").read_text())["config"])
        return super().judge(checkpoint, split)

    def tell(self, what, config):
        had = ray.get_runtime_context().get_assigned_resources()
        line = {"what": what, "arm": config["weighting"]["name"], "pid": os.getpid(),
                "threads": os.environ["OMP_NUM_THREADS"], **had}
        with self.out.open("a") as out:
            out.write(json.dumps(line) + "\\n")

if __name__ == "__main__":
    ray.init(address="local", num_cpus=4, num_gpus=2, resources={"fast": 1},
             include_dashboard=False, runtime_env={"env_vars": worker_env(Resources())})
    out = Path(sys.argv[1])
    space = arms_space()
    told = Told(out=out.with_name("told.jsonl"), seconds=0.2)
    run_study(space, out, Settings(trainable=told, tracks=False, calibrates=True))
"""


def arms_space(**changes: Any) -> Space:
    return Space.model_validate(
        {**simulated_space(ARMS).model_dump(mode="json"), "arms": ARMS, **changes}
    )


def on(monkeypatch: pytest.MonkeyPatch, *nodes: dict[str, float]) -> None:
    own = {"memory": 1e9, "node:10.0.0.1": 1.0}
    told = [{"Alive": True, "Resources": {**own, **node}} for node in nodes]
    monkeypatch.setattr(placement.ray, "nodes", lambda: told)


@pytest.mark.usefixtures("small_ray")
@pytest.mark.parametrize(
    ("cpus", "concurrency", "slots"),
    [(1, None, 2), (2, None, 1), (1.5, None, 1), (0.5, None, 4), (0.1, None, 20), (0.5, 3, 3),
     (1, 1, 1), (1, 9, 2)],
)  # fmt: skip
def test_as_many_trials_run_at_once_as_there_is_room_for(
    cpus: float, concurrency: int | None, slots: int
) -> None:
    assert room_for(Resources(cpus=cpus), concurrency) == slots


@pytest.mark.usefixtures("small_ray")
@pytest.mark.parametrize(
    ("resources", "asked"),
    [
        (Resources(cpus=3), "3 CPUs and 0 GPUs"),
        (Resources(gpus=0.5), "1 CPUs and 0.5 GPUs"),
        (Resources(custom={"big_memory": 1}), "1 CPUs, 0 GPUs and 1 big_memory"),
    ],
)
def test_a_trial_that_finds_no_room_is_refused(resources: Resources, asked: str) -> None:
    with pytest.raises(ValueError) as caught:
        room_for(resources)
    assert str(caught.value) == (
        f"resources: expected a node with room for a trial of {asked}, found 1 node with 2 CPUs "
        "and 0 GPUs; ask for no more than a node has"
    )


def test_no_trial_spans_two_nodes_and_what_they_have_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large = {"CPU": 8.0, "GPU": 4.0, "fast": 2.0}
    on(monkeypatch, large, {"CPU": 3.0}, {"CPU": 3.0})
    assert room_for(Resources(cpus=2)) == 4 + 1 + 1
    assert room_for(Resources(gpus=2)) == 2
    assert room_for(Resources(gpus=0.4)) == 8, "two on each GPU, as none is on two"
    assert room_for(Resources(custom={"fast": 0.5})) == 4
    assert rooms_for(arms_space()) == {"equal": 8 + 3 + 3, "dwa": 2, "fixed": 8}
    assert rooms_for(arms_space(), 3) == {"equal": 3, "dwa": 2, "fixed": 3}
    on(monkeypatch, {**large, "fast": 0.5}, {"CPU": 3.0}, {"CPU": 3.0})
    with pytest.raises(ValueError) as caught:
        rooms_for(arms_space())
    assert str(caught.value) == (
        "arms.dwa.resources: expected a node with room for a trial of 2 CPUs, 2 GPUs and 1 fast, "
        "found 1 node with 8 CPUs, 4 GPUs and 0.5 fast; 2 nodes with 3 CPUs and 0 GPUs; ask for "
        "no more than a node has"
    )


def test_an_arm_overrides_the_study_field_by_field() -> None:
    study = Resources(cpus=2, gpus=0.5, custom={"fast": 1, "near": 1})
    assert ArmResources().over(study) == study
    found = ArmResources(gpus=0, custom={"far": 2}).over(study)
    assert bundle_of(found) == {"CPU": 2, "GPU": 0, "far": 2}
    assert bundle_of(ArmResources(custom={}).over(study)) == {"CPU": 2, "GPU": 0.5}
    space = arms_space(resources={"cpus": 1, "gpus": 0.25})
    assert space.num_devices == {"equal": 0.25, "dwa": 2, "fixed": 0.5}
    assert Resources(gpus=4).of_one_process.gpus == 1


def test_a_space_file_says_it_and_reads_back(tmp_path: Path) -> None:
    space = checked_space(arms_space())
    (tmp_path / "again.yaml").write_text(space_as_yaml(space))
    assert load_space(tmp_path / "again.yaml") == space


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("resources.gpus=1.5", "expected a share of one GPU, at most 1, or a whole number of GPUs"),
        ("arms.st-depth.resources={gpus: 2.5}", "expected a share of one GPU"),
        ("arms.st-depth.resources={cpu: 2}", "unknown field; did you mean 'cpus'?"),
        ("resources.custom={GPU: 1}", "expected the name of a custom resource of Ray's"),
        ("resources.custom={'two words': 1}", "expected the name of a custom resource of Ray's"),
        ("resources.custom={fast: 0}", "expected at least 0.0001, found 0"),
    ],
)
def test_what_ray_would_refuse_is_refused_where_it_is_said(said: str, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        load_space("weighting.yaml", [said])
    assert told in str(caught.value)
    assert said.split("=")[0] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_share_of_a_gpu_is_settled_for_all_arms_that_leave_it_open() -> None:
    def space(study: Any, **arms: Any) -> Space:
        own = {name: {"resources": {"gpus": gpus}} if gpus else {} for name, gpus in arms.items()}
        return arms_space(resources={"gpus": study}, arms=own, compare={
            "baseline": "a", "metrics": ["test/depth/abs_rel"]})  # fmt: skip

    old = space(0.25, a=None, b=1)
    assert settled_as(old, space("auto", a=None, b=1, c=None)).num_devices == {
        "a": 0.25, "b": 1, "c": 0.25
    }  # fmt: skip
    assert settled_as(old, space(1, a="auto", b=1, c="auto")).num_devices["c"] == 0.25
    with pytest.raises(ValueError, match=r"^arms\.c\.resources\.gpus: auto: expected a study"):
        settled_as(old, space(0.25, a=None, b=1, c="auto"))


def test_a_plan_tells_the_resources_of_arms_that_differ() -> None:
    out = StringIO()
    Console(file=out, width=120).print(render(make_plan(arms_space())))
    lines = out.getvalue().splitlines()
    assert "  a trial  1 CPUs and 0 GPUs (equal)" in lines
    assert "           2 CPUs, 2 GPUs and 1 fast (dwa)" in lines
    assert "           1 CPUs and 0.5 GPUs (fixed)" in lines


def test_a_cost_counts_each_arm_by_what_it_occupies() -> None:
    space = arms_space()
    cost = cost_of(make_plan(space), dict.fromkeys(ARMS, ONE), {"equal": 4, "dwa": 1, "fixed": 2})
    each, first = 3 * (1 + 3 * 8), 10 * 0.2
    assert cost.hours[0] == pytest.approx((each / 4 + each + each / 2 + first) / 3600)
    assert cost.device_hours[0] == pytest.approx((each + 2 * each + each / 2 + 4 * first) / 3600)
    assert cost.concurrency == 4


def test_arms_of_a_study_are_placed_by_what_they_need(tmp_path: Path) -> None:
    out = tmp_path / "study"
    run_script(tmp_path, DRIVER, out)
    ledger = Ledger.open(out)
    assert {record.status for record in ledger.records.values()} == {"completed"}
    told = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines()]
    had = {
        "equal": {"CPU": 1.0, "threads": "1"},
        "dwa": {"CPU": 2.0, "GPU": 2.0, "fast": 1.0, "threads": "2"},
        "fixed": {"CPU": 1.0, "GPU": 0.5, "threads": "1"},
    }
    for line in told:
        own = had[line["arm"]]
        if line["what"] == "judge" and "GPU" in own:
            own = {**own, "GPU": min(1.0, float(own["GPU"]))}
        assert {n: line[n] for n in line if n not in ("what", "arm", "pid")} == own
    fitted = [(line["arm"], line["pid"]) for line in told if line["what"] == "fit"]
    assert Counter(arm for arm, _ in fitted) == dict.fromkeys(ARMS, 3)
    pids = {arm: {pid for name, pid in fitted if name == arm} for arm in ARMS}
    assert not pids["dwa"] & (pids["equal"] | pids["fixed"]), "no process serves two kinds"
    trials = ledger.trials().set_index("trial_key")
    for key, record in ledger.records.items():
        devices = ledger.space.num_devices[record.dealt.arm]
        assert trials.device_seconds[key] == pytest.approx(devices * record.seconds)
    used = trials.device_seconds.sum() / 3600
    assert ledger.manifest["actual"]["device_hours"] == pytest.approx(used)
    assert ledger.manifest["planned"]["concurrency"] == 4
    report = (out / "report.md").read_text()
    assert "a trial had 1 CPUs and 0 GPUs (equal); 2 CPUs, 2 GPUs and 1 fast (dwa); " in report


@pytest.mark.usefixtures("small_ray")
def test_a_ray_that_lacks_a_custom_resource_starts_no_study() -> None:
    assert "fast" not in ray.cluster_resources()
    with pytest.raises(ValueError, match=r"^arms\.dwa\.resources: expected a node with room"):
        rooms_for(arms_space())
