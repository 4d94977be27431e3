"""Change fields of a spec by name, as `--set FIELD=VALUE` does."""

import dataclasses
import difflib
from typing import Any, TypeVar, get_args, get_type_hints

from hw.base.error import InputError

Spec = TypeVar("Spec")

_WORDS = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}


def fields_of(spec: Any) -> dict[str, tuple[str, ...]]:
    """Name -> path of every plain field in `spec` and the dataclasses inside it; outer names win."""
    found: dict[str, tuple[str, ...]] = {}
    inner: list[tuple[str, Any]] = []
    kinds = get_type_hints(type(spec))
    for field in dataclasses.fields(spec):
        value = getattr(spec, field.name)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            inner.append((field.name, value))
        elif not any(dataclasses.is_dataclass(kind) for kind in get_args(kinds[field.name])):  # a part that is absent
            found[field.name] = (field.name,)
    for name, value in inner:
        for key, path in fields_of(value).items():
            found.setdefault(key, (name, *path))
    return found


def parse(text: str, current: Any, kinds: tuple[Any, ...], name: str) -> Any:
    """`text` as the type of the field `name`, whose value is now `current`."""
    if isinstance(current, bool) or bool in kinds:
        if text.lower() in _WORDS:
            return _WORDS[text.lower()]
        raise InputError(f"{name} must be true or false, not {text!r}")
    if text.lower() == "none" and type(None) in kinds:
        return None
    for kind in (int, float):
        if isinstance(current, kind) or kind in kinds:
            try:
                return int(text, 0) if kind is int else float(text)
            except ValueError:
                raise InputError(f"{name} must be a number, not {text!r}") from None
    return text


def change(spec: Spec, assignments: list[str]) -> Spec:
    """`spec` with every "FIELD=VALUE" of `assignments` applied, all at once where they share a dataclass.

    Raises `InputError` for a missing "=", an unknown field (naming the nearest) or a value of the wrong type.
    """
    known = fields_of(spec)
    tree: dict[str, Any] = {}
    for assignment in assignments:
        name, separator, text = assignment.partition("=")
        name = name.strip()
        if not separator:
            raise InputError(f"a change must read FIELD=VALUE, not {assignment!r}; for example rows=32")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise InputError(f"FIELD must be a known one, not {name!r}; {hint}known are {', '.join(sorted(known))}")
        owner: Any = spec
        branch = tree
        for step in known[name][:-1]:
            owner = getattr(owner, step)
            branch = branch.setdefault(step, {})
        hint_type = get_type_hints(type(owner)).get(name)
        branch[name] = parse(text.strip(), getattr(owner, name), (hint_type, *get_args(hint_type)), name)
    return _apply(spec, tree)


def _apply(spec: Any, tree: dict[str, Any]) -> Any:
    values = {}
    for name, value in tree.items():
        inner = getattr(spec, name)
        values[name] = _apply(inner, value) if isinstance(value, dict) and dataclasses.is_dataclass(inner) else value
    return dataclasses.replace(spec, **values)
