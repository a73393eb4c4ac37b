"""Optuna's studies in a database: names, resuming, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import RDBStorage

from cluster.mlflow.postgres import Postgres
from study.ledger import Ledger
from study.optuna_storage import check_storage, open_database
from study.runner import Settings, run_study
from study.search_language import Search
from study.space import Space
from study.space_loading import load_space
from tests.cluster.mlflow.conftest import postgres_installed, short_home
from tests.study.quick import Quick, quick_space
from tests.study.test_searcher import finish, make_space, play, searcher_of

__all__ = ["postgres_installed", "short_home"]
LR = {"optimizer.lr": {"type": "float", "low": 1e-5, "high": 1e-3, "log": True}}


def stored_in(url: str) -> Space:
    search = make_space().model_dump(mode="json")["search"]
    return make_space(search={**search, "trials_per_arm": 3, "storage": url})


def test_studies_share_a_database_and_are_rebuilt_in_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/optuna.db"
    space = stored_in(url)
    undisturbed = play(searcher_of(space, study_id="one"))
    first = searcher_of(space, study_id="two")
    told: Any = first.suggest("any")
    finish(first, told["dealt"])
    first.save(str(tmp_path / "saved"))
    second = searcher_of(space, study_id="two")
    second.restore(str(tmp_path / "saved"))
    rest = play(second)
    assert [d.params for d in [told["dealt"], *rest]] == [d.params for d in undisturbed]
    storage = RDBStorage(url)
    names = {f"{study}/{arm}" for study in ("one", "two") for arm in ("equal", "dwa", "inst")}
    assert set(optuna.get_all_study_names(storage)) == names
    assert {len(optuna.load_study(study_name=n, storage=storage).trials) for n in names} == {3}
    storage.engine.dispose()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("optuna.db", "expected a database URL such as sqlite:///optuna.db, found another text"),
        ("postgresql://me:secret@host/db", "found a password, and this is kept with the study: "),
        ("postgresql://host/db?user=me&password=secret", "found a password, "),
    ],
)
def test_a_url_that_cannot_be_kept_is_refused_and_not_shown(url: str, expected: str) -> None:
    with pytest.raises(ValueError) as caught:
        Search.model_validate({"trials_per_arm": 1, "storage": url})
    (error,) = caught.value.errors()  # type: ignore[attr-defined]
    assert expected in error["msg"]
    assert "secret" not in error["msg"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////no/such/directory/optuna.db",
         "search.storage: cannot open sqlite:////no/such/directory/optuna.db: "
         "unable to open database file"),
        ("postgresql+nodriver://host/db",
         "search.storage: cannot open postgresql+nodriver://host/db: "),
        ("sqlite:///${NO_SUCH_VARIABLE}/optuna.db",
         "search.storage: cannot open sqlite:///${NO_SUCH_VARIABLE}/optuna.db: the environment "
         "variable NO_SUCH_VARIABLE is not set"),
        ("sqlite:////no/${A_SECRET}/optuna.db",
         "search.storage: cannot open sqlite:////no/${A_SECRET}/optuna.db: "),
    ],
)  # fmt: skip
def test_a_database_that_cannot_be_opened_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: str
) -> None:
    monkeypatch.setenv("A_SECRET", "hunter2")
    with pytest.raises(ValueError) as caught:
        check_storage(stored_in(url))
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_password_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHERE", str(tmp_path))
    open_database("sqlite:///${WHERE}/optuna.db").engine.dispose()
    assert (tmp_path / "optuna.db").exists()


def test_postgresql_holds_them_as_well(
    short_home: Path, postgres_installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = "0123456789abcdef"
    database = Postgres(short_home / "optuna", short_home / "optuna" / "run", password)
    database.start()
    try:
        monkeypatch.setenv("OPTUNA_PASSWORD", password)
        url = database.url("mlflow").replace(password, "${OPTUNA_PASSWORD}")
        space = stored_in(url)
        check_storage(space)
        in_postgresql = play(searcher_of(space, study_id="one"))
        in_sqlite = play(searcher_of(stored_in(f"sqlite:///{short_home}/optuna.db")))
        assert [d.params for d in in_postgresql] == [d.params for d in in_sqlite]
        storage = open_database(url)
        for arm in space.arms:
            assert len(optuna.load_study(study_name=f"one/{arm}", storage=storage).trials) == 3
        storage.engine.dispose()
    finally:
        database.stop()


def test_a_missing_database_is_told_before_anything_is_done(tmp_path: Path) -> None:
    quick = Quick(diary=tmp_path / "diary")
    search = {"trials_per_arm": 1, "space": LR, "storage": "sqlite:////none/optuna.db"}
    space = quick_space(search=search)
    with pytest.raises(ValueError, match="unable to open database file"):
        run_study(space, tmp_path / "study", Settings(trainable=quick, tracks=False))
    assert not quick.diary.exists(), "data were looked over"
    assert not (tmp_path / "study").exists()


def test_a_file_of_sqlite_stays_where_it_was_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    space = load_space("weighting.yaml", ["search.storage=sqlite:///optuna.db"])
    assert space.search is not None
    assert space.search.storage == f"sqlite:///{tmp_path}/optuna.db"


@pytest.mark.usefixtures("small_ray")
def test_a_whole_study_lies_in_its_database_under_its_id(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/optuna.db"
    space = quick_space(search={"trials_per_arm": 2, "space": LR, "storage": url})
    quick = Quick(diary=tmp_path / "diary")
    settings = Settings(concurrency=1, trainable=quick, tracks=False)
    ledger = Ledger.open(run_study(space, tmp_path / "study", settings))
    study_id = ledger.manifest["study_id"]
    storage = RDBStorage(url)
    for arm in space.arms:
        trials = optuna.load_study(study_name=f"{study_id}/{arm}", storage=storage).trials
        assert [trial.state.name for trial in trials] == ["COMPLETE"] * 2
    storage.engine.dispose()
    assert not (ledger.directory / "optuna.log").exists()
