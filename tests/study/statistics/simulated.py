"""Studies drawn at random, of which it is known what is true."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from study.statistics import TestName, holm, p_value
from study.statistics.samples import Array

Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]


def _normal(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return generator.standard_normal(shape)


def _skewed(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Exponential, with mean 0."""
    return generator.exponential(1.0, shape) - 1


def _heavy(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Student's t with 3 degrees of freedom: now and then a training goes astray."""
    return generator.standard_t(3, shape)


DISTRIBUTIONS: dict[str, Draw] = {"normal": _normal, "skewed": _skewed, "heavy-tailed": _heavy}
TESTS: tuple[TestName, ...] = ("permutation", "wilcoxon")


def no_difference(
    draw: Draw, generator: np.random.Generator, num_comparisons: int, num_pairs: int
) -> Array:
    """(num_comparisons, num_pairs) differences of a study whose arms are all the same.

    All arms have one reference, so that comparisons hang together, and a seed moves all arms.
    """
    values = draw(generator, (1 + num_comparisons, num_pairs))
    values = values + draw(generator, (num_pairs,))
    return values[1:] - values[0]


def claims(differences: Array, test: TestName) -> list[bool]:
    """Which comparisons of a study are claimed, after Holm's correction."""
    return [p <= 0.05 for p in holm([p_value(row, test) for row in differences])]


def false_claim_rates(
    name: str, num_pairs: int, test: TestName, num_studies: int, family: tuple[int, ...]
) -> dict[int, float]:
    """How often a study of so many comparisons claims anything, when nothing is to be claimed."""
    generator = np.random.default_rng([num_pairs, len(name)])
    draw = DISTRIBUTIONS[name]
    counts = dict.fromkeys(family, 0)
    for _ in range(num_studies):
        ps = [p_value(row, test) for row in no_difference(draw, generator, max(family), num_pairs)]
        for num in family:
            counts[num] += min(holm(ps[:num])) <= 0.05
    return {num: count / num_studies for num, count in counts.items()}


def skewed_claim_rate(num_pairs: int, test: TestName, num_studies: int) -> float:
    """The same where differences themselves are skewed, around a mean of 0: out of bounds."""
    generator = np.random.default_rng(num_pairs)
    draw = partial(_skewed, generator)
    found = [p_value(draw((num_pairs,)), test) <= 0.05 for _ in range(num_studies)]
    return float(np.mean(found))


def powers(
    effect: float, num_pairs: int, test: TestName, num_studies: int, family: tuple[int, ...]
) -> dict[int, float]:
    """How often the one comparison that has an effect is claimed, among so many that have none.

    Args:
        effect: mean over standard deviation of its differences (d_z), which are normal.
        num_pairs: of each comparison.
        test: by which p-values are had.
        num_studies: simulated ones.
        family: numbers of comparisons.
    """
    generator = np.random.default_rng([num_pairs, round(100 * effect)])
    nulls = np.array([p_value(generator.standard_normal(num_pairs), test) for _ in range(2_000)])
    counts = dict.fromkeys(family, 0)
    for _ in range(num_studies):
        own = p_value(effect + generator.standard_normal(num_pairs), test)
        others = generator.choice(nulls, max(family) - 1)
        for num in family:
            counts[num] += holm([own, *others[: num - 1]])[0] <= 0.05
    return {num: count / num_studies for num, count in counts.items()}


def crossed(
    generator: np.random.Generator, num_seeds: int, num_images: int, spreads: tuple[float, ...]
) -> Array:
    """(num_seeds, num_images) differences around 0: of a seed, of an image, and of both.

    Args:
        generator: of what is drawn.
        num_seeds: over how many seeds.
        num_images: of how many images each.
        spreads: standard deviations of the three parts.
    """
    of_seed, of_image, of_both = spreads
    return (
        of_seed * generator.standard_normal((num_seeds, 1))
        + of_image * generator.standard_normal((1, num_images))
        + of_both * generator.standard_normal((num_seeds, num_images))
    )
