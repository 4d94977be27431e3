"""One file per accelerator card, each exporting `CARD`; the file's name is the card's name."""

import sys

from hw.spec import catalog
from model.projection.card import Card


def names() -> list[str]:
    """The names of all cards."""
    return catalog.names(sys.modules[__name__])


def load(name: str) -> Card:
    """The card called `name`; raises `InputError` listing the known ones."""
    return catalog.load(sys.modules[__name__], "CARD", name, "card")
