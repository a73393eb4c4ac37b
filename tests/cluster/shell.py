"""Whether shell code is sound: it parses, and shellcheck finds nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SHELLCHECK = Path(sys.executable).with_name("shellcheck")


def faults(code: str, *options: str) -> str:
    """What bash and shellcheck say of it; nothing where it is sound."""
    said = ""
    for command in (["bash", "-n"], [str(SHELLCHECK), "--shell=bash", *options, "-"]):
        done = subprocess.run(command, input=code, capture_output=True, text=True, check=False)
        said += done.stdout + done.stderr
    return said
