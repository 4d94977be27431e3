"""Files of the user's own, anywhere on the disk, beside those of a catalogue: CHIP=path/to/my_npu.py.

A file is known by its stem from then on, here and in every process that is started: the paths travel in the
environment.
"""

import importlib.util
import os
import re
import shlex
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from hw.base.error import InputError
from hw.base.nearest import nearest

_VARIABLE = "KCLOUD_OWN_FILES"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def is_path(text: str) -> bool:
    """Whether what the user gave is a file's path, not a name."""
    return "/" in text or text.endswith((".py", ".json"))


def registered(kind: str) -> dict[str, Path]:
    """Name -> file of the user's own files of a kind, e.g. "chip"."""
    found = {}
    for entry in os.environ.get(_VARIABLE, "").splitlines():
        held, _, path = entry.partition("=")
        if held == kind and path:
            found[Path(path).stem] = Path(path)
    return found


def register(kind: str, text: str, suffixes: tuple[str, ...] = (".py", ".json"), *, holds: str = "") -> str:
    """The name of the file `text`, or of the folder if it `holds` a file of that name; it is known by it from now on.

    Raises `InputError` if there is no such file or its name cannot be one.
    """
    path = Path(text).expanduser().absolute()
    folder = bool(holds) and (path / holds).is_file()
    if not path.is_file() and not folder:
        raise InputError(f"{kind} {text!r} must be a name or a file; there is no such file, check the path")
    if path.suffix not in suffixes and not folder:
        wanted = " or ".join(suffixes)
        raise InputError(f"the file of a {kind} must end in {wanted}, not {path.suffix or 'nothing'!r}; rename it")
    if not kind.startswith("input of ") and (not _NAME.fullmatch(path.stem) or len(path.stem) > 60):
        raise InputError(f"the name of a {kind}'s file must be letters, digits and _, not {path.stem!r}; rename it")
    if "\n" in str(path):
        raise InputError(f"the path of a {kind} must be one line, not {str(path)!r}; move it")
    entries = [e for e in os.environ.get(_VARIABLE, "").splitlines() if not _same(e, kind, path.stem)]
    os.environ[_VARIABLE] = "\n".join([*entries, f"{kind}={path}"])
    return path.stem


def typed(kind: str, name: str) -> str:
    """What the user types for the thing called `name`: its path if it is one of the user's own files."""
    path = registered(kind).get(name)
    if path is None:
        return name
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))


def _same(entry: str, kind: str, stem: str) -> bool:
    held, _, path = entry.partition("=")
    return held == kind and Path(path).stem == stem


def module_of(path: Path, kind: str) -> ModuleType:
    """The module in a Python file, run anew; whatever goes wrong in it is one sentence with file and line."""
    spec = importlib.util.spec_from_file_location(f"kcloud_own_{kind}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} must be a Python file; check its name")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses in the file look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise InputError(complaint(error, kind, path.stem, path)) from None
    return module


def complaint(error: BaseException, kind: str, name: str, path: Path) -> str:
    """What went wrong while the file of `name` was read, in one sentence with its line."""
    if isinstance(error, SyntaxError):
        return (
            f"the file of {kind} {name!r} must be Python, not {error.msg} in line {error.lineno} of {path.name}; "
            "correct it"
        )
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    where = f" (line {lines[-1]} of {path.name})" if lines else f" ({path.name})"
    if isinstance(error, InputError):
        return f"{kind} {name!r}: {error}{where}"
    if isinstance(error, SystemExit):
        return f"the file of {kind} {name!r} must describe something, not end the program{where}; take the exit out"
    said = str(error).replace("\n", " ") or "nothing more is known"
    return f"the file of {kind} {name!r} must run, not end with {type(error).__name__}: {said}{_hint(error)}{where}"


def _hint(error: BaseException) -> str:
    """The nearest field of the class whose field was misspelt."""
    found = re.search(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'", str(error))
    if found is None:
        return ""
    known = _fields(found[1])
    return f"; {nearest(found[2], known)}its fields are {', '.join(known)}" if known else ""


def _fields(class_name: str) -> list[str]:
    """The fields of the dataclass called so among what is loaded."""
    for module in list(sys.modules.values()):
        held: Any = getattr(module, class_name, None)
        if isinstance(held, type) and hasattr(held, "__dataclass_fields__"):
            return list(held.__dataclass_fields__)
    return []
