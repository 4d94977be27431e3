"""One file adds one thing: a folder of modules, each exporting one agreed constant.

The module name is the key; there is no registry to edit.
"""

import ast
import importlib
import importlib.util
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

from hw.base import own_file
from hw.base.error import InputError
from hw.base.nearest import nearest as nearest


def names(package: ModuleType) -> list[str]:
    """The names of all modules in `package`, sorted; private ones (leading underscore) left out."""
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_"))


def title(package: ModuleType, name: str) -> str:
    """First line of the docstring of the module `name` of `package`, read without importing it."""
    spec = importlib.util.find_spec(f"{package.__name__}.{name}")
    if spec is None or spec.origin is None:
        return ""
    text = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return text.splitlines()[0] if text else ""


def load(package: ModuleType, constant: str, name: str, kind: str) -> Any:
    """The value of `constant` in the module `name` of `package`.

    Raises `InputError` naming the known `kind`s and the nearest one if there is no such module, or the file if it is
    not Python, lacks the constant or describes something impossible.
    """
    known = names(package)
    if name not in known:
        hint = nearest(name, known)
        raise InputError(f"{kind} must be a known one, not {name!r}; {hint}known are {', '.join(known)}")
    spec = importlib.util.find_spec(f"{package.__name__}.{name}")
    path = Path(spec.origin if spec is not None and spec.origin else name)
    try:
        module = importlib.import_module(f"{package.__name__}.{name}")
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | MemoryError):
            raise
        raise InputError(own_file.complaint(error, kind, name, path)) from None
    return constant_of(module, constant, name, kind)


def constant_of(module: ModuleType, constant: str, name: str, kind: str) -> Any:
    """The constant of a module; `InputError` if it does not export it."""
    if not hasattr(module, constant):
        raise InputError(f"the file of {kind} {name!r} must export {constant}, not leave it out; add it")
    return getattr(module, constant)
