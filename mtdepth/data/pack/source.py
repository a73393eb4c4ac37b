"""Frames from a pack, read where they lie."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mtdepth.config import DataConfig, EvaluationConfig
from mtdepth.data.pack.agree import require_agreement
from mtdepth.data.pack.arrow import open_shard
from mtdepth.data.pack.cells import decode_depth, decode_jpeg, decode_map
from mtdepth.data.pack.labels import Labels
from mtdepth.data.pack.manifest import Manifest, read_manifest
from mtdepth.data.source import Sample
from mtdepth.data.splits import Frame
from mtdepth.instances.targets import NumberedMap


@lru_cache(maxsize=8)
def open_pack(config: DataConfig, root: Path) -> PackSource:
    """The pack at `root`, shared by all splits of a process.

    Raises:
        ValueError: it is not what `config` names, or damaged.
    """
    manifest = read_manifest(root)
    require_agreement(config, root, manifest.settings)
    return PackSource(root, manifest)


class PackSource:
    """Maps the files of a pack into memory. Nothing of them is kept in the process itself.

    Args:
        root: the pack.
        manifest: of it.
    """

    def __init__(self, root: Path, manifest: Manifest) -> None:
        self.root, self.manifest = root, manifest
        settings = manifest.settings
        self._height, self._width, self._codec = settings.height, settings.width, settings.codec
        self._shards = [open_shard(root / entry.file) for entry in manifest.shards]
        self._images = [self._pixels_of(shard) for shard in self._shards]
        self._intrinsics = [_intrinsics_of(shard) for shard in self._shards]
        self._labels = [
            Labels(shard.column("instances"), self._height, self._width) for shard in self._shards
        ]
        self._where = {
            frame: (number, row)
            for number, shard in enumerate(self._shards)
            for row, frame in enumerate(_frames_of(shard))
        }

    def has_image(self, frame: Frame) -> bool:
        """See `Source`."""
        return frame in self._where

    def pixels(self, frame: Frame) -> NDArray[np.uint8]:
        """See `Source`. Of the codec `raw` it is a view of the file, which can't be written to."""
        number, row = self._find(frame)
        images = self._images[number]
        if images is not None:
            return images[row]
        try:
            return decode_jpeg(self._cell(number, row, "image"))
        except OSError as error:
            raise ValueError(f"{self._place(number)}: {frame}: broken image: {error}") from None

    def intrinsics(self, frame: Frame) -> NDArray[np.float32]:
        """See `Source`."""
        number, row = self._find(frame)
        return self._intrinsics[number][row]

    def has_instances(self, frame: Frame) -> bool:
        """See `Source`."""
        if frame not in self._where:
            return False
        number, row = self._where[frame]
        return self._labels[number].has(row)

    def instances(self, frame: Frame) -> NumberedMap | None:
        """See `Source`. It is a view of the file, as are the pixels."""
        number, row = self._find(frame)
        return self._labels[number].numbered(row)

    def truth(self, frame: Frame, evaluation: EvaluationConfig) -> Sample:
        """See `Source`.

        Raises:
            ValueError: it is a frame of training, whose truth isn't packed.
        """
        number, row = self._find(frame)
        if not self._cell(number, row, "judged"):
            raise ValueError(
                f"{self.root}: expected a frame of validation or test, found {frame} of training, "
                "whose truth isn't packed; read it from the raw files"
            )
        depth = self._cell(number, row, "depth_map") if evaluation.truth == "best" else None
        depth = depth or self._cell(number, row, f"scan_{evaluation.lidar_depth}")
        instances = self._cell(number, row, "instance_map")
        motion = self._cell(number, row, "motion_map")
        return Sample(
            frame=frame,
            depth_m=None if depth is None else decode_depth(depth),
            instances=None if instances is None else decode_map(instances).astype(np.int32),
            motion=None if motion is None else decode_map(motion).astype(np.uint8),
        )

    def world_T_cam(self, frame: Frame) -> NDArray[np.float64] | None:
        """See `Source`."""
        if frame not in self._where:
            return None
        matrix = self._cell(*self._where[frame], "world_T_cam")
        return None if matrix is None else np.array(matrix).reshape(4, 4)

    def _find(self, frame: Frame) -> tuple[int, int]:
        if frame not in self._where:
            raise ValueError(f"{self.root}: expected a pack with the frame {frame}, found none")
        return self._where[frame]

    def _cell(self, number: int, row: int, name: str) -> pa.Scalar:
        return self._shards[number].column(name)[row].as_py()

    def _place(self, number: int) -> Path:
        return self.root / self.manifest.shards[number].file

    def _pixels_of(self, shard: pa.RecordBatch) -> NDArray[np.uint8] | None:
        """(N, 3, H, W) in place, if they are not encoded."""
        if self._codec != "raw":
            return None
        shape = (shard.num_rows, 3, self._height, self._width)
        content = shard.column("image").buffers()[1]
        return np.frombuffer(content, np.uint8, count=int(np.prod(shape))).reshape(shape)


def _intrinsics_of(shard: pa.RecordBatch) -> NDArray[np.float32]:
    """(N, 3, 3)"""
    return shard.column("intrinsics").flatten().to_numpy().reshape(-1, 3, 3)


def _frames_of(shard: pa.RecordBatch) -> list[Frame]:
    columns = [shard.column(name).to_pylist() for name in ("drive", "index", "side")]
    return [Frame(*told) for told in zip(*columns, strict=True)]
