"""Which test files can notice a mistake in a module: those that import it, or name it, however far away."""

import ast
from collections import deque
from pathlib import Path


class Related:
    """Imports of every Python file of a checkout."""

    def __init__(self, root: Path) -> None:
        self.root, self._tests = root, root / "tests"
        self.files = {
            ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
            for top in ("hw", "model", "tb", "tests")
            for path in (root / top).rglob("*.py")
        }
        self._verbs: dict[str, set[str]] = {}
        for name in self.files:
            if name.startswith(("model.cli.", "tb.cli.")):
                self._verbs.setdefault(name.rpartition(".")[2], set()).add(name)
        self.needs = {name: self._needs(path) for name, path in self.files.items()}
        for name, path in self.files.items():  # a catalogue loads what lies in a package by name
            source = path.read_text()
            if name.startswith("tests.") or not ("catalog." in source or "import_module(f" in source):
                continue
            packages = {name} if path.name == "__init__.py" else {n for n in self.needs[name] if self._is_package(n)}
            packages -= {"hw", "model", "tb"}
            self.needs[name] |= {other for other in self.files if other.startswith(tuple(f"{p}." for p in packages))}

    def _is_package(self, name: str) -> bool:
        return self.files[name].name == "__init__.py"

    def _needs(self, path: Path) -> set[str]:
        """Modules a file imports, or whose dotted name it holds as a text (benches are loaded by name);
        a test also needs the verb whose name it holds as a text."""
        found: set[str] = set()
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("tb."):
                found |= {name for name in self.files if name.startswith(node.value) and name.endswith("_tests")}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in self.files:
                found.add(node.value)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and path.is_relative_to(self._tests):
                found |= self._verbs.get(node.value, set())
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
