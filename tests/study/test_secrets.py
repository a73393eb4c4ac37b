"""No secret of the environment is ever written or shown, whatever fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from study.space_loading import space_as_yaml
from tests.stores import BUCKET, TestStore, running_store
from tests.study.simulated import simulated_space

ROOT = Path(__file__).parents[2]
SECRETS = (
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "OPTUNA_PASSWORD", "PGPASSWORD",
    "RAY_AUTH_TOKEN",
)  # fmt: skip
CANARIES = {name: f"canary-{name.lower().replace('_', '-')}-0123456789" for name in SECRETS}
IN_URL = "canary-in-a-url-0123456789"
DRIVER = """
import sys
from functools import partial
from pathlib import Path
from study import run, runner
from study.runner import Settings
from study.simulate import Simulated
from study.trainable import TrialFailed

class Failing(Simulated):
    '''Every third training fails, and not as it should.'''

    def fit(self, config, report, resume_from):
        if config["seed"] % 3 == 2:
            raise RuntimeError(f"no such luck with seed {config['seed']}")
        super().fit(config, report, resume_from)

if __name__ == "__main__":
    runner.Settings = partial(Settings, trainable=Failing())
    sys.exit(run.main(sys.argv[1:]))
"""
SPACE = simulated_space(
    arms=("equal",),
    search={
        "trials_per_arm": 1,
        "sampler": {"name": "random"},
        "space": {"optimizer.lr": {"type": "float", "low": 1e-5, "high": 1e-3, "log": True}},
    },
    confirm={"seeds": [1, 2, 3]},
)


@pytest.fixture(scope="module")
def store() -> Iterator[TestStore]:
    with running_store() as store:
        yield store


@dataclass(frozen=True)
class Place:
    """Where studies run that know all secrets, and where all that they write ends up."""

    directory: Path
    temporary: Path
    store: TestStore
    said: list[str] = field(default_factory=list)

    def run(self, *told: str, **environment: str) -> tuple[int, str]:
        script = self.directory / "driver.py"
        script.write_text(DRIVER)
        (self.directory / "space.yaml").write_text(space_as_yaml(SPACE))
        found = subprocess.run(
            [sys.executable, str(script), "--space", "space.yaml", *told],
            cwd=self.directory,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=400,
            check=False,
        )
        self.said.append(found.stdout)
        return found.returncode, found.stdout

    @property
    def environment(self) -> Mapping[str, str]:
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "AWS_"))}
        return plain | {
            **self.store.environment,
            **CANARIES,
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(self.temporary),
            "RAY_TMPDIR": str(self.temporary),
            "RAY_AUTH_MODE": "token",
        }

    def expect_no_canary(self) -> None:
        """Nothing that was written or said holds one, whole or in part."""
        num_files = 0
        for top in (self.directory, self.temporary):
            for path in top.rglob("*"):
                if path.is_file() and not path.is_symlink():
                    num_files += 1
                    content = path.read_bytes()
                    assert b"canary-" not in content, f"{path}: {_around(content)!r}"
                assert "canary-" not in path.name
        assert num_files > 20
        for said in self.said:
            assert "canary-" not in said


def _around(content: bytes) -> bytes:
    at = content.index(b"canary-")
    return content[max(0, at - 100) : at + 60]


@pytest.fixture
def place(store: TestStore, tmp_path: Path) -> Iterator[Place]:
    temporary = Path(tempfile.mkdtemp(prefix="s-", dir="/tmp"))  # sockets have short names
    yield Place(tmp_path, temporary, store)
    shutil.rmtree(temporary, ignore_errors=True)


def test_no_secret_is_written_or_shown(place: Place, store: TestStore) -> None:
    code, said = place.run(
        "--out", "one", "--storage", f"s3://{BUCKET}/a", "--set",
        "search.storage=sqlite:///optuna.db",
    )  # fmt: skip
    assert code == 0, said[-2000:]
    for name in ("one/report.html", "mlflow.db", "optuna.db", "one/errors"):
        assert (place.directory / name).exists()
    assert "no such luck" in "".join(p.read_text() for p in place.directory.glob("one/errors/*"))
    assert list(place.temporary.rglob("raylet.out"))
    code, said = place.run("--out", "two", "--storage", "s3://missing/a")
    assert code == 2
    assert "there is no bucket missing" in said
    database = "postgresql+psycopg://me:${OPTUNA_PASSWORD}@127.0.0.1:9/optuna"
    code, said = place.run("--out", "three", "--set", f"search.storage={database}")
    assert code == 2
    assert "search.storage: cannot open" in said or "needs a driver" in said
    with store.door.shut():
        code, said = place.run("--out", "four", "--storage", f"s3://{BUCKET}/a")
    assert code == 2
    assert "nothing answers" in said
    place.expect_no_canary()


@pytest.mark.slow
def test_nor_is_one_that_is_part_of_a_url(place: Place) -> None:
    code, said = place.run("--out", "five", MLFLOW_TRACKING_URI=f"http://me:{IN_URL}@127.0.0.1:9")
    assert code == 0, said[-2000:]
    assert "MLflow does not have all of this study" in said
    place.expect_no_canary()
