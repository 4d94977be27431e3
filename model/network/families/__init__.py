"""Families of language models: one module each with `MODEL_TYPES`, `read` and, where larger files leave fields out,
`DEFAULTS`.

Adding a family is adding a file here.
"""

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType


@cache
def families() -> dict[str, ModuleType]:
    """model_type -> the module that reads it."""
    found: dict[str, ModuleType] = {}
    for entry in pkgutil.iter_modules(__path__):
        module = import_module(f"{__name__}.{entry.name}")
        for kind in module.MODEL_TYPES:
            if kind in found:
                raise ValueError(f"model_type {kind} is read by {found[kind].__name__} and by {module.__name__}")
            found[kind] = module
    return found
