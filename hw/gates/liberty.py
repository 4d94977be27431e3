"""Reads Liberty: the part of it that synthesis checks, timing and power need.

Everything is brought to one set of units: ns, fF, fJ, nW, um2. A library that does not say its units, or a
cell that lacks power tables, cannot price anything and is refused.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw.cells.boolean import Expression, parse
from hw.spec.error import InputError

_TIME_NS = {"1ps": 1e-3, "10ps": 1e-2, "100ps": 0.1, "1ns": 1.0}
_LEAKAGE_NW = {"1pw": 1e-3, "1nw": 1.0, "1uw": 1e3, "1mw": 1e6}
_CAPACITANCE_FF = {"ff": 1.0, "pf": 1e3}


@dataclass(slots=True)
class Group:
    """One Liberty group: ``kind (names) { attributes; groups }``."""

    kind: str
    names: list[str]
    attributes: dict[str, list[str]] = field(default_factory=dict)
    groups: list["Group"] = field(default_factory=list)

    def all(self, kind: str) -> Iterator["Group"]:
        """The inner groups of one kind."""
        return (g for g in self.groups if g.kind == kind)

    def get(self, name: str, default: str = "") -> str:
        """The value of a simple attribute."""
        return self.attributes.get(name, [default])[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A value by input slew (ns) and output load (fF), linear between points and beyond the edges."""

    slews_ns: NDArray[np.float64]
    loads_ff: NDArray[np.float64]
    values: NDArray[np.float64]

    def at(self, slew_ns: float, load_ff: float) -> float:
        """The table at one point."""
        i, u = _locate(self.slews_ns, slew_ns)
        j, v = _locate(self.loads_ff, load_ff)
        corner = self.values[i : i + 2, j : j + 2]
        rows = corner[0] if corner.shape[0] == 1 else corner[0] * (1 - u) + corner[1] * u
        return float(rows[0] if rows.shape[0] == 1 else rows[0] * (1 - v) + rows[1] * v)


