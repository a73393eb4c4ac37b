"""What TorchJD's methods give for Gramians that can be worked out by hand."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest
import torch
from torch import Tensor

from mtdepth.config import BY_TORCHJD, WeightingConfig
from mtdepth.weighting import METHODS, make_weighting
from mtdepth.weighting.torchjd import TorchJD

NAMES = [name for name, method in METHODS.items() if issubclass(method, TorchJD)]
CONFLICT = ([1.0, 0.0], [-0.5, math.sqrt(0.75)])
"""Two gradients of length 1, with an inner product of -1/2."""
AGREEMENT = ([2.0, 0.0], [0.5, 1.0])


def weights_of(name: str, *gradients: list[float], **options: Any) -> Tensor:
    jacobian = torch.tensor(gradients, dtype=torch.float64)
    config = WeightingConfig.model_validate({"name": name, **options})
    weighting = make_weighting([f"task-{i}" for i in range(len(gradients))], config)
    assert isinstance(weighting, TorchJD)
    return weighting.step_weights(jacobian @ jacobian.T)


def combined(weights: Tensor, *gradients: list[float]) -> Tensor:
    return weights @ torch.tensor(gradients, dtype=torch.float64)


def test_the_names() -> None:
    assert NAMES == ["upgrad", "pcgrad", "cagrad", "imtl-g", "aligned-mtl"]
    assert tuple(NAMES) == BY_TORCHJD


def test_pcgrad_by_hand() -> None:
    """g1 - (g1.g2 / g2.g2) g2 = g1 + g2 / 2, and the same the other way round."""
    assert weights_of("pcgrad", *CONFLICT).tolist() == pytest.approx([1.5, 1.5])
    assert weights_of("pcgrad", *AGREEMENT).tolist() == pytest.approx([1, 1])


def test_upgrad_by_hand() -> None:
    """Of two gradients, the projection onto their dual cone is what PCGrad takes; their mean."""
    assert weights_of("upgrad", *CONFLICT).tolist() == pytest.approx([0.75, 0.75], rel=1e-3)
    assert weights_of("upgrad", *AGREEMENT).tolist() == pytest.approx([0.5, 0.5], rel=1e-3)


def test_upgrad_harms_no_task() -> None:
    gradients = ([1.0, 0.0, 0.0], [-0.9, 0.1, 0.0], [-0.5, -0.5, 3.0])
    found = combined(weights_of("upgrad", *gradients), *gradients)
    assert (torch.tensor(gradients, dtype=torch.float64) @ found >= -1e-3).all()


def test_cagrad_by_hand() -> None:
    """Alike gradients: the worst is served by c times the mean's length along the mean itself."""
    assert weights_of("cagrad", *CONFLICT, cagrad_c=0).tolist() == pytest.approx([0.5, 0.5])
    assert weights_of("cagrad", *CONFLICT, cagrad_c=0.4).tolist() == pytest.approx(
        [0.7, 0.7], rel=1e-4
    )


def test_cagrad_stays_near_the_mean() -> None:
    gradients = ([3.0, 0.0], [-0.5, 1.0])
    found, mean = weights_of("cagrad", *gradients), torch.tensor([0.5, 0.5]).double()
    distance = combined(found - mean, *gradients).norm() / combined(mean, *gradients).norm()
    assert distance.item() == pytest.approx(0.4, rel=1e-4)
    jacobian = torch.tensor(gradients, dtype=torch.float64)
    assert (jacobian @ combined(found, *gradients)).min() > (
        jacobian @ combined(mean, *gradients)
    ).min()


@pytest.mark.parametrize("gradients", [CONFLICT, AGREEMENT, ([3.0, 0.0], [0.1, 0.2])])
def test_imtl_g_gains_alike_along_all_gradients(gradients: tuple[list[float], ...]) -> None:
    weights = weights_of("imtl-g", *gradients)
    assert weights.sum().item() == pytest.approx(1)
    jacobian = torch.tensor(gradients, dtype=torch.float64)
    along = jacobian @ combined(weights, *gradients) / jacobian.norm(dim=1)
    assert along[0].item() == pytest.approx(along[1].item())


def test_aligned_mtl_by_hand() -> None:
    """Orthogonal gradients are their own components, each brought to the shorter one's length."""
    found = weights_of("aligned-mtl", [4.0, 0.0], [0.0, 1.0])
    assert found.tolist() == pytest.approx([0.5 / 4, 0.5])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("gradients", [CONFLICT, AGREEMENT])
def test_the_losses_unit_does_not_matter(name: str, gradients: tuple[list[float], ...]) -> None:
    tiny = [[1e-7 * x for x in row] for row in gradients]
    found, expected = weights_of(name, *tiny), weights_of(name, *gradients)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "gradients", [([0.0, 0.0], [0.0, 0.0]), ([1.0, 0.0], [0.0, 0.0]), ([1.0, 0.0], [-1.0, 0.0])]
)
def test_degenerate_gradients_give_finite_weights(
    name: str, gradients: tuple[list[float], ...]
) -> None:
    assert weights_of(name, *gradients).isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_without_torchjd_one_line_says_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchjd.aggregation", None)
    with pytest.raises(ValueError) as error:
        make_weighting(["depth"], WeightingConfig.model_validate({"name": name}))
    told = str(error.value)
    assert told.startswith(f"weighting.name: {name!r} needs TorchJD, found: ")
    assert told.endswith("run pip install -e '.[gradients]' in the project")
    assert "\n" not in told
