"""One file per space, each exporting `SPACE`; the file's name is the space's name."""

import sys

from hw.base import catalog


def names() -> list[str]:
    """The names of all spaces."""
    return catalog.names(sys.modules[__name__])