def _locate(axis: NDArray[np.float64], x: float) -> tuple[int, float]:
    if axis.size < 2:
        return 0, 0.0
    i = int(np.clip(np.searchsorted(axis, x) - 1, 0, axis.size - 2))
    return i, float((x - axis[i]) / (axis[i + 1] - axis[i]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Arc:
    """Delay from one input pin to one output pin, by the output's edge ("rise", "fall")."""

    input: str
    output: str
    sense: str
    clocked: bool
    delay: dict[str, Table]
    slew: dict[str, Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """Internal energy of an edge of `pin`: fJ by edge. `related` empty: the pin's own edge alone."""

    pin: str
    related: tuple[str, ...]
    when: str
    energy: dict[str, Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryCell:
    """One characterised cell."""

    name: str
    area_um2: float
    leakage_nw: float
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    capacitance_ff: dict[str, float]
    functions: dict[str, Expression]
    function_texts: dict[str, str]
    arcs: tuple[Arc, ...]
    powers: tuple[Power, ...]
    setup_ns: float
    clock: str | None
    data: str | None
    inverted_output: frozenset[str]

    @property
    def sequential(self) -> bool:
        """Whether the cell is a flip-flop."""
        return self.clock is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A characterised library and the digest of its file."""

    name: str
    path: Path
    digest: str
    voltage_v: float
    node_nm: int
    cells: dict[str, LibraryCell]

    def cell(self, name: str) -> LibraryCell:
        """The cell called `name`; raises `InputError` if the library does not have it."""
        if name not in self.cells:
            raise InputError(f"a netlist must use cells of its library, but {name!r} is not in {self.path.name}; "
                             f"synthesise it again with this library")
        return self.cells[name]


def read(path: Path) -> Library:
    """The library in `path`; raises `InputError` on unknown units, missing power tables or broken syntax."""
    if not path.is_file():
        raise InputError(f"a Liberty file must exist, but {path} does not; run `make cells` or correct the path")
    text = path.read_text()
    top = _parse(text, path)
    time = _unit(path, "time_unit", top.get("time_unit").strip('"').lower().replace(" ", ""), _TIME_NS)
    leakage = _unit(path, "leakage_power_unit", top.get("leakage_power_unit", "1nW").lower(), _LEAKAGE_NW)
    size, unit = (top.attributes.get("capacitive_load_unit") or ["", ""])[:2]
    load = _unit(path, "capacitive_load_unit", unit.lower(), _CAPACITANCE_FF) * float(size)
    voltage_unit = top.get("voltage_unit").lower()
    if voltage_unit != "1v":
        raise InputError(f"{path.name} must give voltage_unit as 1V, not {voltage_unit or 'nothing'!r}; correct it")
    scale = {"time": time, "load": load, "leakage": leakage}
    templates = {g.names[0]: g for kind in ("lu_table_template", "power_lut_template") for g in top.all(kind)}
    voltage = float(top.get("nom_voltage", "1.0"))
    cells = [_cell(g, templates, scale, path) for g in top.all("cell")]
    if not cells:
        raise InputError(f"a Liberty file must hold cells, but {path.name} has none; check the file")
    name = top.names[0] if top.names else path.stem
    return Library(
        name=name, path=path, digest=hashlib.sha256(text.encode()).hexdigest()[:16], voltage_v=voltage,
        node_nm=180 if "osu018" in name else 45, cells={c.name: c for c in cells},
    )


def _unit(path: Path, attribute: str, value: str, known: dict[str, float]) -> float:
    if value not in known:
        raise InputError(f"{path.name} must give {attribute} as one of {', '.join(known)}, not {value or 'nothing'!r}; "
                         f"add the unit to the file")
    return known[value]


def _cell(g: Group, templates: dict[str, Group], scale: dict[str, float], path: Path) -> LibraryCell:
    name = g.names[0]
    pins = list(g.all("pin"))
    flop = next(g.all("ff"), None)
    state = flop.names if flop else []
    inputs = tuple(p.names[0] for p in pins if p.get("direction") == "input")
    outputs = tuple(p.names[0] for p in pins if p.get("direction") == "output")
    powers, arcs, setup = [], [], 0.0
    functions, texts, inverted = {}, {}, set()
    for pin in pins:
        own = pin.names[0]
        for power in pin.all("internal_power"):
            powers.append(Power(pin=own, related=tuple(power.get("related_pin").split()), when=power.get("when"),
                                energy=_tables(power, ("rise_power", "fall_power"), templates, scale, scale["load"])))
        text = pin.get("function")
        if own in outputs and text:
            texts[own] = text
            if flop:
                if text.strip("() ") == (state[1] if len(state) > 1 else ""):
                    inverted.add(own)
            else:
                functions[own] = parse(text)
        for timing in pin.all("timing"):
            kind = timing.get("timing_type", "combinational")
            if kind.startswith("setup"):
                tables = _tables(timing, ("rise_constraint", "fall_constraint"), templates, scale, scale["time"])
                setup = max([setup, *(float(np.median(t.values)) for t in tables.values())])
            elif kind in ("combinational", "rising_edge", "falling_edge") and timing.get("related_pin"):
                for related in timing.get("related_pin").split():
                    arcs.append(Arc(
                        input=related, output=own, sense=timing.get("timing_sense", "non_unate"),
                        clocked=kind != "combinational",
                        delay=_tables(timing, ("cell_rise", "cell_fall"), templates, scale, scale["time"]),
                        slew=_tables(timing, ("rise_transition", "fall_transition"), templates, scale,
                                     scale["time"]),
                    ))
    if outputs and texts and not any(p.pin in outputs and p.energy for p in powers):
        raise InputError(f"every cell must have internal_power tables on its output, but cell {name} of {path.name} "
                         f"has none; characterise it again")
    states = [float(s.get("value", "0")) for s in g.all("leakage_power")]
    leak = float(g.get("cell_leakage_power", "0")) or (sum(states) / len(states) if states else 0.0)
    clock = (flop.get("clocked_on").strip("() ") or None) if flop else None
    return LibraryCell(
        name=name, area_um2=float(g.get("area", "0")), leakage_nw=leak * scale["leakage"], inputs=inputs,
        outputs=outputs, capacitance_ff={p.names[0]: float(p.get("capacitance", "0")) * scale["load"] for p in pins},
        functions=functions, function_texts=texts, arcs=tuple(arcs), powers=tuple(powers), setup_ns=setup,
        clock=clock, data=flop.get("next_state").strip("() ") if flop else None,
        inverted_output=frozenset(inverted),
    )


def _tables(
    g: Group, kinds: tuple[str, str], templates: dict[str, Group], scale: dict[str, float], unit: float
) -> dict[str, Table]:
    """The rise and fall tables of a timing or power group, as {"rise": .., "fall": ..}."""
    found: dict[str, Table] = {}
    for edge, kind in zip(("rise", "fall"), kinds, strict=True):
        table = next(g.all(kind), None)
        if table is not None:
            found[edge] = _table(table, templates, scale, unit)
    # One table for both edges.
    common = next(g.all("power"), None)
    if common is not None:
        table = _table(common, templates, scale, unit)
        found = {"rise": table, "fall": table}
    return found


def _table(g: Group, templates: dict[str, Group], scale: dict[str, float], unit: float) -> Table:
    template = templates.get(g.names[0] if g.names else "")
    rows = [[float(x) for x in re.split(r"[,\s]+", row.strip()) if x] for row in g.attributes["values"]]
    values = np.array(rows) * unit
    axes: dict[str, NDArray[np.float64]] = {}
    for number in (1, 2):
        text = g.get(f"index_{number}") or (template.get(f"index_{number}") if template else "")
        variable = template.get(f"variable_{number}") if template else ""
        if text and variable:
            kind = "load" if "capacitance" in variable else "time"
            axes.setdefault(kind if kind not in axes else "other", np.array(
                [float(x) for x in re.split(r"[,\s]+", text.strip()) if x]) * scale[kind])
            if number == 1 and kind == "load" and values.ndim == 2 and values.shape[0] > 1:
                values = values.T
    zero = np.zeros(1)
    if "time" not in axes and "load" in axes:
        values = values.reshape(1, -1)
    elif "load" not in axes and "other" not in axes:
        values = values.reshape(-1, 1)
    return Table(slews_ns=axes.get("time", zero), loads_ff=axes.get("load", axes.get("other", zero)), values=values)


_TOKEN = re.compile(r'\s+|/\*.*?\*/|//[^\n]*|\\\s*\n|"(?:[^"\\]|\\.)*"|'
                    r'[A-Za-z0-9_.+\-*!\'&|^\[\]:/]+|[(){};,=]', re.DOTALL)


def _tokens(text: str, path: Path) -> list[str]:
    found, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            line = text.count("\n", 0, position) + 1
            raise InputError(f"{path.name} must be Liberty, but line {line} has {text[position]!r}; correct the file")
        token = match.group(0)
        if not token[0].isspace() and not token.startswith(("/*", "//", "\\")):
            found.append(token)
        position = match.end()
    return found


def _parse(text: str, path: Path) -> Group:
    # A colon separates a simple attribute from its value and never occurs in one.
    tokens = _tokens(text.replace(":", " : "), path)
    if len(tokens) < 4 or tokens[0] != "library":
        raise InputError(f"a Liberty file must begin with a library group, but {path.name} does not; check the file")
    group, end = _group(tokens, 0, path)
    if end < len(tokens):
        raise InputError(f"a Liberty file must be one library group, but {path.name} goes on after it; correct it")
    return group


def _group(tokens: list[str], at: int, path: Path) -> tuple[Group, int]:
    kind, names, at = tokens[at], [], at + 2
    while tokens[at] != ")":
        if tokens[at] != ",":
            names.append(tokens[at].strip('"'))
        at += 1
    at += 1
    if at < len(tokens) and tokens[at] == "{":
        return _body(Group(kind, names), tokens, at + 1, path)
    group = Group(kind, names)
    group.attributes["()"] = names
    return group, at + (1 if at < len(tokens) and tokens[at] == ";" else 0)


def _body(group: Group, tokens: list[str], at: int, path: Path) -> tuple[Group, int]:
    try:
        while tokens[at] != "}":
            if tokens[at] == ";":
                at += 1
            elif tokens[at + 1] == ":":
                end = at + 2
                while tokens[end] not in (";", "}") and (end == at + 2 or tokens[end + 1] != ":"):
                    end += 1
                group.attributes[tokens[at]] = [_plain(tokens[at + 2 : end])]
                at = end
            elif tokens[at + 1] == "(":
                inner, at = _group(tokens, at, path)
                if "()" in inner.attributes:
                    group.attributes[inner.kind] = inner.names
                else:
                    group.groups.append(inner)
            else:
                raise InputError(f"{path.name} must be Liberty, but {tokens[at]!r} is followed by {tokens[at + 1]!r}; "
                                 f"correct the file")
    except IndexError:
        raise InputError(f"{path.name} must close its groups, but ends inside {group.kind}; restore the file") from None
    return group, at + 1


def _plain(tokens: list[str]) -> Any:
    return " ".join(tokens).strip('"')
