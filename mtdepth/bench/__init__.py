"""How fast a training step is, against the same step written plainly and against the machine."""
