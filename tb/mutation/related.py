"""How near a test file is to a module: it imports it, or names it, or imports what does."""

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
        self._needed_by: dict[str, set[str]] = {}
        for name, needs in self.needs.items():
            for needed in needs:
                self._needed_by.setdefault(needed, set()).add(name)

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

    def distances(self, path: str) -> dict[str, int]:
        """Test file -> steps of imports to the module at `path`, for those that reach it."""
        goal = ".".join(Path(path).with_suffix("").parts)
        steps, queue = {goal: 0}, deque([goal])
        while queue:
            here = queue.popleft()
            for name in self._needed_by.get(here, ()):
                if name not in steps:
                    steps[name] = steps[here] + 1
                    queue.append(name)
        return {
            name.replace(".", "/") + ".py": count for name, count in steps.items() if name.startswith("tests.test_")
        }

    def reaches(self, test: str) -> int:
        """How many modules a test file needs, however far away."""
        start = ".".join(Path(test).with_suffix("").parts)
        seen, queue = {start}, deque([start])
        while queue:
            for name in self.needs[queue.popleft()] - seen:
                seen.add(name)
                queue.append(name)
        return len(seen)
