"""Depth, camera pose and instance segmentation learned together from monocular video."""
