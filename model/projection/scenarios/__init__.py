"""One file per site, each exporting `SCENARIO`; the file's name is the site's name."""

import sys

from hw.base import catalog
from model.projection.scenario import Scenario


def names() -> list[str]:
    """The names of all scenarios."""
    return catalog.names(sys.modules[__name__])


def load(name: str) -> Scenario:
    """The scenario called `name`; raises `InputError` listing the known ones."""
    return catalog.load(sys.modules[__name__], "SCENARIO", name, "scenario")
