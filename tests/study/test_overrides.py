"""`--set`: what it changes, what it leaves alone, and what it says of a mistake."""

from __future__ import annotations

from typing import Any

import pytest

from study.documents import Document, FieldError, FieldPath
from study.overrides import field_path, with_override
from study.yaml_marks import read_document

TEXT = """\
base:
  optimizer: {lr: 1e-4}
  tasks: [depth]
arms:
  a: {set: {epochs: 2}}
  b:
search:
  space:
    optimizer.lr: {type: float, low: 1, when: {weighting.name: dwa}}
objective: null
"""


def document() -> Document:
    return read_document(TEXT, "f")


def value_at(data: Any, path: FieldPath) -> Any:
    for part in path:
        data = data[part]
    return data


@pytest.mark.parametrize(
    ("argument", "path", "value"),
    [
        ("base.optimizer.lr=1e-3", ("base", "optimizer", "lr"), 1e-3),
        ("base.optimizer={}", ("base", "optimizer"), {}),
        ("base.tasks=[depth, instances]", ("base", "tasks"), ["depth", "instances"]),
        ("base.new.deep=no", ("base", "new", "deep"), "no"),
        ("question=a = b: c", ("question",), {"a = b": "c"}),
        ("question='a = b: c'", ("question",), "a = b: c"),
        ("  question =", ("question",), None),
        ("confirm.seeds=[1]", ("confirm", "seeds"), [1]),
        ("objective.metric=val/x", ("objective", "metric"), "val/x"),
        ("arms.a.set.epochs=null", ("arms", "a", "set", "epochs"), None),
        ("arms.b={set: {x.y: 1}}", ("arms", "b"), {"set": {"x.y": 1}}),
        ("arms.c={}", ("arms", "c"), {}),
        ("search.space.optimizer.lr.low=2", ("search", "space", "optimizer.lr", "low"), 2),
        ("search.space.optimizer.lr.when.weighting.name=x",
         ("search", "space", "optimizer.lr", "when", "weighting.name"), "x"),
        ("search.space.epochs={type: bool}", ("search", "space", "epochs"), {"type": "bool"}),
    ],
)  # fmt: skip
def test_one_field_is_said_anew_and_the_others_stay(
    argument: str, path: FieldPath, value: Any
) -> None:
    before = document()
    after = with_override(before, argument)
    assert value_at(after.data, path) == value
    assert before == document(), "the document itself stays"
    others = before.data.keys() - {path[0]}
    assert {name: after.data[name] for name in others} == {n: before.data[n] for n in others}
    said = f"--set {' '.join(argument.split())}"
    assert after.describe(FieldError(path, "bad")) == f"{said}: {'.'.join(path)}: bad"
    assert after.describe(FieldError((*path, "below"), "bad")).startswith(said)
    assert after.describe(FieldError(("base",), "bad")).endswith(": base: bad")


def test_an_error_of_a_whole_names_what_was_said_of_its_parts() -> None:
    found = with_override(document(), "base.epochs=1")
    error = FieldError(("base",), "bad")
    assert found.describe(error) == "f:2:3 with --set base.epochs=1: base: bad"
    assert found.describe(FieldError(("arms",), "bad")).count("--set") == 0


def test_the_last_word_counts() -> None:
    found = document()
    for argument in ("base.epochs=1", "base.epochs=2", "base={tasks: [x]}", "base.tasks=[y]"):
        found = with_override(found, argument)
    assert found.data["base"] == {"tasks": ["y"]}
    assert "base.tasks=[y]" in found.describe(FieldError(("base", "tasks"), "bad"))
    assert "base={tasks" in found.describe(FieldError(("base", "epochs"), "bad"))


@pytest.mark.parametrize("argument", ["arms.a=null", "arms.a=~", "arms.a="])
def test_null_takes_an_arm_out(argument: str) -> None:
    assert list(with_override(document(), argument).data["arms"]) == ["b"]


def test_null_takes_a_searched_parameter_out() -> None:
    found = with_override(document(), "search.space.optimizer.lr=null")
    assert found.data["search"] == {"space": {}}


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        ("", "expected a dotted field, '=' and a value, such as base.epochs=2"),
        ("=1", "expected a dotted field, '=' and a value, such as base.epochs=2"),
        (".base=1", "expected a dotted field, '=' and a value, such as base.epochs=2"),
        ("base\n=\n[1", "no valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("base={a: 1, a: 2}", "'a' is said twice, first in line 1"),
        ("base=!!python/none", "no valid YAML: could not determine a constructor for the tag "
         "'tag:yaml.org,2002:python/none'"),
        ("base.tasks.0=x", "base.tasks is ['depth'], and has no fields"),
        ("base.optimizer.lr.x=1", "base.optimizer.lr is 0.0001, and has no fields"),
        ("arms.c.set.epochs=1", "there is no 'c' in arms: a, b"),
        ("arms.c=null", "there is no 'c' to take out of arms"),
        ("search.space.x.y=null", "there is no 'x.y' to take out of search.space"),
        ("search.space.x.y.low=1", "there is no 'x.y' in search.space: optimizer.lr"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_that_repeats_the_argument(argument: str, problem: str) -> None:
    with pytest.raises(ValueError) as caught:
        with_override(document(), argument)
    assert str(caught.value) == f"--set {' '.join(argument.split())}: {problem}"


@pytest.mark.parametrize(
    ("dotted", "path"),
    [
        ("base.optimizer.lr", ("base", "optimizer", "lr")),
        ("search.space", ("search", "space")),
        ("search.space.optimizer.lr", ("search", "space", "optimizer.lr")),
        ("search.space.optimizer.lr.log", ("search", "space", "optimizer.lr", "log")),
        ("search.space.a.when.b.c", ("search", "space", "a", "when", "b.c")),
        ("search.space.step", ("search", "space", "step")),
        ("search.space.step.step", ("search", "space", "step", "step")),
    ],
)
def test_searched_parameters_keep_the_dots_of_their_names(dotted: str, path: FieldPath) -> None:
    assert field_path(dotted) == path
