"""No file that a stranger could have written is run: the sources call nothing that unpickles.

What is looked for is the call, wherever it is imported from: a name that is made up at run time is
not found. Neither are libraries' own files: Ray's object store and its calls are pickles by design,
among processes of one user that started each other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("mtdepth", "study", "cluster")
MODULES = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "jsonpickle", "pickle5"}
"""Nothing is imported from these."""
CALLS = {
    "eval", "exec", "compile", "read_pickle", "unsafe_load", "full_load", "yaml.load",
    "yaml.load_all", "jit.load", "load_state_dict_from_url",
}  # fmt: skip
"""By the end of their dotted name."""
NEEDS = {"torch.load": ("weights_only", True)}
"""Calls that are safe with this argument alone."""
MAY_NOT = {"np.load": ("allow_pickle", True), "numpy.load": ("allow_pickle", True)}
"""Calls that are safe but with this argument."""
ALLOWED = {
    (
        "study/recorder.py",
        "ray.cloudpickle",
    ): "the error of a worker that this very driver started, "
    "in a file that Ray Tune has written a moment ago into the directory of this session",
    ("study/recorder.py", "cloudpickle.loads"): "the same",
    ("mtdepth/together/processes.py", "pickle"): "an error of this very process, to see whether it "
    "can be sent to the one that started it",
    ("mtdepth/together/processes.py", "pickle.dumps"): "the same",
    ("mtdepth/together/processes.py", "pickle.loads"): "the same",
}
"""What is there nevertheless, and why that is safe."""


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


def suspicious(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (n.name for n in node.names if MODULES & set(n.name.split(".")))
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module or ''}.{alias.name}" for alias in node.names]
            yield from (name for name in names if MODULES & set(name.split(".")))
        elif isinstance(node, ast.Call) and not is_safe(node):
            yield dotted(node.func)


def is_safe(call: ast.Call) -> bool:
    name = dotted(call.func)
    told = {word.arg: getattr(word.value, "value", None) for word in call.keywords}
    if name in NEEDS:
        key, value = NEEDS[name]
        return told.get(key) == value
    if name in MAY_NOT:
        key, value = MAY_NOT[name]
        return None not in told and (key not in told or told[key] is False)
    ends = {name, ".".join(name.split(".")[-2:]), name.split(".")[-1]}
    method = "." in name and name.split(".")[-1] in ("eval", "compile")  # a network's, a regex's
    return not (MODULES & set(name.split(".")) or (ends & CALLS and not method))


def test_the_sources_call_nothing_that_unpickles() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), what)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for what in suspicious(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set(ALLOWED)


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "import os, cloudpickle as c",
        "from ray import cloudpickle",
        "from ray.cloudpickle import loads",
        "import joblib",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=told)",
        "torch.jit.load(path)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=told)",
        "np.load(path, **told)",
        "yaml.load(text, Loader=yaml.Loader)",
        "yaml.unsafe_load(text)",
        "pd.read_pickle(path)",
        "eval(text)",
        "exec(text)",
    ],
)
def test_each_way_is_found(line: str) -> None:
    assert list(suspicious(ast.parse(line)))


@pytest.mark.parametrize(
    "line",
    [
        "torch.load(path, map_location=device, weights_only=True)",
        "np.load(path)",
        "np.load(path, mmap_mode='r', allow_pickle=False)",
        "yaml.safe_load(text)",
        "network.eval()",
        "re.compile(text)",
        "json.load(file)",
        "ast.literal_eval(text)",
    ],
)
def test_what_is_safe_is_not(line: str) -> None:
    assert not list(suspicious(ast.parse(line)))
