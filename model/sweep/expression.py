"""Constraints as text over names, evaluated on whole columns at once; nothing but arithmetic and comparisons."""

import ast
import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np

from hw.base.error import InputError

_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.BinOp, ast.Add, ast.Sub, ast.Mult,
    ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.Compare, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.Name,
    ast.Load, ast.Constant,
)  # fmt: skip


def names_in(text: str) -> set[str]:
    """The names a constraint speaks of; `InputError` if it is more than arithmetic and comparisons."""
    return {node.id for node in ast.walk(_parsed(text)) if isinstance(node, ast.Name)}


def holds(text: str, columns: Mapping[str, Any]) -> np.ndarray:
    """Truth of the constraint for every row of `columns` (arrays of one length).

    Raises
    ------
    InputError
        If it names a column that is not there (with the nearest) or compares text with numbers.
    """
    tree = _parsed(text)
    for name in names_in(text):
        if name not in columns:
            near = difflib.get_close_matches(name, columns, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise InputError(f"constraint {text!r} must name an axis or a result, not {name!r}; {hint}correct it")
    try:
        found = _value(tree.body, columns)
    except (TypeError, np.exceptions.DTypePromotionError) as error:
        raise InputError(f"constraint {text!r} must compare like with like ({error}); correct it") from None
    length = len(next(iter(columns.values()))) if columns else 0
    return np.broadcast_to(np.asarray(found, dtype=bool), (length,))


def _parsed(text: str) -> ast.Expression:
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise InputError(f"a constraint must be a comparison such as 'rows * columns <= 256', not {text!r}") from error
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise InputError(
                f"a constraint must be arithmetic and comparisons of names, not {type(node).__name__} in {text!r}"
            )
    return tree


def _value(node: ast.AST, columns: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return np.asarray(columns[node.id])
    if isinstance(node, ast.UnaryOp):
        inner = _value(node.operand, columns)
        return ~np.asarray(inner, dtype=bool) if isinstance(node.op, ast.Not) else -inner
    if isinstance(node, ast.BoolOp):
        parts = [np.asarray(_value(part, columns), dtype=bool) for part in node.values]
        joined = parts[0]
        for part in parts[1:]:
            joined = joined & part if isinstance(node.op, ast.And) else joined | part
        return joined
    if isinstance(node, ast.BinOp):
        return _OPERATIONS[type(node.op)](_value(node.left, columns), _value(node.right, columns))
    if isinstance(node, ast.Compare):
        left, joined = _value(node.left, columns), np.asarray(True)
        for operator, right_node in zip(node.ops, node.comparators, strict=True):
            right = _value(right_node, columns)
            joined = joined & _COMPARISONS[type(operator)](left, right)
            left = right
        return joined
    raise InputError(f"a constraint must be arithmetic and comparisons, not {type(node).__name__}")


_OPERATIONS: Mapping[type, Any] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod, ast.Pow: np.power,
}  # fmt: skip
_COMPARISONS: Mapping[type, Any] = {
    ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal, ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}  # fmt: skip
