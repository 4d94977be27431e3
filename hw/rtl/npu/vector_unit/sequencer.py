"""Control of the vector unit: descriptors taken, checked and carried out, one micro-operation a cycle."""

from collections.abc import Callable, Mapping

from amaranth.hdl import *
from amaranth.lib import data, enum, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.npu.vector_unit.lane import UnitCode
from hw.spec.number import OPERAND_CODES
from hw.spec.vector import DESCRIPTOR_BITS, VECTOR_FIELDS, VectorSpec
from hw.spec.vector_micro import LANES, MicroOperation, VectorProgram
from hw.spec.vector_program import PROGRAMS

SOURCES = ("r0", "r1", "r2", "a", "b", "c", "turn", "one", "minus_infinity", "scale", "epsilon", "zero")
REPEATS = ("once", "words", "rows", "lanes")
DESTINATIONS = ("", "r0", "r1", "r2")


class Phase(enum.Enum, shape=2):
    """What the unit does with its descriptor."""

    IDLE = 0
    CHECK = 1
    RUN = 2


def descriptor_layout() -> data.StructLayout:
    """A descriptor's fields."""
    return data.StructLayout(VECTOR_FIELDS)


MICRO = data.StructLayout(
    {
        "unit": UnitCode,
        "x": 4,
        "y": 4,
        "exchange": 4,
        "negate": 1,
        "to": 2,
        "repeat": 2,
        "ends_section": 1,
        "ends_program": 1,
    }
)
"""One word of the micro-program memory."""


def micro_words() -> tuple[list[int], dict[int, int]]:
    """The micro-program memory, and where the program of each opcode begins."""
    words, starts = [], {}
    for program in PROGRAMS.values():
        starts[program.opcode] = len(words)
        for section in program.sections:
            for operation in section.operations:
                last = operation is section.operations[-1]
                words.append(_word(operation, section.repeat, last, last and section is program.sections[-1]))
    return words, starts


def _word(operation: MicroOperation, repeat: str, ends_section: bool, ends_program: bool) -> int:
    return MICRO.const(
        {
            "unit": UnitCode[operation.unit.upper()],
            "x": SOURCES.index(operation.x),
            "y": SOURCES.index(operation.y),
            "exchange": operation.exchange,
            "negate": operation.negate,
            "to": DESTINATIONS.index(operation.to),
            "repeat": REPEATS.index(repeat),
            "ends_section": ends_section,
            "ends_program": ends_program,
        }
    ).as_bits()


class _State:
    """The descriptor and where its program is: micro-operation, repetition of the section, and of the program."""

    def __init__(self, words: int) -> None:
        self.fields = Signal(descriptor_layout())
        self.phase = Signal(Phase)
        self.counter = Signal(range(words))
        self.section = Signal(range(words))
        self.start = Signal(range(words))
        self.inner = Signal(14)
        self.outer = Signal(14)
        self.length = Signal(15)
        self.base = {name: Signal(16, name=f"base_{name}") for name in "abd"}
        self.step = {name: Signal(16, name=f"step_{name}") for name in "abd"}
        self.row_words = Signal(11)
        self.repeats_end = Signal()
        self.outer_end = Signal()


