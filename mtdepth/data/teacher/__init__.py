"""The teacher: a Mask R-CNN (He et al. 2017) that labels images with instance maps."""
