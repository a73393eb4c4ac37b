"""Where the data of a configuration lie."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from mtdepth.config import DataConfig
from mtdepth.data.missing import WHERE
from mtdepth.data.pack.agree import require_agreement
from mtdepth.data.pack.manifest import is_pack, read_manifest
from mtdepth.data.pack.near import near
from mtdepth.store_url import StoreUrl


class PackDiffers(ValueError):
    """A machine has another pack than the study was started on."""


Progress = Callable[[int, int], None]
"""Hears of drives rendered or files copied, and of all of them."""


def data_root(config: DataConfig, on_progress: Progress | None = None) -> Path:
    """The directory of the data, raw or packed; driveworld is rendered there when it is missing,
    and a pack at a URL is copied.

    Args:
        config: names the data.
        on_progress: called with drives rendered, or files copied, and all of them.

    Raises:
        ValueError: the directory is missing, or holds something else.
        StoreAway: a store that it is to be copied from does not answer.
    """
    root = near(config.root, on_progress) if isinstance(config.root, StoreUrl) else config.root
    if root is not None and is_pack(root):
        require_agreement(config, root, read_manifest(root).settings)
        return root
    if config.name == "driveworld":
        from mtdepth.data.driveworld import ensure

        world = config.driveworld
        return ensure(
            world,
            root or Path("data") / f"driveworld-{world.fingerprint()}",
            progress=on_progress,
        )
    found = "none" if root is None else f"nothing at {root}"
    if root is None or not root.is_dir():
        raise ValueError(
            f"data.root: expected the directory of {config.name}, found {found}; set "
            f"base.data.root; {WHERE[config.name]}"
        )
    return root


def pack_fingerprints(config: DataConfig) -> dict[str, str]:
    """What the packs hold that a configuration names, by their roots."""
    found: dict[str, str] = {}
    for part in (config, *config.mixed()):
        if isinstance(part.root, StoreUrl) or (part.root is not None and is_pack(part.root)):
            found[str(part.root)] = read_manifest(data_root(part)).fingerprint
    return found


def expect_packs(config: DataConfig, expected: Mapping[str, str]) -> None:
    """Sees that this machine reads the packs that another one has.

    Args:
        config: names them.
        expected: what `pack_fingerprints` told there.

    Raises:
        PackDiffers: it has another, or none.
    """
    found = pack_fingerprints(config)
    for root in sorted({str(part.root) for part in (config, *config.mixed())} & expected.keys()):
        if found.get(root) != expected[root]:
            raise PackDiffers(
                f"data.root: expected the pack {expected[root]} at {root}, as the study was "
                f"started on, found {found.get(root, 'none')} on {socket.gethostname()}"
            )
