"""Highest clocks of cores that were mapped whole: digest -> title of a chip, GHz, nm, slowest part."""

# Written by `tb gates core --write`.

CLOCKS: dict[str, tuple[str, float, int, str]] = {}
"""Clocks by the digest of `CoreSpec`: a core of another description has none."""
