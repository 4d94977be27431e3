"""Rules an engine or a router may follow, one file each; `policy(kind, name)` finds one."""

import pkgutil
from functools import cache
from importlib import import_module
from typing import Any

from hw.base.error import InputError

KINDS = ("order", "batching", "eviction", "router")
"""order: which waiting request is next; batching: what enters an iteration; eviction: what happens when blocks run out;
router: which instance gets a request."""


@cache
def names(kind: str) -> tuple[str, ...]:
    """Policies of a kind."""
    package = import_module(f"{__name__}.{kind}")
    return tuple(sorted(entry.name for entry in pkgutil.iter_modules(package.__path__)))


def policy(kind: str, name: str) -> Any:
    """The class `Policy` of model/serving/policies/<kind>/<name>.py.

    Raises
    ------
    InputError
        Naming the known ones.
    """
    if name not in names(kind):
        raise InputError(f"the {kind} policy must be one of {', '.join(names(kind))}, not {name!r}")
    return import_module(f"{__name__}.{kind}.{name}").Policy
