"""Packs: a data set at the network's size, once for all trainings of a machine.

A pack is a directory that `data.root` can name, made by `python -m mtdepth.data.prepare`:

    manifest.json                        what it is, and the fingerprint of its content
    frames-00000.arrow, ...              Arrow IPC files of one record batch, a row a frame
    splits/<name>/{train,val,test}_files.txt

Each frame is there once, whichever triplets it belongs to. Files are not compressed, so that they
are mapped into memory and read in place, and all processes share one copy in the page cache.

`raw` frames are pixels, and cost a batch one copy: 360 KiB a frame at 640x192, 16.4 GB for KITTI.
`jpeg` frames (`cells.JPEG`) are a quarter of that, but cost a decoding each time, about a
millisecond, and differ from the pixels by 2 of 255 on average.
"""
