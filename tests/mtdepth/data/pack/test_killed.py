"""Killed at any moment, preparation leaves no half-written file, and ends the same when resumed."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from mtdepth.config import DataConfig
from mtdepth.data.pack.arrow import damage, open_shard
from mtdepth.data.pack.manifest import MANIFEST, read_manifest
from mtdepth.data.pack.verify import verify
from tests.mtdepth.data.pack.packs import make, request

MOST_FRAMES = 2
MAKE = f"""
import sys
from dataclasses import replace
from pathlib import Path
from mtdepth.config import DataConfig
from mtdepth.data.pack.request import make_request
from mtdepth.data.pack.write import make_pack
from mtdepth.data.reader import open_reader

if __name__ == "__main__":
    config, out, workers = DataConfig.model_validate_json(sys.argv[1]), *sys.argv[2:]
    reader = open_reader(config, config.root)
    asked = make_request(config, reader, Path(out), num_workers=int(workers))
    print("begins", flush=True)
    make_pack(replace(asked, most_frames={MOST_FRAMES}), reader, lambda result: None)
"""


@dataclass
class Maker:
    """Makes the same pack again and again, each time in a process of its own."""

    config: DataConfig
    script: Path
    fingerprint: str = ""
    duration_s: float = 0.0

    def start(self, out: Path, num_workers: int) -> subprocess.Popen[str]:
        """Returns when the work begins."""
        arguments = [self.config.model_dump_json(), str(out), str(num_workers)]
        process = subprocess.Popen(
            [sys.executable, str(self.script), *arguments], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        assert process.stdout.readline() == "begins\n"
        return process

    def learn(self, out: Path, num_workers: int) -> None:
        """How it ends, and how long it takes."""
        with self.start(out, num_workers) as process:
            started = time.perf_counter()
            assert process.wait() == 0
            self.duration_s = time.perf_counter() - started
        self.fingerprint = read_manifest(out).fingerprint

    def kill_and_resume(self, out: Path, num_workers: int, moment: float) -> None:
        with self.start(out, num_workers) as process:
            time.sleep(moment * self.duration_s)
            process.kill()
        for path in out.glob("frames-*.arrow"):
            assert damage(open_shard(path)) == []
        if (out / MANIFEST).exists():
            assert read_manifest(out).fingerprint == self.fingerprint
        made = make(request(self.config, out, most_frames=MOST_FRAMES))
        assert made.fingerprint == self.fingerprint
        assert verify(out, 1, lambda finding: None) == []
        assert not list(out.rglob(".*"))


@pytest.fixture
def maker(tiny_world: Path, tmp_path: Path) -> Maker:
    """Of larger images than the world has, which take longer."""
    config = DataConfig(name="kitti", root=tiny_world, split="driveworld", height=192, width=640)
    script = tmp_path / "make.py"
    script.write_text(MAKE)
    return Maker(config, script)


def test_killed_and_resumed_it_ends_the_same(maker: Maker, tmp_path: Path) -> None:
    maker.learn(tmp_path / "whole", 1)
    for moment in (0.2, 0.6):
        maker.kill_and_resume(tmp_path / str(moment), 1, moment)


@pytest.mark.slow
@pytest.mark.parametrize("num_workers", [1, 2])
def test_killed_at_ten_random_moments(maker: Maker, tmp_path: Path, num_workers: int) -> None:
    maker.learn(tmp_path / "whole", num_workers)
    rng = random.Random(num_workers)
    for number in range(10):
        maker.kill_and_resume(tmp_path / str(number), num_workers, rng.random())


@pytest.mark.slow
def test_killed_again_and_again(maker: Maker, tmp_path: Path) -> None:
    """One pack, which is never given the time to be made at once."""
    maker.learn(tmp_path / "whole", 2)
    rng = random.Random(0)
    for _ in range(5):
        with maker.start(tmp_path / "pack", 2) as process:
            time.sleep(rng.uniform(0.5, 0.9) * maker.duration_s)
            process.kill()
    maker.kill_and_resume(tmp_path / "pack", 2, 0.8)
