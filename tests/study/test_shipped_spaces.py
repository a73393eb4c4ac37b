"""The studies that ship: found by name, of one mind, planned, and run to their report."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from study import run
from study.plan import make_plan
from study.space_loading import load_space
from study.trainable import TrainConfig
from tests.study.offsets import save_model, say
from tests.study.space_mutants import SHIPPED

ROOT = SHIPPED[0].parent
NAMES = [str(path.relative_to(ROOT)) for path in SHIPPED]
OF_DRIVEWORLD = [name for name in NAMES if name not in ("kitti/weighting.yaml", "optics.yaml")]
TURNED_DOWN = (
    "base.epochs=1", "base.max_steps_per_epoch=1", "base.max_val_samples=2", "base.batch_size=2",
    "base.data.driveworld={num_train_drives: 1, num_val_drives: 1, num_test_drives: 1, "
    "num_frames: 4}", "search.trials_per_arm=1", "confirm.seeds=[1]",
)  # fmt: skip
EXPECTED = {
    "all_weightings.yaml", "attention.yaml", "comoving.yaml", "gradients.yaml",
    "kitti/weighting.yaml", "losses.yaml", "optics.yaml", "scalarisation.yaml", "weighting.yaml",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_each_is_found_by_name_and_has_a_plan_and_a_head_that_tells_how_to_run_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_space(name) == load_space(name.removesuffix(".yaml")) == load_space(ROOT / name)
    assert run.main(["--space", name, "--plan"]) == 0
    assert "What is compared" in capsys.readouterr().out
    head = (ROOT / name).read_text().split("study: ")[0].replace("\\\n#", "")
    commands = re.findall(r"python -m study.run (--space .*?)(?:  |$)", head, re.MULTILINE)
    assert commands or "make study" in head
    for command in commands:
        space, *options = shlex.split(command)[1:]
        assert space == name
        overrides = [said for said in options if "=" in said]
        assert make_plan(load_space(space, overrides)).num_trials > 0


def test_they_are_those_that_the_readme_names() -> None:
    assert set(NAMES) == EXPECTED
    readme = (ROOT.parent / "README.md").read_text()
    assert [name for name in EXPECTED if f"`{name}`" not in readme] == []


def test_each_has_a_name_of_its_own() -> None:
    names = [load_space(name).study for name in NAMES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", OF_DRIVEWORLD)
def test_those_of_driveworld_train_under_the_settings_of_the_first(name: str) -> None:
    space, first = load_space(name), load_space("weighting.yaml")
    of_first, ours = first.base, dict(space.base)
    ours["data"] = {k: v for k, v in ours["data"].items() if k != "driveworld"}
    ours.pop("tasks", None)
    assert ours == of_first
    assert (space.scheduler, space.resources) == (first.scheduler, first.resources)


def test_the_posters_study_is_that_of_the_poster() -> None:
    space = load_space("kitti/weighting.yaml")
    told = TrainConfig.model_validate(space.arm_config("mt-equal"))
    own = TrainConfig.model_validate({"data": {"name": "kitti", "root": told.data.root}})
    assert told == own, "every setting but the data set is the default"
    assert (told.data.width, told.data.height) == (640, 192)
    assert (told.batch_size, told.epochs, told.encoder.width) == (12, 20, 64)
    assert (space.resources.gpus, len(space.confirm.seeds)) == (1, 5)


@pytest.mark.slow
@pytest.mark.usefixtures("small_ray", "mlflow")
@pytest.mark.parametrize("name", OF_DRIVEWORLD)
def test_each_of_driveworld_runs_to_its_report(name: str, tmp_path: Path) -> None:
    if name in ("gradients.yaml", "all_weightings.yaml"):
        pytest.importorskip("torchjd", reason="needs the extra `gradients`")
    sets = [word for said in TURNED_DOWN for word in ("--set", said)]
    out = tmp_path / "study"
    assert run.main(["--space", name, "--out", str(out), *sets]) == 0
    report = (out / "report.md").read_text()
    for arm in load_space(name).arms:
        assert arm in report


@pytest.mark.usefixtures("small_ray", "mlflow")
def test_the_clustering_study_runs_to_its_report_on_a_model(tiny_data: Any, tmp_path: Path) -> None:
    model, study = save_model(tmp_path / "model", tiny_data), tmp_path / "study"
    for split in ("val", "test"):
        say(study / "embeddings", model, tiny_data, split, noise_px=1.5)
    sets = ["--set", f"checkpoint={model}", "--set", "search.trials_per_arm=3"]
    assert run.main(["--space", "optics.yaml", "--out", str(study), *sets]) == 0
    report = (study / "report.md").read_text()
    assert "| tuned |" in report
    assert "| defaults |" in report
