"""How a teacher's learning rate rises and falls, as in torchvision's recipe for detectors."""

from __future__ import annotations

from mtdepth.data.teacher.config import TeacherConfig

FIRST_FACTOR = 1e-3
"""Of the full rate, at the very first step."""
DROP = 0.1


def learning_rate(config: TeacherConfig, epoch: int, step: int, steps_per_epoch: int) -> float:
    """The rate of a step.

    Args:
        config: the full rate, the length of the warm-up, and when the rate drops.
        epoch: epochs that are done.
        step: steps of this epoch that are done.
        steps_per_epoch: of every epoch.
    """
    full = config.lr_per_image * config.batch_size
    warm_up = min(config.warm_up_steps, steps_per_epoch - 1)
    if epoch == 0 and step < warm_up:
        return full * (FIRST_FACTOR + (1 - FIRST_FACTOR) * step / warm_up)
    drops = sum(epoch >= share * config.epochs for share in config.lr_drops)
    return full * DROP**drops
