"""What a trained model says of images, to be clustered in many ways."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtdepth.config import OpticsConfig
from mtdepth.metrics.names import Split
from study.trainable.checkpoints import trained_with
from study.trainable.process import use_threads

if TYPE_CHECKING:
    import pyarrow as pa

    from mtdepth.instances.scoring import Scorer


def embed(checkpoint: Path, split: Split, out: Path, *, whole: bool) -> None:
    """Writes what a trained model says of a split as Arrow; see `mtdepth.embed`."""
    use_threads()
    from mtdepth.embed import embed

    embed(checkpoint, split, out, whole=whole)


def identity(checkpoint: Path, split: Split) -> dict[str, Any]:
    """What embeddings of a whole split are made of."""
    from mtdepth.embed import told_of_checkpoint

    return told_of_checkpoint(checkpoint, trained_with(checkpoint), split)


def map_embeddings(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """What `embed` has written, mapped into memory, and what it is made of.

    Raises:
        ValueError: it is no such file.
    """
    from mtdepth.instances.embeddings import map_embeddings, told_of

    table = map_embeddings(path)
    return table, told_of(table)


def write_embeddings(path: Path, table: pa.Table) -> None:
    """Writes embeddings that another machine has made."""
    from mtdepth.instances.embeddings import write_embeddings

    write_embeddings(path, iter(table.to_batches()))


def expect_instances(table: pa.Table) -> None:
    """Sees that clusterings of what `embed` has written can be judged.

    Raises:
        ValueError: no true instance counts.
    """
    from mtdepth.instances.embeddings import Embeddings
    from mtdepth.instances.scoring import expect_instances

    expect_instances(Embeddings(table))


def open_scorer(table: pa.Table) -> Scorer:
    """Judges clusterings of what `embed` has written.

    Raises:
        ValueError: no true instance counts.
    """
    use_threads()
    from mtdepth.instances.embeddings import Embeddings
    from mtdepth.instances.scoring import Scorer

    return Scorer(Embeddings(table))


def draw_clustering(
    checkpoint: Path, split: Split, out: Path, images: Sequence[str], optics: OpticsConfig
) -> None:
    """Draws what a trained model predicts, clustered in this way; see `Trainable.draw`."""
    use_threads()
    from mtdepth.panel import write_panels

    write_panels(checkpoint, split, out, images, optics=optics)
