"""YAML as plain data, and the place of everything in it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from study.documents import Document, FieldError, Place
from study.yaml_marks import MAX_NODES, parse_yaml, read_document, to_yaml

TEXT = """\
# a comment
base: &base
  lr: 1e-3
  tasks: [depth,
    instances]
"quoted.name":
  <<: *base
  lr: 2
text: |
  first
  second
"""


def error_of(text: str) -> str:
    with pytest.raises(ValueError) as caught:
        read_document(text, "f")
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_every_name_and_value_knows_its_line_and_column() -> None:
    document = read_document(TEXT, "f")
    assert document.data["quoted.name"] == {"lr": 2, "tasks": ["depth", "instances"]}
    assert document.data["text"] == "first\nsecond\n"
    places = {".".join(path): (place.key, place.value) for path, place in document.places.items()}
    assert places == {
        "": ("f:1:1", "f:1:1"),
        "base": ("f:2:1", "f:2:7"),
        "base.lr": ("f:3:3", "f:3:7"),
        "base.tasks": ("f:4:3", "f:4:10"),
        "base.tasks.0": ("f:4:11", "f:4:11"),
        "base.tasks.1": ("f:5:5", "f:5:5"),
        "quoted.name": ("f:6:1", "f:7:3"),
        "quoted.name.tasks": ("f:4:3", "f:4:10"),
        "quoted.name.tasks.0": ("f:4:11", "f:4:11"),
        "quoted.name.tasks.1": ("f:5:5", "f:5:5"),
        "quoted.name.lr": ("f:8:3", "f:8:7"),
        "text": ("f:9:1", "f:9:7"),
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("+3", 3), ("-0", 0), ("1e-3", 1e-3), ("2E5", 2e5), ("-.5", -0.5), ("1.", 1.0),
        (".inf", math.inf), ("-.INF", -math.inf), ("true", True), ("FALSE", False),
        ("~", None), ("null", None), ("", None), ("''", ""), ("'1'", "1"), ('"\\u00e9"', "é"),
        ("no", "no"), ("on", "on"), ("y", "y"), ("2024-01-01", "2024-01-01"),
        ("12:30:45", "12:30:45"), ("0x10", "0x10"), ("1_000", "1_000"), ("=", "="),
        ("[1, [a, ~]]", [1, ["a", None]]), ("{a: {b: 1}}", {"a": {"b": 1}}),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    found = parse_yaml(text)
    assert (found, type(found)) == (value, type(value))


def test_nan_is_a_number() -> None:
    assert math.isnan(parse_yaml(".nan"))


texts = st.text(st.characters(exclude_characters="\x85\u2028\u2029", exclude_categories=["Cs"]))
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(plain)
@example(
    ["1e5", "08", "no", "2024-01-01", ".5", "1.", "<<", "~", "0x1", "1_0", "=", " ", "a\nb", "'"]
)
def test_plain_data_survives_being_written_for_any_reader(data: Any) -> None:
    text = to_yaml(data)
    assert parse_yaml(text) == data
    assert yaml.safe_load(text) == data


def test_merged_fields_give_way_to_own_ones_however_often_they_are_used() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {<<: *a, x: 2}\nc: *b\nd: {<<: *b, y: 3}\ne: *b\n"
    data = read_document(text, "f").data
    assert data["b"] == data["c"] == data["e"] == {"x": 2, "y": 1}
    assert data["d"] == {"x": 2, "y": 3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3", "f:5:3: 'c' is said twice, first in line 3"),
        ("a: {b: 1, 'b': 2}", "f:1:11: 'b' is said twice, first in line 1"),
        ("a: &a {x: 1, x: 2}\nb: *a", "f:1:14: 'x' is said twice, first in line 1"),
        ("a:\n\tb: 1", "f:2:1: no valid YAML: found character '\\t' that cannot start any token"),
        ("a: 1\n b: 2", "f:2:3: no valid YAML: mapping values are not allowed here"),
        ("a: *b", "f:1:4: no valid YAML: found undefined alias 'b'"),
        ("a: 'open", "f:1:9: no valid YAML: found unexpected end of stream"),
        ("---\na: 1\n---\nb: 2", "f:3:1: no valid YAML: but found another document"),
        ("a: {<<: 3}", "f:1:9: no valid YAML: expected a mapping or list of mappings for "
         "merging, but found scalar"),
        ("a: !!binary aGk=", "f:1:4: expected plain text, a number, true or false, found a "
         "'tag:yaml.org,2002:binary'"),
        ("a: !!int x", "f:1:4: cannot read 'x' as int"),
        ("a: !!int ", "f:1:4: cannot read '' as int"),
        ("a: !!bool x", "f:1:4: cannot read 'x' as bool"),
        ("a: !!timestamp x", "f:1:4: cannot read 'x' as timestamp"),
        ("[a]: 1", "f:1:1: expected a name before ':', found more than text; quote it if it is "
         "one"),
        ("a: 1\ntrue: 2", "f:2:1: expected a name before ':', found 'true'; quote it if it is "
         "one"),
        ("a: &a {b: {<<: *a}}", "f:1:1: nested too deeply, or an alias that holds itself"),
        ("a: ok\nb: x\x00y", "f:2:5: no valid YAML: the character '\\x00' is not allowed"),
        ("", "f:1:1: expected fields such as `study: name`, found an empty file"),
        ("# nothing\n---\n", "f:1:1: expected fields such as `study: name`, found an empty file"),
        ("- a", "f:1:1: expected fields such as `study: name`, found a list"),
        ("study", "f:1:1: expected fields such as `study: name`, found the single value 'study'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line_with_its_place(text: str, message: str) -> None:
    assert error_of(text) == message


def test_aliases_of_aliases_come_to_an_end() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert MAX_NODES < 10**8
    assert error_of("\n".join(lines)).endswith("too many values for a space")


def test_a_single_value_has_no_place_to_name() -> None:
    with pytest.raises(ValueError, match=r"^no valid YAML: expected ',' or '\]'"):
        parse_yaml("[1")
    with pytest.raises(ValueError, match=r"^'a' is said twice, first in line 1$"):
        parse_yaml("{a: 1, a: 2}")


def test_an_error_is_told_at_the_nearest_place_that_was_said() -> None:
    document = read_document(TEXT, "f")
    assert document.describe(FieldError(("base", "lr"), "bad")) == "f:3:7: base.lr: bad"
    at_key = FieldError(("base", "lr"), "bad", at_key=True)
    assert document.describe(at_key) == "f:3:3: base.lr: bad"
    below = FieldError(("base", "optimizer", "x"), "missing")
    assert document.describe(below) == "f:2:1: base.optimizer.x: missing"
    assert document.describe(FieldError((), "all wrong")) == "f:1:1: all wrong"


def test_what_was_said_anew_is_told_as_said_there_with_all_below_it() -> None:
    said = Place(key="there", value="there")
    document = read_document(TEXT, "f")
    changed = document.replaced(("base", "tasks"), {}, said)
    assert changed.describe(FieldError(("base", "tasks", "1"), "bad")).startswith("there: ")
    assert changed.describe(FieldError(("base", "lr"), "bad")).startswith("f:3:7: ")
    made = document.replaced(("base", "new", "field"), {}, said)
    assert made.describe(FieldError(("base", "new"), "bad")).startswith("there: ")
    assert document == read_document(TEXT, "f"), "the document itself stays"
    assert Document(data={}, places={(): said}).describe(FieldError(("a",), "x")) == "there: a: x"
