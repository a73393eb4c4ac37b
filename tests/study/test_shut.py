"""The test split stays shut until the test phase: by what the code says, and by what it does."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mtdepth.config import DataConfig
from mtdepth.data.check import check_data
from mtdepth.data.loader import open_split, opened
from mtdepth.data.shut import SplitIsShut, keep_test_shut
from mtdepth.data.splits import list_split
from study.ledger import Ledger
from study.space import Space
from study.space_loading import space_as_yaml
from study.trainable import Mtdepth, TrialFailed

ROOT = Path(__file__).parents[2]
TEST_DRIVE = "2026_01_01/2026_01_01_drive_0005_sync"
FRESH = ("train", "val")
MAY_NAME_IT = {
    "mtdepth/data/check.py:_check_set": "looks every split over, the test split without its truth",
    "mtdepth/data/pack/plan.py:make_plan": "packs every split, before there is a study",
    "mtdepth/data/splits.py:list_split": "the list of a split that is divided anew",
    "study/worker.py:judge": "the test phase: what Ray runs for `examine`",
    "study/worker.py:draw": "the test phase: pictures of models that were judged",
    "study/session.py:_test": "the test phase: what `examine` needs",
    "study/replaying.py:replay": "a model that was judged already, judged again on request",
    "mtdepth/metrics/coco.py:_evaluated": "another `evaluate`, pycocotools'",
    "mtdepth/data/teacher/training.py:fit": "another `evaluate`, of a teacher on given pairs",
}
"""Places that ask for the test split, or for one that a variable names, and why they may."""


class Calls(ast.NodeVisitor):
    """The calls of a file, with the functions that they stand in."""

    def __init__(self, path: Path) -> None:
        self.path, self.inside = str(path.relative_to(ROOT)), [""]
        self.found: list[tuple[str, set[str], str, ast.Call]] = []
        self.visit(ast.parse(path.read_text()))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        arguments = {a.arg for a in (*node.args.args, *node.args.kwonlyargs)}
        self.inside.append(node.name)
        self.parameters = arguments
        self.generic_visit(node)
        self.inside.pop()

    def visit_Call(self, node: ast.Call) -> None:
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        place = f"{self.path}:{self.inside[-1]}"
        own = self.parameters if self.inside[-1] else set()
        self.found.append((place, own, name, node))
        self.generic_visit(node)


def split_of(call: ast.Call, parameters: set[str]) -> str:
    """What a call says of the split: a literal one, `handed on`, or `any`."""
    told = [*call.args, *(word.value for word in call.keywords)]
    for argument in told:
        if isinstance(argument, ast.Constant) and argument.value in ("train", "val", "test"):
            return str(argument.value)
    if any(isinstance(a, ast.Name) and a.id == "split" for a in told) and "split" in parameters:
        return "handed on"
    return "any"


def test_only_these_places_in_the_code_can_name_the_test_split() -> None:
    files = [p for name in ("mtdepth", "study") for p in sorted((ROOT / name).rglob("*.py"))]
    calls = [call for path in files for call in Calls(path).found]
    openers = {"open_split", "opened", "list_split", "_embedded"}  # the last through Ray
    found = set()
    size = 0
    while len(openers) > size:
        size = len(openers)
        for place, parameters, name, call in calls:
            if name in openers and split_of(call, parameters) == "handed on":
                openers.add(place.split(":")[1])
    for place, parameters, name, call in calls:
        if name in openers and split_of(call, parameters) in ("test", "any"):
            found.add(place)
    assert {
        "evaluate",
        "evaluate_network",
        "judge",
        "draw",
        "embed",
        "write_panels",
        "write_sheet",
        "draw_sheet",
    } <= openers
    assert found == set(MAY_NAME_IT), openers


def test_the_door_is_the_only_way_in_and_models_are_judged_in_one_place() -> None:
    files = [p for name in ("mtdepth", "study") for p in sorted((ROOT / name).rglob("*.py"))]
    calls = [call for path in files for call in Calls(path).found]
    assert {place for place, _, name, _ in calls if name == "opened"} == {
        "mtdepth/data/loader.py:open_split"
    }
    assert {place for place, _, name, _ in calls if name == "examine"} == {"study/session.py:_test"}
    texts = {str(p.relative_to(ROOT)): p.read_text() for p in files}
    judges = {path for path, text in texts.items() if "from study.worker import judge" in text}
    assert judges == {"study/examination.py"}


def test_shut_it_opens_for_no_one_even_if_it_was_open_before(tiny_data: DataConfig) -> None:
    open_split(tiny_data, "test")
    assert tiny_data.root is not None
    with keep_test_shut(), keep_test_shut():
        for split in FRESH:
            assert len(open_split(tiny_data, split)) > 0
            assert list_split(tiny_data, tiny_data.root, split).frames
        for ask in (
            lambda: open_split(tiny_data, "test"),
            lambda: list_split(tiny_data, tiny_data.root or ROOT, "test"),
        ):
            with pytest.raises(SplitIsShut, match="expected no one to open the test split before"):
                ask()
    assert len(open_split(tiny_data, "test")) == 3


class Watch:
    """Which files of this process are opened while it watches."""

    def __init__(self) -> None:
        self.opened: list[str] | None = None
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and self.opened is not None and isinstance(arguments[0], str | Path):
            self.opened.append(str(arguments[0]))

    def during(self, run: Any) -> list[str]:
        """What `run` opens."""
        self.opened = []
        run()
        found, self.opened = self.opened, None
        return found


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


def test_looking_data_over_reads_no_truth_of_the_test_split(
    tiny_data: DataConfig, watch: Watch
) -> None:
    seen = {path for path in watch.during(lambda: check_data(tiny_data)) if TEST_DRIVE in path}
    assert seen
    assert all("image_02" in path or path.endswith("poses_02.txt") for path in seen), seen


SETTINGS = st.fixed_dictionaries(
    {
        "tasks": st.sampled_from([["depth"], ["instances"], ["depth", "instances"]]),
        "weighting": st.sampled_from([{"name": n} for n in ("equal", "dwa", "famo")]),
        "attention": st.sampled_from(["none", "encoder", "encoder+decoder"]),
        "evaluation": st.fixed_dictionaries({"flip": st.booleans()}),
        "max_val_samples": st.just(1),
        "train_on": st.sampled_from(["train", "train+val"]),
        "seed": st.integers(0, 9),
    }
)


@given(SETTINGS)
@settings(
    max_examples=4,
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_training_opens_a_file_of_the_test_split(
    tiny_data: DataConfig, watch: Watch, told: dict[str, Any]
) -> None:
    slim = {"encoder": {"width": 8, "weights": "none"}, "decoder": {"width": 4}, "batch_size": 2}
    limits = {"epochs": 1, "max_steps_per_epoch": 1}
    data = {**tiny_data.model_dump(mode="json"), "train_on": told["train_on"]}
    own = {name: value for name, value in told.items() if name != "train_on"}
    config = {**own, **slim, **limits, "data": data}
    epochs: list[dict[str, float]] = []
    opened.cache_clear()

    def train() -> None:
        with keep_test_shut():
            try:
                Mtdepth().fit(config, lambda metrics, _: epochs.append(metrics), None)
            except TrialFailed:
                epochs.append({})

    seen = watch.during(train)
    assert epochs
    assert any("/image_02/data/" in path for path in seen), "it does hear of files"
    assert not [path for path in seen if TEST_DRIVE in path or "test_files" in path]


AUDIT = """\
import os, sys, time

