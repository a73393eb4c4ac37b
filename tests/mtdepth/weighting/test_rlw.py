import pytest
import torch

from mtdepth.config import WeightingConfig
from mtdepth.weighting.rlw import RandomLossWeighting

LOSSES = torch.tensor([0.5, 0.1])


def method() -> RandomLossWeighting:
    return RandomLossWeighting(("depth", "instances"), WeightingConfig(name="rlw"))


def test_by_hand() -> None:
    """Softmax of the two numbers that the seed gives."""
    torch.manual_seed(3)
    first, second = torch.randn(2).double().exp().tolist()
    torch.manual_seed(3)
    found = method().step_weights(LOSSES).tolist()
    assert found == pytest.approx([first / (first + second), second / (first + second)])


def test_the_seed_decides_and_each_step_draws_anew() -> None:
    torch.manual_seed(1)
    first = [method().step_weights(LOSSES) for _ in range(3)]
    torch.manual_seed(1)
    again = [method().step_weights(LOSSES) for _ in range(3)]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], first[1])


def test_on_average_it_is_even_and_it_varies() -> None:
    torch.manual_seed(0)
    drawn = torch.stack([method().step_weights(LOSSES) for _ in range(2000)])
    assert drawn.mean(0).tolist() == pytest.approx([0.5, 0.5], abs=0.02)
    assert 0.2 < drawn[:, 0].std() < 0.35
    assert (drawn > 0).all()


def test_the_losses_do_not_matter() -> None:
    torch.manual_seed(2)
    small = method().step_weights(LOSSES)
    torch.manual_seed(2)
    assert torch.equal(method().step_weights(1000 * LOSSES), small)
