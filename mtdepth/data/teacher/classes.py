"""What a teacher tells apart: the eight classes of Cityscapes that have instances."""

from __future__ import annotations

from mtdepth.data.labels import LABELS

COCO_NAMES = ("person", "person", "car", "truck", "bus", "train", "motorcycle", "bicycle")
"""What COCO calls each of `LABELS`, which are the network's classes 1 to 8; a rider is a person."""
NUM_CLASSES = 1 + len(LABELS)
"""Background counts."""
