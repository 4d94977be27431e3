"""Names of the inputs that sites share: one name is one draw, so only equal facts may have it."""

from collections.abc import Callable
from functools import partial

from hw.spec.fact import Fact
from model.projection.figure import Figure, from_fact

Read = Callable[[str, Fact], Figure]
"""A name and a fact to a figure."""


class Inputs:
    """The first site to use a name owns it. A site with another fact gets an input of its own, "site.name"."""

    def __init__(self) -> None:
        self._facts: dict[str, Fact] = {}

    def of(self, site: str) -> Read:
        """How the inputs of `site` are read."""
        return partial(self._read, site)

    def _read(self, site: str, name: str, fact: Fact) -> Figure:
        return from_fact(name if self._facts.setdefault(name, fact) == fact else f"{site}.{name}", fact)
