"""Pictures of how a training comes along: drawn by its worker, kept in the study directory.

A picture lies in the checkpoint of its epoch on the way from the worker to the driver.
"""

from __future__ import annotations

import contextlib
import traceback
from pathlib import Path

from study.files import write_atomically
from study.storage import Storage
from study.trainable import Trainable, random_state_kept

PICTURE = "picture.png"
"""Within a checkpoint."""
PICTURES = "pictures"
"""Within a study directory: `<trial_key>/epoch-003.png`."""


def draw_picture(
    subject: Trainable, checkpoint: Path, epoch: int, num_epochs: int, every_epochs: int
) -> bool:
    """Draws what a training predicts for the validation split, if a picture is due.

    Drawing that fails is told on the worker's own output, and costs the trial nothing.

    Args:
        subject: what is trained.
        checkpoint: of the epoch; the picture is put into it.
        epoch: which one has ended.
        num_epochs: how many the trial is to train; a picture of the last is always due.
        every_epochs: how often it is due; 0 for never.

    Returns:
        Whether there is one.
    """
    (checkpoint / PICTURE).unlink(missing_ok=True)
    if not every_epochs or (epoch % every_epochs and epoch != num_epochs):
        return False
    try:
        with random_state_kept():
            subject.draw_sheet(checkpoint, "val", checkpoint / PICTURE)
    except Exception:
        traceback.print_exc()
        (checkpoint / PICTURE).unlink(missing_ok=True)
    return (checkpoint / PICTURE).is_file()


def keep_picture(
    storage: Storage, checkpoint: str, study_dir: Path, trial_key: str, epoch: int
) -> None:
    """Takes the picture of an epoch to where it stays; one that is gone costs the trial nothing.

    Args:
        storage: of the checkpoint.
        checkpoint: which the picture lies in.
        study_dir: the study directory.
        trial_key: of the trial.
        epoch: counted from 1.
    """
    with contextlib.suppress(OSError):
        content = storage.read(f"{checkpoint}/{PICTURE}")
        write_atomically(study_dir / PICTURES / trial_key / f"epoch-{epoch:03d}.png", content)
        storage.remove(f"{checkpoint}/{PICTURE}")  # what is kept of the checkpoint is a model alone


def pictures_of(study_dir: Path, trial_key: str) -> list[Path]:
    """The pictures of a trial, in order of their epochs."""
    return sorted((study_dir / PICTURES / trial_key).glob("epoch-*.png"))
