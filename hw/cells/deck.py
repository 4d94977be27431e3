"""SPICE decks of the characterisation: one transient per cell, input slew and load.

The inputs walk through every single-input transition of the cell; one step changes one pin. The steps are
`STEP_NS` apart, long enough for the slowest output to settle.
"""

import re
from collections import deque
from dataclasses import dataclass

from hw.cells import TRANSISTOR_MODELS
from hw.cells.boolean import evaluate, parse
from hw.cells.mini45 import TEMPERATURE_C, VOLTAGE_V
from hw.cells.transistors import Cell

STEP_NS = 3.0
SETTLE_NS = 3.0
"""Quiet time before the first step."""
RAMP_PER_SLEW = 1 / 0.6
"""Full ramp over its 20 % to 80 % part."""

State = tuple[int, ...]
"""Input values in pin order; for a flip-flop, its stored bit is appended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One input transition: the pin, its new value, and the outputs before and after.

    Parameters
    ----------
    pin : str
        The input pin that changes.
    value : int
        Its value after the change, 0 or 1.
    inputs : dict of str to int
        Values of all input pins after the change.
    before, after : dict of str to int
        Values of the output pins before the change and once they have settled after it.
    """

    pin: str
    value: int
    inputs: dict[str, int]
    before: dict[str, int]
    after: dict[str, int]


def outputs(cell: Cell, state: State) -> dict[str, int]:
    """Output values of `cell` in `state`."""
    if cell.clock:
        return {pin: state[-1] for pin in cell.outputs}
    values = dict(zip(cell.inputs, state, strict=True))
    return {pin: evaluate(parse(text), values) for pin, text in cell.functions.items()}


def _flip(cell: Cell, state: State, index: int) -> State:
    pins = list(state)
    pins[index] ^= 1
    if cell.clock and cell.inputs[index] == cell.clock and pins[index]:
        pins[-1] = pins[cell.inputs.index("D")]
    return tuple(pins)


def walk(cell: Cell) -> list[Step]:
    """Steps that visit every transition reachable from all-zero inputs at least once, and no detour twice.

    Greedy: the first transition not yet seen, or the shortest way to one.
    """
    state: State = (0,) * (len(cell.inputs) + (1 if cell.clock else 0))
    seen: set[tuple[State, int]] = set()
    steps: list[Step] = []
    while True:
        path = _nearest_unseen(cell, state, seen)
        if path is None:
            return steps
        for index in path:
            after = _flip(cell, state, index)
            seen.add((state, index))
            steps.append(
                Step(
                    pin=cell.inputs[index],
                    value=after[index],
                    inputs=dict(zip(cell.inputs, after, strict=False)),
                    before=outputs(cell, state),
                    after=outputs(cell, after),
                )
            )
            state = after


def _nearest_unseen(cell: Cell, start: State, seen: set[tuple[State, int]]) -> list[int] | None:
    queue: deque[tuple[State, list[int]]] = deque([(start, [])])
    known = {start}
    while queue:
        state, path = queue.popleft()
        for index in range(len(cell.inputs)):
            if (state, index) not in seen:
                return [*path, index]
        for index in range(len(cell.inputs)):
            following = _flip(cell, state, index)
            if following not in known:
                known.add(following)
                queue.append((following, [*path, index]))
    return None


def models() -> str:
    """The two general-purpose transistor models.

    Body and gate resistance networks are switched off: they add five nodes per transistor, make a full-adder
    transient 90 times slower and change its energy by less than one percent.
    """
    text = TRANSISTOR_MODELS.read_text()
    kept = []
    for name in ("NMOS_VTG", "PMOS_VTG"):
        start = re.search(rf"^\.model\s+{name}\b", text, re.MULTILINE)
        assert start is not None
        rest = text[start.start() :]
        end = re.search(r"^\* \w+\.inc", rest, re.MULTILINE)
        kept.append(rest[: end.start()] if end else rest)
    return re.sub(r"(rbodymod|rgatemod)\s*=\s*1", r"\1 = 0", "\n".join(kept))


def piecewise(times_ns: list[float], values: list[int], ramp_ns: float, first: int) -> str:
    """A piecewise-linear source: from `first`, to `values[i]` in a ramp that starts at `times_ns[i]`."""
    points, level = ["0 " + f"{first * VOLTAGE_V:g}"], first
    for time, value in zip(times_ns, values, strict=True):
        points.append(f"{time:.6g}n {level * VOLTAGE_V:g} {time + ramp_ns:.6g}n {value * VOLTAGE_V:g}")
        level = value
    return "pwl(" + " ".join(points) + ")"


def step_times_ns(cell: Cell) -> list[float]:
    """When the ramp of each step of `walk(cell)` starts, and one step after the last."""
    return [SETTLE_NS + STEP_NS * i for i in range(len(walk(cell)) + 1)]


def deck(cell: Cell, slew_ns: float, load_ff: float) -> str:
    """The transient deck of `cell` at one 20-80 % input slew and one output load."""
    steps, times = walk(cell), step_times_ns(cell)
    ramp = slew_ns * RAMP_PER_SLEW
    lines = [
        f"* {cell.name} slew {slew_ns:g} ns load {load_ff:g} fF",
        models(),
        cell.subcircuit(),
        f"vdd vdd 0 {VOLTAGE_V:g}",
    ]
    for pin in cell.inputs:
        own = [(t, s.value) for t, s in zip(times, steps, strict=False) if s.pin == pin]
        lines.append(f"v{pin} {pin} 0 {piecewise([t for t, _ in own], [v for _, v in own], ramp, 0)}")
    lines.append(f"x0 {' '.join((*cell.inputs, *cell.outputs))} vdd 0 {cell.name}")
    lines += [f"cl{pin} {pin} 0 {load_ff:g}f" for pin in cell.outputs]
    saved = [f"i(v{p})" for p in ("dd", *cell.inputs)] + [f"v({p})" for p in cell.outputs]
    # Gear's method: the trapezoidal rule leaves a ringing current that is larger than the leakage.
    lines += [
        f".temp {TEMPERATURE_C:g}",
        ".options method=gear reltol=1e-4 abstol=1e-12 chgtol=1e-17 vntol=1e-7",
        f".save {' '.join(saved)}",
        f".tran 1p {times[-1]:g}n 0 20p",
        ".end",
        "",
    ]
    return "\n".join(lines)
