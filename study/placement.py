"""Where trials go: what Ray is asked for, and how many of each arm find room at once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import ray

from study.resources import Resources, listed
from study.space import Space

Node = Mapping[str, float]
"""What a node has, by Ray's names."""
_NOT_TOLD = ("CPU", "GPU", "memory", "object_store_memory")


def bundle_of(resources: Resources) -> dict[str, float]:
    """What a trial occupies, by Ray's names."""
    return {"CPU": resources.cpus, "GPU": resources.num_gpus, **resources.custom}


def options_of(resources: Resources) -> dict[str, Any]:
    """The same, as a task of Ray takes it."""
    return {
        "num_cpus": resources.cpus,
        "num_gpus": resources.num_gpus,
        "resources": dict(resources.custom),
    }


def rooms_for(space: Space, concurrency: int | None = None) -> dict[str, int]:
    """How many trials of each arm run at once in the Ray of this process, were it the only arm.

    Arms that differ share what there is: Ray places a trial when there is room for it, and the
    searcher deals no other while one waits.

    Raises:
        ValueError: there is no room for a single trial of an arm.
    """
    return {
        arm: room_for(
            space.resources_of(arm), concurrency, asked_by=f"{space.resources_path(arm)}: "
        )
        for arm in space.arms
    }


def room_for(
    resources: Resources, concurrency: int | None = None, *, asked_by: str = "resources: "
) -> int:
    """How many trials run at once in the Ray of this process: no trial spans two nodes.

    Args:
        resources: what one trial occupies.
        concurrency: no more than so many.
        asked_by: what an error begins with.

    Raises:
        ValueError: there is no room for a single one.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    slots = sum(_room_on(node, resources) for node in nodes)
    if slots < 1:
        raise ValueError(
            f"{asked_by}expected a node with room for a trial of {resources.in_words()}, found "
            f"{_told(nodes)}; ask for no more than a node has"
        )
    return min(slots, concurrency or slots)


def _room_on(node: Node, resources: Resources) -> int:
    room = [node.get("CPU", 0.0) / resources.cpus]
    if resources.num_gpus:
        of_one = max(1, math.floor(1 / resources.num_gpus + 1e-9)) / max(1.0, resources.num_gpus)
        room.append(node.get("GPU", 0.0) * of_one)
    room += [node.get(name, 0.0) / amount for name, amount in resources.custom.items()]
    return math.floor(min(room) + 1e-9)


def _told(nodes: Iterable[Node]) -> str:
    """`1 node with 4 CPUs and 0 GPUs, 2 nodes with 4 CPUs, 1 GPUs and 1 fast`."""
    counted = Counter(_node_in_words(node) for node in nodes)
    told = [f"{n} node{'s' if n > 1 else ''} with {words}" for words, n in counted.items()]
    return "; ".join(told) or "no node"


def _node_in_words(node: Node) -> str:
    custom = [n for n in sorted(node) if n not in _NOT_TOLD and not n.startswith("node:")]
    parts = [f"{node.get('CPU', 0.0):g} CPUs", f"{node.get('GPU', 0.0):g} GPUs"]
    return listed([*parts, *(f"{node[name]:g} {name}" for name in custom)])
