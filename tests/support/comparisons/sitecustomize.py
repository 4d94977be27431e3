"""In a simulator's Python: every comparison of a bench notes that it was made and that a wrong value would have failed.

Python imports a module of this name at its start, before cocotb and the benches; `tests/test_bench_comparisons.py` puts
this folder on the path. An `assert` keeps its meaning: its comparisons go through `compared`, which answers as the
operator does, and notes the line as soon as the same operator denies a spoiled value.
"""

import ast
import operator
import os
import re
import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "Eq": operator.eq, "NotEq": operator.ne, "Lt": operator.lt, "LtE": operator.le, "Gt": operator.gt,
    "GtE": operator.ge, "In": lambda a, b: a in b, "NotIn": lambda a, b: a not in b,
    "Is": operator.is_, "IsNot": operator.is_not,
}  # fmt: skip
NOTES = "KCLOUD_COMPARISONS"
_FAR = 1 << 200
_noted: set[str] = set()


def compared(key: str, name: str, left: Any, right: Any) -> Any:
    """`left` name `right`; the line is noted if some other value on the left gives the opposite."""
    found = OPERATORS[name](left, right)
    if key not in _noted and any(_differs(name, found, other, right) for other in _others(left, right)):
        note(key)
    return found


def truth(key: str, value: Any) -> Any:
    """`value`; a check of a value alone notices its opposite."""
    note(key)
    return value


def note(key: str) -> None:
    """Write the line down at once: a simulator's Python is not always ended in order."""
    if key not in _noted:
        _noted.add(key)
        with open(os.environ[NOTES], "a") as file:
            file.write(f"{key}\n")


def _differs(name: str, found: Any, other: Any, right: Any) -> bool:
    try:
        changed = OPERATORS[name](other, right)
        return bool(changed) != bool(found)
    except (TypeError, ValueError):
        return False


def _others(left: Any, right: Any) -> list[Any]:
    """Wrong values for the left side: another object, one off, far off, and something the right side holds."""
    others: list[Any] = [object(), None]
    if isinstance(left, int | float):
        others += [left + 1, left - 1, left + _FAR, left - _FAR]
    if isinstance(left, list | tuple):
        others += [left[1:], left * 2]
    if isinstance(right, list | tuple | set | dict):
        others += list(right)[:1]
    return [*others, right]


class _Through(ast.NodeTransformer):
    """Sends what an `assert` (or an `if` before `raise AssertionError`) compares through `compared`."""

    def __init__(self, path: str) -> None:
        self.path = path

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        node.test = self._sent(node.test, f"{self.path}:{node.lineno}")
        return node

    def visit_If(self, node: ast.If) -> ast.If:
        if _raises(node):
            node.test = self._sent(node.test, f"{self.path}:{node.lineno}")
        self.generic_visit(node)
        return node

    def _sent(self, test: ast.expr, key: str) -> ast.expr:
        if isinstance(test, ast.BoolOp):
            test.values = [self._sent(value, key) for value in test.values]
            return test
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test.operand = self._sent(test.operand, key)
            return test
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            words = [ast.Constant(key), ast.Constant(type(test.ops[0]).__name__), test.left, test.comparators[0]]
            return ast.Call(ast.Name("__compared__", ast.Load()), words, [])
        return ast.Call(ast.Name("__truth__", ast.Load()), [ast.Constant(key), test], [])


def _raises(node: ast.If) -> bool:
    last = node.body[-1]
    return (
        isinstance(last, ast.Raise)
        and isinstance(last.exc, ast.Call)
        and isinstance(last.exc.func, ast.Name)
        and last.exc.func.id == "AssertionError"
    )


def comparisons(root: Path, path: Path) -> list[str]:
    """`path:line` of every comparison of a file; a check for the type checker (`is not None`, `isinstance`) is none."""
    name = str(path.relative_to(root))
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Assert | ast.If):
            continue
        typed = re.search(r"isinstance\(|is not None$", ast.unparse(node.test))
        if _raises(node) if isinstance(node, ast.If) else not typed:
            found.append((node.lineno, f"{name}:{node.lineno}"))
    return [key for _, key in sorted(found)]


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        path = Path(self.get_filename(fullname))
        name = str(path.relative_to(ROOT))
        tree = ast.fix_missing_locations(_Through(name).visit(ast.parse(path.read_bytes())))
        return compile(tree, str(path), "exec")


class _Finder(MetaPathFinder):
    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path) if fullname.startswith("tb.") else None
        if spec is not None and spec.origin and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.origin)
        return spec


class _Path(list[Any]):
    """Finders, of which ours stays the first: cocotb puts pytest's before all others."""

    def insert(self, index: Any, item: Any) -> None:
        super().insert(max(1, index), item)


ROOT = Path(__file__).parents[3]
if NOTES in os.environ:
    import builtins

    builtins.__dict__.update({"__compared__": compared, "__truth__": truth})
    sys.meta_path = _Path([_Finder(), *sys.meta_path])
