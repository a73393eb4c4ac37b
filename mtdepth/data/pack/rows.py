"""One frame as a row of a pack."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mtdepth.config import DepthTruth, LidarDepth
from mtdepth.data.pack.cells import encode_depth, encode_instances, encode_jpeg, encode_map
from mtdepth.data.pack.digests import SIZE, Cell, cell_digest
from mtdepth.data.pack.entries import PackSettings
from mtdepth.data.reader import Reader
from mtdepth.data.source import RawSource
from mtdepth.data.splits import Frame

DIGESTS = "digests"
"""Name of the column that has the digests of all other cells of the row, in their order."""
Row = dict[str, Cell]
DepthMap = NDArray[np.float32]


def schema_of(settings: PackSettings) -> pa.Schema:
    """The columns of a pack. What the data doesn't have is null, and takes no room."""
    size = 3 * settings.height * settings.width
    depth = pa.struct(
        {
            "height": pa.int32(),
            "width": pa.int32(),
            "known": pa.large_binary(),
            "depth_m": pa.large_binary(),
        }
    )
    columns = {
        "drive": pa.string(),
        "index": pa.int32(),
        "side": pa.string(),
        "image": pa.binary(size) if settings.codec == "raw" else pa.large_binary(),
        "intrinsics": pa.list_(pa.float32(), 9),
        "world_T_cam": pa.list_(pa.float64(), 16),
        "instances": pa.struct({"numbers": pa.large_binary(), "measures": pa.list_(pa.float32())}),
        "judged": pa.bool_(),  # what follows is of validation and test frames, at their full size
        "depth_map": depth,
        "scan_velodyne": depth,
        "scan_camera": depth,
        "instance_map": pa.large_binary(),
        "motion_map": pa.large_binary(),
    }
    return pa.schema({**columns, DIGESTS: pa.binary(SIZE * len(columns))})


def make_row(frame: Frame, source: RawSource, settings: PackSettings, *, judged: bool) -> Row:
    """All that a pack holds of a frame.

    Args:
        frame: which.
        source: of the raw files, at the pack's size.
        settings: of the pack.
        judged: whether its truth is kept.

    Raises:
        ValueError: a file of the frame is broken.
    """
    pixels, pose = source.pixels(frame), source.world_T_cam(frame)
    instances = source.instances(frame)
    row: Row = {
        "drive": frame.drive,
        "index": frame.index,
        "side": frame.side,
        "image": pixels.tobytes() if settings.codec == "raw" else encode_jpeg(pixels),
        "intrinsics": source.intrinsics(frame).ravel().tolist(),
        "world_T_cam": None if pose is None else pose.ravel().tolist(),
        "instances": None if instances is None else encode_instances(instances),
        "judged": judged,
        **_truth(frame, source.reader, judged),
    }
    return {**row, DIGESTS: row_digests(row)}


def row_digests(row: Row) -> bytes:
    """Of each cell, in the order of the columns."""
    return b"".join(cell_digest(cell) for name, cell in row.items() if name != DIGESTS)


def _truth(frame: Frame, reader: Reader, judged: bool) -> Row:
    names = ("depth_map", "scan_velodyne", "scan_camera", "instance_map", "motion_map")
    if not judged:
        return dict.fromkeys(names)

    def depth_m(truth: DepthTruth, lidar_depth: LidarDepth) -> DepthMap | None:
        return reader.depth_m(frame, truth=truth, lidar_depth=lidar_depth)

    scans = [depth_m("lidar", "velodyne"), depth_m("lidar", "camera")]
    best = [depth_m("best", "velodyne"), depth_m("best", "camera")]
    has_map = not all(map(_same, scans, best))
    depths = [best[0] if has_map else None, *scans]
    maps = [reader.instances(frame), reader.motion(frame)]
    cells: list[Cell] = [None if found is None else encode_depth(found) for found in depths]
    cells += [None if found is None else encode_map(found) for found in maps]
    return dict(zip(names, cells, strict=True))


def _same(one: DepthMap | None, other: DepthMap | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)
