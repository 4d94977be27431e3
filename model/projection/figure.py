"""Figures that know where they come from: a formula over other figures, down to records and facts.

A figure is a node of an expression graph. The formula shown to a reader is rendered from the same graph that
computes the number, so the two cannot differ. Values may be NumPy arrays: one evaluation prices 10,000 samples.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Union

import numpy as np

from hw.base.error import InputError
from hw.spec.fact import Confidence, Fact
from model.record import Measurement

Operand = Union["Figure", int, float]
Values = Mapping[str, np.ndarray | float]

_RANK: tuple[Confidence, ...] = ("measured", "vendor", "press", "secondary", "inferred", "assumed")
_FUNCTIONS = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "ceil": np.ceil,
    "min": np.minimum,
    "max": np.maximum,
    "power": np.power,
}
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordValue:
    """A number read from a record, and which record that is.

    Parameters
    ----------
    value : float
        The number as recorded, or the sum of several.
    measurement : Measurement
        The record it was read from.
    field : str
        Where in the result it stands, for example "cycles", "figures.macs" or "layers.*.bytes" (a sum over the layers).
    """

    value: float
    measurement: Measurement
    field: str

    @property
    def origin(self) -> str:
        """The record in one line: run, digests, commit."""
        result, origin = self.measurement.result, self.measurement.origin
        return (
            f"record {result.chip}/{result.workload}.{result.seed}.{result.witness}.json: {self.field}; "
            f"chip {result.chip_digest}, workload {result.workload_digest}, seed {result.seed}, "
            f"commit {origin.commit[:12]}"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figure:
    """A quantity: a fact, a number of a record, a constant, or an operation on other figures.

    Figures are combined with + - * / and `ceil`, `smaller`, `larger`, `power`, `total`; `named` gives the result a
    name, a unit and a note, and makes it a node of its own in `explain`.

    Parameters
    ----------
    name : str
        Name under which it is shown and explained; "" for a step inside a formula.
    unit : str
        For example "W" or "tokens/s"; "1" for a ratio. Operations do not derive it: `named` sets it.
    note : str
        A few words on what the figure covers; may be "".
    operation : str
        "+", "-", "*", "/", "ceil", "min", "max" or "power"; "" for a leaf.
    operands : tuple of Figure
        What the operation is applied to, in order; empty for a leaf.
    fact : Fact or None
        Origin of a leaf that is a fact; only such leaves can vary.
    record : RecordValue or None
        Origin of a leaf that was read from a record.
    constant : float or None
        Value of a leaf that is a constant of a formula.
    """

    name: str = ""
    unit: str = "1"
    note: str = ""
    operation: str = ""
    operands: tuple["Figure", ...] = ()
    fact: Fact | None = None
    record: RecordValue | None = None
    constant: float | None = None

    def __add__(self, other: Operand) -> "Figure":
        return _apply("+", self, other)

    def __radd__(self, other: Operand) -> "Figure":
        return _apply("+", other, self)

    def __sub__(self, other: Operand) -> "Figure":
        return _apply("-", self, other)

    def __rsub__(self, other: Operand) -> "Figure":
        return _apply("-", other, self)

    def __mul__(self, other: Operand) -> "Figure":
        return _apply("*", self, other)

    def __rmul__(self, other: Operand) -> "Figure":
        return _apply("*", other, self)

    def __truediv__(self, other: Operand) -> "Figure":
        return _apply("/", self, other)

    def __rtruediv__(self, other: Operand) -> "Figure":
        return _apply("/", other, self)

    def named(self, name: str, unit: str, note: str = "") -> "Figure":
        """The same quantity under a name of its own."""
        return replace(self, name=name, unit=unit, note=note)

    @property
    def is_leaf(self) -> bool:
        """True for facts, record values and constants."""
        return not self.operation

    @property
    def varies(self) -> bool:
        """True for a fact whose low and high differ."""
        return self.fact is not None and self.fact.minimum < self.fact.maximum

    @property
    def nominal(self) -> float:
        """The value with every input at its nominal."""
        return float(evaluate([self], {})[0])

    @property
    def inputs(self) -> tuple["Figure", ...]:
        """The named figures and leaves this one is computed from directly; constants left out."""
        found: dict[int, Figure] = {}

        def collect(figure: Figure) -> None:
            for operand in figure.operands:
                if operand.name:
                    found.setdefault(id(operand), operand)
                else:
                    collect(operand)

        collect(self)
        return tuple(found.values())

    @property
    def formula(self) -> str:
        """The formula over the names of the inputs; the origin for a leaf."""
        if self.fact is not None:
            return f"{self.fact.confidence}: {self.fact.source}" + (f" ({self.fact.note})" if self.fact.note else "")
        if self.record is not None:
            return self.record.origin
        if self.constant is not None:
            return f"{self.constant:.10g}"
        return _render(self, 0, top=True)

    @property
    def confidence(self) -> Confidence:
        """The weakest confidence among the leaves; an RTL record counts as measured, a model's as inferred."""
        worst = 0
        for leaf in self.leaves():
            if leaf.fact is not None:
                worst = max(worst, _RANK.index(leaf.fact.confidence))
            elif leaf.record is not None and leaf.record.measurement.result.witness == "model":
                worst = max(worst, _RANK.index("inferred"))
        return _RANK[worst]

    def leaves(self) -> Iterator["Figure"]:
        """Every fact and record value below, each once; constants left out."""
        seen: set[int] = set()
        stack: list[Figure] = [self]
        while stack:
            figure = stack.pop()
            if id(figure) in seen:
                continue
            seen.add(id(figure))
            if figure.fact is not None or figure.record is not None:
                yield figure
            stack.extend(reversed(figure.operands))


