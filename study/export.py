"""`study export DIR --out FILE`: trials, epochs or test images as one tidy table."""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from study.command_line import directory_parser, refuse

if TYPE_CHECKING:
    import pandas as pd

    from study.frames import TableName

_EPILOG = """\
examples:
  study export studies/weighting-20250131-120000 --out trials.csv
  study export studies/weighting-20250131-120000 --table test --out images.parquet
"""


def export(study_dir: Path, out: Path, table: TableName = "trials") -> int:
    """Writes a table of a study directory; what the file was is replaced.

    Args:
        study_dir: the study, under way or not.
        out: its ending says how: `.csv`, `.parquet` or `.json`, a list of rows.
        table: which one.

    Returns:
        How many rows it has.

    Raises:
        ValueError: there is no study, or no such table or format.
    """
    from study.files import write_atomically
    from study.frames import tidy
    from study.ledger import Ledger

    if out.suffix not in FORMATS:
        raise ValueError(f"--out: expected a file *{', *'.join(FORMATS)}, found {out.name!r}")
    frame = tidy(Ledger.open(study_dir), table)
    write_atomically(out, FORMATS[out.suffix](frame))
    return len(frame)


def _parquet(frame: pd.DataFrame) -> bytes:
    """Values of several kinds in one column, such as choices, become JSON."""
    buffer = io.BytesIO()
    mixed = {
        name: frame[name].map(lambda value: value if value is None else json.dumps(value))
        for name in frame.columns
        if len({type(value) for value in frame[name] if value is not None}) > 1
    }
    frame.assign(**mixed).to_parquet(buffer, index=False)
    return buffer.getvalue()


def _json(frame: pd.DataFrame) -> str:
    """Numbers to the last digit; NaN and infinity, which JSON lacks, become null."""
    rows = [
        {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in row.items()
        }
        for row in frame.to_dict(orient="records")
    ]
    return json.dumps(rows, indent=2) + "\n"


FORMATS: Mapping[str, Callable[[pd.DataFrame], str | bytes]] = {
    ".csv": lambda frame: frame.to_csv(index=False),
    ".parquet": _parquet,
    ".json": _json,
}
"""By the ending of the file."""


def main(arguments: Sequence[str] | None = None, prog: str = "study export") -> int:
    """Runs the command line, and returns its exit code."""
    parser = directory_parser(
        prog,
        "Writes trials, epochs or test images of a study as one tidy table, a column for each "
        "setting and metric.",
        _EPILOG,
    )
    parser.add_argument(
        "--out", metavar="FILE", type=Path, required=True, help="FILE.csv, .parquet or .json"
    )
    parser.add_argument(
        "--table", choices=("trials", "epochs", "test"), default="trials", help="(%(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        num_rows = export(Path(options.study_dir), options.out, options.table)
    except ValueError as error:
        return refuse(error)
    print(f"{options.out}: {num_rows} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
