"""Space files that went wrong in some way: what a person, an editor or a bad merge does to one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from random import Random
from typing import Any

import yaml

from study.yaml_marks import to_yaml

SHIPPED = sorted(Path(str(resources.files("search_spaces"))).rglob("*.yaml"))
SCALARS = (
    "1e400", "-1e400", "1e308", "-1e308", "5e-324", "9" * 400, "-" + "9" * 30,
    "18446744073709551616",
    ".nan", ".inf", "-.inf", "nan", "-1", "0", "-0.0", "0.5", "1", "2", "3.7", "1_000", "0x1F",
    "0o17",
    "true", "false", "null", "~", "yes", "", "''", '""', "' '", "[]", "{}", "[[]]", "[[[1]]]",
    "[{}]",
    "[null]", "[1, two, 3.0]", "{a: {b: {c: 1}}}", "{a.b: 1}", "{'': 1}", "{1: 2}", "{[1]: 2}",
    "[a, a]", "&a x", "*a", "&a [*a]", "&b {c: *b}", "<<: *a", "{<<: 1}", "{<<: [1]}",
    "{<<: {a: 1}}",
    "!!int x", "!!float ''", "!!python/object:os.system x", "!own 1", "!!binary abc", "!!null 1",
    "!!timestamp 2001-01-01", "!!set {a}", "!!omap [a: 1]", "!!str 1", "!!bool 1", "!!map [1]",
    "!!seq {a: 1}", "2001-01-01", "12:30:45", "é", "深度", "\U0001f600", "'\u202e'", '"\\u0000"',
    '"\\ud800"', '"\\x1b[31m"', "a" * 5000, "'" + "b " * 300 + "'", "[" * 60 + "]" * 60, "[" * 1500,
    "../../etc", "a/b", "a.b", "a..b", ".", "..", "-", "?", ": :", "#", "@x", "`x`", "%x", "|", ">",
    "|2", "[1, 2", "{a: 1", "'open", '"open', "a: b: c", "- 1", "---", "...", "[bold]", "[/]",
    "val/depth/abs_rel", "test/depth/abs_rel", "val/instances/ap50", "kitti", "imagenet", "dwa",
    "grid", "gp", "tpe", "nsga2", "random", "min", "max", "depth", "[depth]", "[instances, depth]",
    "{name: dwa}", "{type: float, low: 0, high: 1}", "{weighting.name: dwa}",
)  # fmt: skip
"""Values, as text, that stand for what was said."""
VALUES = (
    None, True, False, 0, -1, 1, 3, 10**30, -(10**400), 0.5, -2.5, 1e308, 5e-324, "", " ", "x", "1",
    "val/depth/a1", "test/depth/a1", "grid", "random", "gp", "é\n深", "a.b", "a" * 400, [], {},
    [[]],
    [1], ["depth"], [None], [{}], {"a": 1}, {"a": {"b": [1, {"c": None}]}}, {"": 1}, {"a.b.c": 1},
    [1, 1], ["x", 2, None], {"type": "bool"}, {"type": "float", "low": 1, "high": 0},
    {"type": "int", "low": 1, "high": 10**18}, {"type": "categorical", "choices": [[1], {"a": 2}]},
    {"type": "float", "low": -1e308, "high": 1e308},
    {"type": "int", "low": -(10**30), "high": 10**30},
    {"type": "float", "low": 0, "high": 1, "step": 1e-300}, {"set": {}}, {"set": None},
)  # fmt: skip
"""Values that stand for what was said."""
NAMES = (
    "", " ", "a", "a.b", ".", "..", "a.", ".a", "set", "when", "name", "seed", "epochs", "tasks",
    "optimizer.lr", "optimizer", "data.mix", "data.mix.0", "encoder.width", "weighting.name", "low",
    "enqueue", "storage", "sampler", "fallback", "st-depth", "é", "深度", "x" * 300, "<<", "null",
    "1",
    "-", "a b", "a:b", "[x]", "../x", "__class__", "model_config", "model_fields", "arm_config",
    "copy", "json",
)  # fmt: skip
"""Names that stand for what was said."""
PARAMETERS: dict[str, dict[str, Any]] = {
    "optimizer.lr": {"type": "float", "low": 1e-4, "high": 1e-3, "log": True},
    "optimizer.lr_gamma": {"type": "float", "low": 0.1, "high": 1, "step": 0.3},
    "depth.ssim": {"type": "float", "low": 0, "high": 1},
    "depth.max_m": {"type": "float", "low": 50, "high": 100},
    "depth.automask": {"type": "bool"},
    "offsets.norm": {"type": "categorical", "choices": ["l1", "l2"]},
    "tasks": {"type": "categorical", "choices": [["depth"], ["depth", "instances"]]},
    "attention": {"type": "categorical", "choices": ["none", "encoder"]},
    "weighting.name": {"type": "categorical", "choices": ["equal", "dwa", "fixed"]},
    "max_val_samples": {"type": "categorical", "choices": [None, 3]},
    "epochs": {"type": "int", "low": 1, "high": 3},
    "batch_size": {"type": "int", "low": 2, "high": 8, "step": 2},
    "data.height": {"type": "int", "low": 64, "high": 128, "step": 32},
    "optics.eps": {"type": "float", "low": 0.5, "high": 2},
}
"""Parameters that a space may well search."""
NUMBERS = (0, 1, -1, 0.1, 3, 64, 1e-300, 1e308, -1e308, 10**18, 10**40, 10**400, 2**53, 0.3, None)


def mutants(seed: int) -> Iterator[str]:
    """Texts of spaces without end, each a shipped one with one to four things changed."""
    random = Random(seed)
    while True:
        text = random.choice(SHIPPED).read_text(encoding="utf-8")
        if random.random() < 0.5:
            for _ in range(random.choice((1, 1, 2, 4))):
                text = random.choice(OF_TEXT)(text, random)
        else:
            data = yaml.safe_load(text)
            changes = random.choice((OF_STRUCTURE, OF_SEARCH))
            for _ in range(random.choice((1, 1, 2, 4))):
                random.choice(changes)(data, random)
            text = to_yaml(data)
            if random.random() < 0.15:
                text = random.choice(OF_TEXT)(text, random)
        yield text


def _some_line(lines: list[str], random: Random) -> int:
    said = [i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
    return random.choice(said or [0])


def _by_line(change: Callable[[list[str], int, Random], None]) -> Callable[[str, Random], str]:
    def changed(text: str, random: Random) -> str:
        lines = text.split("\n")
        change(lines, _some_line(lines, random), random)
        return "\n".join(lines)

    return changed


def _delete_line(lines: list[str], index: int, random: Random) -> None:
    del lines[index : index + random.choice((1, 1, 1, 5))]


def _double_line(lines: list[str], index: int, random: Random) -> None:
    lines.insert(_some_line(lines, random) if random.random() < 0.5 else index, lines[index])


def _swap_lines(lines: list[str], index: int, random: Random) -> None:
    other = _some_line(lines, random)
    lines[index], lines[other] = lines[other], lines[index]


def _indent(lines: list[str], index: int, random: Random) -> None:
    by = random.choice((" ", "  ", "    ", "\t", "", "\u00a0", "- "))
    lines[index] = by + (lines[index] if random.random() < 0.6 else lines[index].lstrip())


def _cut_line(lines: list[str], index: int, random: Random) -> None:
    lines[index] = lines[index][: random.randrange(len(lines[index]) + 1)]


def _replace_value(lines: list[str], index: int, random: Random) -> None:
    """The value after one of the line's colons, up to what ends it."""
    line = lines[index]
    colons = [i for i, letter in enumerate(line) if line[i : i + 2] in (": ", ":")]
    if not colons:
        lines[index] = line + random.choice(SCALARS)
        return
    start = random.choice(colons) + 1
    ends = [i for i in range(start, len(line)) if line[i] in ",}]#"]
    end = random.choice([ends[0] if ends else len(line), len(line)])
    lines[index] = f"{line[:start]} {random.choice(SCALARS)}{line[end:]}"


