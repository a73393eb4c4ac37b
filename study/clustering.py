"""Trials that cluster what one trained network says of a split, in one way each.

The network looks at a split once. What it says is kept as Arrow in the study directory: processes
of a machine map the same file, and other machines get it through Ray's object store.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from study.files import write_atomically
from study.ledger import Ledger
from study.place import enter
from study.placement import options_of
from study.plain_errors import first_field_error
from study.records import TrialRecord
from study.space import Resources
from study.trainable import (
    Calibration,
    ClusteringConfig,
    Judgement,
    Mtdepth,
    OnProgress,
    OpticsConfig,
    Report,
    Split,
    SplitSummary,
    TrialFailed,
    draw_clustering,
    embed,
    expect_instances,
    identity,
    map_embeddings,
    open_scorer,
    trained_with,
    write_embeddings,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from ray import ObjectRef

    from study.trainable import Scorer

OPTICS = "optics.json"
"""What a trial leaves: how it clustered, as `python -m mtdepth.predict --optics` takes it."""


@dataclass(frozen=True, kw_only=True)
class Shared:
    """The embeddings of a split, wherever a trial runs."""

    path: Path
    told: Mapping[str, Any]
    """What they are made of; a file at the path that tells otherwise is another one."""
    ref: ObjectRef | None = None
    """For machines that do not see the file."""


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """A `Trainable` for studies of `kind: clustering`."""

    checkpoint: Path
    """Directory of the trained model."""
    directory: Path
    """Where embeddings are kept."""
    splits: Mapping[Split, Shared] = field(default_factory=dict)
    """What is prepared."""

    def check_software(self, config: Mapping[str, Any]) -> None:
        """Nothing that is not installed anyhow."""

    def check_data(
        self,
        config: Mapping[str, Any],  # noqa: ARG002
        on_progress: OnProgress | None = None,
    ) -> dict[str, SplitSummary]:
        """Looks over what the model was trained on: validation and test need instance maps.

        Raises:
            ValueError: there is no such model, or its data is not as it should be.
        """
        trained = trained_with(self.checkpoint)
        if trained.data.train_on != "train":
            raise ValueError(
                f"{self.checkpoint}: expected a model that was trained on the training split "
                "alone, as the validation split is what a clustering is chosen by, found one that "
                f"was trained on {trained.data.train_on}"
            )
        found = Mtdepth().check_data(trained.model_dump(mode="json"), on_progress)
        for split, name in (("val", "validation"), ("test", "test")):
            if not found[split].truth.instances:
                raise ValueError(
                    f"{self.checkpoint}: expected instance maps in the {name} split of the data "
                    f"that it was trained on ({trained.data.name}), found none: there is nothing "
                    "to judge a clustering by"
                )
        return {split: replace(summary, unlabelled=None) for split, summary in found.items()}

    def calibrate(self, config: Mapping[str, Any]) -> Calibration:  # noqa: ARG002
        """Not to be told: what a clustering costs lies in what is searched.

        Raises:
            ValueError: always.
        """
        raise ValueError("--calibrate: expected a study of trainings, found one of clusterings")

    def prepared(self, split: Split, resources: Resources) -> Clustering:
        """The same with a split that trials can cluster; embedded now, unless it has been.

        Within a Ray session, on the driver.

        Args:
            split: which one.
            resources: what embedding it occupies.

        Raises:
            ValueError: the split shows nothing to judge by.
        """
        import ray

        path = self.directory.resolve() / f"{split}.arrow"
        told = identity(self.checkpoint, split)
        if not _is_made_of(path, told):
            write_embeddings(path, _embedded(self.checkpoint, split, resources))
        table, _ = map_embeddings(path)
        expect_instances(table)
        machines = [node for node in ray.nodes() if node["Alive"]]
        ref = ray.put(table) if len(machines) > 1 else None
        return replace(self, splits={**self.splits, split: Shared(path=path, told=told, ref=ref)})

    def prepared_here(self, split: Split, scratch: Path) -> Clustering:
        """As `prepared`, within this process and without Ray; nothing of the study is written.

        Args:
            split: which one.
            scratch: where embeddings go that are not there, or are of something else.
        """
        told = identity(self.checkpoint, split)
        path = self.directory / f"{split}.arrow"
        if not _is_made_of(path, told):
            path = scratch / f"{split}.arrow"
            embed(self.checkpoint, split, path, whole=True)
        return replace(self, splits={**self.splits, split: Shared(path=path, told=told)})

    def fit(self, config: Mapping[str, Any], report: Report, resume_from: Path | None) -> None:
        """Clusters the validation split; the one epoch is reported or it is not."""
        if resume_from is not None:
            return
        try:
            optics = ClusteringConfig.model_validate(config).optics
        except ValidationError as error:
            found = first_field_error(error, ClusteringConfig)
            raise TrialFailed(f"{'.'.join(found.path)}: {found.problem}") from error
        metrics = _of_split("val", self._scorer("val").score(optics))
        with tempfile.TemporaryDirectory(prefix="study-") as directory:
            write_atomically(Path(directory, OPTICS), optics.model_dump_json(indent=2) + "\n")
            report({"epoch": 1, **metrics}, Path(directory))

    def judge(self, checkpoint: Path, split: Split) -> Judgement:
        """Clusters a split as a trial did."""
        scorer, optics = self._scorer(split), _read_optics(checkpoint)
        return Judgement(
            metrics=_of_split(split, scorer.score(optics)),
            images=[{"image": name, **_of_split(split, row)} for name, row in scorer.images],
            replicates=_of_split(split, scorer.replicates(optics)),
        )

    def draw(self, checkpoint: Path, split: Split, out: Path, images: Sequence[str]) -> None:
        """See `Trainable`."""
        draw_clustering(self.checkpoint, split, out, images, _read_optics(checkpoint))

    def draw_sheet(self, checkpoint: Path, split: Split, out: Path) -> None:
        """Refused: a clustering does not come along by epochs."""
        raise NotImplementedError

    def _scorer(self, split: Split) -> Scorer:
        shared = self.splits[split]
        key = repr(sorted(shared.told.items()))
        return _kept_scorer(key, shared.path, shared.ref)


def keep_choices(ledger: Ledger, trials: Iterable[TrialRecord]) -> None:
    """Writes the best clustering of each arm as `optics-<arm>.json`, which `predict` takes."""
    for record in trials:
        chosen = (ledger.directory / str(record.kept) / OPTICS).read_bytes()
        write_atomically(ledger.directory / f"optics-{record.dealt.arm}.json", chosen)


@lru_cache(maxsize=2)
def _kept_scorer(key: str, path: Path, ref: ObjectRef | None) -> Scorer:
    """The scorer of a process, which keeps orders from one trial to the next."""
    import ray

    told_here = _told(path)
    if told_here is not None and repr(sorted(told_here.items())) == key:
        return open_scorer(map_embeddings(path)[0])
    if ref is None:
        raise ValueError(f"{path}: expected the embeddings of this study, found none")
    return open_scorer(ray.get(ref))


def _told(path: Path) -> dict[str, Any] | None:
    """What the embeddings in a file are made of; None where there are none."""
    try:
        return map_embeddings(path)[1]
    except ValueError:
        return None


def _is_made_of(path: Path, told: Mapping[str, Any]) -> bool:
    return _told(path) == told


def _embedded(checkpoint: Path, split: Split, resources: Resources) -> pa.Table:
    """The embeddings of a split, by a worker that has what a trial has.

    Raises:
        ValueError: the split shows nothing to judge by.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = ray.get_runtime_context().get_node_id()
    task = ray.remote(_embed).options(
        **options_of(resources),
        scheduling_strategy=NodeAffinitySchedulingStrategy(here, soft=True),
    )
    try:
        return ray.get(task.remote(checkpoint.resolve(), split, str(Path.cwd())))
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, ValueError):
            raise ValueError(str(error.cause)) from None
        raise


def _embed(checkpoint: Path, split: Split, home: str) -> pa.Table:
    enter(home)
    with tempfile.TemporaryDirectory(prefix="study-") as directory:
        path = Path(directory, "split.arrow")
        embed(checkpoint, split, path, whole=True)
        return map_embeddings(path)[0]


def _read_optics(directory: Path) -> OpticsConfig:
    return OpticsConfig.model_validate_json((directory / OPTICS).read_bytes())


def _of_split(split: Split, metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{split}/{name}": value for name, value in metrics.items()}
