"""Studies that cluster what one network says, and train nothing."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient

from mtdepth.config import OpticsConfig
from mtdepth.predict import read_optics
from study import replay, session
from study.clustering import Clustering
from study.ledger import Ledger
from study.report import write_report
from study.runner import Settings, StudyFailed, resume_study, run_study
from study.space import Resources
from study.trainable import TrialFailed
from tests.study.offsets import POOR, clustering_space, save_model, say

pytestmark = [
    pytest.mark.usefixtures("small_ray"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning"),
]
QUIET = Settings(tracks=False)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, tiny_data: Any) -> Path:
    return save_model(tmp_path_factory.mktemp("model"), tiny_data)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory, model: Path, tiny_data: Any) -> Path:
    """Embeddings of validation and test."""
    directory = tmp_path_factory.mktemp("embeddings")
    for split in ("val", "test"):
        say(directory, model, tiny_data, split, noise_px=1.5)
    return directory


def prepare(said: Path, study: Path) -> Path:
    """A directory for a study of which the network has been asked already."""
    shutil.copytree(said, study / "embeddings")
    return study


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, small_ray: None, model: Path, said: Path
) -> Ledger:
    study = prepare(said, tmp_path_factory.mktemp("whole") / "study")
    return Ledger.open(run_study(clustering_space(model), study, QUIET))


def test_every_trial_is_in_the_ledger_and_nothing_is_trained(whole: Ledger) -> None:
    trials = whole.trials()
    assert Counter(trials.arm) == {"defaults": 1, "tuned": 6}
    assert set(trials.status) == {"completed"}
    assert set(trials.epochs) == {1}
    assert len({json.dumps(params) for params in trials.params}) == 7
    for config in (record.dealt.config for record in whole.records.values()):
        assert set(config) <= {"optics"}


def test_a_clustering_that_is_run_again_agrees_and_embeds_anew_where_it_must(
    whole: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["search-tuned-001", "--study"]
    assert replay.main([*asked, str(whole.directory)]) == replay.AGREES
    assert "val/instances/cluster_ms" in capsys.readouterr().out
    bare = tmp_path / "bare"
    shutil.copytree(whole.directory, bare, ignore=shutil.ignore_patterns("embeddings"))
    assert replay.main([*asked, str(bare)]) == replay.DIFFERS, "this network has learned nothing"
    assert not (bare / "embeddings").exists()


def test_the_best_is_written_as_predict_takes_it(whole: Ledger) -> None:
    trials = whole.trials()
    best = trials[trials.arm == "tuned"].sort_values("objective", kind="stable").iloc[-1]
    found = read_optics(whole.directory / "optics-tuned.json")
    assert found.max_eps == 3
    assert best.params == {"optics.eps": found.eps, "optics.min_samples": found.min_samples}
    assert read_optics(whole.directory / "optics-defaults.json") == OpticsConfig.model_validate(
        POOR
    )
    assert best.objective > float(trials[trials.arm == "defaults"].objective.iloc[0])


def test_both_arms_are_judged_once_on_the_test_split(whole: Ledger) -> None:
    judged = [record for record in whole.records.values() if record.test is not None]
    assert [record.dealt.arm for record in judged] == ["defaults", "tuned"]
    first, second = (record.test for record in judged if record.test is not None)
    assert [row["image"] for row in first.images] == [row["image"] for row in second.images]
    assert set(first.replicates) == {
        f"test/instances/{name}" for name in ("ap", "ap50", "pq", "sq", "rq")
    }
    manifest, trials = whole.manifest, whole.trials()
    assert max(trials.ended) <= manifest["test_opened"] < manifest["ended"]


def test_the_report_compares_over_images_and_shows_the_front(whole: Ledger) -> None:
    write_report(whole.directory)
    told = (whole.directory / "report.md").read_text()
    assert "better over 3 test images, 95 % interval of the difference" in told
    assert "(paired bootstrap, p = " in told or "whatever they hold" in told
    assert "The best clustering of each arm, on the test split." in told
    assert "## What was traded" in told
    assert "Nothing random is in a clustering" in told
    assert "seed" not in told.split("## What was traded")[0].replace("not seeds", "")
    name = "front-val-instances-ap50-val-instances-cluster_ms.png"
    assert (whole.directory / "figures" / name).stat().st_size > 10_000
    assert "## Clusterings" in told
    assert "Learning curves" not in told


def test_resumed_after_its_end_nothing_is_clustered_again(whole: Ledger) -> None:
    before = (whole.directory / "events.jsonl").read_text()
    resume_study(whole.directory, QUIET)
    assert (whole.directory / "events.jsonl").read_text() == before


def test_interrupted_it_goes_on_to_the_same_end(
    whole: Ledger, model: Path, said: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = prepare(said, tmp_path / "study")
    with monkeypatch.context() as patch:
        patch.setattr(session.Session, "_test", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run_study(clustering_space(model), study, replace(QUIET, concurrency=1))
    journal = study / "events.jsonl"
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join(lines[:10]) + "\n")
    again = Ledger.open(resume_study(study, replace(QUIET, concurrency=1)))
    assert set(again.trials().status) == {"completed"}
    assert told(again) == told(whole)


def told(ledger: Ledger) -> dict[str, tuple[Any, float]]:
    """What was tried and what it gave, but for the last, which goes by how long others took."""
    trials = ledger.trials()
    rows = zip(trials.trial_key, trials.params, trials.objective, strict=True)
    return {key: (params, value) for key, params, value in rows if key != "search-tuned-005"}


def test_every_trial_is_a_run_in_mlflow(
    mlflow: MlflowClient, model: Path, said: Path, tmp_path: Path
) -> None:
    run_study(clustering_space(model), prepare(said, tmp_path / "study"))
    (experiment,) = (e for e in mlflow.search_experiments() if e.name == "clustering")
    runs = mlflow.search_runs([experiment.experiment_id])
    trials = [run for run in runs if "study.arm" in run.data.tags]
    assert Counter(run.data.tags["study.arm"] for run in trials) == {"defaults": 1, "tuned": 6}
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert all("val/instances/ap50" in run.data.metrics for run in trials)
    assert all("optics.eps" in r.data.params for r in trials if r.data.tags["study.arm"] == "tuned")


def test_the_network_itself_is_asked_where_no_one_has(
    model: Path, tiny_data: Any, tmp_path: Path
) -> None:
    subject = Clustering(checkpoint=model, directory=tmp_path / "embeddings")
    asked = subject.prepared("val", Resources())
    path = tmp_path / "embeddings" / "val.arrow"
    written = path.stat().st_mtime_ns
    assert len(asked._scorer("val").images) == 6
    subject.prepared("val", Resources())
    assert path.stat().st_mtime_ns == written
    say(tmp_path / "embeddings", model, tiny_data.model_copy(update={"cache_gib": 1}), "val", 0.5)
    told = json.loads((model / "config.json").read_text())
    other = tmp_path / "other"
    shutil.copytree(model, other)
    told["data"]["cache_gib"] = 2.0
    (other / "config.json").write_text(json.dumps(told))
    replace(subject, checkpoint=other).prepared("val", Resources())
    assert path.stat().st_mtime_ns != written  # what another model said is no use


def test_machines_that_do_not_see_the_file_get_it_from_ray(
    model: Path, said: Path, tmp_path: Path
) -> None:
    import ray

    from study.clustering import Shared
    from study.trainable import map_embeddings

    table, told = map_embeddings(said / "val.arrow")
    away = Shared(path=tmp_path / "elsewhere.arrow", told=told, ref=ray.put(table))
    subject = Clustering(checkpoint=model, directory=tmp_path, splits={"val": away})
    found = ray.get(ray.remote(_num_images).remote(subject))
    assert found == 6
    lost = replace(subject, splits={"val": replace(away, ref=None)})
    with pytest.raises(ray.exceptions.RayTaskError, match="expected the embeddings of this study"):
        ray.get(ray.remote(_num_images).remote(lost))


def _num_images(subject: Clustering) -> int:
    return len(subject._scorer("val").images)


def test_ways_that_cannot_be_fail_in_words(model: Path, tmp_path: Path) -> None:
    subject = Clustering(checkpoint=model, directory=tmp_path)
    config = {"optics": {"eps": 3, "max_eps": 2}}
    with pytest.raises(TrialFailed, match=r"^optics: expected eps <= max_eps, found 3.0 and 2.0$"):
        subject.fit(config, lambda *_: None, None)


class TestBadInput:
    def test_no_checkpoint(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"^checkpoint: expected the trained model .* --set"):
            run_study(clustering_space(None), tmp_path / "study", QUIET)
        assert not (tmp_path / "study").exists()

    def test_no_such_directory(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"nowhere: expected a checkpoint of a training"):
            run_study(clustering_space(tmp_path / "nowhere"), tmp_path / "study", QUIET)

    def test_a_model_without_instances(self, tmp_path: Path, tiny_data: Any) -> None:
        model = save_model(tmp_path / "model", tiny_data, ("depth",))
        with pytest.raises(ValueError, match=r"found one that has learned depth alone: it has no"):
            run_study(clustering_space(model), tmp_path / "study", QUIET)

    def test_a_split_without_frames(self, tmp_path: Path, tiny_data: Any) -> None:
        splits = tmp_path / "splits"
        shutil.copytree(tiny_data.root / "splits" / "driveworld", splits)
        (splits / "val_files.txt").write_text("\n")
        data = tiny_data.model_copy(update={"split": str(splits)})
        model = save_model(tmp_path / "model", data)
        with pytest.raises(ValueError, match=r"val_files\.txt: expected at least one frame"):
            run_study(clustering_space(model), tmp_path / "study", QUIET)

    def test_a_split_without_instance_maps(self, tmp_path: Path, tiny_data: Any) -> None:
        root = tmp_path / "world"
        shutil.copytree(tiny_data.root, root, ignore=shutil.ignore_patterns("instance_02"))
        model = save_model(tmp_path / "model", tiny_data.model_copy(update={"root": root}))
        with pytest.raises(ValueError, match=r"expected instance maps in the validation split"):
            run_study(clustering_space(model), tmp_path / "study", QUIET)

    def test_a_split_whose_instances_are_all_too_small(
        self, model: Path, said: Path, tmp_path: Path
    ) -> None:
        told = json.loads((model / "config.json").read_text())
        other = tmp_path / "other"
        shutil.copytree(model, other)
        told["offsets"]["min_area"] = 100_000
        (other / "config.json").write_text(json.dumps(told))
        with pytest.raises(ValueError, match=r"at least 100000 pixels .* in the val split, found"):
            run_study(clustering_space(other), tmp_path / "study", QUIET)

    def test_when_every_way_fails_it_is_told(self, model: Path, said: Path, tmp_path: Path) -> None:
        space = clustering_space(
            model,
            base={"optics": {"max_eps": 1, "eps": 1}},
            arms={"tuned": {}},
            search={"trials_per_arm": 2, "space": {"optics.eps": {
                "type": "float", "low": 1.5, "high": 2}}},
            compare={"baseline": "tuned", "metrics": ["test/instances/ap50"]},
        )  # fmt: skip
        with pytest.raises(StudyFailed, match="optics: expected eps <= max_eps"):
            run_study(space, prepare(said, tmp_path / "study"), QUIET)


def test_noise_is_what_makes_tuning_worth_it(whole: Ledger) -> None:
    """The tests above would mean little if all ways were alike."""
    assert np.ptp([row["val/instances/ap50"] for row in whole.trials().metrics]) > 0.1
