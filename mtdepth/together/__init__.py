"""One training by several processes of a machine, each with a device of its own.

`team` is what they say to each other, `norm` batch norm over all that they see, and `processes`
starts them, hears of them, and ends them. With a single process, nothing of this takes part.
"""
