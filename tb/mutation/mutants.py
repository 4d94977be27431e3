"""Which mistakes can be planted in a source file: one changed operator, number, condition or check each."""

import ast
import hashlib
import itertools
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

AREAS: dict[str, tuple[str, ...]] = {
    "rtl": ("hw/rtl",),
    "spec": ("hw/spec", "hw/gates", "hw/cells"),
    "model": ("model",),
    "bench": ("tb/bench", "tb/npu", "tb/dram_pim", "tb/arithmetic", "tb/system", "tb/gates"),
}
"""Area -> folders; a sample takes as many from each."""

SAMPLE = "tests/data/mutants_sample.json"
"""Seed -> key of a mistake -> its file: the samples that are kept."""

_LEFT_OUT = ("model/cli", "model/report/page", "model/others", "tb/bench/verilator.py")
"""Command lines and pages are words; a mistake there is found by reading."""

_COMPARE = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
}  # fmt: skip
_WORDS = (ast.JoinedStr, ast.Raise, ast.Import, ast.ImportFrom)
_BINARY = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Mod: ast.FloorDiv,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One mistake.

    Parameters
    ----------
    path : str
        File, relative to the checkout.
    line : int
        Line of the file, from 1, on which the changed piece of source begins.
    kind : str
        What was changed, in words.
    before, after : str
        The line of source, and what it says now.
    start, end : int
        Bytes of the file that are replaced.
    text : str
        What replaces them.
    """

    path: str
    line: int
    kind: str
    before: str
    after: str
    start: int
    end: int
    text: str

    @property
    def key(self) -> str:
        """Names the mistake as long as its line stays: digest of path, the line before and the line after."""
        return hashlib.sha256(f"{self.path}\0{self.before}\0{self.after}".encode()).hexdigest()[:12]

    @property
    def area(self) -> str:
        """The area of `AREAS` it lies in."""
        return next(a for a, folders in AREAS.items() if any(self.path.startswith(f + "/") for f in folders))

    def plant(self, root: Path) -> None:
        """Change the file below `root`."""
        path = root / self.path
        source = path.read_bytes()
        path.write_bytes(source[: self.start] + self.text.encode() + source[self.end :])


def sources(root: Path, area: str) -> list[str]:
    """Files of an area, relative to `root`."""
    found = [
        str(path.relative_to(root))
        for folder in AREAS[area]
        for path in (root / folder).rglob("*.py")
        if path.name != "__init__.py"
    ]
    return sorted(name for name in found if not name.startswith(_LEFT_OUT))


def mutants_of(root: Path, path: str) -> list[Mutant]:
    """All mistakes that can be planted in one file."""
    source = (root / path).read_bytes()
    tree = ast.parse(source)
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines = source.decode().splitlines()
    found: dict[str, Mutant] = {}
    for node, kind, text in _changes(tree):
        assert isinstance(node, ast.expr | ast.stmt)
        if node.end_lineno is None or node.end_col_offset is None:
            continue
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        first, rest = starts[node.lineno - 1], source[end : starts[node.end_lineno]]
        after = (source[first:start] + text.encode() + rest).decode()
        mutant = Mutant(
            path=path, line=node.lineno, kind=kind, before=lines[node.lineno - 1].strip(),
            after=after.splitlines()[0].strip(), start=start, end=end, text=text,
        )  # fmt: skip
        found.setdefault(mutant.key, mutant)
    return list(found.values())


def _changes(tree: ast.AST) -> Iterator[tuple[ast.AST, str, str]]:
    """(node, what is changed, its new source) for every mistake."""
    for node in _code(tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARE:
            other = _COMPARE[type(node.ops[0])]()
            yield node, "comparison", ast.unparse(ast.Compare(node.left, [other], node.comparators))
        elif isinstance(node, ast.BinOp) and type(node.op) in _BINARY and not _has_text(node):
            changed = ast.BinOp(node.left, _BINARY[type(node.op)](), node.right)
            yield node, "operator", f"({ast.unparse(changed)})"
        elif isinstance(node, ast.BoolOp):
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield node, "and or or", f"({ast.unparse(ast.BoolOp(other, node.values))})"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert | ast.Not):
            yield node, "negation left out", ast.unparse(node.operand)
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield node, "truth", str(not node.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, int):
            yield node, "number", str(node.value + 1)
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node, "number", repr(node.value * 1.5 + 0.25)
        elif isinstance(node, ast.Assert):
            yield node, "check left out", "pass"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 3:
            if node.func.id == "Mux":
                swapped = ast.Call(node.func, [node.args[0], node.args[2], node.args[1]], node.keywords)
                yield node, "choices swapped", ast.unparse(swapped)
        elif isinstance(node, ast.IfExp):
            yield node, "choices swapped", f"({ast.unparse(ast.IfExp(node.test, node.orelse, node.body))})"


def _has_text(node: ast.BinOp) -> bool:
    """A sum of texts or a path: any other operator fails at once."""
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in ast.walk(node)
    )


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs: not annotations, texts, messages of errors and checks, or what only type checkers see."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "msg", "type_params", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(
                child, ast.JoinedStr | ast.Raise | ast.Import | ast.ImportFrom
            ):
                continue
            if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
                continue
            yield child
            yield from _code(child)


def sample(root: Path, count: int, seed: int, areas: Sequence[str] = tuple(AREAS)) -> list[Mutant]:
    """`count` mistakes, as many from each area and spread over its files; the areas take turns.

    Those of the sample that is kept for this seed (`SAMPLE`) come first: a draw moves with every change of a file, and
    verdicts could never be compared. Where a line of a kept one has changed, newly drawn ones fill the area up.
    """
    kept: dict[str, list[Mutant]] = {area: [] for area in areas}
    for mutant in _kept(root, seed):
        if mutant.area in kept:
            kept[mutant.area].append(mutant)
    known = {mutant.key for mutants in kept.values() for mutant in mutants}
    queues = [
        itertools.chain(kept[area], (m for m in mutants if m.key not in known))
        for area, mutants in zip(areas, _drawn(root, seed, areas), strict=True)
    ]
    turns = (m for turn in itertools.zip_longest(*queues) for m in turn if m is not None)
    return list(itertools.islice((mutant for mutant in turns if _is_python(root, mutant)), count))


def _kept(root: Path, seed: int) -> list[Mutant]:
    """The mistakes of the kept sample whose lines are as they were, in its order."""
    if not (root / SAMPLE).is_file():
        return []
    paths: dict[str, str] = json.loads((root / SAMPLE).read_text()).get(str(seed), {})
    found = {
        mutant.key: mutant
        for path in dict.fromkeys(paths.values())
        if (root / path).is_file()
        for mutant in mutants_of(root, path)
    }
    return [found[key] for key in paths if key in found]


def _drawn(root: Path, seed: int, areas: Sequence[str]) -> Iterator[Iterator[Mutant]]:
    """For each area its mistakes in an order drawn by `seed`; every file gives one before any gives a second."""
    for area in areas:
        source = random.Random(f"{seed} {area}")
        files = sources(root, area)
        source.shuffle(files)
        yield _in_turns(root, files, source)


def _in_turns(root: Path, files: Sequence[str], source: random.Random) -> Iterator[Mutant]:
    each: dict[str, list[Mutant]] = {}
    for turn in itertools.count():
        left = False
        for path in files:
            if path not in each:
                each[path] = mutants_of(root, path)
                random.Random(f"{path} {source.random()}").shuffle(each[path])
            if turn < len(each[path]):
                left = True
                yield each[path][turn]
        if not left:
            return


def _is_python(root: Path, mutant: Mutant) -> bool:
    source = (root / mutant.path).read_bytes()
    try:
        ast.parse(source[: mutant.start] + mutant.text.encode() + source[mutant.end :])
    except SyntaxError:
        return False
    return True