class VectorSequencer(wiring.Component):
    """From descriptors to micro-operations with addresses.

    A descriptor is taken in one cycle, checked in the next, and then carried out at one micro-operation a cycle; there
    is nothing to wait for. The next one is taken in the cycle after the last micro-operation.

    Members
    -------
    i_descriptor : In(stream of 160 bits)
    o_done, o_refused : Out(1), one cycle each: the last micro-operation runs; the descriptor was refused
    o_code : Out(4), code of `VECTOR_REFUSALS` while `o_refused`
    o_phase : Out(Phase)
    o_micro : Out(MICRO), in force while the phase is RUN
    o_fields : Out(descriptor_layout()), the descriptor being carried out
    o_a, o_b, o_c, o_d : Out(16), addresses of this cycle
    o_inner : Out(14), repetition of the section
    o_valid_lanes : Out(16), lanes of this word that belong to the row
    o_fills_infinity, o_masks : Out(1), as the program says
    o_clears_turn : Out(1), the transposer is emptied at the end of this cycle
    """

    def __init__(self, spec: VectorSpec) -> None:
        self.spec = spec
        super().__init__(
            {
                "i_descriptor": In(stream.Signature(DESCRIPTOR_BITS)),
                "o_done": Out(1),
                "o_refused": Out(1),
                "o_code": Out(4),
                "o_phase": Out(Phase),
                "o_micro": Out(MICRO),
                "o_fields": Out(descriptor_layout()),
                **{f"o_{name}": Out(16) for name in "abcd"},
                "o_inner": Out(14),
                "o_valid_lanes": Out(LANES),
                "o_fills_infinity": Out(1),
                "o_masks": Out(1),
                "o_clears_turn": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        words, starts = micro_words()
        m.submodules.microprogram = rom = memory.Memory(
            shape=MICRO, depth=len(words), init=[MICRO.from_bits(w) for w in words]
        )
        port = rom.read_port(domain="comb")
        at, micro = _State(len(words)), port.data
        m.d.comb += [
            port.addr.eq(at.counter),
            self.o_micro.eq(micro),
            self.o_phase.eq(at.phase),
            self.o_fields.eq(at.fields),
            self.o_inner.eq(at.inner),
            self.i_descriptor.ready.eq(at.phase == Phase.IDLE),
        ]
        blocks = self._of_program(m, at, "blocks", lambda p: p.outer == "words")
        across: dict[str, Value] = {
            name: self._of_program(m, at, f"{name}_across", lambda p, n=name: p.across == n) for name in "ad"
        }
        across["b"] = C(0, 1)
        wraps = self._of_program(m, at, "wraps", lambda p: p is PROGRAMS["ROTARY"])
        m.d.comb += [
            self.o_fills_infinity.eq(self._of_program(m, at, "fills_infinity", lambda p: p.fill == "minus_infinity")),
            self.o_masks.eq(self._of_program(m, at, "masks", lambda p: p.masks)),
        ]
        self._repeat(m, at, micro, blocks)
        self._address(m, at, wraps)
        code = Signal(4)
        m.d.comb += code.eq(self._refusal(m, at.fields, starts, blocks, across, at.row_words))
        finishes = Signal()
        with m.Switch(at.phase):
            with m.Case(Phase.IDLE), m.If(self.i_descriptor.valid):
                m.d.sync += [at.fields.eq(self.i_descriptor.payload), at.phase.eq(Phase.CHECK)]
            with m.Case(Phase.CHECK):
                self._check(m, at, code, starts)
            with m.Case(Phase.RUN):
                self._run(m, at, micro, blocks, across, finishes)
        with m.If(at.phase == Phase.IDLE):
            m.d.sync += at.length.eq(descriptor_layout()(self.i_descriptor.payload).length)
        m.d.comb += self.o_done.eq(finishes)
        return m

    def _of_program(self, m: Module, at: _State, name: str, wanted: Callable[[VectorProgram], bool]) -> Signal:
        """Whether `wanted` holds for the program of the opcode."""
        held = Signal(name=name)
        programs = PROGRAMS.values()
        m.d.comb += held.eq(Cat(*(at.fields.opcode == p.opcode for p in programs if wanted(p))).any())
        return held

    def _repeat(self, m: Module, at: _State, micro: data.View, blocks: Value) -> None:
        """Whether this is the last repetition of the section, and of the program; lanes that belong to the row."""
        inner, row_words = at.inner, at.row_words
        m.d.comb += row_words.eq((at.length + LANES - 1) >> 4)
        repeats = Signal(14)
        with m.Switch(micro.repeat):
            with m.Case(REPEATS.index("words")):
                m.d.comb += repeats.eq(row_words)
            with m.Case(REPEATS.index("rows")):
                m.d.comb += repeats.eq(at.fields.rows)
            with m.Case(REPEATS.index("lanes")):
                m.d.comb += repeats.eq(LANES)
            with m.Default():
                m.d.comb += repeats.eq(1)
        outer_count = Mux(blocks, row_words, at.fields.rows)
        m.d.comb += [at.repeats_end.eq(inner + 1 == repeats), at.outer_end.eq(at.outer + 1 == outer_count)]
        rest = at.length[:4]
        last_word = ~blocks & (inner + 1 == row_words) & rest.any()
        m.d.comb += self.o_valid_lanes.eq(Mux(last_word, (1 << rest) - 1, (1 << LANES) - 1))

    def _address(self, m: Module, at: _State, wraps: Value) -> None:
        """Addresses of this cycle."""
        period = at.fields.period_log2
        period_mask = ((1 << period) - 1)[:3]
        within = Mux(wraps, at.inner[:3] & period_mask, at.inner)
        m.d.comb += [
            self.o_a.eq(at.base["a"] + at.step["a"]),
            self.o_d.eq(at.base["d"] + at.step["d"]),
            self.o_b.eq(at.base["b"] + within),
            self.o_c.eq(at.base["b"] + within + (1 << period)),
        ]

    def _check(self, m: Module, at: _State, code: Value, starts: Mapping[int, int]) -> None:
        """Refuse the descriptor, or begin its program."""
        m.d.comb += [self.o_refused.eq(code.any()), self.o_code.eq(code), self.o_clears_turn.eq(1)]
        m.d.sync += [at.phase.eq(Mux(code.any(), Phase.IDLE, Phase.RUN)), at.inner.eq(0), at.outer.eq(0)]
        m.d.sync += [at.base[name].eq(getattr(at.fields, name)) for name in "abd"]
        m.d.sync += [at.step[name].eq(0) for name in "abd"]
        with m.Switch(at.fields.opcode):
            for opcode, first in starts.items():
                with m.Case(opcode):
                    m.d.sync += [at.counter.eq(first), at.section.eq(first), at.start.eq(first)]

    def _run(
        self, m: Module, at: _State, micro: data.View, blocks: Value, across: Mapping[str, Value], finishes: Signal
    ) -> None:
        """From a micro-operation to the next: within the section, its repetitions, and those of the program."""
        fields, counter, step = at.fields, at.counter, at.step
        next_base = {name: at.base[name] + Mux(across[name], 1, getattr(fields, f"{name}_stride")) for name in "abd"}
        m.d.sync += counter.eq(counter + 1)
        with m.If(micro.ends_section):
            m.d.sync += [counter.eq(at.section), at.inner.eq(at.inner + 1)]
            m.d.sync += [
                step[name].eq(step[name] + Mux(across[name], getattr(fields, f"{name}_stride"), 1)) for name in "ad"
            ]
            with m.If(at.repeats_end):
                m.d.sync += [counter.eq(counter + 1), at.section.eq(counter + 1), at.inner.eq(0)]
                m.d.sync += [step[name].eq(0) for name in "ad"]
                with m.If(micro.ends_program):
                    m.d.comb += [finishes.eq(at.outer_end), self.o_clears_turn.eq(1)]
                    m.d.sync += [
                        counter.eq(at.start),
                        at.section.eq(at.start),
                        at.outer.eq(at.outer + 1),
                        at.length.eq(at.length + (fields.length_step & ~blocks)),
                    ]
                    m.d.sync += [at.base[name].eq(next_base[name]) for name in "abd"]
                    with m.If(at.outer_end):
                        m.d.sync += at.phase.eq(Phase.IDLE)

    def _refusal(
        self,
        m: Module,
        fields: data.View,
        starts: dict[int, int],
        blocks: Value,
        across: dict[str, Value],
        row_words: Value,
    ) -> Value:
        """Code the descriptor is refused with, 0 for none; the rules are those of `hw.spec.vector.refusal`."""

        def is_one_of(*names: str) -> Value:
            return Cat(*(fields.opcode == PROGRAMS[name].opcode for name in names)).any()

        known = Cat(*(fields.opcode == code for code in starts)).any()
        empty = ~fields.rows.any() | ~fields.length.any() | (blocks & (fields.rows > LANES))
        formats = [OPERAND_CODES[name] for name in self.spec.formats]
        wrong_format = ~(
            Cat(*(fields.input_format == f for f in formats)).any()
            & Cat(*(fields.output_format == f for f in formats)).any()
        )
        last_row = Signal(7)
        words = Signal(11)
        m.d.comb += [
            last_row.eq(fields.rows - 1),
            words.eq((fields.length + Mux(fields.length_step, last_row, 0) + LANES - 1) >> 4),
        ]
        beyond = []
        for name in "abd":
            by_row = ~blocks | across.get(name, C(0, 1))
            last, inside = Mux(by_row, last_row, words - 1), Mux(by_row, words, LANES)
            if name == "b":
                inside = Mux(is_one_of("ROTARY"), 2 << fields.period_log2, inside)
                last, inside = Mux(blocks, 0, last), Mux(blocks, 0, inside)
            if name == "d":
                inside = Mux(is_one_of("ARG_MAX", "SUM_LANES"), 1, inside)
            reach = Signal(25, name=f"reach_{name}")
            m.d.comb += reach.eq(getattr(fields, name) + last * getattr(fields, f"{name}_stride") + inside)
            beyond.append(reach > self.spec.memory_words)
        return Mux(~known, 1, Mux(empty, 2, Mux(wrong_format, 3, Mux(Cat(*beyond).any(), 4, 0))))
