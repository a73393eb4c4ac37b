"""The learning rate of a teacher."""

from __future__ import annotations

import pytest

from mtdepth.data.teacher.config import TeacherConfig
from mtdepth.data.teacher.schedule import learning_rate

CONFIG = TeacherConfig(
    epochs=10, batch_size=4, lr_per_image=0.01, warm_up_steps=4, lr_drops=(0.6, 0.9)
)


def test_it_rises_in_the_first_epoch_alone() -> None:
    rates = [learning_rate(CONFIG, 0, step, 100) for step in range(6)]
    assert rates == pytest.approx([4e-5, 0.01003, 0.02002, 0.03001, 0.04, 0.04])
    assert learning_rate(CONFIG, 1, 0, 100) == 0.04


def test_it_rises_within_a_short_epoch() -> None:
    rates = [learning_rate(CONFIG, 0, step, 3) for step in range(3)]
    assert rates == pytest.approx([4e-5, 0.02002, 0.04])
    assert learning_rate(CONFIG, 0, 0, 1) == 0.04


def test_it_falls_to_a_tenth_after_shares_of_the_epochs() -> None:
    rates = [learning_rate(CONFIG, epoch, 0, 100) for epoch in range(1, 10)]
    assert rates == pytest.approx([0.04] * 5 + [0.004] * 3 + [0.0004])
