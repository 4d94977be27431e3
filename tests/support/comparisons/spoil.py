"""Gives every comparison of a bench, and every value it reads from the design, a wrong value once, in a child of the
simulator's process.

Both keep their meaning: a comparison goes through `compared`, which answers as the operator does. The first time the
left side can be spoilt so that the answer changes, the process forks: the child goes on with the wrong answer and ends
with the verdict of the test, the parent waits for it and goes on with the right one. A value that is read has its
lowest bit wrong in the child; then it may also wait for ever, which the limit of the run ends. So one run shows of all
of them that a wrong value fails the bench, however late they come.
"""

import builtins
import os
import signal
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

from tests.support.comparisons.through import compile_through
from tests.support.comparisons.wrong import wrong_answer

NOTES = "KCLOUD_COMPARISONS"
HARMLESS = {"tb/bench/bench.py: Bench.start: handle.value"}
"""Values read from the design that need not be right: whether an input is still unknown before it is driven."""
ROOT = Path(__file__).parents[3]
CHILD_SECONDS = 20.0
"""Processor time a spoilt run is given to end."""
TRIES = 2
"""Times a comparison is spoilt in a run before it is left."""

_done: set[str] = set()
_tries: dict[str, int] = {}
_child = False


def compared(key: str, operators: tuple[str, ...], *values: Any) -> Any:
    """Whether `values` are in the relations `operators`, one between each two."""
    found, wrong = wrong_answer(operators, values)
    return wrong if key not in _done and wrong is not None and _spoilt(key) else found


def truth(key: str, value: Any) -> Any:
    """`value`, which is a check by itself."""
    return (not value) if key not in _done and _spoilt(key) else value


def within(key: str, values: Any, quantifier: str) -> bool:
    """`any` or `all` of `values`; of no values it checks nothing."""
    held = list(values)
    found = any(held) if quantifier == "any" else all(held)
    return not found if key not in _done and held and _spoilt(key) else found


def read(key: str, value: Any) -> Any:
    """`value`, read from the design; a wrong one has another lowest bit."""
    from cocotb.types import Logic, LogicArray

    if (
        key in _done
        or key in HARMLESS
        or not isinstance(value, Logic | LogicArray)
        or not value.is_resolvable
        or not _spoilt(key)
    ):
        return value
    return Logic(int(value) ^ 1) if isinstance(value, Logic) else LogicArray.from_unsigned(int(value) ^ 1, len(value))


def _spoilt(key: str) -> bool:
    """Whether this process is the one to go on with the wrong answer."""
    global _child
    if _child:
        return False
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        verdict = {0: "failed", -signal.SIGPROF: "hung"}.get(os.waitstatus_to_exitcode(status), "passed")
        _tries[key] = _tries.get(key, 0) + 1
        if verdict != "passed" or _tries[key] >= TRIES:
            _done.add(key)
            with open(os.environ[NOTES], "a") as file:
                file.write(f"{verdict} {key}\n")
        return False
    _child = True
    _end_with_the_verdict()
    return True


def _end_with_the_verdict() -> None:
    """Let this process end as soon as cocotb knows of the test: 0 if it failed, 1 if it passed."""
    from cocotb.regression import RegressionManager

    manager: Any = RegressionManager
    manager._record_test_failed = lambda *_, **__: os._exit(0)
    manager._record_test_passed = lambda *_, **__: os._exit(1)
    os.environ["KCLOUD_DATA"] = os.devnull + "/none"  # what the child reports is nobody's
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, CHILD_SECONDS)


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        path = Path(self.get_filename(fullname))
        return compile_through(path, str(path.relative_to(ROOT)))


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


def begin() -> None:
    """Load the benches that are imported from now on with their comparisons sent through."""
    notes = Path(os.environ[NOTES])
    if notes.is_file():  # of the simulators before this one in the same run
        done = (line.split(" ", 1) for line in notes.read_text().splitlines())
        _done.update(key for verdict, key in done if verdict != "passed")
    builtins.__dict__.update({"__compared__": compared, "__truth__": truth, "__within__": within, "__read__": read})
    sys.meta_path = _Path([_Finder(), *sys.meta_path])
