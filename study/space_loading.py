"""Space files: found, read, changed by `--set`, and checked, with the place of a mistake."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from study.documents import Document, FieldError, FieldPath, Place
from study.inner_space import check_inner_search
from study.nesting import expanded
from study.overrides import with_override
from study.plain_errors import first_field_error
from study.space import IN_MLFLOW, Space
from study.space_checks import check_space
from study.yaml_marks import read_document, to_yaml


def load_space(path_or_name: str | Path, overrides: Sequence[str] = ()) -> Space:
    """Reads a study.

    Args:
        path_or_name: a YAML file, or the name of a space that ships, such as `weighting.yaml`.
        overrides: `a.b.c=value` each, over what the file says, in order.

    Raises:
        ValueError: something is wrong; one line with file, line and column, or with the `--set`
            that said it.
    """
    path = find_space(path_or_name)
    shown = _shown(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{shown}:1:1: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise ValueError(f"{shown}: cannot be read: {error.strerror}") from None
    document = _without_dotted_keys(read_document(text, shown))
    for argument in overrides:
        document = _without_dotted_keys(with_override(document, argument))
    try:
        space = parse_space(_with_absolute_paths(document.data))
        check_space(space)
        check_inner_search(space)
    except FieldError as error:
        raise ValueError(document.describe(error)) from None
    return space


def checked_space(space: Space | Mapping[str, Any]) -> Space:
    """A study that was made in Python, checked as one from a file is.

    Args:
        space: typed, or as plain data.

    Returns:
        The same with absolute paths.

    Raises:
        ValueError: something is wrong; one line that names the field.
    """
    data = space.model_dump(mode="json") if isinstance(space, Space) else dict(space)
    try:
        whole = _without_dotted_keys(Document(data=data)).data
        made = parse_space(_with_absolute_paths(whole))
        check_space(made)
        check_inner_search(made)
    except FieldError as error:
        named = f"{'.'.join(error.path)}: " if error.path else ""
        raise ValueError(f"{named}{error.problem}") from None
    return made


def find_space(path_or_name: str | Path) -> Path:
    """The file of a space: a path, or the name of one that ships.

    Raises:
        ValueError: there is neither.
    """
    path = Path(path_or_name)
    if _exists(path) and path.is_file():
        return path
    shipped = Path(str(resources.files("search_spaces")))
    for name in (path, path.with_name(f"{path.name}.yaml")) if path.name else ():
        inside = not path.is_absolute() and ".." not in path.parts and _exists(shipped / name)
        if inside and (shipped / name).is_file():
            return shipped / name
    names = sorted(str(p.relative_to(shipped)) for p in shipped.rglob("*.yaml"))
    raise ValueError(
        f"no space file {str(path)!r} here, nor among those that ship: {', '.join(names)}"
    )


def parse_space(data: dict[str, Any]) -> Space:
    """A space from plain data, types taken strictly: `"4"` is no number.

    Raises:
        FieldError: with the path of the field.
    """
    try:
        return Space.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        raise first_field_error(error, Space) from None


def space_as_yaml(space: Space) -> str:
    """A space as a file that `load_space` reads back as the same space."""
    return to_yaml(space.model_dump(mode="json"))


def _shown(path: Path) -> str:
    absolute, here = path.absolute(), Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(path)


def _settings_paths(data: dict[str, Any]) -> list[FieldPath]:
    """Where settings of the training stand."""
    arms = data.get("arms")
    names = arms if isinstance(arms, dict) else {}
    return [("base",), *(("arms", name, "set") for name in names)]


def _without_dotted_keys(document: Document) -> Document:
    """The same with `{"a.b": 1}` as `{"a": {"b": 1}}` in `base` and `arms.*.set`."""
    data, places = document.data, dict(document.places)
    for root in _settings_paths(data):
        parent = _parent_of(data, root)
        if parent is None:
            continue
        own = {path: places.pop(path) for path in list(places) if path[: len(root)] == root}
        for path, place in own.items():
            _place_split(places, root, path, place)
        parent[root[-1]] = expanded(parent[root[-1]])
    return replace(document, data=data, places=places)


def _place_split(
    places: dict[FieldPath, Place], root: FieldPath, path: FieldPath, place: Place
) -> None:
    parts = tuple(piece for part in path[len(root) :] for piece in part.split("."))
    dotted = len(root) + len(parts) != len(path)
    if dotted and (*root, *parts) in places:
        name = ".".join(parts)
        raise ValueError(
            f"{place.key}: {name!r} is said twice, first at {places[(*root, *parts)].key}"
        )
    for length in range(len(parts) + 1):
        places.setdefault((*root, *parts[:length]), place)


def _parent_of(data: dict[str, Any], path: FieldPath) -> dict[str, Any] | None:
    """The mapping that holds the settings at a path, if settings they are."""
    parent: Any = data
    for part in path[:-1]:
        parent = parent.get(part) if isinstance(parent, dict) else None
    if isinstance(parent, dict) and isinstance(parent.get(path[-1]), dict):
        return parent
    return None


def _with_absolute_paths(data: dict[str, Any]) -> dict[str, Any]:
    """Relative paths made absolute: workers of a study run in directories of their own.

    `data.root` is a path unless it is a URL, and `checkpoint` unless it is in MLflow. `data.split`
    and `encoder.weights` may be names; they are paths where there is such a file or directory.
    `search.storage` may be a file of SQLite.
    """
    data = json.loads(json.dumps(data))
    checkpoint = data.get("checkpoint")
    if isinstance(checkpoint, str) and not checkpoint.startswith(IN_MLFLOW):
        data["checkpoint"] = str(Path(checkpoint).expanduser().absolute())
    search = data.get("search")
    url = str(search.get("storage")) if isinstance(search, dict) else ""
    if found := re.fullmatch(r"(sqlite(?:\+\w+)?:///)([^/:?$].*)", url):
        data["search"]["storage"] = found[1] + str(Path(found[2]).absolute())
    for root in _settings_paths(data):
        settings = (_parent_of(data, root) or {}).get(root[-1])
        for section, name in (("data", "root"), ("data", "split"), ("encoder", "weights")):
            fields = settings.get(section) if settings else None
            value = fields.get(name) if isinstance(fields, dict) else None
            if not fields or not isinstance(value, str) or "://" in value:
                continue
            if name == "root" or _exists(value):
                fields[name] = str(Path(value).expanduser().absolute())
    return data


def _exists(path: str | Path) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # no name that a file could have
        return False
