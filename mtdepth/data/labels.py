"""Numbers of instance maps, `label_id * 1000 + k`, with the label ids of Cityscapes."""

from __future__ import annotations

LABELS = (24, 25, 26, 27, 28, 31, 32, 33)
"""Person, rider, car, truck, bus, train, motorcycle, bicycle: the classes that have instances."""
IDS_A_LABEL = 1000
"""Smaller values are stuff or groups, and no instances."""
