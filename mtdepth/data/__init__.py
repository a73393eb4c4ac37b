"""Data sets in the layout of KITTI raw, and the batches read from them."""
