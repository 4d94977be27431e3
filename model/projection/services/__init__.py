"""One file per service the sites run, each exporting `SERVICE`; the file's name is the service's name."""

import sys

from hw.base import catalog
from model.projection.service import Service


def names() -> list[str]:
    """The names of all services."""
    return catalog.names(sys.modules[__name__])


def load(name: str) -> Service:
    """The service called `name`; raises `InputError` listing the known ones."""
    return catalog.load(sys.modules[__name__], "SERVICE", name, "service")
