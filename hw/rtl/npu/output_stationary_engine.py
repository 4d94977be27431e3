"""What feeds the output-stationary array: commands become folds, folds become operand reads and result rows."""

from amaranth.hdl import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.npu.signature import command_layout
from hw.spec.core import CoreSpec


def fold_layout(core: CoreSpec) -> data.StructLayout:
    """One fold: `words` words of either operand from their addresses, results for `rows` rows.

    Row r of the results goes to `output_address` + r; `ends_command` marks the last fold of a command.
    """
    return data.StructLayout(
        {
            "activation_address": ceil_log2(core.activation_words),
            "weight_address": ceil_log2(core.weight_words),
            "words": command_layout()["k_blocks"].width,
            "rows": (core.array.rows).bit_length(),
            "output_address": ceil_log2(core.output_words),
            "parameter_address": ceil_log2(core.parameter_words),
            "ends_command": 1,
        }
    )


class OutputStationarySequencer(wiring.Component):
    """Turns one GEMM into its folds: row blocks, then column blocks. One per cycle, additions only.

    A command offered in cycle 0 yields its first fold in cycle 1; the next command follows without a gap.

    Members
    -------
    i_command : In(stream of command_layout())
    o_fold : Out(stream of fold_layout(core))
    """

    def __init__(self, core: CoreSpec) -> None:
        self.spec = core
        super().__init__(
            {
                "i_command": In(stream.Signature(command_layout())),
                "o_fold": Out(stream.Signature(fold_layout(core))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows = self.spec.array.rows
        fold: data.View = self.o_fold.payload
        active = Signal()
        command = Signal(command_layout())
        rows_left, n = Signal(command.m.shape()), Signal(command.n_blocks.shape())
        activation, weight = Signal.like(fold.activation_address), Signal.like(fold.weight_address)
        output_block, output = Signal.like(fold.output_address), Signal.like(fold.output_address)
        parameter = Signal.like(fold.parameter_address)
        last_n, last_rows, emit = Signal(), Signal(), Signal()
        m.d.comb += [
            last_n.eq(n == command.n_blocks - 1),
            last_rows.eq(rows_left <= rows),
            emit.eq(active & self.o_fold.ready),
            self.o_fold.valid.eq(active),
            fold.activation_address.eq(activation),
            fold.weight_address.eq(weight),
            fold.words.eq(command.k_blocks),
            fold.rows.eq(Mux(last_rows, rows_left, rows)),
            fold.output_address.eq(output),
            fold.parameter_address.eq(parameter),
            fold.ends_command.eq(last_n & last_rows),
            self.i_command.ready.eq(~active | (emit & last_n & last_rows)),
        ]
        with m.If(emit):
            m.d.sync += [
                n.eq(n + 1),
                weight.eq(weight + command.k_blocks),
                output.eq(output + command.m),
                parameter.eq(parameter + 1),
            ]
            with m.If(last_n):
                m.d.sync += [
                    n.eq(0),
                    rows_left.eq(rows_left - rows),
                    activation.eq(activation + command.k_blocks),
                    output_block.eq(output_block + rows),
                    output.eq(output_block + rows),
                    weight.eq(command.weight_address),
                    parameter.eq(command.parameter_address),
                ]
        with m.If(self.i_command.ready):
            arriving = self.i_command.payload
            m.d.sync += active.eq(self.i_command.valid)
            with m.If(self.i_command.valid):
                m.d.sync += [
                    command.eq(arriving),
                    rows_left.eq(arriving.m),
                    n.eq(0),
                    weight.eq(arriving.weight_address),
                    parameter.eq(arriving.parameter_address),
                    activation.eq(arriving.activation_address),
                    output_block.eq(arriving.output_address),
                    output.eq(arriving.output_address),
                ]
        return m


class OutputStationaryStreamEngine(wiring.Component):
    """Issues the words of each fold, one per cycle, and then its result rows, one per cycle.

    A fold's last word keeps `rows` cycles' distance to the one before, since results leave one row per cycle, and
    needs `rows` free accumulator rows; without overlap of folds the first word waits until the array is empty.
    Holes between words do no harm: the array takes zeros.

    Members
    -------
    i_fold : In(stream of fold_layout(core))
    i_activation_taken, i_weight_taken : In(1)
        The memory's port is taken in this cycle.
    i_drained : In(1)
        One accumulator row is free again.
    o_read, o_activation_address, o_weight_address : read request to both memories; the issue of a word
    o_first, o_last : Out(1)
        The word issued now is the first, the last of its fold.
    o_results : Out(ceil_log2(rows + 1))
        Result rows of the fold that ends in this cycle, 0 if none does.
    o_wait_weight_port, o_wait_accumulator, o_wait_activation_port : Out(1)
        Why a waiting fold issues nothing in this cycle; at most one is high.
    o_waiting : Out(1)
        There is a fold with words to issue.
    o_row_valid : Out(1)
        One result row is announced, from the cycle after the last word on, in the order in which rows leave.
    o_row, o_output_address, o_parameter_address, o_starts_block, o_ends_command : of that row, as `Drain` notes it
    """

    def __init__(self, core: CoreSpec) -> None:
        self.spec = core
        layout = fold_layout(core)
        bits = {
            name: Out(1)
            for name in (
                "o_read",
                "o_first",
                "o_last",
                "o_wait_weight_port",
                "o_wait_accumulator",
                "o_wait_activation_port",
                "o_row_valid",
                "o_starts_block",
                "o_ends_command",
                "o_waiting",
            )
        }
        super().__init__(
            {
                "i_fold": In(stream.Signature(layout)),
                "i_activation_taken": In(1),
                "i_weight_taken": In(1),
                "i_drained": In(1),
                "o_activation_address": Out(ceil_log2(core.activation_words)),
                "o_weight_address": Out(ceil_log2(core.weight_words)),
                "o_results": Out(layout["rows"].shape),
                "o_row": Out(ceil_log2(core.accumulator_rows)),
                "o_output_address": Out(ceil_log2(core.output_words)),
                "o_parameter_address": Out(ceil_log2(core.parameter_words)),
                **bits,
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        array, rows = self.spec.array, self.spec.array.rows
        fold: data.View = self.i_fold.payload
        step = Signal.like(fold.words)
        hold, gap = Signal(range(rows)), Signal(range(max(2, array.fold_delay)))
        free_rows = Signal(range(self.spec.accumulator_rows + 1), init=self.spec.accumulator_rows)
        first, last, space, wants = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            first.eq(step == 0),
            last.eq(step == fold.words - 1),
            space.eq((~last | ((hold == 0) & (free_rows >= rows))) & (~first | (gap == 0))),
            wants.eq(self.i_fold.valid & space),
            self.o_read.eq(wants & ~self.i_weight_taken & ~self.i_activation_taken),
            self.o_wait_accumulator.eq(self.i_fold.valid & ~space),
            self.o_wait_weight_port.eq(wants & self.i_weight_taken),
            self.o_wait_activation_port.eq(wants & ~self.i_weight_taken & self.i_activation_taken),
            self.o_waiting.eq(self.i_fold.valid),
            self.i_fold.ready.eq(self.o_read & last),
            self.o_activation_address.eq(fold.activation_address + step),
            self.o_weight_address.eq(fold.weight_address + step),
            self.o_first.eq(self.o_read & first),
            self.o_last.eq(self.o_read & last),
            self.o_results.eq(Mux(self.o_last, fold.rows, 0)),
        ]
        self._hold_off(m, hold, rows)
        self._hold_off(m, gap, array.fold_delay)
        with m.If(self.o_read):
            m.d.sync += step.eq(Mux(last, 0, step + 1))
        m.d.sync += free_rows.eq(free_rows - self.o_results + self.i_drained)

        self._announce(m, fold)
        return m

    def _hold_off(self, m: Module, counter: Signal, distance: int) -> None:
        """`counter` is 0 from `distance` cycles after the last word of a fold on."""
        with m.If(self.o_last):
            m.d.sync += counter.eq(distance - 1)
        with m.Elif(counter != 0):
            m.d.sync += counter.eq(counter - 1)

    def _announce(self, m: Module, fold: data.View) -> None:
        """Result rows of the fold that ends: through the columns the bottom one leaves first, by link the top one."""
        array, rows = self.spec.array, self.spec.array.rows
        ended, announcing, row = Signal(fold_layout(self.spec)), Signal(), Signal(range(rows))
        with m.If(self.o_last):
            m.d.sync += [ended.eq(fold), announcing.eq(1)]
        with m.Elif(row == (0 if array.drain == "columns" else rows - 1)):
            m.d.sync += announcing.eq(0)
        top, bottom = row == 0, row == ended.rows - 1
        if array.drain == "columns":
            m.d.comb += [self.o_starts_block.eq(bottom), self.o_ends_command.eq(top & ended.ends_command)]
            m.d.sync += row.eq(Mux(self.o_last, rows - 1, row - (row != 0)))
        else:
            m.d.comb += [self.o_starts_block.eq(top), self.o_ends_command.eq(bottom & ended.ends_command)]
            m.d.sync += row.eq(Mux(self.o_last, 0, row + (row != rows - 1)))
        m.d.comb += [
            self.o_row_valid.eq(announcing & (row < ended.rows)),
            self.o_output_address.eq(ended.output_address + row),
            self.o_parameter_address.eq(ended.parameter_address),
        ]
        with m.If(self.o_row_valid):
            m.d.sync += self.o_row.eq(self.o_row + 1)
