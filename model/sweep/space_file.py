"""A space by name, or from a file of Python or YAML anywhere."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from hw.base import catalog
from hw.base.error import InputError
from model.sweep import spaces
from model.sweep.space import Space

_FIELDS = ("title", "subject", "base", "axes", "constraints", "limits", "objectives", "total_over")


def load(name: str) -> Space:
    """The space called `name` in model/sweep/spaces, or in the file of that path (.py exporting SPACE, .yaml).

    Raises
    ------
    InputError
        If there is none, or the file is not what its ending says or describes something impossible.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        return _from_yaml(path)
    if path.suffix == ".py":
        return _from_python(path)
    return catalog.load(spaces, "SPACE", name, "space")


def _from_yaml(path: Path) -> Space:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path} must be a readable file ({error.strerror}); give another path") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise InputError(f"{path} must be YAML{where}; correct it") from None
    if not isinstance(found, Mapping):
        raise InputError(f"{path} must hold the fields {', '.join(_FIELDS)}, not {type(found).__name__}")
    for name in found:
        if name not in _FIELDS:
            raise InputError(f"{path} must hold only {', '.join(_FIELDS)}, not {name!r}; correct it")
    for name in ("title", "subject", "axes", "objectives"):
        if name not in found:
            raise InputError(f"{path} must have the field {name!r}; add it")
    given: dict[str, Any] = dict(found)
    for name in ("constraints", "limits", "total_over"):
        value = given.get(name, [])
        given[name] = (value,) if isinstance(value, str) else tuple(value)
    try:
        return Space(**given)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _from_python(path: Path) -> Space:
    if not path.is_file():
        raise InputError(f"{path} must be a file that exports SPACE, and there is none; give another path")
    spec = importlib.util.spec_from_file_location(f"space_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except Exception as error:
        line = error.lineno if isinstance(error, SyntaxError) else _line_of(error, path)
        raise InputError(
            f"{path} must run, and line {line} does not ({type(error).__name__}: {error}); correct it"
        ) from None
    if not isinstance(getattr(module, "SPACE", None), Space):
        raise InputError(f"{path} must export SPACE, a model.sweep.space.Space; add it")
    return module.SPACE


def _line_of(error: BaseException, path: Path) -> int | None:
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