def _replace_name(lines: list[str], index: int, random: Random) -> None:
    words = lines[index].split(":")
    indent = words[0][: len(words[0]) - len(words[0].lstrip())]
    lines[index] = ":".join([indent + random.choice((*NAMES, *SCALARS)), *words[1:]])


def _insert_letter(text: str, random: Random) -> str:
    at = random.randrange(len(text) + 1)
    letters = "{}[]:,&*!|>'\"%@`#-? \t\n\r\x00\x07\x85\u2028\ufeff\ud7ff\U0010ffff\u00e9.<0"
    return text[:at] + random.choice(letters) + text[at + random.choice((0, 0, 1)) :]


def _cut_text(text: str, random: Random) -> str:
    return text[: random.randrange(len(text) + 1)]


OF_TEXT: tuple[Callable[[str, Random], str], ...] = (
    *(
        _by_line(change)
        for change in (
            _delete_line, _double_line, _swap_lines, _indent, _cut_line, _replace_name,
            _replace_value, _replace_value, _replace_value,
        )
    ),
    _insert_letter,
    _cut_text,
)  # fmt: skip


def _holders(data: Any) -> list[Any]:
    """All mappings and lists that hold something."""
    below = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    here = [data] if isinstance(data, dict | list) and data else []
    return here + [holder for value in below for holder in _holders(value)]


