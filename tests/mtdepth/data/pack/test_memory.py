"""However many processes read a pack, it is in memory once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mtdepth.config import DataConfig
from tests.mtdepth.data.pack.packs import at, make, request

NUM_LOADERS = 10
LOADER = """
import sys
from mtdepth.config import DataConfig
from mtdepth.data.loader import open_split

data = open_split(DataConfig.model_validate_json(sys.argv[1]), "train")
for start in range(0, len(data), 12):
    data.batch(range(start, min(start + 12, len(data))))
print("ready", flush=True)
sys.stdin.read()
"""


def mapped_bytes(process_id: int, kind: str) -> int:
    """Of the pack's files, as the kernel counts them for one process."""
    total, counts = 0, False
    for line in Path(f"/proc/{process_id}/smaps").read_text().splitlines():
        name, *rest = line.split()
        if "-" in name and not name.endswith(":"):
            counts = rest[-1].endswith(".arrow")
        elif counts and name == f"{kind}:":
            total += int(rest[0]) * 1024
    return total


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/smaps").is_file(), reason="only Linux tells shares")
def test_ten_loaders_share_one_copy(kitti: DataConfig, tmp_path: Path) -> None:
    config = kitti.model_copy(update={"width": 640, "height": 192})
    make(request(config, tmp_path / "pack", most_frames=100))
    config = at(config, tmp_path / "pack")
    size = sum(x.stat().st_size for x in (tmp_path / "pack").glob("*.arrow"))
    command = [sys.executable, "-c", LOADER, config.model_dump_json()]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    loaders = [subprocess.Popen(command, **pipes) for _ in range(NUM_LOADERS)]
    try:
        for loader in loaders:
            assert loader.stdout.readline() == "ready\n"
        resident = [mapped_bytes(loader.pid, "Rss") for loader in loaders]
        shares = [mapped_bytes(loader.pid, "Pss") for loader in loaders]
    finally:
        for loader in loaders:
            loader.communicate("")
    print(
        f"a pack of {size / 1e6:.0f} MB: each of {NUM_LOADERS} loaders sees "
        f"{min(resident) / 1e6:.0f} MB of it, together they take {sum(shares) / 1e6:.0f} MB"
    )
    assert min(resident) > 219 * 3 * 192 * 640  # each has read all training frames
    assert sum(shares) < 1.05 * max(resident)
