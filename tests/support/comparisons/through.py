"""The comparisons of a bench's source: which there are, and the same source with each of them sent through a function,
and with them each value that is read from the design (`.value`).

A comparison is what an `assert` compares, the condition of an `if` that raises AssertionError, a rule of the AXI
monitor, and what is compared element by element for one of these. Checks for the type checker (`is not None`,
`isinstance`) and the guards before an `or` are none.
"""

import ast
import re
from pathlib import Path
from types import CodeType

ELEMENTWISE = ("argwhere", "flatnonzero", "array_equal")
"""Functions of NumPy that are given a comparison of arrays."""


class _Through(ast.NodeTransformer):
    def __init__(self, path: str) -> None:
        self.path = path
        self.keys, self.reads = list[str](), list[str]()
        self.within: list[str] = []

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._named(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._named(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._named(node)

    def _named(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self.within.append(node.name)
        self.generic_visit(node)
        self.within.pop()
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        node.test = self._sent(node.test)
        node.test = self.visit(node.test)
        return node

    def visit_If(self, node: ast.If) -> ast.If:
        if _raises(node):
            node.test = self._sent(node.test)
        self.generic_visit(node)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        if names == ["wrong"] and isinstance(node.value, ast.Compare):
            node.value = self._sent(node.value)
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        named = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if named == "_rule" and isinstance(node.args[0], ast.BoolOp):
            node.args[0] = _call("truth", self._key(node.args[0]), node.args[0])
        elif named == "_rule" or (named in ELEMENTWISE and isinstance(node.args[0], ast.Compare)):
            node.args[0] = self._sent(node.args[0])
        if named in ("any", "all") and isinstance(node.func, ast.Attribute):
            array = node.func.value
            if isinstance(array, ast.Compare):
                node.func.value = self._sent(array)
        self.generic_visit(node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        if node.attr != "value" or not isinstance(node.ctx, ast.Load):
            return node
        return _call("read", self._key(node, self.reads), node)

    def _sent(self, test: ast.expr) -> ast.expr:
        if isinstance(test, ast.BoolOp):
            if isinstance(test.op, ast.Or):
                test.values[-1] = self._sent(test.values[-1])  # those before it say when it is asked
            else:
                test.values = [self._sent(value) for value in test.values]
            return test
        if re.search(r"^isinstance\(|is not None$", ast.unparse(test)):
            return test
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and not isinstance(test.operand, ast.BoolOp):
            test.operand = self._sent(test.operand)
            return test
        if isinstance(test, ast.Call):
            called = test.func
            if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Compare):
                return self.visit_Call(test)  # of an array: what it is compared with counts
            if isinstance(called, ast.Name) and called.id in ("any", "all"):
                return _call("within", self._key(test), test.args[0], ast.Constant(called.id))
        if isinstance(test, ast.Compare):
            names = ast.Tuple([ast.Constant(type(op).__name__) for op in test.ops], ast.Load())
            return _call("compared", self._key(test), names, test.left, *test.comparators)
        return _call("truth", self._key(test), test)

    def _key(self, test: ast.expr, keys: list[str] | None = None) -> ast.Constant:
        keys = self.keys if keys is None else keys
        key = f"{self.path}: {'.'.join(self.within)}: {ast.unparse(test)}"
        while key in keys:
            key += " again"
        keys.append(key)
        return ast.Constant(key)


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(f"__{name}__", ast.Load()), list(arguments), [])


def _raises(node: ast.If) -> bool:
    last = node.body[-1]
    return (
        isinstance(last, ast.Raise)
        and isinstance(last.exc, ast.Call)
        and isinstance(last.exc.func, ast.Name)
        and last.exc.func.id == "AssertionError"
    )


def through(path: Path, name: str) -> tuple[ast.Module, list[str]]:
    """The file's tree with comparisons and values read sent through, and the comparisons' keys in order.

    A key is `name`, function and text.
    """
    sent = _Through(name)
    tree = ast.fix_missing_locations(sent.visit(ast.parse(path.read_bytes())))
    return tree, sent.keys


def comparisons(root: Path, path: Path) -> list[str]:
    """The keys of every comparison of a file."""
    return through(path, str(path.relative_to(root)))[1]


def compile_through(path: Path, name: str) -> CodeType:
    """The file, compiled with its comparisons and what it reads from the design sent through."""
    return compile(through(path, name)[0], str(path), "exec")
