import math

import pytest
import torch

from mtdepth.config import WeightingConfig
from mtdepth.weighting.uncertainty_so import SoftOptimalUncertainty


def weights(*losses: float, temperature: float = 2.0) -> list[float]:
    config = WeightingConfig(name="uncertainty-so", so_temperature=temperature)
    method = SoftOptimalUncertainty(("depth", "instances"), config)
    return method.step_weights(torch.tensor(losses)).tolist()


def test_by_hand() -> None:
    """Losses of 1/2 and 1/4 at T = 2: exp(2 / 2) to exp(4 / 2), or 1 to e."""
    assert weights(0.5, 0.25) == pytest.approx([1 / (1 + math.e), math.e / (1 + math.e)])


def test_higher_temperature_is_more_even() -> None:
    shares = [weights(0.5, 0.25, temperature=t)[1] for t in (0.5, 2, 10, 1000)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == pytest.approx(0.5, abs=1e-3)


def test_losses_and_temperature_in_inverse_units_weigh_alike() -> None:
    assert weights(5.0, 2.5, temperature=0.2) == pytest.approx(weights(0.5, 0.25, temperature=2))


def test_losses_next_to_nothing_take_all_the_weight() -> None:
    assert weights(0.0, 1.0) == [1.0, 0.0]
