"""JSON from files that anybody may have written: a field given twice is a slip, not a later value."""

import json
from collections.abc import Sequence
from typing import Any

from hw.base.error import InputError


def loads(text: str) -> Any:
    """The value of `text`; `InputError` for an object that has a field twice, `ValueError` for all else that is wrong
    with it: no JSON, numbers too long or objects too deep to read."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("objects lie too deep in each other") from None


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"a field must be there once, not {twice!r} twice; leave one out")
    return found
