"""pydantic's errors in plain words, and what was meant by a name that is not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from study.plain_errors import (
    MAX_NAMES,
    dotted_fields,
    field_names,
    first_field_error,
    suggestion,
)
from study.space import Space
from study.trainable import TrainConfig


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    lr: Annotated[float, Field(gt=0, lt=9, allow_inf_nan=False)] = 1
    steps: Annotated[int, Field(ge=1, le=5, multiple_of=1)] = 1


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    inner: Inner = Inner()
    maybe: Inner | None = None
    many: dict[str, Inner] = {}
    name: Literal["a", "b"] = "a"
    flag: bool = True
    text: str = ""
    path: Path = Path()
    seeds: Annotated[tuple[int, ...], Field(min_length=1, max_length=2)] = (1,)
    needed: int


def read(fields: dict[str, Any]) -> Outer:
    return Outer.model_validate_json(json.dumps(fields), strict=True)


@pytest.mark.parametrize(
    ("fields", "path", "problem"),
    [
        ({"needed": None}, "needed", "expected a whole number, found nothing"),
        ({"inner": {"lr": "x"}}, "inner.lr", "expected a number, found the text 'x'"),
        ({"inner": {"lr": 0}}, "inner.lr", "expected more than 0, found 0"),
        ({"inner": {"lr": 9.5}}, "inner.lr", "expected less than 9, found 9.5"),
        ({"inner": {"steps": 0}}, "inner.steps", "expected at least 1, found 0"),
        ({"inner": {"steps": 6}}, "inner.steps", "expected at most 5, found 6"),
        ({"inner": {"steps": True}}, "inner.steps", "expected a whole number, found true"),
        ({"inner": [1]}, "inner", "expected fields of its own, found [1]"),
        ({"many": 3}, "many", "expected fields of its own, found 3"),
        ({"many": {"x": {"lr": {}}}}, "many.x.lr", "expected a number, found fields"),
        ({"name": "c"}, "name", "expected 'a' or 'b', found the text 'c'"),
        ({"flag": 1}, "flag", "expected true or false, found 1"),
        ({"text": 1.5}, "text", "expected text, found 1.5"),
        ({"path": []}, "path", "expected text, found []"),
        ({"seeds": 1}, "seeds", "expected a list, found 1"),
        ({"seeds": []}, "seeds", "expected at least 1 of them, found []"),
        ({"seeds": [1, 2, 3]}, "seeds", "expected at most 2 of them, found [1, 2, 3]"),
        ({"seeds": [1, "x"]}, "seeds.1", "expected a whole number, found the text 'x'"),
        ({"nme": 1}, "nme", "unknown field; did you mean 'name'?"),
        ({"lr": 1}, "lr", "unknown field; did you mean 'inner.lr'?"),
        ({"inner": {"lrr": 1}}, "inner.lrr", "unknown field; did you mean 'lr'?"),
        ({"maybe": {"lrr": 1}}, "maybe.lrr", "unknown field; did you mean 'lr'?"),
        ({"many": {"x": {"stps": 1}}}, "many.x.stps", "unknown field; did you mean 'steps'?"),
        ({"inner": {"zzz": 1}}, "inner.zzz", "unknown field; valid here: lr, steps"),
        ({"text": 1, "nme": 1}, "nme", "unknown field; did you mean 'name'?"),
    ],
)  # fmt: skip
def test_a_mistake_says_what_was_expected_and_found(
    fields: dict[str, Any], path: str, problem: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        read({"needed": 1, **fields})
    found = first_field_error(caught.value, Outer)
    assert (".".join(found.path), found.problem) == (path, problem)
    assert found.at_key == problem.startswith("unknown field")


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ValidationError) as caught:
        read({})
    found = first_field_error(caught.value, Outer)
    assert (found.path, found.problem) == (("needed",), "missing; it has no default")


def test_long_values_are_cut() -> None:
    with pytest.raises(ValidationError) as caught:
        read({"needed": "x" * 1000})
    problem = first_field_error(caught.value, Outer).problem
    assert problem.endswith("x...")
    assert len(problem) < 120


@pytest.mark.parametrize(
    ("name", "valid", "expected"),
    [
        ("tmperature", ["weighting.temperature", "temperature"], "did you mean 'temperature'?"),
        ("lr", ["optimizer.lr", "batch_size"], "did you mean 'optimizer.lr'?"),
        ("optim.lr", ["optimizer.lr"], "did you mean 'optimizer.lr'?"),
        ("zzz", ["b", "a", "b"], "valid here: a, b"),
        ("zzz", ["x.y", "top"], "valid here: top"),
        ("zzz", ["x.y"], "valid here: x.y"),
        ("zzz", [], "nothing is valid here"),
    ],
)
def test_the_nearest_name_is_meant_or_all_are_listed(
    name: str, valid: list[str], expected: str
) -> None:
    assert suggestion(name, valid) == expected


@pytest.mark.parametrize("num", [MAX_NAMES, MAX_NAMES + 1, 500])
def test_a_long_list_of_names_says_how_many_it_leaves_out(num: int) -> None:
    said = suggestion("zzz", [f"n{index:03d}" for index in range(num)])
    listed = said.removeprefix("valid here: ").split(", ")
    left_out = int(listed.pop().removeprefix("and ").removesuffix(" more")) if num > 17 else 0
    assert len(listed) + left_out == num
    assert len(listed) <= MAX_NAMES


def test_fields_of_the_real_models_are_found() -> None:
    dotted = list(dotted_fields(TrainConfig))
    assert {"epochs", "optimizer.lr", "data.driveworld.num_frames", "seed"} <= set(dotted)
    assert not any(name in ("optimizer", "data", "data.driveworld") for name in dotted)
    assert field_names(Space, ("arms", "any")) == ["set", "objective", "search", "resources"]
    assert field_names(Space, ("search", "sampler")) == ["name", "seed", "population_size"]
    assert field_names(Space, ("search", "space", "optimizer.lr"))[:3] == ["type", "low", "high"]
    assert field_names(Space, ("nothing", "there")) == field_names(Space, ("base", "x")) == []