def from_fact(name: str, fact: Fact) -> Figure:
    """A figure that is a fact. Equal names mean the same quantity: it varies once, wherever it is used."""
    return Figure(name=name, unit=fact.unit, fact=fact, note=fact.note)


def from_record(name: str, unit: str, measurement: Measurement, field: str) -> Figure:
    """A figure read from a record: `field` is "cycles", "figures.macs", "counts.mac_array.mac", "layers.3.macs",
    "layers.*.bytes" for the sum over the layers.

    `InputError` naming figure and record if the record has no such number or did not pass.
    """
    result = measurement.result
    if result.verdict != "pass":
        raise InputError(f"figure {name} needs a record that passed, not {result.run} ({result.failure}); run again")
    head, _, key = field.partition(".")
    source = getattr(result, head, None)
    if head == "layers" and key:
        index, _, key = key.partition(".")
        if index != "*":
            source = result.layers[int(index)]
        elif result.layers and all(key in layer for layer in result.layers):
            source = {key: sum(layer[key] for layer in result.layers)}
    value = source.get(key) if key and isinstance(source, Mapping) else source
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"figure {name} needs {field} of record {result.run}, which is not there; run it again")
    return Figure(name=name, unit=unit, record=RecordValue(value=value, measurement=measurement, field=field))


def from_range(name: str, unit: str, measurement: Measurement, field: str) -> Figure:
    """A number of a record times its range: `field` with "_low" and "_high" are in the record beside it.

    The range varies as one input of its own, `name` + ".range", around 1. `InputError` if one of the three lacks.
    """
    return from_record(name, unit, measurement, field) * spread_of(name, unit, measurement, field)


def spread_of(name: str, unit: str, measurement: Measurement, field: str) -> Figure:
    """The range of a record's number as a factor around 1, an input of its own called `name` + ".range"."""
    nominal, low, high = (
        figure.record.value
        for end in ("", "_low", "_high")
        if (figure := from_record(name + end, unit, measurement, field + end)).record is not None
    )
    if nominal <= 0:
        raise InputError(f"figure {name} needs {field} of record {measurement.result.run} above 0, not {nominal:g}")
    return varied(
        f"{name}.range",
        min(1.0, low / nominal),
        max(1.0, high / nominal),
        f"range of record {measurement.result.run}: what nobody published about the chip",
    )


def varied(name: str, low: float, high: float, why: str) -> Figure:
    """A factor around 1 that varies as an input of its own."""
    return from_fact(name, Fact(nominal=1.0, low=low, high=high, unit="1", confidence="inferred", source=why))


def number(value: float) -> Figure:
    """A constant of a formula: a unit conversion or a definition, never an estimate."""
    return Figure(constant=float(value))


def ceil(figure: Figure) -> Figure:
    """The next integer."""
    return _apply("ceil", figure)


def smaller(a: Operand, b: Operand) -> Figure:
    """The smaller of two."""
    return _apply("min", a, b)


def larger(a: Operand, b: Operand) -> Figure:
    """The larger of two."""
    return _apply("max", a, b)


def power(base: Operand, exponent: Operand) -> Figure:
    """`base` to the power of `exponent`."""
    return _apply("power", base, exponent)


def total(figures: Sequence[Figure]) -> Figure:
    """The sum of at least one figure."""
    if not figures:
        raise InputError("a total must have at least one term, not none")
    result = figures[0]
    for figure in figures[1:]:
        result = result + figure
    # A sum of one is still a formula of its own, so that naming it does not rename its term.
    return result if len(figures) > 1 else result + 0


def evaluate(figures: Sequence[Figure], values: Values) -> list[np.ndarray]:
    """The figures' values, with the leaves named in `values` set to those arrays and the rest at nominal."""
    known: dict[int, np.ndarray] = {}
    for figure in figures:
        stack = [figure]
        while stack:
            node = stack[-1]
            if id(node) in known:
                stack.pop()
                continue
            waiting = [operand for operand in node.operands if id(operand) not in known]
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            known[id(node)] = _value(node, [known[id(operand)] for operand in node.operands], values)
    return [known[id(figure)] for figure in figures]


def _value(node: Figure, operands: list[np.ndarray], values: Values) -> np.ndarray:
    if node.operation:
        return np.asarray(_FUNCTIONS[node.operation](*operands))
    if node.fact is not None:
        return np.asarray(values.get(node.name, node.fact.nominal), dtype=float)
    if node.record is not None:
        return np.asarray(float(node.record.value))
    if node.constant is not None:
        return np.asarray(node.constant)
    raise InputError(f"figure {node.name or 'without a name'} must have an origin, not none; give a fact or a record")


def _apply(operation: str, *operands: Operand) -> Figure:
    return Figure(operation=operation, operands=tuple(o if isinstance(o, Figure) else number(o) for o in operands))


def _render(figure: Figure, strength: int, *, top: bool = False) -> str:
    if figure.name and not top:
        return figure.name
    if figure.is_leaf:
        return figure.formula
    own = _STRENGTH.get(figure.operation)
    if own is None:
        return f"{figure.operation}({', '.join(_render(o, 0) for o in figure.operands)})"
    left, right = figure.operands
    # The right side of - and / needs brackets at equal strength.
    text = f"{_render(left, own)} {figure.operation} {_render(right, own + (figure.operation in '-/'))}"
    return f"({text})" if own < strength else text
