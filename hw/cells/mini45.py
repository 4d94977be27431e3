"""The 25 cells of the 45 nm library, as functions and transistors."""

from hw.cells.transistors import Cell, ClockedInverter, PassGate, Stage

VOLTAGE_V = 1.0
TEMPERATURE_C = 25.0
INPUT_SLEWS_NS = (0.008, 0.03, 0.12)
"""20 % to 80 % times of the input ramps."""
LOADS_FF = (1.0, 5.0, 20.0)
"""Output loads of a cell of drive 1; a cell of drive n is characterised at n times these."""
SETUP_NS = 0.030
"""Flip-flop set-up and hold guard: assumed, not characterised."""


def _gate(name: str, down: str, drive: int = 1) -> Cell:
    inputs = tuple(sorted({c for c in down if c.isalpha()}))
    return Cell(
        name=f"{name}_X{drive}",
        inputs=inputs,
        functions={"Y": f"!({down})"},
        devices=(Stage(output="Y", down=down),),
        drive=drive,
    )


def _buffered(name: str, down: str, drive: int = 1) -> Cell:
    inputs = tuple(sorted({c for c in down if c.isalpha()}))
    return Cell(
        name=f"{name}_X{drive}",
        inputs=inputs,
        functions={"Y": down},
        devices=(Stage(output="n", down=down), Stage(output="Y", down="n")),
        drive=drive,
    )


CELLS: tuple[Cell, ...] = (
    *(_gate("INV", "A", drive) for drive in (1, 2, 4)),
    *(_buffered("BUF", "A", drive) for drive in (1, 2)),
    *(_gate("NAND2", "A & B", drive) for drive in (1, 2)),
    _gate("NAND3", "A & B & C"),
    _gate("NAND4", "A & B & C & D"),
    *(_gate("NOR2", "A | B", drive) for drive in (1, 2)),
    _gate("NOR3", "A | B | C"),
    _buffered("AND2", "A & B"),
    _buffered("AND3", "A & B & C"),
    _buffered("OR2", "A | B"),
    _gate("AOI21", "A & B | C"),
    _gate("AOI22", "A & B | C & D"),
    _gate("OAI21", "(A | B) & C"),
    _gate("OAI22", "(A | B) & (C | D)"),
    Cell(
        name="XOR2_X1",
        inputs=("A", "B"),
        functions={"Y": "A ^ B"},
        devices=(Stage(output="n", down="A | B"), Stage(output="Y", down="A & B | n")),
    ),
    Cell(
        name="XNOR2_X1",
        inputs=("A", "B"),
        functions={"Y": "!(A ^ B)"},
        devices=(Stage(output="n", down="A & B"), Stage(output="Y", down="(A | B) & n")),
    ),
    Cell(
        name="MUX2_X1",
        inputs=("A", "B", "S"),
        functions={"Y": "(A & !S) | (B & S)"},
        devices=(Stage(output="sn", down="S"), Stage(output="n", down="A & sn | B & S"), Stage(output="Y", down="n")),
    ),
    Cell(
        name="HA_X1",
        inputs=("A", "B"),
        functions={"CO": "A & B", "S": "A ^ B"},
        devices=(
            Stage(output="con", down="A & B"),
            Stage(output="sn", down="(A | B) & con"),
            Stage(output="CO", down="con"),
            Stage(output="S", down="sn"),
        ),
    ),
    # 28 transistors, mirror form: both networks of each stage have the same shape.
    Cell(
        name="FA_X1",
        inputs=("A", "B", "CI"),
        functions={"CO": "(A & B) | (CI & (A | B))", "S": "A ^ B ^ CI"},
        devices=(
            Stage(output="con", down="A & B | CI & (A | B)", up="A & B | CI & (A | B)"),
            Stage(output="sn", down="A & B & CI | con & (A | B | CI)", up="A & B & CI | con & (A | B | CI)"),
            Stage(output="CO", down="con"),
            Stage(output="S", down="sn"),
        ),
    ),
    # 24 transistors: input inverter, two transmission-gate latches, local clock buffers.
    Cell(
        name="DFF_X1",
        inputs=("D", "CK"),
        functions={"Q": "IQ"},
        clock="CK",
        devices=(
            Stage(output="cn", down="CK"),
            Stage(output="c", down="cn"),
            Stage(output="dn", down="D"),
            PassGate(one="dn", two="m", on="cn", off="c"),
            Stage(output="mb", down="m"),
            ClockedInverter(input="mb", output="m", on="c", off="cn"),
            PassGate(one="mb", two="s", on="c", off="cn"),
            Stage(output="sb", down="s"),
            ClockedInverter(input="sb", output="s", on="cn", off="c"),
            Stage(output="Q", down="sb"),
        ),
    ),
)


def by_name(name: str) -> Cell:
    """The cell called `name` of this library."""
    return next(cell for cell in CELLS if cell.name == name)
