"""The schema that editors are given: up to date, and of one mind with what reads spaces."""

from __future__ import annotations

import copy
import json
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from study import schema
from study.space_loading import load_space
from study.yaml_marks import parse_yaml
from tests.study.space_mutants import SHIPPED, mutants

FILE = Path(__file__).parents[2] / "search_spaces" / "space.schema.json"
VALIDATOR = jsonschema.Draft7Validator(json.loads(FILE.read_text(encoding="utf-8")))


def objections(data: Any) -> list[str]:
    return [error.json_path for error in VALIDATOR.iter_errors(data)]


def test_the_file_that_ships_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    told = FILE.read_text(encoding="utf-8")
    assert told == schema.as_text(), "python -m study.schema > search_spaces/space.schema.json"
    VALIDATOR.check_schema(json.loads(told))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_space_that_ships_keeps_to_it_and_names_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert objections(parse_yaml(text)) == []
    (first, *_) = text.splitlines()
    said = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / said).resolve() == FILE


@pytest.mark.parametrize(
    ("path", "value", "accepted"),
    [
        ("base", {"data.driveworld.seed": 3}, True),
        ("base", {"data": {"driveworld.seed": 3}}, True),
        ("base", {"data": {"driveworld.sed": 3}}, False),
        ("base", {"data.driveworld": {"seed": -3}}, False),
        ("base", {"optimizer.lr": 0}, False),
        ("base", {"tasks": ["pose"]}, False),
        ("arms/a/set", {"weighting.name": "dwa"}, True),
        ("arms/a/set", {"weighting.name": "dwaa"}, False),
        ("arms/a/set", {"weighting": {"name": "dwaa"}}, False),
        ("search/space", {"optimizer.lr": {"type": "float", "low": 1, "high": 2}}, True),
        ("search/space", {"optimizer": {"type": "bool"}}, False),
        ("search/space", {"seed": {"type": "int", "low": 1, "high": 2}}, False),
        ("search/space/depth.automask", {"type": "bool", "when": {"tasks": ["depth"]}}, True),
        ("search/space/depth.automask", {"type": "bool", "when": {"attention": ["none"]}}, True),
        ("search/space/depth.automask", {"type": "bool", "when": {"attention": "no"}}, False),
        ("search/enqueue", [{"optimizer.lr": 1e-3}], True),
        ("search/enqueue", [{"optimizer.lr": "fast"}], False),
        ("search/sampler/name", "gp", True),
        ("search/sampler/name", "bayes", False),
        ("compare/metrics", [], False),
    ],
)
def test_it_knows_names_and_ranges(path: str, value: Any, accepted: bool) -> None:
    data = {
        "study": "a", "question": "?", "arms": {"a": {}},
        "objective": {"metric": "val/depth/abs_rel", "mode": "min"},
        "search": {"trials_per_arm": 1, "sampler": {}, "space": {}},
        "compare": {"baseline": "a", "metrics": ["test/depth/abs_rel"]},
    }  # fmt: skip
    assert objections(data) == []
    *way, last = path.split("/")
    parent: Any = data
    for part in way:
        parent = parent[part]
    parent[last] = copy.deepcopy(value)
    assert (objections(data) == []) == accepted


def test_it_accepts_every_mutant_that_can_be_planned(tmp_path: Path) -> None:
    num_accepted = 0
    for index, text in enumerate(islice(mutants(7), 200)):
        path = tmp_path / "mutant.yaml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            load_space(path)
        except ValueError:
            continue
        num_accepted += 1
        assert objections(parse_yaml(text)) == [], f"mutant {index}"
    assert num_accepted > 15


def test_every_field_is_explained() -> None:
    fields = json.loads(FILE.read_text())["$defs"]["Search"]["properties"]["space"]["properties"]
    assert "Learning rate." in fields["optimizer.lr"]["description"]
    bare = [name for name, told in fields.items() if not told["description"]]
    assert bare == []
