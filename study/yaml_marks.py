"""YAML read as plain data, with the place where each field was said."""

from __future__ import annotations

import re
from typing import Any

import yaml

from study.documents import Document, FieldPath, Place

MAX_NODES = 100_000
"""More than any space needs; aliases of aliases reach it."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2's plain scalars: `1e-3` is a number, `no` and `2024-01-01` are text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


class _Dumper(yaml.SafeDumper):
    """Quotes text that YAML 1.1, or 1.2 as above, would take for something else."""


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    for _either in (_Loader, _Dumper):
        _either.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
        )


def to_yaml(data: Any) -> str:
    """Plain data as YAML, which any reader takes for the same data."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def parse_yaml(text: str) -> Any:
    """One YAML value, as of `--set name=value`.

    Raises:
        ValueError: it is no YAML, in one line.
    """
    return _Reader("").read(text)


def read_document(text: str, shown: str) -> Document:
    """Reads a YAML mapping with the place of each field.

    Args:
        text: the file's content.
        shown: the file's name in places and errors.

    Raises:
        ValueError: with the place, in one line.
    """
    reader = _Reader(shown)
    data = reader.read(text)
    if not isinstance(data, dict):
        raise ValueError(f"{shown}:1:1: expected fields such as `study: name`, found {_kind(data)}")
    return Document(data=data, places=reader.places)


def _kind(data: Any) -> str:
    if data is None:
        return "an empty file"
    return "a list" if isinstance(data, list) else f"the single value {data!r:.60}"


class _Reader:
    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.places: dict[FieldPath, Place] = {(): Place(key=f"{shown}:1:1", value=f"{shown}:1:1")}
        self.num_nodes = 0
        self.checked: set[Any] = set()

    def read(self, text: str) -> Any:
        try:
            loader = _Loader(text)
            node = loader.get_single_node()
            return None if node is None else self._value(loader, node, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = self._at(mark) if mark else f"{self.shown}:1:1"
            raise ValueError(self._line(place, f"no valid YAML: {error.problem}")) from None
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            column = error.position - text.rfind("\n", 0, error.position)
            found = f"no valid YAML: the character {chr(error.character)!a} is not allowed"
            raise ValueError(self._line(f"{self.shown}:{line}:{column}", found)) from None
        except RecursionError:
            problem = "nested too deeply, or an alias that holds itself"
            raise ValueError(self._line(f"{self.shown}:1:1", problem)) from None

    def _at(self, mark: Any) -> str:
        return f"{self.shown}:{mark.line + 1}:{mark.column + 1}"

    def _line(self, place: str, problem: str) -> str:
        problem = " ".join(problem.split())
        return f"{place}: {problem}" if self.shown else problem

    def _value(self, loader: _Loader, node: Any, path: FieldPath) -> Any:
        self.num_nodes += 1
        if self.num_nodes > MAX_NODES:
            raise ValueError(self._line(self._at(node.start_mark), "too many values for a space"))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(loader, n, (*path, str(i))) for i, n in enumerate(node.value)]
        return self._scalar(loader, node)

    def _item(self, loader: _Loader, node: Any, path: FieldPath) -> Any:
        place = self._at(node.start_mark)
        self.places[path] = Place(key=place, value=place)
        return self._value(loader, node, path)

    def _scalar(self, loader: _Loader, node: Any) -> Any:
        try:
            value = loader.construct_object(node)
        except (ValueError, LookupError, AttributeError):  # what PyYAML makes of a wrong tag
            problem = f"cannot read {node.value!r:.60} as {node.tag.rpartition(':')[2]}"
            raise ValueError(self._line(self._at(node.start_mark), problem)) from None
        if value is None or isinstance(value, bool | int | float | str):
            return value
        problem = f"expected plain text, a number, true or false, found a {node.tag!r}"
        raise ValueError(self._line(self._at(node.start_mark), problem))

    def _mapping(self, loader: _Loader, node: Any, path: FieldPath) -> dict[str, Any]:
        if node not in self.checked:  # an alias: merged keys were put into it, beside its own
            self.checked.add(node)
            self._refuse_duplicates(loader, node)
        loader.flatten_mapping(node)
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(loader, key_node)
            self.places[(*path, key)] = Place(
                key=self._at(key_node.start_mark), value=self._at(value_node.start_mark)
            )
            result[key] = self._value(loader, value_node, (*path, key))
        return result

    def _key(self, loader: _Loader, node: Any) -> str:
        key = self._scalar(loader, node) if isinstance(node, yaml.ScalarNode) else None
        if not isinstance(key, str):
            found = f"{node.value!r:.60}" if isinstance(node, yaml.ScalarNode) else "more than text"
            problem = f"expected a name before ':', found {found}; quote it if it is one"
            raise ValueError(self._line(self._at(node.start_mark), problem))
        return key

    def _refuse_duplicates(self, loader: _Loader, node: Any) -> None:
        seen: dict[str, Any] = {}
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self._key(loader, key_node)
            if key in seen:
                problem = f"{key!r} is said twice, first in line {seen[key] + 1}"
                raise ValueError(self._line(self._at(key_node.start_mark), problem))
            seen[key] = key_node.start_mark.line
