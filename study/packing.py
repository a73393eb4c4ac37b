"""How many trials share a GPU, where a space leaves that to what a trial needs.

`resources: {gpus: auto}` is settled once, before the study starts: a few steps of each kind of
trial tell the memory of one at its peak, and the GPU with the least of it how often that fits. The
answer is kept in the manifest and in `space.yaml`, so that a study that goes on does not measure
again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.calibration import Say, calibrations
from study.largest import largest_trials
from study.resources import ArmResources, Resources
from study.space import Space
from study.trainable import Trainable, device_free_bytes

MARGIN = 1.1
"""Memory of a trial over what was measured: batches of other images, another algorithm chosen."""
CONTEXT_BYTES = 600 * 2**20
"""What a process on a GPU holds beside its tensors."""
SECONDS_TO_ANSWER = 120.0
"""How long a node may take to say what is free of its GPUs."""
GIB = 2**30
_Part = TypeVar("_Part", Resources, ArmResources)


@dataclass(frozen=True, kw_only=True)
class Packing:
    """What was decided, and from what."""

    trials_a_gpu: int
    """0 where there is no GPU."""
    largest: str
    """The trial that needs most: its arm, and what is searched that matters."""
    peak_bytes: int
    """Of that trial, as PyTorch reserved it."""
    free_bytes: int
    """Of the GPU that has least."""
    margin: float
    """So many times the peak were counted for each trial, and `context_bytes`."""
    context_bytes: int
    limit: str
    """`memory`, `cpus` or `gpus`: what there is not more of."""

    def told(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def pack(
    peaks: Mapping[str, int], free_bytes: int, cpus_a_gpu: float, cpus_a_trial: float
) -> Packing:
    """How many trials a GPU takes.

    Args:
        peaks: bytes, by what was measured.
        free_bytes: of a GPU.
        cpus_a_gpu: that a node has for each of its GPUs.
        cpus_a_trial: that one occupies.

    Raises:
        ValueError: not one.
    """
    largest = max(peaks, key=lambda name: peaks[name])
    peak_bytes = peaks[largest]
    by_memory = math.floor(free_bytes / (peak_bytes * MARGIN + CONTEXT_BYTES))
    by_cpus = max(1, math.floor(cpus_a_gpu / cpus_a_trial + 1e-9))
    if by_memory < 1:
        raise ValueError(
            f"resources.gpus: auto: expected a GPU that takes a trial of {peak_bytes / GIB:.1f} "
            f"GiB ({largest}), {MARGIN:g} times for safety and {CONTEXT_BYTES / GIB:.1f} GiB for "
            f"CUDA, found one with {free_bytes / GIB:.1f} GiB free; lower batch_size or the size "
            "of images, or say a number"
        )
    return Packing(
        trials_a_gpu=min(by_memory, by_cpus),
        largest=largest,
        peak_bytes=peak_bytes,
        free_bytes=free_bytes,
        margin=MARGIN,
        context_bytes=CONTEXT_BYTES,
        limit="memory" if by_memory <= by_cpus else "cpus",
    )


NO_GPU = Packing(
    trials_a_gpu=0, largest="", peak_bytes=0, free_bytes=0, margin=MARGIN,
    context_bytes=CONTEXT_BYTES, limit="gpus",
)  # fmt: skip


def settle(space: Space, trainable: Trainable, say: Say) -> tuple[Space, dict[str, Any] | None]:
    """A space whose trials have a number of GPUs, and how it was found; within a Ray session.

    Raises:
        ValueError: no trial fits, or trials can't be calibrated.
    """
    arms = on_auto(space)
    if not arms:
        return space, None
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("GPU")]
    if not nodes:
        say("resources.gpus: auto: there is no GPU, so that trials run on CPUs.")
        return _with_gpus(space, 0.0), NO_GPU.told()
    configs: dict[str, dict[str, Any]] = {}
    alone: dict[str, Resources] = {}
    for arm in arms:
        own = largest_trials(space, arm)
        configs |= own
        alone |= dict.fromkeys(own, space.resources_of(arm).model_copy(update={"gpus": 1.0}))
    slots = int(sum(node["Resources"]["GPU"] for node in nodes))
    free_bytes = min(map(_free, nodes))
    by = "resources.gpus: auto"
    found = calibrations(configs, trainable, alone, slots, say, asked_by=by)
    packing = pack(
        {name: one.device_memory_bytes for name, one in found.items()},
        free_bytes,
        min(node["Resources"].get("CPU", 0) / node["Resources"]["GPU"] for node in nodes),
        max(one.cpus for one in alone.values()),
    )
    many = packing.trials_a_gpu
    say(
        f"resources.gpus: auto: {many} trial{'s' if many > 1 else ''} on a GPU, of "
        f"{packing.peak_bytes / GIB:.1f} GiB each at the peak ({packing.largest}), where "
        f"{packing.free_bytes / GIB:.1f} GiB are free; more would find no {packing.limit}."
    )
    return _with_gpus(space, 1 / many), packing.told()


def on_auto(space: Space) -> list[str]:
    """The arms that leave it to be measured how many of their trials share a GPU."""
    return [arm for arm in space.arms if space.resources_of(arm).gpus == "auto"]


def settled_as(old: Space, new: Space) -> Space:
    """A space that a study goes on with: what was `auto` stays as it was settled.

    Raises:
        ValueError: it has not been.
    """
    arms = on_auto(new)
    if not arms:
        return new
    shared = [old.resources_of(arm).num_gpus for arm in arms if arm in old.arms]
    if new.resources.gpus == "auto":
        shared.append(old.resources.num_gpus)
    if not shared:
        raise ValueError(
            f"arms.{arms[0]}.resources.gpus: auto: expected a study that had measured how many "
            "trials share a GPU, found one where no arm left that open; say a number"
        )
    return _with_gpus(new, shared[0])


def _with_gpus(space: Space, gpus: float) -> Space:
    """The same with a number wherever it said `auto`."""

    def settled(part: _Part) -> _Part:
        return part.model_copy(update={"gpus": gpus}) if part.gpus == "auto" else part

    arms = {
        name: arm.model_copy(update={"resources": settled(arm.resources)}) if arm.resources else arm
        for name, arm in space.arms.items()
    }
    return space.model_copy(update={"resources": settled(space.resources), "arms": arms})


def _free(node: Mapping[str, Any]) -> int:
    """What is free of a node's GPUs, of that which has least: by a process that holds them all.

    Raises:
        ValueError: they are in use.
    """
    num, strategy = int(node["Resources"]["GPU"]), NodeAffinitySchedulingStrategy
    here = strategy(node["NodeID"], soft=False)
    task = ray.remote(num_cpus=0, num_gpus=num, max_calls=1, scheduling_strategy=here)
    asked = task(device_free_bytes).remote()
    done, _ = ray.wait([asked], timeout=SECONDS_TO_ANSWER)
    if not done:
        ray.cancel(asked)
        raise ValueError(
            f"resources.gpus: auto: expected the {num} GPUs of {node['NodeManagerHostname']} to be "
            "free, so that they can be measured, found them in use; wait, or say a number"
        )
    free: int = ray.get(asked)
    return free
