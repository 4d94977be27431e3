"""The micro-program of every operation of the vector unit.

One table serves all: RTL makes its control from it, the cycle model walks through it, the closed form counts it.
"""

from hw.spec.vector_micro import MicroOperation, Section, Source, Unit, VectorProgram


def _op(
    unit: Unit, to: str, x: Source, y: Source = "zero", *, exchange: int = 0, negate: bool = False
) -> MicroOperation:
    return MicroOperation(unit=unit, to=to, x=x, y=y, exchange=exchange, negate=negate)  # pyright: ignore[reportArgumentType]


def _once(*operations: MicroOperation) -> Section:
    return Section(repeat="once", operations=operations)


def _words(*operations: MicroOperation) -> Section:
    return Section(repeat="words", operations=operations)


def _all_lanes(unit: Unit, register: Source) -> tuple[MicroOperation, ...]:
    """Combine the 16 lanes of a register in four steps; every lane then holds the same result."""
    return tuple(_op(unit, register, register, register, exchange=1 << step) for step in range(4))


_STORE = _op("store", "", "r0")
PROGRAMS: dict[str, VectorProgram] = {
    "ADD": VectorProgram(
        opcode=1,
        title="d = a + b",
        outer="rows",
        sections=(_words(_op("move", "r0", "a"), _op("add", "r0", "r0", "b"), _STORE),),
    ),
    "MUL": VectorProgram(
        opcode=2,
        title="d = a * b",
        outer="rows",
        sections=(_words(_op("move", "r0", "a"), _op("multiply", "r0", "r0", "b"), _STORE),),
    ),
    "SCALE": VectorProgram(
        opcode=3,
        title="d = a * scale, in another format if asked",
        outer="rows",
        sections=(_words(_op("multiply", "r0", "a", "scale"), _STORE),),
    ),
    # scale is -s log2(e): SiLU with s = 1, GELU in its sigmoid form with s = 1.702
    "GATE": VectorProgram(
        opcode=4,
        title="d = a / (1 + 2**(a * scale)) * b",
        outer="rows",
        sections=(
            _words(
                _op("multiply", "r0", "a", "scale"),
                _op("exp2", "r0", "r0"),
                _op("add", "r0", "r0", "one"),
                _op("reciprocal", "r0", "r0"),
                _op("multiply", "r0", "r0", "a"),
                _op("multiply", "r0", "r0", "b"),
                _STORE,
            ),
        ),
    ),
    "ACTIVATE": VectorProgram(
        opcode=5,
        title="d = a / (1 + 2**(a * scale))",
        outer="rows",
        sections=(
            _words(
                _op("multiply", "r0", "a", "scale"),
                _op("exp2", "r0", "r0"),
                _op("add", "r0", "r0", "one"),
                _op("reciprocal", "r0", "r0"),
                _op("multiply", "r0", "r0", "a"),
                _STORE,
            ),
        ),
    ),
    # scale is 1 / length
    "RMS_NORM": VectorProgram(
        opcode=6,
        title="d = a * rsqrt(mean of squares + epsilon) * b",
        outer="rows",
        sections=(
            _once(_op("move", "r1", "zero")),
            _words(_op("multiply", "r0", "a", "a"), _op("add", "r1", "r1", "r0")),
            _once(
                *_all_lanes("add", "r1"),
                _op("multiply", "r1", "r1", "scale"),
                _op("add", "r1", "r1", "epsilon"),
                _op("root", "r1", "r1"),
            ),
            _words(_op("multiply", "r0", "r1", "a"), _op("multiply", "r0", "r0", "b"), _STORE),
        ),
    ),
    # lanes beyond the length hold -mean before they are squared: the length must be whole words
    "LAYER_NORM": VectorProgram(
        opcode=7,
        title="d = (a - mean) * rsqrt(variance + epsilon) * b",
        outer="rows",
        sections=(
            _once(_op("move", "r1", "zero")),
            _words(_op("add", "r1", "r1", "a")),
            _once(*_all_lanes("add", "r1"), _op("multiply", "r1", "r1", "scale"), _op("move", "r2", "zero")),
            _words(
                _op("add", "r0", "a", "r1", negate=True),
                _op("multiply", "r0", "r0", "r0"),
                _op("add", "r2", "r2", "r0"),
            ),
            _once(
                *_all_lanes("add", "r2"),
                _op("multiply", "r2", "r2", "scale"),
                _op("add", "r2", "r2", "epsilon"),
                _op("root", "r2", "r2"),
            ),
            _words(
                _op("add", "r0", "a", "r1", negate=True),
                _op("multiply", "r0", "r0", "r2"),
                _op("multiply", "r0", "r0", "b"),
                _STORE,
            ),
        ),
    ),
    # scale is s log2(e)
    "SOFTMAX": VectorProgram(
        opcode=8,
        title="d = 2**((a - max) * scale) / sum",
        outer="rows",
        fill="minus_infinity",
        sections=(
            _once(_op("move", "r1", "minus_infinity")),
            _words(_op("maximum", "r1", "r1", "a")),
            _once(*_all_lanes("maximum", "r1"), _op("move", "r2", "zero")),
            _words(
                _op("add", "r0", "a", "r1", negate=True),
                _op("multiply", "r0", "r0", "scale"),
                _op("exp2", "r0", "r0"),
                _op("add", "r2", "r2", "r0"),
            ),
            _once(*_all_lanes("add", "r2"), _op("reciprocal", "r2", "r2")),
            _words(
                _op("add", "r0", "a", "r1", negate=True),
                _op("multiply", "r0", "r0", "scale"),
                _op("exp2", "r0", "r0"),
                _op("multiply", "r0", "r0", "r2"),
                _STORE,
            ),
        ),
    ),
    # b: cosines of a row's first `period` words, each angle twice; c: sines behind them, -sin and +sin in turn
    "ROTARY": VectorProgram(
        opcode=9,
        title="d = a * b + (neighbours of a exchanged) * c",
        outer="rows",
        sections=(
            _words(
                _op("move", "r0", "a"),
                _op("multiply", "r1", "r0", "b"),
                _op("move", "r2", "c"),
                _op("multiply", "r0", "r2", "r0", exchange=1),
                _op("add", "r0", "r1", "r0"),
                _STORE,
            ),
        ),
    ),
    "ARG_MAX": VectorProgram(
        opcode=10,
        title="d = place of the largest a, the first of equals, as an integer in lane 0",
        outer="rows",
        fill="minus_infinity",
        masks=False,
        sections=(
            _once(_op("move", "r0", "minus_infinity")),
            _words(_op("select", "r0", "r0", "a")),
            _once(*_all_lanes("select", "r0"), _op("store_index", "", "r0")),
        ),
    ),
    "SPREAD": VectorProgram(
        opcode=11,
        title="rows of features become words of one feature: d[feature] = (a[row 0], a[row 1], ...)",
        outer="words",
        across="a",
        masks=False,
        sections=(
            Section(repeat="rows", operations=(_op("turn_in", "", "a"),)),
            Section(repeat="lanes", operations=(_op("turn_out", "", "turn"),)),
        ),
    ),
    "GATHER": VectorProgram(
        opcode=12,
        title="words of one feature become rows of features: d[row] = lane `row` of (a[0], a[1], ...)",
        outer="words",
        across="d",
        masks=False,
        sections=(
            Section(repeat="lanes", operations=(_op("turn_in", "", "a"),)),
            Section(repeat="rows", operations=(_op("turn_out", "", "turn"),)),
        ),
    ),
    "SUM_LANES": VectorProgram(
        opcode=13,
        title="lane i of d = sum of the 16 lanes of a[i], lanes ascending",
        outer="words",
        masks=False,
        sections=(
            Section(repeat="lanes", operations=(_op("turn_in", "", "a"),)),
            _once(_op("move", "r0", "zero")),
            Section(repeat="lanes", operations=(_op("add", "r0", "r0", "turn"),)),
            _once(_STORE),
        ),
    ),
}
"""Operation -> its micro-program."""
BLOCK_OPERATIONS = tuple(name for name, program in PROGRAMS.items() if program.outer == "words")
"""Operations on blocks of 16 words: they work on whole words."""


def program_of(opcode: int) -> VectorProgram | None:
    """The program with this code, or None."""
    return next((program for program in PROGRAMS.values() if program.opcode == opcode), None)
