"""Whatever is wrong with a space file, one line says what and where; see `space_mutants`."""

from __future__ import annotations

import re
import time
from itertools import islice
from pathlib import Path

import pytest

from study import run
from tests.study.space_mutants import mutants

LIMIT_S = 5.0
"""No space takes so long to be read, on however busy a machine."""


@pytest.mark.parametrize(
    ("seed", "number"), [(1, 400), pytest.param(2, 1500, marks=pytest.mark.slow)]
)
def test_a_mutated_space_runs_its_plan_or_ends_with_one_line_that_names_the_place(
    seed: int,
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("mutant.yaml")
    codes = set()
    for index, text in enumerate(islice(mutants(seed), number)):
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        started = time.perf_counter()
        code = run.main(["--space", str(file), "--plan"])
        seconds = time.perf_counter() - started
        said = capsys.readouterr()
        who = f"mutant {index} of seed {seed}: {said.err[:2000]}"
        assert seconds < LIMIT_S, who
        assert list(tmp_path.iterdir()) == [tmp_path / file], who
        codes.add(code)
        if code == 0:
            assert said.out.startswith("Study "), who
            assert said.err == "", who
            continue
        assert code == run.BAD_INPUT, who
        found = re.fullmatch(r"error: mutant\.yaml:(\d+):(\d+): \S.*\n", said.err)
        assert found, who
        assert int(found[1]) <= len(text.splitlines()) + 1, who
        assert said.out == "", who
    assert codes == {0, run.BAD_INPUT}
