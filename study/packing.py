"""How many trials share a GPU, where a space leaves that to what a trial needs.

`resources: {gpus: auto}` is settled once, before the study starts: a few steps of each arm tell the
memory of a trial at its peak, and the smallest GPU how often that fits. The answer is kept in the
manifest and in `space.yaml`, so that a study that goes on does not measure again.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.calibration import Say, calibrations
from study.search_language import Parameter
from study.space import Resources, Space
from study.trainable import Trainable, device_total_bytes

MARGIN = 1.1
"""Memory of a trial over what was measured: batches of other images, another algorithm chosen."""
CONTEXT_BYTES = 600 * 2**20
"""What a process on a GPU holds beside its tensors."""
GROWS = ("batch_size", "data.height", "data.width", "encoder.width", "decoder.width")
"""Searched fields that decide how much memory a trial needs; each is measured at its largest."""
GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class Packing:
    """What was decided, and from what."""

    trials_a_gpu: int
    peak_bytes: int
    """Of the trial that needs most, as PyTorch reserved it."""
    total_bytes: int
    """Of the smallest GPU."""
    limit: str
    """`memory` or `cpus`: what there is not more of."""

    def told(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def pack(peak_bytes: int, total_bytes: int, cpus_a_gpu: float, cpus_a_trial: float) -> Packing:
    """How many trials a GPU takes.

    Raises:
        ValueError: not one.
    """
    by_memory = math.floor(total_bytes / (peak_bytes * MARGIN + CONTEXT_BYTES))
    by_cpus = max(1, math.floor(cpus_a_gpu / cpus_a_trial + 1e-9))
    if by_memory < 1:
        raise ValueError(
            f"resources.gpus: auto: expected a GPU that takes a trial of {peak_bytes / GIB:.1f} "
            f"GiB and {MARGIN:g} times as much for safety, found one of {total_bytes / GIB:.1f} "
            "GiB; lower batch_size or the size of images"
        )
    return Packing(
        trials_a_gpu=min(by_memory, by_cpus),
        peak_bytes=peak_bytes,
        total_bytes=total_bytes,
        limit="memory" if by_memory <= by_cpus else "cpus",
    )


def settle(space: Space, trainable: Trainable, say: Say) -> tuple[Space, dict[str, Any] | None]:
    """A space whose trials have a number of GPUs, and how it was found; within a Ray session.

    Raises:
        ValueError: no trial fits, or trials can't be calibrated.
    """
    resources = space.resources
    if resources.gpus != "auto":
        return space, None
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("GPU")]
    if not nodes:
        say("resources.gpus: auto: there is no GPU, so that trials run on CPUs.")
        return _with_gpus(space, 0.0), None
    alone = Resources(cpus=resources.cpus, gpus=1)
    slots = int(sum(node["Resources"]["GPU"] for node in nodes))
    configs = {arm: space.arm_config(arm, largest(space)) for arm in space.arms}
    found = calibrations(configs, trainable, alone, slots, say)
    packing = pack(
        max(one.device_memory_bytes for one in found.values()),
        min(ray.get([_total(node["NodeID"]) for node in nodes])),
        min(node["Resources"].get("CPU", 0) / node["Resources"]["GPU"] for node in nodes),
        resources.cpus,
    )
    many = packing.trials_a_gpu
    say(
        f"resources.gpus: auto: {many} trial{'s' if many > 1 else ''} on a GPU, of "
        f"{packing.peak_bytes / GIB:.1f} GiB each at the peak, and {packing.total_bytes / GIB:.1f} "
        f"GiB in all; more would find no {packing.limit}."
    )
    return _with_gpus(space, 1 / many), packing.told()


def settled_as(old: Space, new: Space) -> Space:
    """A space that a study goes on with: what was `auto` stays as it was settled."""
    return _with_gpus(new, old.resources.num_gpus) if new.resources.gpus == "auto" else new


def largest(space: Space) -> dict[str, Any]:
    """The searched values with which a trial needs most memory."""
    searched = space.search.space if space.search else {}
    return {name: _largest(p) for name, p in searched.items() if name in GROWS}


def _largest(parameter: Parameter) -> Any:
    if parameter.choices is not None:
        return max(parameter.choices)
    assert parameter.high is not None
    return int(parameter.high) if parameter.type == "int" else parameter.high


def _with_gpus(space: Space, gpus: float) -> Space:
    resources = space.resources.model_copy(update={"gpus": gpus})
    return space.model_copy(update={"resources": resources})


def _total(node_id: str) -> Any:
    """Memory of a node's smallest GPU."""
    strategy = NodeAffinitySchedulingStrategy(node_id, soft=False)
    task = ray.remote(num_cpus=0, num_gpus=1, max_calls=1, scheduling_strategy=strategy)
    return task(device_total_bytes).remote()
