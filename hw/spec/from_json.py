"""Specs from JSON, for those who write no Python: objects by field name, the same checks as in Python."""

import dataclasses
import enum
import functools
import importlib
import json
import pkgutil
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import hw.spec
from hw.base import json_text
from hw.base.catalog import nearest
from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts

Spec = TypeVar("Spec")


def read(path: Path, spec: type[Spec]) -> Spec:
    """The spec in the JSON file `path`.

    Raises `InputError` naming file and field if it is no JSON, a field is unknown (with the nearest), missing or of
    another kind, or the spec refuses it.
    """
    return _named(path, lambda value: build(spec, value, path.stem))


def _named(path: Path, make: Callable[[Any], Spec]) -> Spec:
    try:
        value = json_text.loads(path.read_text(encoding="utf-8-sig"))
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None
    except OSError as error:
        raise InputError(f"{path} must be readable ({error.strerror}); check the path") from None
    except (ValueError, RecursionError) as error:
        line = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(f"{path} must be complete JSON, it is not{line}; correct it") from None
    try:
        return make(value)
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None


@functools.cache
def parts() -> dict[str, type]:
    """The machines that a chip can be built of, by the name of their part: whatever `hw.spec` describes as one."""
    found: dict[str, type] = {}
    for module in pkgutil.iter_modules(hw.spec.__path__):
        for held in vars(importlib.import_module(f"hw.spec.{module.name}")).values():
            if isinstance(held, type) and isinstance(held.__dict__.get("part"), str):
                found[held.__dict__["part"]] = held
    return found


def read_chip(path: Path) -> Chip:
    """The chip in the JSON file `path`, its machine under the name of its part, "core" say. Errors as `read`."""
    return _named(path, lambda value: chip_of(value, path.stem))


def chip_of(value: Any, where: str) -> Chip:
    """`value`, JSON types, as a chip; `where` is what messages call it."""
    if not isinstance(value, Mapping):
        raise InputError(f"{where} must be an object with the fields of a Chip, not {_shown(value)}")
    known = parts()
    given = [part for part in known if value.get(part) is not None]
    if len(given) > 1:
        raise InputError(f"{where} must have one machine, not both {' and '.join(given)}; leave one out")
    machine = build(known[given[0]], value[given[0]], f"{where}.{given[0]}") if given else None
    rest = {name: item for name, item in value.items() if name not in known}
    if "machine" in rest:
        raise InputError(f"{where} must have its machine under {' or '.join(known)}, not under machine; rename it")
    return build(Chip, rest, where, fixed={"machine": machine}, also=tuple(known))


def build(
    spec: type[Spec],
    value: Any,
    where: str,
    *,
    fixed: Mapping[str, Any] = MappingProxyType({}),
    also: Sequence[str] = (),
) -> Spec:
    """`value`, JSON types, as a `spec`; `where` is what messages call it.

    `fixed` are fields made already; `also` are names that stand for them in messages.
    """
    if not isinstance(value, Mapping):
        raise InputError(f"{where} must be an object with the fields of a {spec.__name__}, not {_shown(value)}")
    hints = get_type_hints(spec)
    known = {f.name: f for f in dataclasses.fields(spec) if f.init and f.name not in fixed}  # type: ignore[arg-type]
    names = [*also, *known]
    for name in value:
        if name not in known:
            raise InputError(
                f"{where} must not have a field {name!r}; {nearest(name, names)}its fields are {', '.join(names)}"
            )
    for name, field in known.items():
        absent = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if absent and name not in value:
            raise InputError(f"{where} must have the field {name!r}; add it")
    made = {name: _convert(hints[name], item, f"{where}.{name}") for name, item in value.items()}
    try:
        return spec(**made, **fixed)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    except (TypeError, ValueError, AttributeError, KeyError, OverflowError) as error:
        raise InputError(
            f"{where} must hold values of the right kinds ({str(error).splitlines()[0]}); correct it"
        ) from None


def _convert(kind: Any, value: Any, where: str) -> Any:
    """`value` as what a field of type `kind` holds."""
    origin, inside = get_origin(kind), get_args(kind)
    if kind is CardFacts:
        if not isinstance(value, Mapping):
            raise InputError(f"{where} must be an object of facts by name, not {_shown(value)}")
        return {name: build(Fact, fact, f"{where}.{name}") for name, fact in value.items()}
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inside:
            return None
        choices = [choice for choice in inside if choice is not type(None)]
        if len(choices) == 1:
            return _convert(choices[0], value, where)
        for choice in choices:
            try:
                return _convert(choice, value, where)
            except InputError:
                continue
        raise InputError(f"{where} must be one of {', '.join(map(str, choices))}, not {_shown(value)}")
    if origin is Literal:
        if value not in inside or isinstance(value, bool) != any(isinstance(choice, bool) for choice in inside):
            raise InputError(f"{where} must be one of {', '.join(map(str, inside))}, not {_shown(value)}")
        return value
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return build(kind, value, where)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        for member in kind:
            if value in (member.value, member.name):
                return member
        raise InputError(f"{where} must be one of {', '.join(str(m.value) for m in kind)}, not {_shown(value)}")
    if origin in (list, tuple):
        if not isinstance(value, list):
            raise InputError(f"{where} must be a list, not {_shown(value)}")
        if origin is tuple and inside and inside[-1] is not Ellipsis:
            if len(value) != len(inside):
                raise InputError(f"{where} must have {len(inside)} entries, not {len(value)}")
            return tuple(_convert(k, v, f"{where}[{i}]") for i, (k, v) in enumerate(zip(inside, value, strict=True)))
        items = [_convert(inside[0] if inside else Any, v, f"{where}[{i}]") for i, v in enumerate(value)]
        return tuple(items) if origin is tuple else items
    if origin is dict or (origin is not None and issubclass(typing.cast(type, origin), Mapping)):
        if not isinstance(value, Mapping):
            raise InputError(f"{where} must be an object, not {_shown(value)}")
        return {name: _convert(inside[1], item, f"{where}.{name}") for name, item in value.items()}
    return _plain(kind, value, where)


def _plain(kind: Any, value: Any, where: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return value  # as it would be written in Python: the digest tells 1 from 1.0
    if kind in (bool, int, float, str) and type(value) is not kind:
        raise InputError(f"{where} must be {_KINDS[kind]}, not {_shown(value)}")
    return value


_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
