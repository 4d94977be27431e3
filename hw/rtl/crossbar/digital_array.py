"""Cells as registers and adder trees in place of currents and converters: answers a tile's port exactly."""

import itertools

from amaranth.hdl import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In

from hw.base.error import InputError
from hw.rtl.crossbar.population import population
from hw.rtl.crossbar.signature import ArrayPort
from hw.spec.crossbar import CrossbarSpec


class DigitalArray(wiring.Component):
    """code = sum over rows of input bit times level (minus the second cell's in a differential pair), unclipped.

    One adder tree per converter (two for pairs), on the cells of the selected column; the sum is registered and comes
    `adc_cycles` after `sample`. A programming pulse writes the addressed cell at once; reading it back is
    combinational. Word m of `cells` holds the columns that are selected together in step m: converter after converter,
    the first cells of pairs before the second ones, row 0 lowest; the words
    of an array follow those of the one before.

    With sample and hold the word lines are held, not the sums.

    Members
    -------
    port : In(ArrayPort(spec))
    """

    def __init__(self, spec: CrossbarSpec) -> None:
        if spec.range_policy != "lossless" or spec.plane_bits != 1:
            raise InputError(
                f"a digital array is lossless and takes one bit a plane, not {spec.range_policy!r} and "
                f"{spec.plane_bits} bits; choose lossless"
            )
        self.spec = spec
        width = spec.converters * spec.cells_per_column * spec.rows * spec.cell_bits
        self.cells = memory.Memory(shape=width, depth=max(spec.steps * spec.arrays, 2), init=[])
        super().__init__({"port": In(ArrayPort(spec))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec, port = self.spec, self.port
        m.submodules.cells = self.cells
        pairs = spec.cells_per_column
        held = Signal.like(port.wl)
        driven: Value = port.wl
        if spec.sample_and_hold:
            with m.If(port.hold):
                m.d.sync += held.eq(port.wl)
            driven = held

        # the selected columns must be there in the cycle of `sample`: asynchronous read
        read, write = self.cells.read_port(domain="comb"), self.cells.write_port()
        column = port.column >> (pairs - 1)
        step = Signal(range(max(spec.steps, 2)))
        place = Signal(range(spec.converters * pairs * spec.rows))
        second = port.column[0] if pairs == 2 else 0
        for a in range(spec.converters):
            first = a * spec.columns_per_adc
            with m.If((column >= first) & (column < first + spec.columns_per_adc)):
                m.d.comb += [step.eq(column - first), place.eq((a * pairs + second) * spec.rows + port.row)]
        mask = Signal(len(read.data))
        base = port.array * spec.steps if spec.arrays > 1 else 0
        m.d.comb += [
            read.addr.eq(base + Mux(port.pulse | port.verify, step, port.col_sel)),
            write.addr.eq(base + step),
            write.en.eq(port.pulse),
            mask.word_select(place, spec.cell_bits).eq((1 << spec.cell_bits) - 1),
            write.data.eq((read.data & ~mask) | (port.level.replicate(len(mask) // spec.cell_bits) & mask)),
            port.verify_level.eq(read.data.word_select(place, spec.cell_bits)),
        ]
        sums: list[list[Value]] = []
        for a in range(spec.converters):
            parts = []
            for pair in range(pairs):
                cells = read.data.word_select(a * pairs + pair, spec.rows * spec.cell_bits)
                planes = [cells[bit :: spec.cell_bits] for bit in range(spec.cell_bits)]
                counts = [
                    population(m, f"count_{a}_{pair}_{bit}", driven & plane) << bit for bit, plane in enumerate(planes)
                ]
                parts.append(sum(counts[1:], start=counts[0]))
            sums.append(parts)
        codes = [parts[0] - parts[1] if pairs == 2 else parts[0] for parts in sums]
        stages = [Signal(port.code.shape(), name=f"stage_{i}") for i in range(spec.adc_cycles)]
        valid = [Signal(name=f"valid_{i}") for i in range(spec.adc_cycles)]
        m.d.sync += [stages[0][a].eq(code) for a, code in enumerate(codes)]
        m.d.sync += valid[0].eq(port.sample)
        m.d.sync += [late.eq(early) for early, late in itertools.pairwise(valid)]
        m.d.sync += [late.eq(early) for early, late in itertools.pairwise(stages)]
        m.d.comb += [port.code.eq(stages[-1]), port.code_valid.eq(valid[-1])]
        return m
