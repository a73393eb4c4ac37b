"""What reading a space keeps, beside what tests of the whole language say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from study.conditions import matches, searched_by
from study.ledger import Ledger
from study.space_loading import find_space, load_space, space_as_yaml
from tests.study.ledgers import MANIFEST, told_space


@pytest.mark.parametrize("name", ["1e5", "08", "0x1", "no", "null", "1_0"])
def test_names_that_look_like_numbers_stay_names(tmp_path: Path, name: str) -> None:
    space = told_space(study=name, arms={"a": {}, name: {"set": {"data": {"split": name}}}})
    Ledger.create(tmp_path / "study", space, dict(MANIFEST)).close()
    assert Ledger.open(tmp_path / "study").space == space
    assert load_space(tmp_path / "study" / "space.yaml") == space


@pytest.mark.parametrize(
    "argument",
    [
        "arms.a.set.data.root=here",
        "arms.a.set={data.root: here}",
        "arms.a={set: {data.root: here}}",
        "arms.a={set: {data: {root: ./here}}}",
        "base.data.root=here",
        "base={data.root: here}",
    ],
)
def test_a_relative_path_is_made_absolute_however_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argument: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(space_as_yaml(told_space()))
    config = load_space("s.yaml", [argument]).arm_config("a")
    assert config["data"]["root"] == os.fspath(tmp_path / "here")


def test_a_url_stays_one(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(space_as_yaml(told_space()))
    space = load_space(tmp_path / "s.yaml", ["base.data.root=s3://packs/kitti"])
    assert space.base["data"]["root"] == "s3://packs/kitti"
    with pytest.raises(ValueError, match=r"base.data.root: expected s3://BUCKET/PATH or file://"):
        load_space(tmp_path / "s.yaml", ["base.data.root=s3://packs/../kitti"])


def test_a_name_that_no_file_could_have_is_a_name(tmp_path: Path) -> None:
    long = "a" * 5000
    (tmp_path / "s.yaml").write_text(space_as_yaml(told_space()))
    space = load_space(tmp_path / "s.yaml", [f"base.encoder.weights={long}"])
    assert space.base["encoder"]["weights"] == long
    with pytest.raises(ValueError, match="no space file 'aaaa"):
        find_space(long)


def test_a_home_directory_is_spelled_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "s.yaml").write_text(space_as_yaml(told_space()))
    space = load_space(tmp_path / "s.yaml", ["base.data.root=~/kitti"])
    assert space.base["data"]["root"] == str(tmp_path / "home" / "kitti")


def test_a_file_here_comes_before_one_that_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = find_space("weighting.yaml")
    (tmp_path / "weighting.yaml").write_text(space_as_yaml(told_space()))
    assert shipped.is_absolute()
    assert load_space("weighting.yaml").study == "told"
    assert load_space("weighting").study == "weighting"
    with pytest.raises(ValueError, match="nor among those that ship"):
        find_space("../search_spaces/weighting.yaml")


def test_a_directory_is_no_space(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no space file .* nor among those that ship"):
        load_space(tmp_path)


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        ("dwa", "dwa", True),
        ("dwa", ["equal", "dwa"], True),
        ("dwa", ["equal"], False),
        (["depth"], ["depth"], True),
        (["depth"], [["depth"], ["instances"]], True),
        (["depth"], "depth", False),
        (None, [], False),
        (0, False, True),
    ],
)
def test_a_condition_holds_for_the_value_or_one_of_a_list(
    value: object, wanted: object, expected: bool
) -> None:
    assert matches(value, wanted) is expected


def test_what_depends_on_something_ruled_out_is_ruled_out_too() -> None:
    searched = {
        "offsets.min_area": {"type": "bool", "when": {"offsets.norm": "l1"}},
        "offsets.norm": {"type": "categorical", "choices": ["l1", "l2"],
                         "when": {"weighting.temperature": 2.0, "weighting.name": "dwa"}},
    }  # fmt: skip
    space = told_space(
        arms={"a": {}, "b": {"set": {"weighting.name": "dwa"}}},
        search={"trials_per_arm": 1, "space": searched},
    )
    assert searched_by(space, "a") == {}
    found = searched_by(space, "b")
    assert list(found) == ["offsets.norm", "offsets.min_area"]
    assert found["offsets.norm"].when == {}, "the arm's own settings answer it"
    assert found["offsets.min_area"].when == {"offsets.norm": "l1"}
    assert searched_by(told_space(), "a") == {}
