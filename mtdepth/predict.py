"""`python -m mtdepth.predict`: images to depth, offsets, instances and pictures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mtdepth.config import OpticsConfig
from mtdepth.errors import in_words
from mtdepth.files import replacing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from mtdepth.predictor import Seen

SUFFIXES = (".png", ".jpg", ".jpeg")
KITTI_UNITS_PER_M = 256
"""Of a depth PNG; the largest 16-bit value is 255.996 m, and 0 means no depth."""
MAX_16_BITS = 2**16 - 1
ANY_LABEL = 5000
"""Instance maps hold this plus k: the network does not tell classes apart, and 5 is Cityscapes'
label of things that move and have no class of their own ("dynamic")."""
PICTURE_WIDTH = 640

_DESCRIPTION = """\
Predicts depth and instances of images with a trained model. For every image it writes, under
the same path and name:
  depth/*.png       depth as KITTI has it: 16 bits, metres times 256
  depth/*.npy       the same in metres, float32 (H, W)
  offsets/*.npy     offsets to instance centroids, float32 (2, h, w), x first, at the size and in
                    the pixels of the image that the network sees
  instances/*.png   instance map: 16 bits, 5000 + k (class unknown), 0 for background
  pictures/*.png    all of it to look at
All but the offsets have the size of the image. A model writes what it was trained for: depth,
instances, or both. Depth that was learned from video of one camera is right only up to a scale;
--scale gives it one, such as the ratio of a known distance to the predicted one.
"""


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    made = argparse.ArgumentParser(
        prog="python -m mtdepth.predict",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument(
        "--checkpoint",
        metavar="DIR",
        type=Path,
        required=True,
        help="a trained model, such as studies/<study>/checkpoints/<trial>",
    )
    made.add_argument(
        "--images",
        metavar="PATH",
        type=Path,
        required=True,
        help="an image, or a directory of png and jpg files, searched with all below it",
    )
    made.add_argument("--out", metavar="DIR", type=Path, required=True, help="where to write")
    made.add_argument(
        "--scale", metavar="S", type=_scale, default=1.0, help="multiply depth by this (1)"
    )
    made.add_argument(
        "--optics",
        metavar="FILE",
        type=Path,
        help="cluster instances as this file says, such as optics-<arm>.json of a clustering "
        "study; left out, as the model is set to",
    )
    return made


def _scale(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a positive number, found {text!r}")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, and returns its exit code.

    Args:
        arguments: without the program's name; left out, those of the process.
    """
    options = parser().parse_args(arguments)
    try:
        root, images = find_images(options.images, options.out)
        optics = None if options.optics is None else read_optics(options.optics)
        num_written = predict(
            options.checkpoint, root, images, options.out, options.scale, optics=optics
        )
    except (ValueError, OSError) as error:
        print(in_words(error), file=sys.stderr)
        return 2
    noun = "image" if num_written == 1 else "images"
    print(f"{num_written} {noun} done; pictures are in {options.out / 'pictures'}")
    return 0


def read_optics(path: Path) -> OpticsConfig:
    """How to cluster: the fields of `OpticsConfig` as JSON.

    Raises:
        ValueError: the file is missing, or says something else.
    """
    try:
        return OpticsConfig.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ValueError(f"--optics: {path} can't be read: {error.strerror}") from None
    except ValidationError as error:
        raise ValueError(f"--optics: {path}: {in_words(error, 'no settings of optics')}") from None


def find_images(path: Path, out: Path) -> tuple[Path, list[Path]]:
    """The images at a path, in order, and the directory that their names start from.

    Args:
        path: an image, or a directory.
        out: where predictions go; what lies there is a result, and is left out.

    Raises:
        ValueError: there is no image; two differ in their suffix alone and would share a name;
            or `out` is a file, or the directory of the images itself.
    """
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out: expected a directory, found the file {out}")
    if path.is_file():
        return path.parent, [path]
    if not path.is_dir():
        raise ValueError(f"--images: expected an image or a directory of images, found no {path}")
    below, results = path.resolve(), out.resolve()
    if below == results:
        raise ValueError(f"--out: expected another directory than --images, found {out} for both")
    found = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if results.is_relative_to(below):
        found = [p for p in found if not p.resolve().is_relative_to(results)]
    if not found:
        raise ValueError(f"--images: expected {', '.join(SUFFIXES)} files under {path}, found none")
    names: dict[Path, Path] = {}
    for image in found:
        other = names.setdefault(image.with_suffix(""), image)
        if other != image:
            raise ValueError(
                f"--images: expected names that differ in more than their suffix, found {other} "
                f"and {image}"
            )
    return path, found


def predict(
    checkpoint: Path,
    root: Path,
    images: Sequence[Path],
    out: Path,
    scale: float = 1.0,
    *,
    optics: OpticsConfig | None = None,
) -> int:
    """Predicts images, and writes what `--help` says.

    Args:
        checkpoint: directory of the trained model.
        root: directory that the names of the images start from.
        images: files below it. All are looked over before anything is written.
        out: directory to write to.
        scale: factor of depth.
        optics: how instances are clustered; left out, as the checkpoint is set to.

    Returns:
        How many images were predicted.

    Raises:
        ValueError: the checkpoint or an image is not as it should be.
    """
    from mtdepth.data.images import read_image
    from mtdepth.predictor import Predictor

    predictor = Predictor(checkpoint, optics=optics)
    for path in images:
        read_image(path)
    for path in images:
        image = read_image(path)
        seen = predictor.look(image, scale)
        _write(out, path.relative_to(root).with_suffix(""), image, seen)
    return len(images)


def _write(out: Path, name: Path, image: Image.Image, seen: Seen) -> None:
    """Writes the files of one image."""
    import numpy as np

    from mtdepth.figures import depth_range, draw_depth, draw_instances, draw_offsets, montage

    original = np.asarray(image)
    columns = [("image", [original])]
    if seen.depth_m is not None:
        depth = np.rint(seen.depth_m * KITTI_UNITS_PER_M).clip(1, MAX_16_BITS).astype(np.uint16)
        _save_map(out / "depth" / name, depth)
        _save_array(out / "depth" / name, seen.depth_m)
        columns.append(("depth", [draw_depth(seen.depth_m, *depth_range(seen.depth_m))]))
    if seen.offsets_px is not None and seen.instances is not None:
        instances = np.where(seen.instances > 0, ANY_LABEL + seen.instances, 0)
        _save_map(out / "instances" / name, instances.clip(0, MAX_16_BITS).astype(np.uint16))
        _save_array(out / "offsets" / name, seen.offsets_px)
        columns.append(("offsets", [draw_offsets(seen.offsets_px)]))
        columns.append(("instances", [draw_instances(seen.instances, original)]))
    with replacing(_with_suffix(out / "pictures" / name, ".png")) as path:
        montage(columns, PICTURE_WIDTH, columns_a_row=2).save(path)


def _save_map(path: Path, values: NDArray[np.uint16]) -> None:
    from PIL import Image

    with replacing(_with_suffix(path, ".png")) as temporary:
        Image.fromarray(values).save(temporary)


def _save_array(path: Path, values: NDArray[np.floating]) -> None:
    import numpy as np

    with replacing(_with_suffix(path, ".npy")) as temporary:
        np.save(temporary, values.astype(np.float32))


def _with_suffix(path: Path, suffix: str) -> Path:
    """The path with a suffix more: a name may hold dots of its own."""
    return path.with_name(path.name + suffix)


if __name__ == "__main__":
    sys.exit(main())
