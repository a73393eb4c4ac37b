"""Trained models of monodepth2 (Godard et al. 2019) as checkpoints of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError
from torch import Tensor

from mtdepth.checkpoint import save_network
from mtdepth.checkpoint_files import CONFIG, read_state_dict
from mtdepth.config import DataConfig, DecoderConfig, EncoderConfig, PoseConfig, TrainConfig
from mtdepth.model.decoder import NUM_STAGES
from mtdepth.model.network import NUM_SCALES, Network

FILES = ("encoder.pth", "depth.pth", "pose_encoder.pth", "pose.pth")
SETTINGS = frozenset({"height", "width", "use_stereo"})
"""What `encoder.pth` holds beside weights: the size of images, and whether pairs were seen."""
CLASSIFIER = frozenset({"encoder.fc.weight", "encoder.fc.bias"})
"""Of ImageNet's classes: saved with both encoders, and used by neither."""
LAST_POSE_LAYER = "pose.decoder.layers.4"
"""Theirs tells two motions, of which they use the first."""


def import_model(
    source: Path, out: Path, data_root: Path | None = None, split: str = "eigen_zhou"
) -> tuple[TrainConfig, bool]:
    """Writes a checkpoint that gives the same disparities and poses.

    Args:
        source: directory of monodepth2's four files. Weights are taken as they are, NaN too.
        out: directory to write to.
        data_root: KITTI raw, which the model is to be judged on; none if it need not be.
        split: its lists.

    Returns:
        The configuration of the model, and whether it was trained with stereo pairs.

    Raises:
        ValueError: a file is missing or not as expected, or `out` holds a checkpoint.
    """
    if (out / CONFIG).exists():
        raise ValueError(f"{out}: expected a directory without a checkpoint, found {CONFIG} in it")
    for name in FILES:
        if not (source / name).is_file():
            raise ValueError(f"{source}: expected {', '.join(FILES)}, found no {name}")
    found = {name: read_state_dict(source / name) for name in FILES}
    settings = {key: found["encoder.pth"].pop(key, None) for key in SETTINGS}
    config = _config(settings, source / "encoder.pth", data_root, split)
    network = Network(config)
    state = network.state_dict()
    for name, names in tensor_names(network).items():
        state |= _renamed(found[name], names, state, source / name)
    network.load_state_dict(state)
    save_network(network, out)
    return config, bool(settings["use_stereo"])


def tensor_names(network: Network) -> dict[str, dict[str, str]]:
    """For each file, our name of every tensor and theirs."""
    resnet = list(network.encoder.state_dict())
    depth = {f"branches.depth.heads.{s}": f"{2 * NUM_STAGES + s}.conv" for s in range(NUM_SCALES)}
    for stage in range(NUM_STAGES):
        depth[f"decoder.first.{stage}"] = f"{2 * stage}.conv.conv"
        depth[f"decoder.last.{stage}"] = f"{2 * stage + 1}.conv.conv"
    pose = ("squeeze.0", "layers.0", "layers.2", "layers.4")
    kinds = ("weight", "bias")
    return {
        "encoder.pth": {f"encoder.{key}": f"encoder.{key}" for key in resnet},
        "depth.pth": {f"{o}.{k}": f"decoder.{t}.{k}" for o, t in depth.items() for k in kinds},
        "pose_encoder.pth": {f"pose.encoder.{key}": f"encoder.{key}" for key in resnet},
        "pose.pth": {f"pose.decoder.{o}.{k}": f"net.{i}.{k}" for i, o in enumerate(pose)
                     for k in kinds},
    }  # fmt: skip


def _config(
    settings: Mapping[str, object], path: Path, data_root: Path | None, split: str
) -> TrainConfig:
    height, width = settings["height"], settings["width"]
    told = {"name": "kitti", "root": data_root, "split": split, "height": height, "width": width}
    try:
        data = DataConfig.model_validate(told, strict=True)
    except ValidationError:
        raise ValueError(
            f"{path}: expected height and width of images, each a multiple of 32 and at least 64, "
            f"found {height!r} and {width!r}"
        ) from None
    return TrainConfig(
        data=data,
        tasks=("depth",),
        attention="none",
        encoder=EncoderConfig(width=64, weights="none"),
        decoder=DecoderConfig(width=16),
        pose=PoseConfig(encoder="separate"),
    )


def _renamed(
    found: Mapping[str, object], names: Mapping[str, str], ours: Mapping[str, Tensor], path: Path
) -> dict[str, Tensor]:
    """The tensors of one file under our names, once all are there and have the right shapes."""
    expected = {theirs: _shape(name, ours[name]) for name, theirs in names.items()}
    # A counter of batches, which files of old versions of torch lack, and nothing depends on.
    counters = {theirs for theirs in expected if theirs.endswith("num_batches_tracked")}
    if missing := expected.keys() - counters - found.keys():
        raise ValueError(f"{path}: expected the tensor {_first(missing)}, found none")
    if surplus := found.keys() - expected.keys() - CLASSIFIER:
        raise ValueError(
            f"{path}: expected the tensors of monodepth2 with ResNet-18 alone, found also "
            f"{_first(surplus)}"
        )
    renamed: dict[str, Tensor] = {}
    for name, theirs in names.items():
        value = found.get(theirs, ours[name])
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        if shape != expected[theirs] or not isinstance(value, Tensor):
            raise ValueError(f"{path}: expected {theirs} of {expected[theirs]}, found {shape}")
        renamed[name] = value[: len(ours[name])] if value.dim() else value
    return renamed


def _shape(name: str, ours: Tensor) -> tuple[int, ...]:
    """Of theirs."""
    if name.startswith(LAST_POSE_LAYER):
        return (2 * len(ours), *ours.shape[1:])
    return tuple(ours.shape)


def _first(names: Iterable[str]) -> str:
    first, *rest = sorted(names)
    return first + (f" (and {len(rest)} more)" if rest else "")
