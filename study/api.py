"""A study from Python: built, run, resumed, and read back as dataframes. See `docs/api.md`.

    study = Study.from_file("weighting.yaml", overrides=["base.epochs=1"])
    study.run()
    study.comparisons

It does what the command line does, by the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from study.run import new_directory
from study.space import Space
from study.space_loading import checked_space, load_space

if TYPE_CHECKING:
    import pandas as pd

    from study.plan import Plan
    from study.state import Best, StudyState
    from study.trainable import Trainable


class Study:
    """A question, and what has been found so far.

    Args:
        space: the question: typed, or as plain data of the same fields as a space file.

    Raises:
        ValueError: a field is not as it should be; one line that names it.
    """

    def __init__(self, space: Space | Mapping[str, Any]) -> None:
        self._space = checked_space(space)
        self._directory: Path | None = None

    @classmethod
    def from_file(cls, path_or_name: str | Path, overrides: Sequence[str] = ()) -> Self:
        """A study from a space file, or from one that ships.

        Args:
            path_or_name: a YAML file, or a name such as `weighting.yaml`.
            overrides: `a.b.c=value` each, as `--set` takes them.

        Raises:
            ValueError: something is wrong; one line with file, line and column.
        """
        return cls(load_space(path_or_name, overrides))

    @classmethod
    def open(cls, directory: str | Path) -> Self:
        """A study directory, finished or not, to read.

        Raises:
            ValueError: it holds no study.
        """
        from study.ledger import Ledger

        made = cls.__new__(cls)
        made._directory = Path(directory)
        made._space = Ledger.open(made._directory).space
        return made

    @classmethod
    def resume(
        cls,
        directory: str | Path,
        *,
        concurrency: int | None = None,
        address: str | None = None,
        trainable: Trainable | None = None,
        tracks: bool = True,
    ) -> Self:
        """Goes on with a study that was interrupted, to its end; see `run`."""
        from study.runner import Settings, resume_study

        settings = Settings(
            address=address, concurrency=concurrency, trainable=trainable, tracks=tracks
        )
        return cls.open(resume_study(Path(directory), settings))

    def plan(self) -> Plan:
        """What it would run: arms, trials, epochs."""
        from study.plan import make_plan

        return make_plan(self._space)

    def run(
        self,
        out: str | Path | None = None,
        *,
        concurrency: int | None = None,
        address: str | None = None,
        storage: str | None = None,
        trainable: Trainable | None = None,
        tracks: bool = True,
    ) -> Self:
        """Runs the study to its end, and keeps what it finds in a directory.

        Args:
            out: its directory; left out, `studies/<name>-<time>`.
            concurrency: trials at once; left out, as many as there is room for.
            address: Ray cluster; left out, this machine.
            storage: where epoch checkpoints go, `s3://bucket/prefix`; left out, the directory.
            trainable: what is trained; left out, what the space is about.
            tracks: whether MLflow hears of it.

        Returns:
            Itself, which can now be read.

        Raises:
            ValueError: data, directory or cluster is not as it should be, or it has run already.
            StudyFailed: no trial came to its end.
            Standstill: a disk is full, or a store is away; `resume` goes on.
            KeyboardInterrupt: it was interrupted; `resume` goes on.
        """
        if self._directory is not None and (self._directory / "space.yaml").exists():
            raise ValueError(
                f"this study is in {self._directory} already: expected one that has not run; go on "
                f"with it by Study.resume({str(self._directory)!r})"
            )
        from study.runner import Settings, run_study

        settings = Settings(
            address=address,
            concurrency=concurrency,
            storage=storage,
            trainable=trainable,
            tracks=tracks,
        )
        self._directory = new_directory(self._space.study) if out is None else Path(out)
        run_study(self._space, self._directory, settings)
        return self

    @property
    def space(self) -> Space:
        """The question."""
        return self._space

    @property
    def directory(self) -> Path:
        """The study directory.

        Raises:
            ValueError: it has not run.
        """
        if self._directory is None:
            raise ValueError(
                "expected a study that has run, found one that has not: call run(), or "
                "Study.open(directory)"
            )
        return self._directory

    @property
    def trials(self) -> pd.DataFrame:
        """A row a trial; a column for each setting that was searched, and for each metric."""
        return self._tidy("trials")

    @property
    def epochs(self) -> pd.DataFrame:
        """A row a trial, epoch and metric."""
        return self._tidy("epochs")

    @property
    def test(self) -> pd.DataFrame:
        """A row a trial and test image; empty until the test split has been opened."""
        return self._tidy("test")

    @property
    def arms(self) -> pd.DataFrame:
        """A row an arm and metric: mean and spread over seeds."""
        from study.frames import arms
        from study.results import read_results

        return arms(read_results(self.directory))

    @property
    def comparisons(self) -> pd.DataFrame:
        """A row an arm and metric that was compared: the difference, its interval, its claim."""
        from study.frames import comparisons
        from study.results import read_results

        return comparisons(read_results(self.directory))

    @property
    def status(self) -> StudyState:
        """How far it is."""
        from study.state import read_state

        return read_state(self.directory)

    def best(self, arm: str) -> Best | None:
        """The best trial of an arm so far, on the validation split; None where it has none yet.

        Raises:
            ValueError: there is no such arm.
        """
        if arm not in self._space.arms:
            from study.plain_errors import suggestion

            raise ValueError(f"no arm {arm!r}; {suggestion(arm, self._space.arms)}")
        return next((best for best in self.status.best if best.arm == arm), None)

    def report(self) -> Path:
        """Writes the report anew, from what there is.

        Returns:
            `report.html`.
        """
        from study.report import write_report

        write_report(self.directory)
        return self.directory / "report.html"

    def _tidy(self, table: Any) -> pd.DataFrame:
        from study.frames import tidy
        from study.ledger import Ledger

        return tidy(Ledger.open(self.directory), table)

    def __repr__(self) -> str:
        where = "not run" if self._directory is None else str(self._directory)
        return f"Study({self._space.study!r}, {where})"

    def _repr_html_(self) -> str:
        from study.notebook import as_html

        return as_html(self._space, self._directory)
