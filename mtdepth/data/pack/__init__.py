"""Packs: a data set at the network's size, once for all trainings of a machine.

A pack is a directory that `data.root` can name, made by `python -m mtdepth.data.prepare`:

    manifest.json                        what it is, what it lacks, and its fingerprint
    frames-00000.arrow, ...              Arrow IPC files of one record batch, a row a frame
    splits/<name>/{train,val,test}_files.txt

Each frame is there once, whichever triplets it belongs to. Files are not compressed, so that they
are mapped into memory and read in place, and all processes share one copy in the page cache.

What a frame takes at 640x192, and what of it a batch costs:

    raw     360 KiB     one copy, a thousandth of decoding and resizing a PNG of KITTI
    jpeg    80-105 KiB  a decoding each time, about a millisecond a frame; pixels are off by 2 of
                        255 on average, see `cells.JPEG`

An instance map takes 120 KiB more; the truth of a validation or test frame, lidar above all,
270 KiB. The 45,259 frames of KITTI's `eigen_zhou` take 16.7 GB as raw, or some 4 GB as jpeg, and
the truth of its validation and test frames 1.4 GB.
"""
