"""A bare output-stationary array fed by counters: folds of one GEMM, for tests of the array alone."""

# ruff: noqa: F403, F405

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.npu.output_stationary_array import OutputStationaryArray
from hw.spec.mac_array import MacArraySpec


class OutputStationaryEngine(wiring.Component):
    """Runs one GEMM on an output-stationary array: asks for operands, marks the folds, reports the end.

    After `i_start` it reads, fold by fold and column block by column block, word k of the row block's activations
    and of the column block's weights: activation word mb * K + k holds A[mb*R.., k], weight word nb * K + k holds
    W[k, nb*C..]. Memories are synchronous: the words asked for in one cycle are at the inputs in the next.

    Members
    -------
    i_start : In(1); i_row_blocks, i_column_blocks, i_k : In(16), held while busy, all at least 1
    o_read : Out(1) with o_activation_address, o_weight_address : Out(32)
    i_activation, i_weight : the words asked for in the cycle before
    o_valid, o_sums : as of `OutputStationaryArray`
    o_cycles : Out(32): cycles since the one after `i_start`, up to the last result; holds when done
    o_busy : Out(1)
    """

    def __init__(self, array: MacArraySpec) -> None:
        if array.is_floating_point:
            raise InputError(f"this engine feeds integer arrays, not {array.activation_format}; take the core's")
        self.spec = array
        self.array = OutputStationaryArray(array)
        members = {
            name: member for name, member in self.array.signature.members.items() if name not in ("i_first", "i_last")
        }
        super().__init__(
            {
                **members,
                "i_start": In(1),
                "i_row_blocks": In(16),
                "i_column_blocks": In(16),
                "i_k": In(16),
                "o_read": Out(1),
                "o_activation_address": Out(32),
                "o_weight_address": Out(32),
                "o_cycles": Out(32),
                "o_busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.array = array = self.array
        spec = self.spec
        # From the last word at the array's inputs to the last result: the tail of the closed form
        shift = spec.rows if spec.drain == "columns" else 1
        tail = spec.rows + spec.columns - 2 + shift
        interval = spec.rows if spec.drain == "columns" else 1

        step, wait, rows_left, columns_left = Signal(16), Signal(16), Signal(16), Signal(16)
        reading, tailing = Signal(), Signal(range(tail + 2))
        row_base, column_base = Signal(32), Signal(32)
        last_step, last_fold, go = Signal(), Signal(), Signal()
        m.d.comb += [
            go.eq(reading & (wait == 0)),
            last_step.eq(step == self.i_k - 1),
            last_fold.eq((rows_left == 0) & (columns_left == 0)),
            self.o_read.eq(go),
            self.o_activation_address.eq(row_base + step),
            self.o_weight_address.eq(column_base + step),
            self.o_busy.eq(reading | (tailing != 0)),
        ]
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.If(tailing != 0):
            m.d.sync += tailing.eq(tailing - 1)
        with m.If(self.o_busy):
            m.d.sync += self.o_cycles.eq(self.o_cycles + 1)
        with m.If(go):
            m.d.sync += step.eq(step + 1)
            with m.If(last_step):
                # Folds keep their distance: drain registers must be free, or the array empty
                gap = Mux(self.i_k < interval, interval - self.i_k, 0) if spec.fold_overlap else tail + 1
                m.d.sync += [step.eq(0), wait.eq(gap)]
                with m.If(columns_left == 0):
                    m.d.sync += [
                        columns_left.eq(self.i_column_blocks - 1),
                        rows_left.eq(rows_left - 1),
                        column_base.eq(0),
                        row_base.eq(row_base + self.i_k),
                    ]
                with m.Else():
                    m.d.sync += [columns_left.eq(columns_left - 1), column_base.eq(column_base + self.i_k)]
                with m.If(last_fold):
                    m.d.sync += [reading.eq(0), tailing.eq(tail + 1)]
        with m.If(self.i_start & ~self.o_busy):
            m.d.sync += [
                reading.eq(1),
                step.eq(0),
                wait.eq(0),
                row_base.eq(0),
                column_base.eq(0),
                self.o_cycles.eq(0),
                rows_left.eq(self.i_row_blocks - 1),
                columns_left.eq(self.i_column_blocks - 1),
            ]

        # The marks travel with the words, one cycle after their addresses
        m.d.sync += [array.i_first.eq(go & (step == 0)), array.i_last.eq(go & last_step)]
        idle = Signal()
        m.d.sync += idle.eq(~go)
        m.d.comb += [
            array.i_activation.eq(Mux(idle, 0, self.i_activation)),
            array.i_weight.eq(Mux(idle, 0, self.i_weight)),
            self.o_valid.eq(array.o_valid),
            self.o_sums.eq(array.o_sums),
        ]
        return m
