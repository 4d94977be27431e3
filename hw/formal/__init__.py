"""Proofs about the RTL: one file per claim, each exporting `PROOF`.

A proof's `build` makes a harness around the design under proof with `Assert`, `Assume` and `Cover` inside. It
imports the design itself, so that it can be built once more with a bug planted in its source: a proof that does not
catch its bugs proves nothing.
"""

import importlib
import importlib.util
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from amaranth.hdl import Elaboratable

from hw.base import catalog
from hw.base.error import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A mistake planted in the source of `module`: the only occurrence of `before` becomes `after`.

    Parameters
    ----------
    name : str
        What goes wrong, in a few words.
    module : str
        Dotted name of the module.
    before, after : str
        Text of the source that is replaced, and what it is replaced by.
    """

    name: str
    module: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A claim and how it is proved.

    Parameters
    ----------
    title : str
        The claim, one sentence.
    build : callable
        The harness, a design without ports.
    bounded : int
        Steps from reset in which no assertion may fail.
    inductive : int or None
        Steps of the k-induction that extends the claim to all time; None if it is bounded only.
    cover : int or None
        Steps within which every `Cover` must be reachable: the assumptions leave something to prove.
    bugs : tuple of Bug
        Each must make an assertion fail within `bounded` steps.
    """

    title: str
    build: Callable[[], Elaboratable]
    bounded: int
    inductive: int | None = None
    cover: int | None = None
    bugs: tuple[Bug, ...] = ()


@contextmanager
def planted(bug: Bug | None) -> Iterator[None]:
    """Inside, imports of the design see `bug`; outside, everything is as before.

    Raises `InputError` if the text to replace does not occur exactly once.
    """
    if bug is None:
        yield
        return
    spec = importlib.util.find_spec(bug.module)
    if spec is None or spec.origin is None:
        raise InputError(f"a bug must name a module with a source file, not {bug.module!r}")
    with open(spec.origin, encoding="utf-8") as file:
        source = file.read()
    if source.count(bug.before) != 1:
        raise InputError(
            f"the text a bug replaces must occur once in {bug.module}, not {source.count(bug.before)} times: "
            f"{bug.before}; write the bug anew"
        )
    saved = {
        name: module
        for name, module in sys.modules.items()
        if name == bug.module or name == "hw.rtl" or name.startswith("hw.rtl.")
    }
    parents = {name: importlib.import_module(name) for name in ("hw", bug.module.rpartition(".")[0])}
    attributes = {name: dict(vars(module)) for name, module in parents.items()}
    for name in saved:
        if name != "hw.rtl":
            del sys.modules[name]
    wrong = types.ModuleType(bug.module)
    wrong.__file__, wrong.__package__ = spec.origin, bug.module.rpartition(".")[0]
    sys.modules[bug.module] = wrong
    try:
        exec(compile(source.replace(bug.before, bug.after), spec.origin, "exec"), vars(wrong))
        setattr(parents[wrong.__package__], bug.module.rpartition(".")[2], wrong)
        yield
    finally:
        for name in [n for n in sys.modules if n == bug.module or n.startswith("hw.rtl.")]:
            del sys.modules[name]
        sys.modules.update(saved)
        for name, module in parents.items():
            vars(module).update(attributes[name])


def names() -> list[str]:
    """The names of all proofs."""
    return catalog.names(sys.modules[__name__])


def load(name: str) -> Proof:
    """The proof called `name`; raises `InputError` listing the known ones."""
    return catalog.load(sys.modules[__name__], "PROOF", name, "proof")
