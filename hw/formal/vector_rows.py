"""The vector unit's control: a descriptor visits the words of its rows once, in order, or is refused."""

from amaranth.hdl import *

from hw.formal import Bug, Proof
from hw.formal._queue import no_reset

MEMORY = 64
ROWS, WORDS = 2, 2
_WIDTHS = {
    "opcode": 1,
    "input_format": 3,
    "output_format": 3,
    "rows": 2,
    "length": 5,
    "length_step": 1,
    "a": 7,
    "b": 7,
    "d": 7,
    "a_stride": 3,
    "b_stride": 3,
    "d_stride": 3,
}
"""Field -> bits that are free; the others are zero. Code 1 is an addition, 0 no operation."""


class Harness(Elaboratable):
    """The sequencer under free descriptors: an addition of at most 2 rows of at most 2 words, or an unknown operation.

    The reference keeps row, word and step of the addition, and works out by itself what must be refused.
    """

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.npu.vector_unit.lane import UnitCode
        from hw.rtl.npu.vector_unit.sequencer import Phase, VectorSequencer, descriptor_layout
        from hw.spec.number import OPERAND_CODES
        from hw.spec.vector import VectorSpec
        from hw.spec.vector_micro import LANES
        from hw.spec.vector_program import PROGRAMS

        m = Module()
        m.submodules.sequencer = sequencer = VectorSequencer(VectorSpec(memory_words=MEMORY, formats=("bf16",)))
        given, valid = Signal(descriptor_layout()), Signal()
        # Numbers as wide as small sizes need: the checks multiply rows by strides
        narrow = {name: Signal(width, name=f"given_{name}") for name, width in _WIDTHS.items()}
        self.inputs = [*narrow.values(), valid]
        no_reset(m)
        add = PROGRAMS["ADD"].opcode
        m.d.comb += [getattr(given, name).eq(value) for name, value in narrow.items()]
        m.d.comb += [
            sequencer.i_descriptor.payload.eq(given.as_value()),
            sequencer.i_descriptor.valid.eq(valid),
            Assume(given.rows <= ROWS),
            Assume(given.length <= 16 * WORDS - 1),
        ]
        accepted = Signal()
        m.d.comb += accepted.eq(valid & sequencer.i_descriptor.ready)

        # The descriptor in hand
        f, open_, checked = Signal(descriptor_layout()), Signal(), Signal()
        row, word, step = Signal(2), Signal(2), Signal(2)
        length, words = Signal(6), Signal(2)
        m.d.comb += [length.eq(f.length + (row & f.length_step.replicate(2))), words.eq((length + LANES - 1) >> 4)]
        last_row, last = Signal(), Signal()
        m.d.comb += [
            last_row.eq(row + 1 == f.rows),
            last.eq(last_row & (word + 1 == words) & (step == 2)),
        ]
        final_words = (f.length + ((f.rows - 1) & f.length_step.replicate(7)) + LANES - 1)[4:8]
        beyond = [getattr(f, p) + Mux(f.rows == 2, getattr(f, f"{p}_stride"), 0) + final_words > MEMORY for p in "abd"]
        bf16 = OPERAND_CODES["bf16"]
        refused = (
            (f.opcode != add)
            | (f.rows == 0)
            | (f.length == 0)
            | (f.input_format != bf16)
            | (f.output_format != bf16)
            | Cat(*beyond).any()
        )
        ends = sequencer.o_done | sequencer.o_refused
        m.d.comb += [
            Assert(sequencer.i_descriptor.ready == ~open_),
            Assert(~(sequencer.o_done & sequencer.o_refused)),
            Assert(open_ | ~ends),
            Assert((sequencer.o_phase == Phase.RUN) == (open_ & checked)),
        ]
        with m.If(accepted):
            m.d.sync += [f.eq(given), open_.eq(1), checked.eq(0), row.eq(0), word.eq(0), step.eq(0)]
        with m.Elif(open_ & ~checked):
            m.d.comb += [Assert(sequencer.o_refused == refused), Assert(~sequencer.o_done)]
            m.d.sync += [checked.eq(1), open_.eq(~refused)]
        with m.Elif(open_):
            kinds = (UnitCode.MOVE, UnitCode.ADD, UnitCode.STORE)
            pointers = (sequencer.o_a, sequencer.o_b, sequencer.o_d)
            for index, (kind, pointer, name) in enumerate(zip(kinds, pointers, "abd", strict=True)):
                place = getattr(f, name) + Mux(row[0], getattr(f, f"{name}_stride"), 0) + word
                with m.If(step == index):
                    m.d.comb += [
                        Assert(sequencer.o_micro.unit == kind),
                        Assert(pointer == place),
                        Assert(pointer < MEMORY),
                    ]
            partial = (word + 1 == words) & length[:4].any()
            m.d.comb += [
                Assert(sequencer.o_done == last),
                Assert(~sequencer.o_refused),
                Assert(sequencer.o_valid_lanes == Mux(partial, (1 << length[:4]) - 1, (1 << LANES) - 1)),
            ]
            m.d.sync += step.eq(step + 1)
            with m.If(step == 2):
                m.d.sync += [step.eq(0), word.eq(word + 1)]
                with m.If(word + 1 == words):
                    m.d.sync += [word.eq(0), row.eq(row + 1)]
            with m.If(last):
                m.d.sync += open_.eq(0)
        m.d.comb += [Cover(sequencer.o_done & (row == 1)), Cover(sequencer.o_refused)]
        return m


_SEQUENCER = "hw.rtl.npu.vector_unit.sequencer"

PROOF = Proof(
    title="a vector descriptor visits the words of its rows once, in order, inside the memory, or is refused",
    build=Harness,
    bounded=9,
    cover=9,
    bugs=(
        Bug(
            name="reach counts one row too few",
            module=_SEQUENCER,
            before="last_row.eq(fields.rows - 1)",
            after="last_row.eq(fields.rows - 2)",
        ),
        Bug(
            name="the last row is left out",
            module=_SEQUENCER,
            before="outer_end.eq(at.outer + 1 == outer_count)",
            after="outer_end.eq(at.outer + 2 == outer_count)",
        ),
        Bug(
            name="rows never grow",
            module=_SEQUENCER,
            before="length.eq(at.length + (fields.length_step & ~blocks))",
            after="length.eq(at.length)",
        ),
        Bug(
            name="a refused descriptor is carried out",
            module=_SEQUENCER,
            before="phase.eq(Mux(code.any(), Phase.IDLE, Phase.RUN))",
            after="phase.eq(Phase.RUN)",
        ),
    ),
)
