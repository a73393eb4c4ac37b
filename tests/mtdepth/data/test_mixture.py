"""Mixtures: the proportions that are asked for, each sample in its turn, and what parts give."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtdepth.config import DataConfig, TrainConfig
from mtdepth.data.check import check_data
from mtdepth.data.kitti import KittiRaw
from mtdepth.data.loader import SplitData, open_split
from mtdepth.data.mixture import Mixture, open_training
from mtdepth.data.root import pack_fingerprints
from mtdepth.data.source import RawSource
from mtdepth.data.splits import Frame
from mtdepth.train import fit
from tests.mtdepth.batches import SMALL
from tests.mtdepth.data.pack.packs import make, request

NOTHING = RawSource(DataConfig(), KittiRaw(Path("nowhere")))


def part(size: int) -> SplitData:
    return SplitData([Frame("some/drive", index) for index in range(size)], NOTHING)


def shown(mixture: Mixture, epoch: int, size: int = 1, seed: int = 0) -> list[int]:
    return [index for batch in mixture.order(size, seed, epoch) for index in batch]


def mixed(tiny_data: DataConfig, weight: float, split: str = "driveworld") -> DataConfig:
    """A world, mixed with itself as KITTI."""
    other = {"name": "kitti", "root": tiny_data.root, "split": split, "weight": weight}
    return DataConfig.model_validate({**tiny_data.model_dump(), "mix": [other]})


@given(
    sizes=st.lists(st.integers(1, 30), min_size=2, max_size=4),
    weight=st.floats(0.1, 3),
    epoch=st.integers(1, 50),
    seed=st.integers(0, 2**40),
)
def test_an_epoch_has_what_is_asked_for(
    sizes: list[int], weight: float, epoch: int, seed: int
) -> None:
    mixture = Mixture([part(size) for size in sizes], [weight] * (len(sizes) - 1))
    found = np.array(shown(mixture, epoch, seed=seed))
    ends = np.cumsum(sizes)
    counts = np.bincount(np.searchsorted(ends, found, side="right"), minlength=len(sizes))
    assert sorted(found[found < sizes[0]].tolist()) == list(range(sizes[0]))
    assert counts.tolist() == [sizes[0], *[max(1, round(weight * sizes[0]))] * (len(sizes) - 1)]
    assert len(found) == len(mixture)
    assert found.tolist() == shown(mixture, epoch, seed=seed)  # whatever was asked before


def test_every_sample_has_its_turn_before_one_comes_again() -> None:
    mixture = Mixture([part(4), part(10)], [0.75])  # 3 of the 10 in an epoch
    others = [i - 4 for epoch in range(1, 11) for i in shown(mixture, epoch) if i >= 4]
    assert len(others) == 30
    assert len(set(others[:9])) == 9
    assert Counter(others) == dict.fromkeys(range(10), 3)


def test_seeds_and_epochs_differ_and_parts_are_not_shuffled_alike() -> None:
    mixture = Mixture([part(20), part(20)], [1])
    orders = [shown(mixture, epoch, seed=seed) for seed in (0, 1) for epoch in (1, 2)]
    assert len({tuple(order) for order in orders}) == 4
    first = [i for i in orders[0] if i < 20]
    second = [i - 20 for i in orders[0] if i >= 20]
    assert first != second


def test_a_batch_is_made_of_both_in_the_order_that_is_asked_for(tiny_data: DataConfig) -> None:
    mixture = open_training(mixed(tiny_data, weight=1))
    assert isinstance(mixture, Mixture)
    own, other = (open_split(c, "train") for c in (tiny_data, mixed(tiny_data, 1).mixed()[0]))
    size = len(own)
    found = mixture.batch([size + 2, 0, size, 3])
    expected = [other.batch([2]), own.batch([0]), other.batch([0]), own.batch([3])]
    for row, alone in enumerate(expected):
        assert torch.equal(found.frames[row], alone.frames[0])
        assert torch.equal(found.intrinsics[row], alone.intrinsics[0])
        assert found.instances is not None
        assert alone.instances is not None
        assert torch.equal(found.instances.numbers[row], alone.instances.numbers[0])
    assert mixture.batch([size], neighbours=False).frames.shape[1] == 1


def test_what_is_not_mixed_is_itself(tiny_data: DataConfig) -> None:
    assert open_training(tiny_data) is open_split(tiny_data, "train")


def test_a_training_draws_from_all_and_is_validated_on_its_own(
    tiny_data: DataConfig, tmp_path: Path
) -> None:
    told = {**SMALL, "tasks": ["depth"], "epochs": 1, "batch_size": 3}
    reports: list[dict[str, float]] = []
    for data in (tiny_data, mixed(tiny_data, 0.5)):
        config = TrainConfig.model_validate({**told, "data": data})
        fit(config, lambda metrics, _: reports.append(metrics))
    assert reports[0].keys() == reports[1].keys()
    assert reports[0]["train/loss"] != reports[1]["train/loss"]


def test_the_other_set_has_defaults_of_its_own_and_must_be_there(tiny_data: DataConfig) -> None:
    config = DataConfig.model_validate(
        {**tiny_data.model_dump(), "mix": [{"name": "cityscapes", "root": "nowhere"}]}
    )
    (other,) = config.mixed()
    assert (other.split, other.height, other.width) == ("cityscapes", 64, 192)
    assert config.mix[0].weight == 1
    with pytest.raises(ValueError, match=r"^data\.root: expected .* found nothing at nowhere"):
        open_training(config)


def test_packs_at_urls_can_be_mixed(
    tiny_data: DataConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MTDEPTH_CACHE", str(tmp_path / "cache"))
    made = make(request(tiny_data, tmp_path / "pack"))
    other = {"name": "driveworld", "root": f"file://{tmp_path}/pack", "weight": 0.5}
    told = {**tiny_data.model_dump(mode="json"), "mix": [other]}
    config = DataConfig.model_validate_json(json.dumps(told), strict=True)
    assert check_data(config)["train"].num_samples == len(open_training(config)) == 13
    assert pack_fingerprints(config) == {other["root"]: made.fingerprint}
    assert [path.name for path in (tmp_path / "cache").glob("[!.]*")] == [made.fingerprint]


def test_what_is_mixed_in_is_looked_over_too(tiny_data: DataConfig, tmp_path: Path) -> None:
    assert tiny_data.root is not None
    alone, both = check_data(tiny_data), check_data(mixed(tiny_data, 0.5))
    assert both["train"].num_samples == len(open_training(mixed(tiny_data, 0.5))) == 13  # 9 and 4
    assert both["train"].fingerprint != alone["train"].fingerprint
    assert (both["val"], both["test"]) == (alone["val"], alone["test"])
    shutil.copytree(tiny_data.root, tmp_path / "copy")
    other = {"name": "kitti", "root": tmp_path / "copy", "split": "driveworld"}
    config = DataConfig.model_validate({**tiny_data.model_dump(), "mix": [other]})
    for path in (tmp_path / "copy").glob("*/*/instance_02/data/*.png"):
        path.unlink()
    assert "9 of 9 images have none" in str(check_data(config)["train"].unlabelled)
    next((tmp_path / "copy").glob("*/*/image_02/data/*.png")).unlink()
    with pytest.raises(ValueError, match="incomplete, in 1 of 3 drives"):
        check_data(config)
