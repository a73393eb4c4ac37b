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
    """Measures this process while it is entered, from one reading to the next."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._looks: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="system", daemon=True)

    def __enter__(self) -> Self:
        self._process.cpu_percent()  # counts from here
        peak_device_memory_bytes()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def read(self) -> dict[str, float]:
        """What it took since the last reading.

        Returns:
            `cpu_percent`, of which 100 is one core; `memory_mib` now, and `memory_peak_mib`, the
            most that the process has ever held; with a GPU also `gpu_memory_peak_mib` of tensors,
            and `gpu_percent`, how busy it was.
        """
        found = {
            "cpu_percent": self._process.cpu_percent(),
            "memory_mib": self._process.memory_info().rss / MIB,
            "memory_peak_mib": peak_memory_bytes() / MIB,
        }
        if peak := peak_device_memory_bytes():
            found["gpu_memory_peak_mib"] = peak / MIB
        looks, self._looks = self._looks, []
        if looks:
            found["gpu_percent"] = sum(looks) / len(looks)
        return found

    def _watch(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            percent = device_percent()
            if percent is not None:
                self._looks.append(percent)
