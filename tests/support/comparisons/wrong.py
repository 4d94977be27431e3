"""A wrong value for the left side of a comparison: of its own kind, and such that the answer changes."""

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "Eq": operator.eq, "NotEq": operator.ne, "Lt": operator.lt, "LtE": operator.le, "Gt": operator.gt,
    "GtE": operator.ge, "In": lambda a, b: a in b, "NotIn": lambda a, b: a not in b,
    "Is": operator.is_, "IsNot": operator.is_not,
}  # fmt: skip
FAR = 1 << 80


def wrong_answer(operators: Sequence[str], values: Sequence[Any]) -> tuple[Any, Any]:
    """The answer to `values[0] operators[0] values[1] ...`, and that to a wrong value; None if none is noticed.

    In a chain every relation must notice one.
    """
    answers, wrongs = [], []
    for name, left, right in zip(operators, values, values[1:], strict=False):
        found = OPERATORS[name](left, right)
        answers.append(found)
        wrongs.append(next((answer for answer in _answers(name, left, right) if _differ(found, answer)), None))
    if len(answers) == 1:
        return answers[0], wrongs[0]
    return all(answers), None if any(wrong is None for wrong in wrongs) else not all(answers)


def _answers(name: str, left: Any, right: Any) -> Iterator[Any]:
    if isinstance(left, np.ndarray) and (not isinstance(right, np.ndarray) or left.shape != right.shape):
        return  # spread over the other side: what is compared is not what it looks like
    within = list(right)[:1] if name in ("In", "NotIn") else []
    for other in (*wrong_values(left, right), *within):
        try:
            yield OPERATORS[name](other, right)
        except (TypeError, ValueError, OverflowError):
            continue


def _differ(found: Any, other: Any) -> bool:
    if isinstance(found, np.ndarray):
        return bool((found != other).any())
    return bool(found) != bool(other)


def wrong_values(value: Any, right: Any = None) -> Iterator[Any]:
    """Other values of the same kind: a bit off, far off, one item changed or missing; of nothing there is none."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None:
        yield object()
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value - 1, value + FAR, value - FAR)
    elif isinstance(value, str):
        yield f"{value}?"
        if isinstance(right, str):
            yield right
    elif isinstance(value, bytes):
        if value:
            yield bytes([value[0] ^ 1]) + value[1:]
    elif isinstance(value, np.ndarray):
        yield from _arrays(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            for other in wrong_values(item):
                yield {**value, key: other}
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            for other in wrong_values(item):
                yield type(value)([*value[:place], other, *value[place + 1 :]])
        if value:
            yield value[1:]
            yield value[::-1]
    elif isinstance(value, set | frozenset):
        if value:
            yield value | {object()}
    else:
        yield object()


def _arrays(value: np.ndarray) -> Iterator[np.ndarray]:
    """The last element another one."""
    if value.size:
        last = tuple(size - 1 for size in value.shape)
        other = value.copy()
        if value.dtype.kind in "iu":
            other[last] ^= 1
        elif value.dtype.kind in "bf":
            other[last] = not other[last]
        else:
            other[last] = next(wrong_values(value[last]))
        yield other
