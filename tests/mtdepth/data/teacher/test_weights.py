"""What a teacher begins with: never at random without being told."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchvision.models.detection import maskrcnn_resnet50_fpn

from mtdepth.data.teacher.config import NetworkConfig
from mtdepth.data.teacher.network import build_network
from mtdepth.data.teacher.weights import COCO, load_initial, read_file

SCORES = "roi_heads.box_predictor.cls_score."
BOXES = "roi_heads.box_predictor.bbox_pred."
MASKS = "roi_heads.mask_predictor.mask_fcn_logits."
OURS = [0, 1, 1, 3, 8, 6, 7, 4, 2]
"""COCO's numbers of background, person, rider (person), car, truck, bus, train, motorcycle and
bicycle."""


def old_name(name: str) -> str:
    """As in torchvision's file, which is older than its code."""
    name = name.replace("rpn.head.conv.0.0.", "rpn.head.conv.")
    for number in range(4):
        new, old = f"mask_head.{number}.0.", f"mask_head.mask_fcn{number + 1}."
        name = name.replace(new, old)
    return name


@pytest.fixture(scope="module")
def coco_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file like torchvision's, in which a row of the heads holds the number of its class."""
    network = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=91)
    state = {
        old_name(name): value
        for name, value in network.state_dict().items()
        if "num_batches_tracked" not in name
    }
    for layer, rows in ((SCORES, 1), (BOXES, 4), (MASKS, 1)):
        for name in (f"{layer}weight", f"{layer}bias"):
            shape = (-1,) + (1,) * (state[name].ndim - 1)
            numbers = torch.arange(91.0).repeat_interleave(rows).view(shape)
            state[name] = numbers.expand_as(state[name]).clone()
    path = tmp_path_factory.mktemp("coco") / "weights.pth"
    torch.save(state, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return path.rename(path.with_name(f"weights-{digest}.pth"))


def coco_at(monkeypatch: pytest.MonkeyPatch, url: str, cache: Path) -> None:
    monkeypatch.setattr(COCO["resnet50"].value, "url", url)
    monkeypatch.setenv("TORCH_HOME", str(cache))


def loaded(weights: str) -> dict[str, Tensor]:
    config = NetworkConfig(weights=weights)
    network = build_network(config)
    load_initial(network, config)
    return network.state_dict()


def expect_ours(state: dict[str, Tensor], path: Path) -> None:
    assert state[f"{SCORES}weight"][:, 0].tolist() == OURS
    assert state[f"{SCORES}bias"].tolist() == OURS
    assert state[f"{BOXES}weight"][:, 7].tolist() == [x for x in OURS for _ in range(4)]
    assert state[f"{MASKS}weight"][:, 5, 0, 0].tolist() == OURS
    told = torch.load(path, weights_only=True)
    for name in (
        "rpn.head.conv.0.0.weight",
        "roi_heads.mask_head.3.0.bias",
        "backbone.body.layer4.2.bn3.running_var",
        "roi_heads.box_head.fc7.weight",
    ):
        assert torch.equal(state[name], told[old_name(name)])


def test_coco_is_downloaded_once(
    coco_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coco_at(monkeypatch, coco_file.as_uri(), tmp_path)
    expect_ours(loaded("coco"), coco_file)
    cached = tmp_path / "hub" / "checkpoints" / coco_file.name
    assert cached.is_file()
    coco_at(monkeypatch, f"file:///nowhere/{coco_file.name}", tmp_path)
    expect_ours(loaded("coco"), coco_file)
    cached.write_bytes(b"broken")
    with pytest.raises(ValueError, match="--weights: torchvision's COCO weights could not be had"):
        loaded("coco")


def test_a_file_is_loaded(coco_file: Path) -> None:
    expect_ours(loaded(str(coco_file)), coco_file)


def test_where_coco_cannot_be_had_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = (tmp_path / "weights-01234567.pth").as_uri()
    coco_at(monkeypatch, gone, tmp_path)
    advice = "give --weights FILE with that file, or --weights none for a random start"
    with pytest.raises(ValueError, match=advice) as caught:
        loaded("coco")
    assert str(caught.value).startswith("--weights: torchvision's COCO weights could not be had ")
    assert gone in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_checksum_is_no_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights-01234567.pth"
    torch.save({"a": torch.zeros(1)}, path)
    coco_at(monkeypatch, path.as_uri(), tmp_path)
    with pytest.raises(ValueError, match=r"could not be had from file.*invalid hash value"):
        loaded("coco")
    assert not list((tmp_path / "hub").rglob("*.pth"))


def test_none_is_random_and_any_other_word_is_not(tmp_path: Path) -> None:
    small = NetworkConfig(name="small", weights="none")
    torch.manual_seed(0)
    network = build_network(small)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    load_initial(network, small)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    for word in ("None", "random", str(tmp_path)):
        with pytest.raises(ValueError, match="--weights: expected 'coco', 'none' or a file, found"):
            load_initial(network, NetworkConfig(name="small", weights=word))
    with pytest.raises(ValueError, match="COCO weights exist for resnet50 and resnet50-v2"):
        NetworkConfig(name="small")


def small_state(**changes: Tensor) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return build_network(NetworkConfig(name="small", weights="none")).state_dict() | changes


def test_a_teachers_own_checkpoint_is_loaded_whole(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    state = small_state()
    torch.save({"network": state, "optimizer": {}, "epoch": 3}, path)
    config = NetworkConfig(name="small", weights=str(path))
    torch.manual_seed(2)
    network = build_network(config)
    load_initial(network, config)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_of_other_classes_only_what_does_not_know_them_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "four.pth"
    heads = {
        f"{SCORES}weight": torch.ones(4, 256), f"{SCORES}bias": torch.ones(4),
        f"{BOXES}weight": torch.ones(16, 256), f"{BOXES}bias": torch.ones(16),
        f"{MASKS}weight": torch.ones(4, 64, 1, 1), f"{MASKS}bias": torch.ones(4),
    }  # fmt: skip
    state = small_state(**heads)
    torch.save(state, path)
    config = NetworkConfig(name="small", weights=str(path))
    torch.manual_seed(2)
    network = build_network(config)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    load_initial(network, config)
    for name, value in network.state_dict().items():
        expected = before if name in heads else state
        assert torch.equal(value, expected[name]), name


def test_files_that_do_not_fit_are_told(tmp_path: Path) -> None:
    path = tmp_path / "some.pth"
    config = NetworkConfig(name="small", weights=str(path))
    network = build_network(config)
    state = small_state()
    del state["rpn.head.cls_logits.bias"]
    torch.save(state, path)
    expected = r"some.pth' does not fit the network 'small': Missing key.*rpn.head.cls_logits.bias"
    with pytest.raises(ValueError, match=expected):
        load_initial(network, config)
    path.write_bytes(b"no state dict")
    with pytest.raises(ValueError, match="expected a state dict, found what torch cannot read"):
        read_file(path)
    torch.save(
        small_state(**{f"{SCORES}bias": torch.ones(91), f"{BOXES}bias": torch.ones(4)}), path
    )
    with pytest.raises(ValueError, match=r"some.pth' does not fit the network 'small': "):
        load_initial(network, config)
    for content in ({}, [torch.zeros(1)], {"epoch": 3}, {"network": 3}):
        torch.save(content, path)
        with pytest.raises(ValueError, match=r"expected a state dict \(names to tensors\), found"):
            read_file(path)
