"""What a trial takes of its machine, epoch by epoch: to look at, never to compare."""

from __future__ import annotations

import threading
from typing import Self

import psutil

from study.trainable import device_percent, peak_device_memory_bytes, peak_memory_bytes

MIB = 2**20
SECONDS_BETWEEN_LOOKS = 1.0
"""How busy a GPU is, is looked at now and then, and averaged over the epoch."""


class SystemMeter:
    """Measures this process while it is entered, from one reading to the next.

    Of a training by several processes, those that this one has started count with it; of their GPUs
    nothing is known here.
    """

    def __init__(self) -> None:
        self._family = {psutil.Process().pid: psutil.Process()}
        self._most_bytes = 0
        self._looks: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="system", daemon=True)

    def __enter__(self) -> Self:
        self._look()  # CPU time counts from here
        peak_device_memory_bytes()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def read(self) -> dict[str, float]:
        """What it took since the last reading.

        Returns:
            `cpu_percent`, of which 100 is one core; `memory_mib` now, and `memory_peak_mib`, the
            most that was ever held; with a GPU also `gpu_memory_peak_mib` of tensors,
            and `gpu_percent`, how busy it was.
        """
        cpu_percent, num_bytes = self._look()
        self._most_bytes = max(self._most_bytes, num_bytes, peak_memory_bytes())
        found = {
            "cpu_percent": cpu_percent,
            "memory_mib": num_bytes / MIB,
            "memory_peak_mib": self._most_bytes / MIB,
        }
        if peak := peak_device_memory_bytes():
            found["gpu_memory_peak_mib"] = peak / MIB
        looks, self._looks = self._looks, []
        if looks:
            found["gpu_percent"] = sum(looks) / len(looks)
        return found

    def _look(self) -> tuple[float, int]:
        """Percent of a core since the last look, and bytes held, over the whole family."""
        (own, *_) = self._family.values()
        for child in own.children(recursive=True):
            self._family.setdefault(child.pid, child)
        percent, num_bytes = 0.0, 0
        for pid, one in list(self._family.items()):
            try:
                percent += one.cpu_percent()
                num_bytes += one.memory_info().rss
            except psutil.NoSuchProcess:
                del self._family[pid]
        return percent, num_bytes

    def _watch(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            percent = device_percent()
            if percent is not None:
                self._looks.append(percent)
