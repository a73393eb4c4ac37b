"""`python -m cluster.render WAY --site my-site.yaml`: files for a way to a Ray cluster.

Nothing is launched. What is written holds no secret, and can be looked at first.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from cluster.command_line import run
from cluster.kuberay.manifests import KubernetesSite, manifests
from cluster.ray.cloud import CloudSite, cloud
from cluster.ray.machines import MachinesSite, machines
from cluster.site import Site, example, load


class Way(NamedTuple):
    """What a site says, and the documents that are made of it."""

    site: type[Site]
    documents: Callable[..., Sequence[dict[str, Any]]]
    what: str


WAYS = {
    "cloud": Way(CloudSite, lambda site: [cloud(site)], "AWS, by Ray's launcher"),
    "machines": Way(MachinesSite, lambda site: [machines(site)], "machines of one's own, by ssh"),
    "kubernetes": Way(KubernetesSite, manifests, "Kubernetes, by the KubeRay operator"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, and returns its exit code."""
    return run(_parser(), arguments)


def render(way: str, site: Path, **told: Any) -> str:
    """The finished file.

    Args:
        way: a key of `WAYS`.
        site: the site's file.
        told: what else is said of it on the command line.

    Raises:
        ValueError: a value is missing, or not as expected.
    """
    found = WAYS[way]
    made = found.documents(load(found.site, site), **told)
    return yaml.dump_all(made, Dumper=_Plain, sort_keys=False)


class _Plain(yaml.SafeDumper):
    """Writes what is the same in two places twice: for people, and for all that read YAML."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        """Whether it is written out."""
        return True


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m cluster.render",
        description="Writes the file that a Ray cluster is started from.",
        allow_abbrev=False,
    )
    ways = made.add_subparsers(required=True, metavar="WAY", dest="way")
    for name, way in WAYS.items():
        parser = ways.add_parser(name, help=way.what, allow_abbrev=False)
        parser.set_defaults(run=_render)
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--site", type=Path, help="the site's file, filled in")
        source.add_argument("--example", action="store_true", help="print a site's file to fill in")
        parser.add_argument("--out", type=Path, help="file to write; left out, it is printed")
    job = ways.choices["kubernetes"]
    job.add_argument("--study", help="make it a RayJob that runs a study in this directory")
    job.add_argument("arguments", nargs="*", help="after --: those of study.run", default=[])
    return made


def _render(way: str, site: Path, example: bool, out: Path | None, **told: Any) -> int:
    text = _example(way) if example else render(way, site, **told)
    if out is None:
        print(text, end="")
        return 0
    temporary = out.with_name(f".{out.name}.tmp")
    temporary.write_text(text)
    temporary.replace(out)
    print(f"wrote {out}")
    return 0


def _example(way: str) -> str:
    return example(WAYS[way].site)


if __name__ == "__main__":
    sys.exit(main())
