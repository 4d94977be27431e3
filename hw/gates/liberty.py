"""Reads Liberty: the part of it that synthesis checks, timing and power need.

Everything is brought to one set of units: ns, fF, fJ, nW, um2. A library that does not say its units, or a
cell that lacks power tables, cannot price anything and is refused.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hw.base.error import InputError
from hw.cells.boolean import Expression, parse
from hw.gates import liberty_text
from hw.gates.liberty_text import Group

_TIME_NS = {"1ps": 1e-3, "10ps": 1e-2, "100ps": 0.1, "1ns": 1.0}
_LEAKAGE_NW = {"1pw": 1e-3, "1nw": 1.0, "1uw": 1e3, "1mw": 1e6}
_CAPACITANCE_FF = {"ff": 1.0, "pf": 1e3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A value by input slew (ns) and output load (fF), linear between points and beyond the edges.

    Parameters
    ----------
    slews_ns : array of float, (slews,)
        Input slews, ascending, ns; a single 0 if the value does not depend on the slew.
    loads_ff : array of float, (loads,)
        Output loads, ascending, fF; a single 0 if the value does not depend on the load. For a table over two times (a
        set-up constraint) the second of them, in ns.
    values : array of float, (slews, loads)
        Times in ns or energies in fJ.
    """

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
    """Delay from one input pin to one output pin, by the output's edge ("rise", "fall").

    Parameters
    ----------
    input : str
        Pin from which the edge comes; the clock pin of a flip-flop.
    output : str
        Pin that moves.
    sense : str
        "positive_unate", "negative_unate" or "non_unate": whether the output moves as the input, against it, or either
        way; "non_unate" if the file does not say.
    clocked : bool
        True from a clock edge, False through combinational logic.
    delay : dict of str to Table
        By the output's edge, ns.
    slew : dict of str to Table
        Of the output, by its edge, ns, between the two levels at which the library measures slews.
    """

    input: str
    output: str
    sense: str
    clocked: bool
    delay: dict[str, Table]
    slew: dict[str, Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """Internal energy of an edge of `pin`: fJ by edge. `related` empty: the pin's own edge alone.

    Parameters
    ----------
    when : str
        State of the other pins for which it holds, in Liberty's syntax; empty for any state.
    energy : dict of str to Table
        By the edge of `pin`, "rise" or "fall", fJ.
    """

    pin: str
    related: tuple[str, ...]
    when: str
    energy: dict[str, Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryCell:
    """One characterised cell.

    Parameters
    ----------
    name : str
        As netlists call it.
    area_um2 : float
        Cell area, um2; 0 if the file gives none.
    leakage_nw : float
        The cell's own figure, or the mean over the states listed if it has none or 0; nW.
    inputs, outputs : tuple of str
        Pin names in the order of the file; the clock pin is among the inputs.
    capacitance_ff : dict of str to float
        By pin, fF; 0 where the file gives none, as for outputs.
    functions : dict of str to Expression
        Output pin to its function of the input pins; empty for a flip-flop.
    function_texts : dict of str to str
        Output pin to its function as the file writes it; for a flip-flop the name of a state variable.
    arcs : tuple of Arc
        Every delay of the cell, also from clock to output.
    powers : tuple of Power
        Internal energy tables of all pins.
    setup_ns : float
        How long before the clock edge data must stand, ns: the median of each set-up table, the largest of them. 0
        without such a table.
    clock : str or None
        Clock pin; None if the cell is no flip-flop.
    data : str or None
        What a flip-flop takes at the clock edge: its data pin; None if the cell is none.
    inverted_output : frozenset of str
        Output pins of a flip-flop that show the inverse of what it holds.
    """

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
    """A characterised library and the digest of its file.

    Parameters
    ----------
    name : str
        As the file calls it, or the file's name if it does not.
    path : Path
        The file it was read from.
    digest : str
        First 16 hexadecimal digits of the SHA-256 of the file's text.
    voltage_v : float
        Nominal supply, V; 1.0 if the file gives none.
    node_nm : int
        Technology node, nm: 180 for osu018, 45 for every other library.
    cells : dict of str to LibraryCell
        By name.
    """

    name: str
    path: Path
    digest: str
    voltage_v: float
    node_nm: int
    cells: dict[str, LibraryCell]

    def cell(self, name: str) -> LibraryCell:
        """The cell called `name`; raises `InputError` if the library does not have it."""
        if name not in self.cells:
            raise InputError(
                f"a netlist must use cells of its library, but {name!r} is not in {self.path.name}; "
                f"synthesise it again with this library"
            )
        return self.cells[name]


def read(path: Path) -> Library:
    """The library in `path`; raises `InputError` on unknown units, missing power tables or broken syntax."""
    if not path.is_file():
        raise InputError(f"a Liberty file must exist, but {path} does not; run `make cells` or correct the path")
    text = path.read_text(errors="replace")
    top = liberty_text.parse(text, path.name)
    time = _unit(path, "time_unit", top.get("time_unit").strip('"').lower().replace(" ", ""), _TIME_NS)
    leakage = _unit(path, "leakage_power_unit", top.get("leakage_power_unit", "1nW").lower(), _LEAKAGE_NW)
    size, unit = [*top.attributes.get("capacitive_load_unit", []), "", ""][:2]
    load = _unit(path, "capacitive_load_unit", unit.lower(), _CAPACITANCE_FF)
    load *= _number(path, "capacitive_load_unit", size)
    voltage_unit = top.get("voltage_unit").lower()
    if voltage_unit != "1v":
        raise InputError(f"{path.name} must give voltage_unit as 1V, not {voltage_unit or 'nothing'!r}; correct it")
    scale = {"time": time, "load": load, "leakage": leakage}
    templates = {g.names[0]: g for kind in ("lu_table_template", "power_lut_template") for g in top.all(kind)}
    voltage = _number(path, "nom_voltage", top.get("nom_voltage", "1.0"))
    cells = [_checked(g, templates, scale, path) for g in top.all("cell")]
    if not cells:
        raise InputError(f"a Liberty file must hold cells, but {path.name} has none; check the file")
    name = top.names[0] if top.names else path.stem
    return Library(
        name=name,
        path=path,
        digest=hashlib.sha256(text.encode()).hexdigest()[:16],
        voltage_v=voltage,
        node_nm=180 if "osu018" in name else 45,
        cells={c.name: c for c in cells},
    )


def _unit(path: Path, attribute: str, value: str, known: dict[str, float]) -> float:
    if value not in known:
        raise InputError(
            f"{path.name} must give {attribute} as one of {', '.join(known)}, not {value or 'nothing'!r}; "
            f"add the unit to the file"
        )
    return known[value]


def _number(path: Path, attribute: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{path.name} must give {attribute} with a number, not {text!r}; correct the file") from None


def _checked(g: Group, templates: dict[str, Group], scale: dict[str, float], path: Path) -> LibraryCell:
    try:
        return _cell(g, templates, scale, path)
    except InputError:
        raise
    except (ValueError, KeyError, IndexError) as error:
        name = g.names[0] if g.names else "without a name"
        raise InputError(
            f"every cell must have the attributes and numbers of Liberty, but cell {name} of {path.name} "
            f"does not ({error}); characterise it again"
        ) from None


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
            powers.append(
                Power(
                    pin=own,
                    related=tuple(power.get("related_pin").split()),
                    when=power.get("when"),
                    energy=_tables(power, ("rise_power", "fall_power"), templates, scale, scale["load"]),
                )
            )
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
                    arcs.append(
                        Arc(
                            input=related,
                            output=own,
                            sense=timing.get("timing_sense", "non_unate"),
                            clocked=kind != "combinational",
                            delay=_tables(timing, ("cell_rise", "cell_fall"), templates, scale, scale["time"]),
                            slew=_tables(
                                timing, ("rise_transition", "fall_transition"), templates, scale, scale["time"]
                            ),
                        )
                    )
    if outputs and texts and not any(p.pin in outputs and p.energy for p in powers):
        raise InputError(
            f"every cell must have internal_power tables on its output, but cell {name} of {path.name} "
            f"has none; characterise it again"
        )
    states = [float(s.get("value", "0")) for s in g.all("leakage_power")]
    leak = float(g.get("cell_leakage_power", "0")) or (sum(states) / len(states) if states else 0.0)
    clock = (flop.get("clocked_on").strip("() ") or None) if flop else None
    return LibraryCell(
        name=name,
        area_um2=float(g.get("area", "0")),
        leakage_nw=leak * scale["leakage"],
        inputs=inputs,
        outputs=outputs,
        capacitance_ff={p.names[0]: float(p.get("capacitance", "0")) * scale["load"] for p in pins},
        functions=functions,
        function_texts=texts,
        arcs=tuple(arcs),
        powers=tuple(powers),
        setup_ns=setup,
        clock=clock,
        data=flop.get("next_state").strip("() ") if flop else None,
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
            axes.setdefault(
                kind if kind not in axes else "other",
                np.array([float(x) for x in re.split(r"[,\s]+", text.strip()) if x]) * scale[kind],
            )
            if number == 1 and kind == "load" and values.ndim == 2 and values.shape[0] > 1:
                values = values.T
    zero = np.zeros(1)
    if "time" not in axes and "load" in axes:
        values = values.reshape(1, -1)
    elif "load" not in axes and "other" not in axes:
        values = values.reshape(-1, 1)
    return Table(slews_ns=axes.get("time", zero), loads_ff=axes.get("load", axes.get("other", zero)), values=values)
