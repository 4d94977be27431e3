"""Where a mistake shows: the changed expression itself, and for what runs at import, the places that read the result.

A number in a table at the top of a module is computed once, when the module is imported, by whichever test comes
first. What tells the tests apart is who reads the table.
"""

import ast
from dataclasses import dataclass, field
from pathlib import Path

from tb.mutation.mutants import Mutant

MOST = 300
"""A name that is read in more places says nothing about which test depends on it."""


@dataclass(slots=True)
class Points:
    """Where probes go.

    Parameters
    ----------
    spans : dict of str to set of tuple of int
        File, relative to the checkout -> (first byte, byte after the last) of expressions; equal ones mark the start
        of a statement.
    own : tuple of (str, int, int)
        File and span of the changed expression itself.
    at_import : bool
        The changed expression runs once, when its module is imported; `spans` are then the places that read it.
    """

    own: tuple[str, int, int]
    spans: dict[str, set[tuple[int, int]]] = field(default_factory=dict)
    at_import: bool = True

    def add(self, path: str, start: int, end: int) -> None:
        """One more place."""
        self.spans.setdefault(path, set()).add((start, end))


class Uses:
    """Every place of a checkout that reads a name."""

    def __init__(self, root: Path) -> None:
        self._trees: dict[str, ast.Module] = {}
        self._starts: dict[str, list[int]] = {}
        self._reads: dict[str, list[tuple[str, ast.expr, bool, frozenset[str]]]] = {}
        for top in ("hw", "model", "tb"):
            for path in sorted((root / top).rglob("*.py")):
                name = str(path.relative_to(root))
                source = path.read_bytes()
                starts = [0]
                for line in source.splitlines(keepends=True):
                    starts.append(starts[-1] + len(line))
                self._trees[name], self._starts[name] = ast.parse(source), starts
                self._read(name, self._trees[name], inside=False, owners=frozenset())

    def _read(self, path: str, node: ast.AST, *, inside: bool, owners: frozenset[str]) -> None:
        """List what is read below `node`: by name, whether a function's body does it, and what it is computed into."""
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            word = node.id if isinstance(node, ast.Name) else node.attr
            self._reads.setdefault(word, []).append((path, node, inside, owners))
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "type_params", "decorator_list", "bases", "pattern"):
                continue
            below = inside or (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and name == "body")
            for child in value if isinstance(value, list) else [value]:
                if not isinstance(child, ast.AST) or isinstance(
                    child, ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Raise
                ):
                    continue
                self._read(path, child, inside=below, owners=owners if below else owners | _targets(child))

    def points(self, mutant: Mutant) -> Points:
        """Where probes for a mistake go."""
        end = mutant.start if mutant.text == "pass" else mutant.end
        found = Points(own=(mutant.path, mutant.start, end))
        names: set[str] = set()
        for node in self._around(self._trees[mutant.path], mutant):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                parameter = self._parameter(node, mutant)
                if parameter is None:
                    found.at_import = False
                    return found
                body = node.body if isinstance(node.body, list) else [node.body]
                for read in (n for part in body for n in ast.walk(part)):
                    if isinstance(read, ast.Name) and read.id == parameter and isinstance(read.ctx, ast.Load):
                        found.add(mutant.path, *self._span(mutant.path, read))
                return found
            names |= _targets(node)
        self._follow(mutant.path, names, found)
        return found

    def _follow(self, path: str, names: set[str], found: Points) -> None:
        """Add what reads `names`, and what reads those that are computed from them at import."""
        waiting, seen = sorted(names), set(names)
        while waiting:
            reads = self._reads.get(waiting.pop(), [])
            if len(reads) > MOST:
                continue
            for where, node, inside, owners in reads:
                if inside:
                    found.add(where, *self._span(where, node))
                waiting.extend(owners - seen)
                seen |= owners

    def _around(self, tree: ast.AST, mutant: Mutant) -> list[ast.AST]:
        """Nodes that hold the mistake, the outermost first, functions only up to the first."""
        chain: list[ast.AST] = []
        node: ast.AST | None = tree
        while node is not None:
            node = next((child for child in ast.iter_child_nodes(node) if self._holds(child, mutant)), None)
            if node is not None:
                chain.append(node)
        return chain

    def _holds(self, node: ast.AST, mutant: Mutant) -> bool:
        if isinstance(node, ast.arguments):
            return any(self._holds(child, mutant) for child in ast.iter_child_nodes(node))
        if not isinstance(node, ast.expr | ast.stmt | ast.keyword | ast.arg | ast.match_case | ast.excepthandler):
            parts = list(ast.iter_child_nodes(node))
            return any(self._holds(child, mutant) for child in parts)
        if isinstance(node, ast.match_case):
            return any(self._holds(child, mutant) for child in ast.iter_child_nodes(node))
        start, end = self._span(mutant.path, node)
        return start <= mutant.start and mutant.end <= end

    def _span(self, path: str, node: ast.AST) -> tuple[int, int]:
        starts = self._starts[path]
        first, last = node.lineno, node.end_lineno  # type: ignore[attr-defined]
        return starts[first - 1] + node.col_offset, starts[last - 1] + node.end_col_offset  # type: ignore[attr-defined]

    def _parameter(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, mutant: Mutant) -> str | None:
        """The parameter whose default the mistake lies in; None if it lies in the body."""
        places = [*node.args.posonlyargs, *node.args.args]
        pairs = [
            *zip(places[len(places) - len(node.args.defaults) :], node.args.defaults, strict=True),
            *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
        ]
        for argument, default in pairs:
            if default is not None and self._holds(default, mutant):
                return argument.arg
        return None


def _targets(node: ast.AST) -> frozenset[str]:
    """Names that a statement at the top of a module or class gives a value."""
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    else:
        return frozenset()
    return frozenset(n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))


def probed(source: bytes, spans: dict[tuple[int, int], list[str]]) -> bytes:
    """`source` with a call of `probe.reached` at each span, and its import.

    A span that cannot take one (a pattern of a match statement) is left out.
    """
    tree = ast.parse(source)
    body = [n for n in tree.body if not (isinstance(n, ast.ImportFrom) and n.module == "__future__")]
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    line = len(source.splitlines())
    if body:
        line = min(n.lineno for n in (body[0], *getattr(body[0], "decorator_list", ()))) - 1
    kept = spans if _parses(_insert(source, spans)) else {
        span: keys for span, keys in spans.items() if _parses(_insert(source, {span: keys}))
    }  # fmt: skip
    lines = _insert(source, kept).splitlines(keepends=True)
    lines.insert(line, b"from tb.mutation.probe import reached as _reached\n")
    return b"".join(lines)


def _insert(source: bytes, spans: dict[tuple[int, int], list[str]]) -> bytes:
    pieces: list[tuple[int, int, int, bytes]] = []
    for (start, end), keys in spans.items():
        call = f"_reached({', '.join(map(repr, keys))})".encode()
        if start == end:
            pieces.append((start, 1, 0, call + b"; "))
        else:  # outer opens first, inner closes first
            pieces.append((start, 1, -end, b"(" + call + b", ("))
            pieces.append((end, 0, -start, b"))[1]"))
    for at, _, _, text in sorted(pieces, reverse=True):
        source = source[:at] + text + source[at:]
    return source


def _parses(source: bytes) -> bool:
    try:
        compile(source, "probed", "exec")
    except SyntaxError:
        return False
    return True
