"""Cells as registers and adder trees in place of currents and converters: answers a tile's port exactly."""

import itertools

from amaranth.hdl import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In

from hw.base.error import InputError
from hw.rtl.crossbar.signature import ArrayPort
from hw.spec.crossbar import CrossbarSpec


class DigitalArray(wiring.Component):
    """code = sum over rows of input bit times level (minus the second cell's in a differential pair), unclipped.

    One adder tree per converter, on the cells of the selected column; the sum is registered and comes `adc_cycles`
    after `sample`. A programming pulse writes the addressed cell at once; reading it back is combinational. Cells lie
    in one memory word per cell column, so a column is selected by an address, as a row of sense amplifiers would.

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
        width = spec.rows * spec.cell_bits
        # converter a, second cell or not -> the columns it takes in turn
        self.memories = [
            memory.Memory(shape=width, depth=max(spec.steps, 2), init=[])
            for _ in range(spec.converters * spec.cells_per_column)
        ]
        super().__init__({"port": In(ArrayPort(spec))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec, port = self.spec, self.port
        pairs = spec.cells_per_column
        held = Signal.like(port.wl)
        driven: Value = port.wl
        if spec.sample_and_hold:
            with m.If(port.hold):
                m.d.sync += held.eq(port.wl)
            driven = held
        # the selected column must be there in the cycle of `sample`: asynchronous read
        sums: list[list[Value]] = []
        read_back = Signal(spec.cell_bits)
        column = port.column >> (pairs - 1)
        m.d.comb += port.verify_level.eq(read_back)
        for a in range(spec.converters):
            parts = []
            for pair in range(pairs):
                index = a * pairs + pair
                cells = self.memories[index]
                m.submodules[f"cells_{a}_{pair}"] = cells
                read = cells.read_port(domain="comb")
                write = cells.write_port(granularity=spec.cell_bits)
                here = Signal(name=f"here_{a}_{pair}")
                local = Signal(range(max(spec.steps, 2)), name=f"local_{a}_{pair}")
                m.d.comb += [
                    here.eq(
                        (column >= a * spec.columns_per_adc)
                        & (column < (a + 1) * spec.columns_per_adc)
                        & (port.column[0] == pair if pairs == 2 else Const(1))
                    ),
                    local.eq(column - a * spec.columns_per_adc),
                    read.addr.eq(Mux(port.verify, local, port.col_sel)),
                    write.addr.eq(local),
                    write.data.eq(port.level.replicate(spec.rows)),
                    write.en.eq(Mux(port.pulse & here, 1 << port.row, 0)),
                ]
                with m.If(here):
                    m.d.comb += read_back.eq(read.data.word_select(port.row, spec.cell_bits))
                terms = [Mux(driven[r], read.data.word_select(r, spec.cell_bits), 0) for r in range(spec.rows)]
                parts.append(_tree(terms))
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


def _tree(terms: list[Value]) -> Value:
    """Sum of `terms`, pairwise, so that widths grow by one bit a level."""
    while len(terms) > 1:
        pairs = [terms[i] + terms[i + 1] for i in range(0, len(terms) - 1, 2)]
        terms = pairs + ([terms[-1]] if len(terms) % 2 else [])
    return terms[0]
