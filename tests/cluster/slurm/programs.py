"""Stand-ins for Slurm's programs, and for the study: all nodes are this machine."""

from __future__ import annotations

from pathlib import Path

import study

SRUN = """\
#!/bin/bash
# Runs one task on this machine, as srun would on each node; what it was told is kept.
printf '%s\\n' "$*" >>"$SRUN_LOG"
while [[ $1 == --* ]]; do shift; done
export SLURM_CPUS_ON_NODE=1 SLURM_GPUS_ON_NODE=0
exec "$@"
"""
SCONTROL = """\
#!/bin/bash
[[ $1 == show && $2 == hostnames && $3 == "$SLURM_JOB_NODELIST" ]] || exit 1
printf 'node-1\\nnode-2\\n'
"""
STUDY = '''\
"""Stands for `study.run`: the same platform, on trainings that are simulated."""

import argparse
import json
import os
import sys
from pathlib import Path

from study.runner import Settings, resume_study, run_study
from study.simulate import Simulated
from tests.study.simulated import simulated_space

parser = argparse.ArgumentParser()
parser.add_argument("--out", type=Path)
parser.add_argument("--resume", type=Path)
parser.add_argument("--address")
parser.add_argument("--space")
parser.add_argument("--set")

if __name__ == "__main__":
    Path(os.environ["STUDY_LOG"]).write_text(json.dumps(sys.argv[1:]))
    told = parser.parse_args()
    if told.space == "broken.yaml":
        sys.exit(3)
    subject = Simulated(seconds=float(os.environ.get("STUDY_SECONDS", "0.2")))
    settings = Settings(address=told.address, trainable=subject, tracks=False)
    try:
        if told.resume:
            resume_study(told.resume, settings)
        else:
            run_study(simulated_space(search={"trials_per_arm": 1}), told.out, settings)
    except KeyboardInterrupt:
        sys.exit(130)
'''
REAL = Path(study.__file__).parent


def install(home: Path) -> None:
    """Writes them below a directory: programs into `bin`, what Python finds first into `python`."""
    for name, text in {"srun": SRUN, "scontrol": SCONTROL}.items():
        file = home / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
    package = home / "python" / "study"
    package.mkdir(parents=True)
    for file in REAL.iterdir():
        (package / file.name).symlink_to(file)  # the rest of the package is the real one
    (package / "run.py").unlink()
    (package / "run.py").write_text(STUDY)
