"""What the tests of the plan of the house count, all from the syntax trees of `hw`, `model` and `tb`."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("hw", "model", "tb")


@dataclass(frozen=True)
class Source:
    """One file: its module name and its tree."""

    module: str
    path: Path
    tree: ast.Module


@cache
def sources(root: Path = ROOT, packages: tuple[str, ...] = PACKAGES) -> dict[str, Source]:
    """Every module of the packages, by name."""
    found = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[module] = Source(module, path, ast.parse(path.read_text()))
    return found


def imports(source: Source, known: set[str]) -> set[str]:
    """Modules of `known` that a file imports anywhere, inside functions too; a package counts as its `__init__`."""
    found = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & known
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= below & known
            if below - known and node.module in known:
                found.add(node.module)
    return found - {source.module}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other, directly or around (strongly connected, more than one)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in sorted(graph.get(module, ())):
            if other not in index:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1:
                found.append(sorted(group))

    for module in sorted(graph):
        if module not in index:
            visit(module)
    return found


def graph() -> dict[str, set[str]]:
    """Module -> modules it imports."""
    known = sources()
    return {module: imports(source, set(known)) for module, source in known.items()}


KIND_ROOMS = (
    "hw.spec",
    "hw.rtl.npu",
    "hw.rtl.dram_pim",
    "hw.rtl.crossbar",
    "hw.rtl.system",
    "model.cycle.npu",
    "model.cycle.dram_pim",
    "model.cycle.crossbar",
    "model.cycle.system",
    "tb.npu",
    "tb.dram_pim",
    "tb.crossbar",
    "tb.system",
    # doors and lowering of one kind that lie in a room of a layer
    "model.energy.npu_prices",
    "model.energy.dram_pim_prices",
    "model.energy.crossbar_prices",
    "model.energy.system_prices",
    "model.functional.hbm_pim",
    "model.lowering.decoder",
)
"""The kinds' own packages and modules, and the descriptions among which the table lies."""


def kind_tests(source: Source) -> Iterator[tuple[int, str]]:
    """Line and text of every question what kind a machine is: `chip.pim` or `.core` as a condition, the dataflow or
    the modes of a device compared, a description's class asked for."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            names = {side.attr for side in sides if isinstance(side, ast.Attribute)}
            none = any(isinstance(side, ast.Constant) and side.value is None for side in sides)
            if (none and (names & {"core"} or _of_chip(sides))) or "dataflow" in names:
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Attribute) and node.attr == "mode_changes":
            yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            classes = {n.id for n in ast.walk(node.args[1]) if isinstance(n, ast.Name)}
            if classes & {"CoreSpec", "PimSpec", "CrossbarSpec", "SystemSpec"}:
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, (ast.If, ast.IfExp, ast.While)):
            test = node.test.operand if isinstance(node.test, ast.UnaryOp) else node.test
            if isinstance(test, ast.Attribute) and (test.attr == "core" or _of_chip([test])):
                yield node.lineno, ast.unparse(node.test)


def _of_chip(sides: list[ast.expr]) -> bool:
    """One of the expressions is the `pim` of a chip (others have an option of that name: a memory beside a card)."""
    found = [side for side in sides if isinstance(side, ast.Attribute) and side.attr == "pim"]
    return any(re.search(r"chip|load\(", ast.unparse(side.value)) for side in found)


def ceiling_divisions(source: Source) -> Iterator[tuple[int, str]]:
    """Line and text of every `-(-a // b)`, `-(-a * c // b)` and `(a + b - 1) // b`: a quotient rounded up by hand."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            left, floors = node.operand, 0
            while isinstance(left, ast.BinOp) and isinstance(left.op, (ast.FloorDiv, ast.Mult)):
                floors += isinstance(left.op, ast.FloorDiv)
                left = left.left
            if floors and isinstance(left, ast.UnaryOp) and isinstance(left.op, ast.USub):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.FloorDiv):
            by = ast.unparse(node.right)
            if re.search(rf"\+ {re.escape(by)} - 1$|\+ \({re.escape(by)} - 1\)$", ast.unparse(node.left)):
                yield node.lineno, ast.unparse(node)


def writes(source: Source) -> Iterator[tuple[int, str]]:
    """Line and text of every call that writes a file or renames one into its place."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        text, plain = ast.unparse(node.func), len(node.args) == 1 and not node.keywords
        name = text.rpartition(".")[2]
        renames = text in ("os.replace", "os.rename", "shutil.move") or (
            isinstance(node.func, ast.Attribute) and name in ("replace", "rename") and plain
        )
        first = 0 if isinstance(node.func, ast.Attribute) and name == "open" else 1
        modes = [*node.args[first : first + 1], *(word.value for word in node.keywords if word.arg == "mode")]
        opens = name in ("open", "fdopen") and any(re.match("[\"']?[wax]", ast.unparse(mode)[:2]) for mode in modes)
        if renames or opens or name in ("write_text", "write_bytes", "mkstemp", "NamedTemporaryFile"):
            yield node.lineno, ast.unparse(node)


def is_dataclass(node: ast.ClassDef) -> bool:
    """Whether a class is a dataclass."""
    return any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)


def undescribed(source: Source) -> Iterator[tuple[str, str]]:
    """(class, field) of every public field of a public dataclass that its docstring does not describe.

    Described: an entry "name : type" with text below, the name in backquotes, or a string right after the field.
    """
    for node in ast.walk(source.tree):
        if not (isinstance(node, ast.ClassDef) and is_dataclass(node)) or node.name.startswith("_"):
            continue
        described = _entries(ast.get_docstring(node) or "")
        for number, item in enumerate(node.body):
            if not (isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)):
                continue
            name = item.target.id
            after = node.body[number + 1] if number + 1 < len(node.body) else None
            told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            meant = isinstance(item.value, ast.Call) and ast.unparse(item.value.func) in ("_fact", "_by_network")
            if name.startswith("_") or "ClassVar" in ast.unparse(item.annotation) or told or meant:
                continue
            if name not in described:
                yield node.name, name


def long_elaborations(source: Source, most: int) -> Iterator[tuple[int, int]]:
    """Line and length of every `elaborate` of more than `most` lines."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef) and node.name == "elaborate" and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            if length > most:
                yield node.lineno, length


def _entries(text: str) -> set[str]:
    """Names that a docstring describes."""
    found, lines = set(), text.splitlines()
    for number, line in enumerate(lines):
        if " : " in line and not line.startswith(" "):
            below = lines[number + 1] if number + 1 < len(lines) else ""
            if below.startswith("    ") and below.strip():
                found |= {name.strip().strip("`") for name in line.split(" : ")[0].split(",")}
    for piece in text.split("`")[1::2]:
        found.add(piece.split("[")[0].split("(")[0].strip())
    return found
