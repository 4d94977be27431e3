"""One file per section, each with `PLACE`, its place in the story, and `section(page)`, None if there is no data."""

import sys
from importlib import import_module
from typing import Protocol

from hw.base import catalog
from model.report.page.page import Page
from model.report.page.section_type import Section


class Module(Protocol):
    """What a file here exports."""

    PLACE: int
    """Sections stand in the order of their places; room is left between them."""

    def section(self, page: Page) -> Section | None:
        """The section, None if there is nothing to show."""
        ...


def names() -> list[str]:
    """The names of all sections in the order of the page."""
    found = {name: import_module(f"{__name__}.{name}") for name in catalog.names(sys.modules[__name__])}
    return sorted(found, key=lambda name: found[name].PLACE)


def sections(page: Page) -> list[Section]:
    """All sections there is data for."""
    made = [import_module(f"{__name__}.{name}").section(page) for name in names()]
    return [section for section in made if section is not None]
