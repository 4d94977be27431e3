"""Which test files can notice a mistake in a module: those that import it, or name it, however far away."""

import ast
from collections import deque
from pathlib import Path


class Related:
    """Imports of every Python file of a checkout."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = {
            ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
            for top in ("hw", "model", "tb", "tests")
            for path in (root / top).rglob("*.py")
        }
        self.needs = {name: self._needs(path) for name, path in self.files.items()}
        for name, path in self.files.items():  # a catalogue loads what lies in it by name
            if path.name == "__init__.py" and "catalog" in path.read_text():
                self.needs[name] |= {other for other in self.files if other.startswith(f"{name}.")}

    def _needs(self, path: Path) -> set[str]:
        """Modules a file imports, or whose dotted name it holds as a text (benches are loaded by name)."""
        found: set[str] = set()
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("tb."):
                found |= {name for name in self.files if name.startswith(node.value) and name.endswith("_tests")}
        return {name for name in found if name in self.files}

    def tests(self, path: str) -> list[str]:
        """Test files that reach the module at `path`, those with the fewest steps and the fewest imports first."""
        goal = ".".join(Path(path).with_suffix("").parts)
        reached = []
        for name in self.files:
            if not name.startswith("tests.test_"):
                continue
            distance, all_of_it = self._distance(name, goal)
            if distance is not None:
                reached.append((distance, all_of_it, name))
        return [name.replace(".", "/") + ".py" for _, _, name in sorted(reached)]

    def _distance(self, start: str, goal: str) -> tuple[int | None, int]:
        """Steps of imports from `start` to `goal`, None if there are none, and how many modules `start` reaches."""
        seen, queue, found = {start: 0}, deque([start]), None
        while queue:
            here = queue.popleft()
            if here == goal:
                found = seen[here]
            for name in self.needs[here]:
                if name not in seen:
                    seen[name] = seen[here] + 1
                    queue.append(name)
        return found, len(seen)
