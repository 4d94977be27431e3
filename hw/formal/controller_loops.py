"""The loops of a memory controller ask for every word of a transfer once, in order, and then end."""

from amaranth.hdl import *

from hw.formal import Bug, Proof
from hw.formal._aim_device import device
from hw.formal._queue import no_reset

RUN, GROUPS, OUTER = 2, 2, 2


class Harness(Elaboratable):
    """Transfers of any lengths up to two in each loop, any strides below four; commands go out at any time."""

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.dram_pim.controller.loops import Loops
        from hw.spec.memory_controller import AIM_PHASES, OPCODE_READ, OPCODE_WRITE

        m = Module()
        spec, _ = device()
        m.submodules.loops = loops = Loops(spec, AIM_PHASES)
        lengths = [Signal(range(3), name=f"length_{i}") for i in range(3)]  # outer, groups, run
        strides = [Signal(2, name=f"stride_{i}") for i in range(2)]
        first, shared, write = Signal(3), Signal(2), Signal()
        advance, given, started = Signal(), Signal(), Signal()
        fields = [*lengths, *strides, first, shared, write]
        drawn = [Signal.like(field, name=f"{field.name}_drawn") for field in fields]
        self.inputs = [advance, *drawn]
        no_reset(m)
        m.d.sync += [given.eq(1), started.eq(given)]
        with m.If(~given):
            m.d.sync += [field.eq(value) for field, value in zip(fields, drawn, strict=True)]
        m.d.comb += [
            *(Assume((length != 0) & (length != 3)) for length in drawn[:3]),
            loops.i_start.eq(given & ~started),
            loops.i_advance.eq(advance & started),
            loops.i_address.eq(first),
            loops.i_transfer.opcode.eq(Mux(write, OPCODE_WRITE, OPCODE_READ)),
            loops.i_transfer.outer.eq(lengths[0]),
            loops.i_transfer.groups.eq(lengths[1]),
            loops.i_transfer.run.eq(lengths[2]),
            loops.i_transfer.outer_stride.eq(strides[0]),
            loops.i_transfer.stride.eq(strides[1]),
            loops.i_transfer.shared.eq(shared),
            loops.i_gemv.opcode.eq(loops.i_transfer.opcode),
        ]
        # the same three loops as plain counters: places, and the address they stand for
        i, j, k, words = Signal(2), Signal(2), Signal(2), Signal(4)
        ended, go = Signal(), Signal()
        address = Signal(5)
        last = (i + 1 == lengths[0]) & (j + 1 == lengths[1]) & (k + 1 == lengths[2])
        m.d.comb += [
            go.eq(advance & started & ~ended),
            address.eq(first + Mux(i[0], strides[0], 0) + Mux(j[0], strides[1], 0) + k),
        ]
        with m.If(go):
            m.d.sync += [words.eq(words + 1), k.eq(k + 1)]
            with m.If(k + 1 == lengths[2]):
                m.d.sync += [k.eq(0), j.eq(j + 1)]
                with m.If(j + 1 == lengths[1]):
                    m.d.sync += [j.eq(0), i.eq(i + 1)]
            m.d.comb += [
                Assert(loops.o_last == last),
                Assert(Cat(loops.o_bank, loops.o_column, loops.o_row)[:5] == address),
                Assert(loops.o_shared == shared + words),
            ]
            with m.If(last):
                m.d.sync += ended.eq(1)
        m.d.comb += [
            Cover(go & last & (words == RUN * GROUPS * OUTER - 1)),
            Cover(go & last & (words == 0)),
        ]
        return m


PROOF = Proof(
    title="the loops of a memory controller ask for every word of a transfer once, in order, and then end",
    build=Harness,
    bounded=12,
    cover=12,
    bugs=(
        Bug(
            name="the second outer round starts where the first did",
            module="hw.rtl.dram_pim.controller.loops",
            before="group.eq(onward)",
            after="group.eq(block)",
        ),
        Bug(
            name="a descriptor ends with its first outer round",
            module="hw.rtl.dram_pim.controller.loops",
            before="Cat(*ends).all() & ~more",
            after="Cat(*ends[1:]).all() & ~more",
        ),
        Bug(
            name="a word of the shared memory is carried twice",
            module="hw.rtl.dram_pim.controller.loops",
            before="shared.eq(shared + 1)",
            after="shared.eq(shared + ~ends[2])",
        ),
    ),
)
