"""Turns the measurements of the 45 nm cells into Liberty text and Verilog models. Deterministic."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hw.cells.boolean import parse, to_c
from hw.cells.mini45 import CELLS, INPUT_SLEWS_NS, SETUP_NS, TEMPERATURE_C, VOLTAGE_V
from hw.cells.transistors import Cell
from hw.gates import characterise
from hw.gates.characterise import EDGE, Measured

_SHAPE = (len(INPUT_SLEWS_NS), 3)


def liberty(folder: Path) -> str:
    """The Liberty text of the whole library, from the measurements kept in `folder`."""
    lines = [
        "library (mini45) {",
        "  delay_model : table_lookup;",
        '  comment : "FreePDK45 BSIM4 models, nominal corner, general-purpose threshold; no layout";',
        '  time_unit : "1ns";',
        '  voltage_unit : "1V";',
        '  current_unit : "1uA";',
        '  leakage_power_unit : "1nW";',
        '  pulling_resistance_unit : "1kohm";',
        "  capacitive_load_unit (1, ff);",
        f"  nom_voltage : {VOLTAGE_V:g};",
        f"  nom_temperature : {TEMPERATURE_C:g};",
        "  nom_process : 1.0;",
        "  input_threshold_pct_rise : 50;",
        "  input_threshold_pct_fall : 50;",
        "  output_threshold_pct_rise : 50;",
        "  output_threshold_pct_fall : 50;",
        "  slew_lower_threshold_pct_rise : 20;",
        "  slew_lower_threshold_pct_fall : 20;",
        "  slew_upper_threshold_pct_rise : 80;",
        "  slew_upper_threshold_pct_fall : 80;",
        "  slew_derate_from_library : 1.0;",
        "  default_max_transition : 0.5;",
    ]
    for drive in sorted({c.drive for c in CELLS}):
        loads = ", ".join(f"{x * drive:g}" for x in characterise.LOADS_FF)
        for kind, slew in (
            ("lu_table_template", "input_net_transition"),
            ("power_lut_template", "input_transition_time"),
        ):
            lines += [
                f"  {kind} ({'delay' if kind[0] == 'l' else 'energy'}_x{drive}) {{",
                f"    variable_1 : {slew};",
                "    variable_2 : total_output_net_capacitance;",
                f'    index_1 ("{_row(INPUT_SLEWS_NS)}");',
                f'    index_2 ("{loads}");',
                "  }",
            ]
    lines += [
        "  power_lut_template (energy_input) {",
        "    variable_1 : input_transition_time;",
        f'    index_1 ("{_row(INPUT_SLEWS_NS)}");',
        "  }",
        "  lu_table_template (constraint) {",
        "    variable_1 : constrained_pin_transition;",
        "    variable_2 : related_pin_transition;",
        '    index_1 ("0.008, 0.12");',
        '    index_2 ("0.008, 0.12");',
        "  }",
    ]
    for cell in CELLS:
        lines += _cell(cell, characterise.load(folder, cell))
    return "\n".join([*lines, "}", ""])


def _row(values: Iterable[float]) -> str:
    return ", ".join(f"{float(v):.5g}" for v in values)


def _table(kind: str, template: str, values: NDArray[np.float64], indent: str) -> list[str]:
    rows = [f'{indent}    "{_row(row)}"' for row in np.atleast_2d(values)]
    return [f"{indent}{kind} ({template}) {{", f"{indent}  values (" + "\\", ", \\\n".join(rows) + ");", f"{indent}}}"]


def _cell(cell: Cell, measured: dict[tuple[int, int], Measured]) -> list[str]:
    middle = measured[(1, 1)]["steps"]
    states: dict[tuple[tuple[str, int], ...], list[float]] = {}
    for step in middle:
        states.setdefault(tuple(step["inputs"].items()), []).append(step["leakage_nw"])
    lines = [f"  cell ({cell.name}) {{", f"    area : {cell.area_um2:g};"]
    means = {state: float(np.mean(v)) for state, v in states.items()}
    for state, value in sorted(means.items()):
        when = " & ".join(pin if v else f"!{pin}" for pin, v in state)
        lines.append(f'    leakage_power () {{ when : "{when}"; value : {value:.5g}; }}')
    lines.append(f"    cell_leakage_power : {np.mean(list(means.values())):.5g};")
    if cell.clock:
        lines.append(f'    ff (IQ, IQN) {{ next_state : "D"; clocked_on : "{cell.clock}"; }}')
    hidden, visible = energies(cell, measured)
    for pin in cell.inputs:
        charges = [abs(s["charge_fc"]) / VOLTAGE_V for m in measured.values() for s in m["steps"] if s["pin"] == pin]
        lines += [f"    pin ({pin}) {{", "      direction : input;", f"      capacitance : {np.mean(charges):.5g};"]
        if pin == cell.clock:
            lines.append("      clock : true;")
        elif cell.clock:
            for kind in ("setup", "hold"):
                guard = SETUP_NS if kind == "setup" else 0.0
                values = np.full((2, 2), guard)
                lines += [
                    "      timing () {",
                    f'        related_pin : "{cell.clock}";',
                    f"        timing_type : {kind}_rising;",
                    *_table("rise_constraint", "constraint", values, "        "),
                    *_table("fall_constraint", "constraint", values, "        "),
                    "      }",
                ]
        for when in sorted({w for p, w, _ in hidden if p == pin}):
            lines += ["      internal_power () {", *([f'        when : "{when}";'] if when else [])]
            for edge in ("rise", "fall"):
                if (pin, when, edge) in hidden:
                    lines += _table(f"{edge}_power", "energy_input", hidden[(pin, when, edge)], "        ")
            lines.append("      }")
        lines.append("    }")
    for pin in cell.outputs:
        lines += _output(cell, pin, measured, visible)
    return [*lines, "  }"]


def _output(
    cell: Cell,
    pin: str,
    measured: dict[tuple[int, int], Measured],
    visible: dict[tuple[str, str], NDArray[np.float64]],
) -> list[str]:
    lines = [
        f"    pin ({pin}) {{",
        "      direction : output;",
        f'      function : "{cell.functions[pin]}";',
        f"      max_capacitance : {60 * cell.drive};",
    ]
    for related in [cell.clock] if cell.clock else cell.inputs:
        cases = {
            (s["value"], s["after"][pin])
            for s in measured[(1, 1)]["steps"]
            if s["pin"] == related and s["before"][pin] != s["after"][pin]
        }
        if not cases:
            continue
        sense = (
            "positive_unate"
            if all(a == b for a, b in cases)
            else "negative_unate"
            if all(a != b for a, b in cases)
            else "non_unate"
        )
        kind = "rising_edge" if cell.clock else "combinational"
        lines += [
            "      timing () {",
            f'        related_pin : "{related}";',
            f"        timing_type : {kind};",
            f"        timing_sense : {'non_unate' if cell.clock else sense};",
        ]
        for edge in (1, 0):
            for name, quantity in ((f"cell_{EDGE[edge]}", "delay_ns"), (f"{EDGE[edge]}_transition", "slew_ns")):
                values = np.zeros(_SHAPE)
                for point, m in measured.items():
                    values[point] = max(
                        s[quantity][pin]
                        for s in m["steps"]
                        if s["pin"] == related and s["before"][pin] != s["after"][pin] and s["after"][pin] == edge
                    )
                lines += _table(name, f"delay_x{cell.drive}", values, "        ")
        lines.append("      }")
    related = " ".join([cell.clock] if cell.clock else cell.inputs)
    lines += ["      internal_power () {", f'        related_pin : "{related}";']
    for edge in ("rise", "fall"):
        lines += _table(f"{edge}_power", f"energy_x{cell.drive}", visible[(pin, edge)], "        ")
    return [*lines, "      }", "    }"]


def energies(
    cell: Cell, measured: dict[tuple[int, int], Measured]
) -> tuple[dict[tuple[str, str, str], NDArray[np.float64]], dict[tuple[str, str], NDArray[np.float64]]]:
    """Internal energy split over edges: {(input, when, edge): fJ by slew}, {(output, edge): fJ by slew and load}.

    The energy of a step is the sum of its input edge's and its output edges' parts; the parts are the least-squares
    solution over all steps of the cell. An input that always moves an output has no part of its own.
    A flip-flop's data pin has one value per clock level: with the clock low the first latch follows.
    """
    steps = measured[(1, 1)]["steps"]
    quiet = {s["pin"] for s in steps if s["before"] == s["after"]}
    columns: list[tuple[str, ...]] = []
    for step in steps:
        for column in _columns(cell, step, quiet):
            if column not in columns:
                columns.append(column)
    columns.sort()
    parts = {column: np.zeros(_SHAPE) for column in columns}
    for point, m in measured.items():
        matrix = np.zeros((len(m["steps"]), len(columns)))
        for row, step in enumerate(m["steps"]):
            for column in _columns(cell, step, quiet):
                matrix[row, columns.index(column)] = 1.0
        solution = np.linalg.lstsq(matrix, np.array([s["energy_fj"] for s in m["steps"]]), rcond=None)[0]
        for column, value in zip(columns, solution, strict=True):
            parts[column][point] = value
    hidden = {(c[1], c[2], c[3]): v.mean(axis=1)[:, None] for c, v in parts.items() if c[0] == "in"}
    visible = {(c[1], c[2]): v for c, v in parts.items() if c[0] == "out"}
    return {k: v.T for k, v in hidden.items()}, visible


def _columns(cell: Cell, step: Measured, quiet: set[str]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    if step["pin"] in quiet:
        when = ("CK" if step["inputs"]["CK"] else "!CK") if cell.clock and step["pin"] != cell.clock else ""
        found.append(("in", step["pin"], when, EDGE[step["value"]]))
    if cell.clock and step["pin"] == cell.clock and not step["value"] and step["inputs"]["D"] != step["before"]["Q"]:
        # The data moved while the clock was high: its first latch follows now, and that is the data's energy.
        found.append(("late", "D", EDGE[step["inputs"]["D"]]))
    before, after = step["before"], step["after"]
    found += [("out", pin, EDGE[after[pin]]) for pin in cell.outputs if before[pin] != after[pin]]
    return found


def verilog() -> str:
    """Behavioural Verilog models of the cells, generated from their functions; zero delay."""
    lines = ["// Generated from the cells' functions; zero delay."]
    for cell in CELLS:
        ports = [f"input {p}" for p in cell.inputs] + [f"output {p}" for p in cell.outputs]
        lines.append(f"module {cell.name}({', '.join(ports)});")
        names = {p: p for p in cell.inputs}
        if cell.clock:
            lines += [
                "  reg IQ;",
                "  initial IQ = 1'b0;",
                f"  always @(posedge {cell.clock}) IQ <= D;",
                "  assign Q = IQ;",
            ]
        else:
            lines += [f"  assign {pin} = {to_c(parse(text), names)};" for pin, text in cell.functions.items()]
        lines += ["endmodule", ""]
    return "\n".join(lines)


def spice() -> str:
    """The subcircuits of all cells."""
    return "\n".join(
        ["* Subcircuits of the 45 nm cells, generated from their description.", *(cell.subcircuit() for cell in CELLS)]
    )
