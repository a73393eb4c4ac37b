"""Points that are tried first: by which arms, in which order, and which are refused where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from study.arm_search import ArmSearch
from study.goals import Objective
from study.space_loading import load_space
from tests.study.ledgers import told_space
from tests.study.test_arm_search import LR

SPACE = """\
study: small
question: Does it?
base: {tasks: [depth]}
arms:
  a: {}
  b: {set: {weighting.name: dwa}}
objective: {metric: val/depth/abs_rel, mode: min}
search:
  trials_per_arm: 8
  space:
    optimizer.lr: {type: float, low: 1.0e-5, high: 1.0e-3, log: true}
    weighting.temperature: {type: float, low: 1, high: 4, when: {weighting.name: dwa}}
    batch_size: {type: int, low: 2, high: 8, step: 2, sampler: grid}
    depth.automask: {type: bool}
  enqueue:
    - {optimizer.lr: 2.0e-5, depth.automask: false}
    - {optimizer.lr: 3.0e-5}
confirm: {seeds: [1]}
compare: {baseline: a, metrics: [test/depth/abs_rel]}
"""


def load(tmp_path: Path, instead: str) -> str:
    """What is wrong with a space that enqueues something else."""
    path = tmp_path / "space.yaml"
    path.write_text(SPACE.replace("{optimizer.lr: 3.0e-5}", instead))
    with pytest.raises(ValueError) as caught:
        load_space(path)
    assert str(caught.value).startswith(f"{path}:")
    return str(caught.value).removeprefix(f"{path}:")


@pytest.mark.parametrize(
    ("instead", "expected"),
    [
        ("{optimizer.lr: 1.0}",
         "17:22: search.enqueue.1.optimizer.lr: expected 1e-05 to 0.001 (log), found 1.0"),
        ("{optimizer.lr: true}",
         "17:22: search.enqueue.1.optimizer.lr: expected 1e-05 to 0.001 (log), found True"),
        ("{optimizer.lr: fast}",
         "17:22: search.enqueue.1.optimizer.lr: expected 1e-05 to 0.001 (log), found 'fast'"),
        ("{depth.automask: 1}",
         "17:24: search.enqueue.1.depth.automask: expected true or false, found 1"),
        ("{optimiser.lr: 3.0e-5}",
         "17:8: search.enqueue.1.optimiser.lr: not searched; did you mean 'optimizer.lr'?"),
        ("{epochs: 3}",
         "17:8: search.enqueue.1.epochs: not searched; valid here: "),
        ("{batch_size: 4}",
         "17:8: search.enqueue.1.batch_size: a grid deals each value as often as any other, "),
        ("{depth.automask: false, optimizer.lr: 2.0e-5}",
         "17:7: search.enqueue.1: this point is said twice, first as number 0"),
        ("{}", "17:7: search.enqueue.1: expected values of searched parameters, found none"),
        ("3", "17:7: search.enqueue.1: expected fields of its own, found 3"),
    ],
)  # fmt: skip
def test_a_point_that_cannot_be_tried_is_refused_with_its_place(
    tmp_path: Path, instead: str, expected: str
) -> None:
    assert load(tmp_path, instead).startswith(expected)


def test_points_come_first_then_the_arms_own_values(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(SPACE.replace("{optimizer.lr: 3.0e-5}", "{weighting.temperature: 3}"))
    space = load_space(path)

    def first(arm: str) -> list[dict[str, Any]]:
        search = ArmSearch(space, arm, Objective(metric="val/depth/abs_rel", mode="min"))
        return [search.propose(number) for number in range(3)]

    assert first("a")[:2] == [
        {"optimizer.lr": 2e-5, "batch_size": 2, "depth.automask": False},
        {"optimizer.lr": 1e-4, "batch_size": 4, "depth.automask": True},
    ]
    of_b = first("b")
    assert of_b[0]["optimizer.lr"] == 2e-5
    assert of_b[0]["weighting.temperature"] != 2.0, "what a point leaves out is proposed"
    assert of_b[1]["weighting.temperature"] == 3.0
    assert (of_b[2]["optimizer.lr"], of_b[2]["weighting.temperature"]) == (1e-4, 2.0)
    assert [params["batch_size"] for params in of_b] == [2, 4, 6]


def test_a_point_that_is_the_arms_own_is_tried_once() -> None:
    search = {
        "trials_per_arm": 4,
        "space": {"optimizer.lr": LR},
        "enqueue": [{"optimizer.lr": 1e-4}],
    }
    space = told_space(search=search)
    found = ArmSearch(space, "a", Objective(metric="val/depth/abs_rel", mode="min"))
    assert found.propose(0) == {"optimizer.lr": 1e-4}
    assert found.propose(1) != {"optimizer.lr": 1e-4}


def test_a_point_of_parameters_that_no_arm_has_together_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    text = SPACE.replace("  b: ", "  c: {set: {weighting.name: fixed}}\n  b: ").replace(
        "    batch_size", "    weighting.depth_weight: {type: float, low: 1, high: 2, when: "
        "{weighting.name: fixed}}\n    batch_size"
    )  # fmt: skip
    both = "{weighting.depth_weight: 1, weighting.temperature: 2}"
    path.write_text(text.replace("{optimizer.lr: 3.0e-5}", both))
    expected = "no arm searches weighting.depth_weight and weighting.temperature"
    with pytest.raises(ValueError, match=expected):
        load_space(path)


def test_a_swept_parameter_cannot_depend_on_a_sampled_one(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(SPACE.replace("sampler: grid", "sampler: grid, when: {depth.automask: true}"))
    with pytest.raises(ValueError) as caught:
        load_space(path)
    assert (
        "13:77: search.space.batch_size.when.depth.automask: a grid cannot wait for what is "
        in (str(caught.value))
    )
