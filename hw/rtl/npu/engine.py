"""The two engines that feed the array: weights in, activations in."""

from amaranth.hdl import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.npu.geometry import PIXEL, inside, next_pixel, offset
from hw.rtl.npu.sequencer import pass_layout, tile_layout
from hw.spec.core import CoreSpec


class LoadEngine(wiring.Component):
    """Reads a tile's weight words, bottom row first, one per cycle, one tile ahead of the stream engine.

    A tile may begin `MacArraySpec.load_delay` cycles after its registers were released: with two weight
    registers in the cycle of the swap of the tile before, or (R-1)(L-1) cycles after it, since with
    `mac_latency` L > 1 the swap wave goes down slower than the load wave; else behind the last row of the pass.

    Members
    -------
    i_tile : In(stream of tile_layout(core))
    i_release : In(1)
        The row that makes the registers free again is being issued: the first of a pass (the loaded tile becomes
        active), or with `swap_releases_weights` off the last.
    i_taken : In(1)
        The weight memory's port is taken in this cycle.
    o_read, o_address : read request to the weight memory
    o_load : Out(rows)
        Thermometer for the array, in the cycle of the word's arrival.
    o_cells : Out(rows + 1 values)
        Rows written by the word being read: j + 1 in step j, 0 without a read.
    o_waiting : Out(1)
        A word is wanted in this cycle.
    o_ends_command : Out(1)
        The word being read is the last of its command.
    o_loaded : Out(1)
        The tile for the next pass is complete in the shadow registers when a row issued now arrives.
    """

    def __init__(self, core: CoreSpec) -> None:
        self.spec = core
        super().__init__(
            {
                "i_tile": In(stream.Signature(tile_layout(core))),
                "i_release": In(1),
                "i_taken": In(1),
                "o_read": Out(1),
                "o_address": Out(ceil_log2(core.weight_words)),
                "o_load": Out(core.array.rows),
                "o_cells": Out(range(core.array.rows + 1)),
                "o_waiting": Out(1),
                "o_ends_command": Out(1),
                "o_loaded": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows = self.spec.array.rows
        delay = self.spec.array.load_delay
        step = Signal(range(rows))
        free = Signal()

        # Registers are free from `delay` cycles after their release on
        if delay == 0:
            m.d.comb += free.eq(~self.o_loaded | self.i_release)
        else:
            hold = Signal(range(delay + 1))
            m.d.comb += free.eq(~self.o_loaded & (hold == 0))
            with m.If(self.i_release):
                m.d.sync += hold.eq(delay - 1)
            with m.Elif(hold != 0):
                m.d.sync += hold.eq(hold - 1)

        last = step == rows - 1
        m.d.comb += [
            self.o_waiting.eq(self.i_tile.valid & free),
            self.o_read.eq(self.o_waiting & ~self.i_taken),
            self.o_address.eq(self.i_tile.payload.weight_address + (rows - 1) - step),
            self.i_tile.ready.eq(self.o_read & last),
            self.o_ends_command.eq(self.o_read & last & self.i_tile.payload.ends_command),
            self.o_cells.eq(Mux(self.o_read, step + 1, 0)),
        ]
        with m.If(self.i_release):
            m.d.sync += self.o_loaded.eq(0)
        with m.If(self.o_read):
            m.d.sync += step.eq(Mux(last, 0, step + 1))
            with m.If(last):
                m.d.sync += self.o_loaded.eq(1)
        for r in range(rows):
            m.d.sync += self.o_load[r].eq(self.o_read & (step >= r))
        return m


class StreamEngine(wiring.Component):
    """Issues the activation rows of each pass, one per cycle.

    The first row of a pass needs its weights; a row of a first K block needs a free accumulator row.

    Members
    -------
    i_pass : In(stream of pass_layout(core))
    i_loaded : In(1)
    i_taken : In(1)
        The activation memory's port is taken in this cycle.
    i_drained : In(1)
        One accumulator row is free again.
    o_read, o_address : read request to the activation memory; `o_read` is the issue of a row
    o_padded : Out(1)
        The row issued now lies in the padding: all zero, nothing is read.
    o_swap : Out(1)
        The row issued now is the first of its pass.
    o_first, o_last, o_ends_pass, o_ends_block, o_ends_command : Out(1)
        The row issued now: first K block, last K block, last row of its pass, of its block, of its command.
    o_row : Out(ceil_log2(accumulator_rows))
        Its accumulator row.
    o_output_address, o_parameter_address : of that row
    o_wait_weight, o_wait_accumulator, o_wait_activation : Out(1)
        Why a waiting pass issues nothing in this cycle; at most one is high.
    """

    def __init__(self, core: CoreSpec) -> None:
        self.spec = core
        bits = {
            name: Out(1)
            for name in (
                "o_read",
                "o_padded",
                "o_swap",
                "o_first",
                "o_last",
                "o_ends_pass",
                "o_ends_block",
                "o_ends_command",
                "o_wait_weight",
                "o_wait_accumulator",
                "o_wait_activation",
            )
        }
        super().__init__(
            {
                "i_pass": In(stream.Signature(pass_layout(core))),
                "i_loaded": In(1),
                "i_taken": In(1),
                "i_drained": In(1),
                "o_address": Out(ceil_log2(core.activation_words)),
                "o_row": Out(ceil_log2(core.accumulator_rows)),
                "o_output_address": Out(ceil_log2(core.output_words)),
                "o_parameter_address": Out(ceil_log2(core.parameter_words)),
                **bits,
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        current: data.View = self.i_pass.payload
        row = Signal(ceil_log2(self.spec.accumulator_rows))
        base = Signal.like(row)
        free_rows = Signal(range(self.spec.accumulator_rows + 1), init=self.spec.accumulator_rows)
        weights = Signal()
        accumulator = Signal()
        last_row = Signal()
        taken = Signal()
        address: Value = current.activation_address + row
        if self.spec.convolution:
            # The pixel of the present row, and of the first row of the present block of rows
            pixel = Signal(PIXEL)
            start = Signal(PIXEL)
            following = next_pixel(m, current.geometry, pixel)
            address = Mux(current.conv, current.activation_address + offset(pixel, current.tap), address)
            m.d.comb += self.o_padded.eq(current.conv & ~inside(current.geometry, pixel, current.tap))
            with m.If(self.o_read & current.conv):
                m.d.sync += pixel.eq(following)
                with m.If(last_row):
                    m.d.sync += pixel.eq(start)
                    with m.If(current.ends_command):
                        m.d.sync += [pixel.eq(0), start.eq(0)]
                    with m.Elif(current.ends_rows):
                        m.d.sync += [pixel.eq(following), start.eq(following)]
        m.d.comb += [
            weights.eq(self.i_loaded | (row != 0)),
            accumulator.eq(~current.first | (free_rows != 0)),
            last_row.eq(row == current.rows - 1),
            self.o_read.eq(self.i_pass.valid & weights & accumulator & ~taken),
            taken.eq(self.i_taken & ~self.o_padded),
            self.o_wait_weight.eq(self.i_pass.valid & ~weights),
            self.o_wait_accumulator.eq(self.i_pass.valid & weights & ~accumulator),
            self.o_wait_activation.eq(self.i_pass.valid & weights & accumulator & taken),
            self.i_pass.ready.eq(self.o_read & last_row),
            self.o_address.eq(address),
            self.o_row.eq(base + row),
            self.o_output_address.eq(current.output_address + row),
            self.o_parameter_address.eq(current.parameter_address),
            self.o_swap.eq(self.o_read & (row == 0)),
            self.o_first.eq(current.first),
            self.o_last.eq(current.last),
            self.o_ends_pass.eq(last_row),
            self.o_ends_block.eq(last_row & current.last),
            self.o_ends_command.eq(last_row & current.ends_command),
        ]
        with m.If(self.o_read):
            m.d.sync += row.eq(row + 1)
            with m.If(last_row):
                m.d.sync += row.eq(0)
                with m.If(current.last):
                    m.d.sync += base.eq(base + current.rows)
        m.d.sync += free_rows.eq(free_rows - (self.o_read & current.first) + self.i_drained)
        return m
