"""`python -m study.schema`: the language of space files as a JSON schema, for editors.

A space that says `# yaml-language-server: $schema=space.schema.json` is checked, completed and
explained by editors while it is written. The schema knows every name and range; what takes more
than one field to see, such as whether an arm has a metric, `study.space_loading` tells.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from study.plain_errors import dotted_fields
from study.settings import OF_CONFIRM
from study.space import Space
from study.trainable import TrainConfig

Schema = dict[str, Any]
DRAFT = "http://json-schema.org/draft-07/schema#"
"""The newest that all editors know."""


def space_schema() -> Schema:
    """The schema of a space file."""
    space, training = Space.model_json_schema(), TrainConfig.model_json_schema()
    parts: dict[str, Schema] = {**training.pop("$defs"), TrainConfig.__name__: training}
    del parts["DataConfig"]["properties"]["train_on"]  # it is for `confirm` to say
    fields = {name: _pointer(parts, TrainConfig.__name__, name) for name in _names()}
    for name, part in list(parts.items()):
        parts[name] = {**part, "properties": _with_dotted_names(parts, name)}
    own: dict[str, Schema] = space.pop("$defs")
    assert not set(own) & set(parts)
    settings = {"$ref": f"#/$defs/{TrainConfig.__name__}"}
    _replace(space, "base", settings)
    _replace(own["Arm"], "set", settings)
    searched = {
        n: {"description": f["description"], **_ref("Parameter")} for n, f in fields.items()
    }
    _replace(own["Search"], "space", _closed(searched))
    clustering = {n: field for n, field in searched.items() if n.startswith("optics.")}
    _replace(own["InnerSearch"], "space", _closed(clustering))
    _replace(own["Parameter"], "when", _closed({n: _either(f) for n, f in fields.items()}))
    own["Search"]["properties"]["enqueue"]["items"] = _closed(fields)
    return _tidied({"$schema": DRAFT, **space, "$defs": {**own, **parts}})


def as_text() -> str:
    """The schema as the file that ships."""
    return json.dumps(space_schema(), indent=1, ensure_ascii=False) + "\n"


def _names() -> list[str]:
    """Fields that can be searched."""
    return [name for name in dotted_fields(TrainConfig) if name not in OF_CONFIRM]


def _with_dotted_names(parts: dict[str, Schema], name: str) -> dict[str, Schema]:
    """The fields of a part, and all that lie below them: `data` and `data.driveworld.seed`."""
    found = dict(parts[name]["properties"])
    for dotted in _below(parts, name):
        found.setdefault(dotted, _pointer(parts, name, dotted))
    return found


def _below(parts: dict[str, Schema], name: str) -> Iterator[str]:
    for field, told in parts[name]["properties"].items():
        if "." in field:
            continue
        yield field
        if (inner := _part_of(told)) is not None:
            yield from (f"{field}.{dotted}" for dotted in _below(parts, inner))


def _pointer(parts: dict[str, Schema], name: str, dotted: str) -> Schema:
    """A reference to the field that a dotted name reaches, with its description."""
    *sections, last = dotted.split(".")
    for section in sections:
        name = _part_of(parts[name]["properties"][section]) or name
    told = parts[name]["properties"][last]
    reference = f"#/$defs/{name}/properties/{last}"
    return {"description": told.get("description", ""), "$ref": reference}


def _part_of(told: Schema) -> str | None:
    reference = told.get("$ref")
    return str(reference).rpartition("/")[2] if reference else None


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _closed(properties: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _either(field: Schema) -> Schema:
    """A value of a field, or any of a list of them."""
    return {
        "description": field["description"],
        "anyOf": [{"$ref": field["$ref"]}, {"type": "array", "items": {"$ref": field["$ref"]}}],
    }


def _replace(part: Schema, name: str, by: Schema) -> None:
    told = part["properties"][name]
    part["properties"][name] = {"description": told.get("description", ""), **by}


def _tidied(schema: Any) -> Any:
    """Without titles, which repeat the names, and line breaks within descriptions."""
    if isinstance(schema, list):
        return [_tidied(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {k: v for k, v in schema.items() if not (k == "title" and isinstance(v, str))}
    return {
        name: " ".join(value.split()) if name == "description" and isinstance(value, str)
        else _tidied(value)
        for name, value in kept.items()
        if not (name == "description" and value == "")
    }  # fmt: skip


if __name__ == "__main__":
    print(as_text(), end="")
