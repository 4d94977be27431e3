"""What a point of a space can be, one file each: a core on layers, a deployment of a language model on cards.

A subject is a module with

* `OWN`: names of axes that are no field of a chip but the subject's own, each with its meaning;
* `RESULTS`: names of results with unit and meaning, in the order of the store's columns;
* `check(space)`: `InputError` for a base or an axis that the subject does not know;
* `evaluate(space, columns) -> dict of arrays`: the results of points given as columns, infeasible ones as NaN.
"""

import importlib
import sys
from types import ModuleType

from hw.base import catalog
from hw.base.error import InputError


def load(name: str) -> ModuleType:
    """The subject called `name`; `InputError` listing the known ones."""
    known = catalog.names(sys.modules[__name__])
    if name not in known:
        hint = catalog.nearest(name, known)
        raise InputError(f"subject of a space must be one of {', '.join(known)}, not {name!r}; {hint}correct it")
    return importlib.import_module(f"{__name__}.{name}")
