"""`python -m study.track <study directory>`: brings MLflow up to a study, again or anew."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> int:
    """Runs the command line, and returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m study.track",
        description="Brings MLflow up to what a study directory holds: a run a training. Where "
        "they are there already, nothing changes.",
    )
    parser.add_argument("study_dir", type=Path, help="a study directory that is not under way")
    directory = parser.parse_args().study_dir
    from study.tracking.tracker import track

    try:
        uri = track(directory)
    except ValueError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(f"{directory}: up to date at {uri}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