LOG, ROOT = os.environ["STUDY_AUDIT_LOG"], os.environ["STUDY_AUDIT_ROOT"]


def hear(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, os.PathLike)):
        path = os.fspath(arguments[0])
        if path.startswith(ROOT):
            line = f"{time.time()} {os.getpid()} {path}\\n".encode()
            log = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(log, line)
            os.close(log)


sys.addaudithook(hear)
"""


def real_space(data: DataConfig) -> Space:
    """Depth alone and with instances: a search trial and a seed each, of one step."""
    return Space.model_validate(
        {
            "study": "real",
            "question": "Is it shut?",
            "base": {
                "data": data.model_dump(mode="json", exclude_defaults=True),
                "encoder": {"width": 8, "weights": "none"},
                "decoder": {"width": 4},
                "batch_size": 2,
                "epochs": 1,
                "max_steps_per_epoch": 1,
            },
            "arms": {
                "st": {"set": {"tasks": ["depth"]}},
                "mt": {"set": {"tasks": ["depth", "instances"]}},
            },
            "objective": {"metric": "val/depth/abs_rel", "mode": "min"},
            "search": {"trials_per_arm": 1},
            "confirm": {"seeds": [1], "train_on": "train+val"},
            "compare": {"baseline": "st", "metrics": ["test/depth/abs_rel"]},
        }
    )


def opens(log: Path) -> Iterator[tuple[float, int, str]]:
    for line in log.read_text().splitlines():
        time_s, pid, path = line.split(" ", 2)
        yield float(time_s), int(pid), path


def test_a_real_study_opens_no_file_of_the_test_split_before_the_test_phase(
    tiny_data: DataConfig, tmp_path: Path
) -> None:
    log = tmp_path / "audit.log"
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(AUDIT)
    (tmp_path / "space.yaml").write_text(space_as_yaml(real_space(tiny_data)))
    subprocess.run(
        [sys.executable, "-m", "study.run", "--space", "space.yaml", "--out", "out"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": f"{tmp_path / 'hook'}:{ROOT}",
            "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
            "STUDY_AUDIT_LOG": str(log),
            "STUDY_AUDIT_ROOT": str(tiny_data.root),
        },
        check=True,
        capture_output=True,
        timeout=300,
    )
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    times = {k: datetime.fromisoformat(manifest[k]).timestamp() for k in ("started", "test_opened")}
    trials = Ledger.open(tmp_path / "out").trials()
    assert list(trials.status) == ["completed"] * 4
    reported = {
        trial.phase: any(name.startswith("val/") for name in trial.metrics)
        for trial in trials.itertuples()
    }
    assert reported == {"search": True, "confirm": False}
    seen = [(t, pid, path) for t, pid, path in opens(log) if t > times["started"]]
    tested = [(t, pid) for t, pid, path in seen if TEST_DRIVE in path or "test_files" in path]
    assert len({pid for _, pid, _ in seen}) > 1, "workers are heard too"
    assert tested, "the test phase is heard too"
    assert min(t for t, _ in tested) >= times["test_opened"] - 1e-3
    assert max(trials.ended) <= manifest["test_opened"]
