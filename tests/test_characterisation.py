"""From waves to the cell library, without a circuit simulator: waves of known shape must give known numbers.

`tests/test_gates_cells.py` reads the committed library; here the way to it is taken, with straight ramps and
rectangular currents whose delays, charges and energies are worked out by hand.
"""

import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from hw.cells import deck, mini45
from hw.cells.deck import SETTLE_NS, STEP_NS
from hw.cells.transistors import Cell
from hw.gates import characterise, liberty, spice, write_library
from hw.gates.characterise import EDGE

DELAY_NS, SWING_NS = 0.05, 0.1
"""An output begins to move so long after the ramp of the input began, and takes so long from rail to rail."""
STEP_FC, LEAK_NA, PIN_FC = 4.0, 2.0, 0.7
"""Charge of the supply in a step, its leakage, charge that a driver delivers when its pin moves."""
RAMP_NS = 0.03 / 0.6


def _waves(cell: Cell) -> bytes:
    """A binary raw file of ngspice in which `cell` moves as its function says, in straight lines."""
    steps, times = deck.walk(cell), deck.step_times_ns(cell)
    grid = np.unique(np.concatenate([np.arange(0, times[-1] + 0.001, 0.01), *(np.array(times) + d for d in (1e-6,))]))
    names = ["time", "i(vdd)", *(f"i(v{p.lower()})" for p in cell.inputs), *(f"v({p.lower()})" for p in cell.outputs)]
    table = {name: np.zeros(grid.size) for name in names}
    table["time"] = grid * 1e-9
    table["i(vdd)"] -= LEAK_NA * 1e-9
    for pin in cell.outputs:
        table[f"v({pin.lower()})"] += steps[0].before[pin]
    for step, begin in zip(steps, times, strict=False):
        burst = (grid > begin + 0.005) & (grid < begin + 1.005)  # one nanosecond, from grid point to grid point
        table["i(vdd)"] -= np.where(burst, STEP_FC * 1e-6, 0.0)
        table[f"i(v{step.pin.lower()})"] -= np.where(burst, PIN_FC * 1e-6, 0.0) * (1 if step.value else -1)
        for pin in cell.outputs:
            part = np.clip((grid - begin - DELAY_NS) / SWING_NS, 0, 1)
            table[f"v({pin.lower()})"] += part * (step.after[pin] - step.before[pin])
    head = f"Title: t\nNo. Variables: {len(names)}\nNo. Points: {grid.size}\nVariables:\n"
    head += "".join(f"\t{i}\t{name}\tx\n" for i, name in enumerate(names)) + "Binary:\n"
    rows = np.stack([table[name] for name in names], axis=1)
    return head.encode() + b"".join(struct.pack(f"<{len(names)}d", *row) for row in rows)


def test_the_last_crossing_in_the_window_and_direction_counts() -> None:
    waves = {
        "time": np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
        "v(y)": np.array([0.0, 1.0, 0.0, 1.0, 0.5, 0.5]),
    }
    assert spice.crossing(waves, "Y", 0.25, 0, 6, True) == pytest.approx(2.25)
    assert spice.crossing(waves, "Y", 0.25, 0, 2.5, True) == pytest.approx(0.25)
    assert spice.crossing(waves, "Y", 0.25, 0, 6, False) == pytest.approx(1.75)
    assert spice.crossing(waves, "Y", 0.5, 0, 6, False) == pytest.approx(4.0), "reaching the level is crossing it"
    assert spice.crossing(waves, "Y", 0.5, 0, 6, True) == pytest.approx(2.5)
    assert spice.crossing(waves, "Y", 0.75, 0.5, 2.5, True) is None
    assert spice.crossing(waves, "Y", 1.5, 0, 6, True) is None