def _some_field(data: Any, random: Random) -> tuple[Any, Any]:
    holders = _holders(data)
    if not holders:
        data["study"] = "x"
        return data, "study"
    holder = random.choice(holders)
    return holder, random.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))


def _drop(data: Any, random: Random) -> None:
    holder, key = _some_field(data, random)
    del holder[key]


def _rename(data: Any, random: Random) -> None:
    holder, key = _some_field(data, random)
    if isinstance(holder, dict):
        holder[random.choice(NAMES)] = holder.pop(key)


def _retype(data: Any, random: Random) -> None:
    holder, key = _some_field(data, random)
    holder[key] = copy.deepcopy(random.choice(VALUES))


def _move(data: Any, random: Random) -> None:
    holder, key = _some_field(data, random)
    other, there = _some_field(data, random)
    value = copy.deepcopy(other[there])
    holder[key] = value


def _misspell(data: Any, random: Random) -> None:
    holder, key = _some_field(data, random)
    if isinstance(holder, dict) and len(str(key)) > 2:
        at = random.randrange(len(key) - 1)
        holder[key[:at] + key[at + 1] + key[at] + key[at + 2 :]] = holder.pop(key)


def _add(data: Any, random: Random) -> None:
    holder, _ = _some_field(data, random)
    value = copy.deepcopy(random.choice(VALUES))
    if isinstance(holder, dict):
        holder[random.choice(NAMES)] = value
    else:
        holder.append(value)


def _search_part(data: Any, name: str, empty: Any) -> Any:
    search = data.get("search")
    part = search.setdefault(name, empty) if isinstance(search, dict) else None
    return part if isinstance(part, type(empty)) else empty


def _add_parameter(data: Any, random: Random) -> None:
    """One that may well be valid, or nearly."""
    name = random.choice((*PARAMETERS, *PARAMETERS, random.choice(NAMES), "data.root", "data.mix"))
    parameter = copy.deepcopy(PARAMETERS.get(name) or random.choice(list(PARAMETERS.values())))
    if random.random() < 0.4:
        parameter[random.choice(("low", "high", "step"))] = random.choice(NUMBERS)
    if random.random() < 0.3:
        parameter["sampler"] = random.choice(("grid", "random", "tpe"))
    _search_part(data, "space", {})[name] = parameter


def _condition(data: Any, random: Random) -> None:
    """Conditions between searched parameters, in circles sooner or later."""
    searched = _search_part(data, "space", {})
    named = [name for name, value in searched.items() if isinstance(value, dict)]
    if not named:
        return
    when = searched[random.choice(named)].setdefault("when", {})
    if isinstance(when, dict):
        field = random.choice((*named, *PARAMETERS)) if random.random() < 0.9 else "a.b"
        when[field] = _possible(PARAMETERS.get(field, {}), random)


def _enqueue(data: Any, random: Random) -> None:
    searched = _search_part(data, "space", {})
    names = random.sample(list(searched), min(len(searched), random.choice((1, 1, 2))))
    point = {name: _possible(searched[name], random) for name in names}
    _search_part(data, "enqueue", []).append(point)


def _possible(parameter: Any, random: Random) -> Any:
    """A value that a parameter could have; now and then, any."""
    told = parameter if isinstance(parameter, dict) and random.random() < 0.8 else {}
    choices = told.get("choices")
    if isinstance(choices, list) and choices:
        return copy.deepcopy(random.choice([*choices, choices]))
    if told.get("type") == "bool":
        return random.random() < 0.5
    return copy.deepcopy(told["low"] if "low" in told else random.choice((0.001, 1, *VALUES)))


def _resample(data: Any, random: Random) -> None:
    search = data.get("search")
    if isinstance(search, dict):
        search["sampler"] = {"name": random.choice(("tpe", "gp", "random", "grid", "nsga2"))}


OF_STRUCTURE: tuple[Callable[[Any, Random], None], ...] = (
    _drop, _rename, _retype, _retype, _move, _misspell, _add, _add_parameter, _condition,
)  # fmt: skip
OF_SEARCH = (_add_parameter, _add_parameter, _condition, _enqueue, _resample)
