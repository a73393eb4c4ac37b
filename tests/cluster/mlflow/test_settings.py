"""What is missing is named before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.mlflow.__main__ import main
from cluster.mlflow.secrets import open_secrets
from cluster.mlflow.settings import Settings


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (["--artifacts", "ftp://x/y"], "--artifacts: expected s3://<bucket>/<prefix> or a dir"),
        (["--artifacts", "s3://Bad_Bucket/;rm"], "--artifacts: expected s3://"),
        (["--port", "70000"], "--port: expected 1 to 65535, found 70000"),
        (["--workers", "0"], "--workers: expected 1 or more, found 0"),
        (["--host", "a b; c"], "--host: expected a name or an address, found 'a b; c'"),
        (["--artifacts", "s3://studies/x"], "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, found none"),
        (["--database", "TEAM_DB"], "expected the environment to hold TEAM_DB, found none"),
    ],
)
def test_bad_settings_get_one_line(
    told: list[str], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["up", "--home", str(tmp_path / "home"), *told]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert expected in error
    assert error.count("\n") == 1
    assert not (tmp_path / "home").exists()


def test_a_database_url_is_never_shown(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database="TEAM_DB")
    with pytest.raises(ValueError, match=r"expected a postgresql:// URL in .* TEAM_DB") as error:
        settings.check({"TEAM_DB": "mysql://me:secret@host/db"})
    assert "secret" not in str(error.value)


def test_a_home_too_deep_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--home: expected a shorter path"):
        Settings(home=tmp_path / ("deep" * 30)).check({})


def test_passwords_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_AUTH_ADMIN_PASSWORD", "of my own choice")
    made = open_secrets(tmp_path)
    assert made.admin == "of my own choice"
    monkeypatch.delenv("MLFLOW_AUTH_ADMIN_PASSWORD")
    assert open_secrets(tmp_path) == made
    (tmp_path / "secrets.json").write_text('{"admin": "shown"}')
    with pytest.raises(ValueError, match="expected the server's passwords, found others") as error:
        open_secrets(tmp_path)
    assert "shown" not in str(error.value)
