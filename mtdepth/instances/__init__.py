"""From instance masks to offsets, and from offsets back to instances."""