@pytest.mark.parametrize("name", ["INV_X1", "AND2_X1", "DFF_X1"])
def test_a_cell_is_measured_as_its_waves_were_drawn(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = mini45.by_name(name)
    monkeypatch.setattr(spice, "run", lambda text: spice.read_raw(_waves(cell)))
    steps = characterise.measure(cell, 0.03, 5.0)["steps"]
    walked = deck.walk(cell)
    assert [(s["pin"], s["value"]) for s in steps] == [(w.pin, w.value) for w in walked]
    for step, walk in zip(steps, walked, strict=True):
        assert step["charge_fc"] == pytest.approx(PIN_FC * (1 if walk.value else -1), rel=0.02)
        assert step["leakage_nw"] == pytest.approx(LEAK_NA * mini45.VOLTAGE_V)
        rises = sum(walk.after[p] and not walk.before[p] for p in cell.outputs)
        # the load of 5 fF is charged by a rise, and its energy is not the cell's
        assert step["energy_fj"] == pytest.approx(STEP_FC * mini45.VOLTAGE_V - rises * 5.0, rel=0.02)
        moved = [p for p in cell.outputs if walk.after[p] != walk.before[p]]
        assert sorted(step["delay_ns"]) == sorted(step["slew_ns"]) == sorted(moved)
        for pin in moved:
            assert step["delay_ns"][pin] == pytest.approx(DELAY_NS + SWING_NS / 2 - RAMP_NS / 2, abs=1e-4)
            assert step["slew_ns"][pin] == pytest.approx(0.6 * SWING_NS, abs=1e-4)


def _stored(folder: Path) -> None:
    """Measurements of every cell: each edge of an input costs 1 fJ if nothing else moves, 2 fJ at a flip-flop whose
    clock is high, each rise of an output 3 fJ and each fall 5 fJ; delays grow with the load."""
    for cell in mini45.CELLS:
        for slew in mini45.INPUT_SLEWS_NS:
            for load in characterise.loads_ff(cell):
                steps = []
                for s in deck.walk(cell):
                    moved = [p for p in cell.outputs if s.before[p] != s.after[p]]
                    own = (2.0 if cell.clock and s.pin != cell.clock and s.inputs[cell.clock] else 1.0) * (not moved)
                    steps.append(
                        {
                            "pin": s.pin, "value": s.value, "inputs": s.inputs, "before": s.before, "after": s.after,
                            "leakage_nw": 7.0, "charge_fc": 1.5 if s.value else -1.5,
                            "delay_ns": dict.fromkeys(moved, 0.01 * load), "slew_ns": dict.fromkeys(moved, slew),
                            "energy_fj": own + sum(3.0 if s.after[p] else 5.0 for p in moved),
                        }
                    )  # fmt: skip
                characterise._result_path(folder, cell, slew, load).write_text(json.dumps({"steps": steps}))


def test_the_library_says_what_was_measured(tmp_path: Path) -> None:
    _stored(tmp_path)
    text = write_library.liberty(tmp_path)
    (tmp_path / "cells.lib").write_text(text)
    cells = liberty.read(tmp_path / "cells.lib").cells
    assert sorted(cells) == sorted(c.name for c in mini45.CELLS)
    senses = {}
    for name in ("INV_X1", "NAND2_X1", "AND2_X1", "XOR2_X1"):
        block = text[text.index(f"cell ({name})") :]
        senses[name] = block[block.index("timing_sense : ") + 15 :].partition(";")[0]
    assert senses == {
        "INV_X1": "negative_unate", "NAND2_X1": "negative_unate", "AND2_X1": "positive_unate", "XOR2_X1": "non_unate",
    }  # fmt: skip
    flip_flop = text[text.index("cell (DFF_X1)") :]
    data = flip_flop[flip_flop.index("pin (D)") : flip_flop.index("pin (CK)")]
    when = {part.partition('"')[0]: part for part in data.split('when : "')[1:]}
    assert sorted(when) == ["!CK", "CK"]
    rows = {state: re.findall(r'^\s*"([\d., ]+)"', part, re.MULTILINE) for state, part in when.items()}
    costs = {state: set(", ".join(found).split(", ")) for state, found in rows.items()}
    assert costs == {"!CK": {"1"}, "CK": {"2"}}


def test_a_source_has_one_value_for_each_time() -> None:
    assert deck.piecewise([1.0, 2.0], [1, 0], 0.5, 0) == "pwl(0 0 1n 0 1.5n 1 2n 1 2.5n 0)"
    with pytest.raises(ValueError, match="longer"):
        deck.piecewise([1.0], [1, 0], 0.5, 0)


def test_a_transient_lasts_one_step_longer_than_its_walk() -> None:
    cell = mini45.by_name("NAND2_X1")
    assert deck.step_times_ns(cell) == [SETTLE_NS + STEP_NS * i for i in range(len(deck.walk(cell)) + 1)]
    assert f".tran 1p {deck.step_times_ns(cell)[-1]:g}n" in deck.deck(cell, 0.03, 5.0)
    assert EDGE == {0: "fall", 1: "rise"}


def test_a_table_is_linear_between_its_points_and_beyond_its_edges() -> None:
    slews, loads = np.array([0.008, 0.03, 0.12]), np.array([1.0, 5.0, 20.0])
    table = liberty.Table(slews_ns=slews, loads_ff=loads, values=2 * slews[:, None] + 3 * loads[None, :])
    for slew in (0.001, 0.008, 0.02, 0.03, 0.1, 0.5):
        for load in (0.0, 1.0, 3.0, 5.0, 12.0, 40.0):
            assert table.at(slew, load) == pytest.approx(2 * slew + 3 * load)
    bent = liberty.Table(slews_ns=np.array([0.0]), loads_ff=loads, values=np.array([[1.0, 9.0, 6.0]]))
    assert [bent.at(0.3, load) for load in (0.0, 3.0, 5.0, 10.0, 25.0)] == pytest.approx([-1.0, 5.0, 9.0, 8.0, 5.0])
