"""The NPU core: command queue, engines, array, accumulators, output stage, counters."""

from amaranth.hdl import *
from amaranth.lib import fifo, stream, wiring

from hw.rtl.accumulator import ROW_CONTROL, Accumulator
from hw.rtl.command_queue import CommandQueue
from hw.rtl.counters import Counters
from hw.rtl.drain import Drain
from hw.rtl.engine import LoadEngine, StreamEngine
from hw.rtl.mac_array import CellStyle, MacArray
from hw.rtl.scratchpad import Scratchpad
from hw.rtl.sequencer import Sequencer
from hw.rtl.signature import CoreSignature
from hw.spec.command import activation_word_bits, weight_word_bits
from hw.spec.core import OUTPUT_ROWS, PASS_ENTRIES, CoreSpec


class Core(wiring.Component):
    """Weight-stationary GEMM core; ports as `CoreSignature`.

    Cycles of a chain of commands, one offered per cycle, no stalls, from the cycle after the first is
    accepted to the one in which the last row leaves (`counters.busy`), with P passes of m_p rows over all
    commands, R rows, C columns, L = mac_latency, G = R + (R-1)(L-1):

        T = 3 + R + sum over p < P-1 of max(m_p, G) + m_(P-1) + L*R + C + 6

    With one weight register per cell max(m_p, G) becomes m_p + G, without overlap of folds m_p + R + L*R + C.
    3: queue, decoder, sequencer. R: first weight tile. L*R + C: operand memory and array. 6: accumulator
    write, drain read, bias, multiply, round, output queue.

    Parameters
    ----------
    core : CoreSpec
    cells : "inline" or "instance"
        See `MacArray`.
    """

    def __init__(self, core: CoreSpec, *, cells: CellStyle = "inline") -> None:
        self.spec = core
        self.queue = CommandQueue(core)
        self.sequencer = Sequencer(core)
        self.load, self.stream = LoadEngine(core), StreamEngine(core)
        self.activation_memory = Scratchpad(depth=core.activation_words, width=activation_word_bits(core))
        self.weight_memory = Scratchpad(depth=core.weight_words, width=weight_word_bits(core))
        self.array = MacArray(core.array, cells=cells)
        self.accumulator = Accumulator(core)
        self.drain = Drain(core)
        self.counters_ = Counters({
            "mac_array.mac": core.array.cells.bit_length(),
            "mac_array.weight_load": core.array.cells.bit_length(),
            "output_stage.requantise": core.array.columns.bit_length(),
        })
        super().__init__(CoreSignature(core))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.queue = self.queue
        m.submodules.sequencer = self.sequencer
        m.submodules.load = load = self.load
        m.submodules.stream = engine = self.stream
        m.submodules.activation_memory = activation = self.activation_memory
        m.submodules.weight_memory = weight = self.weight_memory
        m.submodules.array = self.array
        m.submodules.accumulator = accumulator = self.accumulator
        m.submodules.drain = drain = self.drain

        # Commands become passes; each engine has its own queue of them
        wiring.connect(m, wiring.flipped(self.i_command), self.queue.i_command)
        wiring.connect(m, self.queue.o_command, self.sequencer.i_command)
        self._queue(m, "tile_queue", self.sequencer.o_tile, load.i_tile)
        self._queue(m, "pass_queue", self.sequencer.o_pass, engine.i_pass)

        # Operands
        wiring.connect(m, wiring.flipped(self.i_activation), activation.i_write)
        wiring.connect(m, wiring.flipped(self.i_weight), weight.i_write)
        m.d.comb += [
            weight.i_read.eq(load.o_read),
            weight.i_address.eq(load.o_address),
            load.i_taken.eq(weight.o_taken),
            load.i_release.eq(
                engine.o_swap if self.spec.array.swap_releases_weights else engine.o_read & engine.o_ends_pass),
            activation.i_read.eq(engine.o_read),
            activation.i_address.eq(engine.o_address),
            engine.i_taken.eq(activation.o_taken),
            engine.i_loaded.eq(load.o_loaded),
            engine.i_drained.eq(drain.o_drain),
        ]

        # Array
        swap = Signal()
        m.d.sync += swap.eq(engine.o_swap)
        m.d.comb += [
            self.array.i_activation.eq(activation.o_data),
            self.array.i_swap.eq(swap),
            self.array.i_weight.eq(weight.o_data),
            self.array.i_load.eq(load.o_load),
            accumulator.i_sums.eq(self.array.o_partial_sum),
        ]

        # A row's control bits arrive at the accumulators one cycle before its sums
        control = Signal(ROW_CONTROL)
        m.d.comb += [
            control.valid.eq(engine.o_read),
            control.first.eq(engine.o_first),
            control.last.eq(engine.o_last),
            control.ends_pass.eq(engine.o_ends_pass),
            control.ends_block.eq(engine.o_ends_block),
        ]
        for stage in range(self.array.latency):
            late = Signal(ROW_CONTROL, name=f"control_{stage}")
            m.d.sync += late.eq(control)
            control = late
        m.d.comb += accumulator.i_control.eq(control)

        # Drain
        wiring.connect(m, wiring.flipped(self.i_parameter), drain.i_parameter)
        wiring.connect(m, drain.o_row, wiring.flipped(self.o_row))
        m.d.comb += [
            drain.i_note.eq(engine.o_read & engine.o_last),
            drain.i_row.eq(engine.o_row),
            drain.i_output_address.eq(engine.o_output_address),
            drain.i_parameter_address.eq(engine.o_parameter_address),
            drain.i_starts_block.eq(engine.o_swap),
            drain.i_ends_command.eq(engine.o_ends_command),
            drain.i_available.eq(accumulator.o_available),
            accumulator.i_drain.eq(drain.o_drain),
            drain.i_sums.eq(accumulator.o_drained),
        ]
        self._status(m)
        self._count(m)
        return m

    def _queue(self, m: Module, name: str, source: stream.Interface, sink: stream.Interface) -> None:
        """Connect two streams through a queue of `PASS_ENTRIES`, one cycle later."""
        shape = source.payload.shape()
        m.submodules[name] = queue = fifo.SyncFIFO(width=shape.size, depth=PASS_ENTRIES)
        m.d.comb += [
            queue.w_data.eq(source.payload),
            queue.w_en.eq(source.valid),
            source.ready.eq(queue.w_rdy),
            sink.payload.eq(shape(queue.r_data)),
            sink.valid.eq(queue.r_rdy),
            queue.r_en.eq(sink.ready),
        ]

    def _status(self, m: Module) -> None:
        """Busy while accepted commands are neither completed nor refused."""
        accepted = self.i_command.valid & self.i_command.ready
        done = self.drain.o_left & self.drain.o_ends_command
        unfinished = Signal(32)
        m.d.sync += [
            unfinished.eq(unfinished + accepted - done - self.queue.o_refused),
            self.status.completed.eq(self.status.completed + done),
            self.status.refused.eq(self.status.refused + self.queue.o_refused),
        ]
        with m.If(self.queue.o_refused):
            m.d.sync += self.status.error.eq(self.queue.o_code)
        m.d.comb += [self.status.busy.eq(unfinished != 0), self.status.idle.eq(~self.status.busy)]

    def _count(self, m: Module) -> None:
        """Labels and events; definitions in `hw.spec.event`."""
        array, engine, load, drain = self.spec.array, self.stream, self.load, self.drain
        m.submodules.counters = count = self.counters_
        rows_in_flight = Signal(range(self.spec.accumulator_rows + OUTPUT_ROWS + 1))
        m.d.sync += rows_in_flight.eq(rows_in_flight + (engine.o_read & engine.o_first) - drain.o_left)
        waiting, in_flight = engine.i_pass.valid, rows_in_flight != 0
        weight_port = load.o_waiting & self.weight_memory.o_taken
        conditions = {
            "stream": engine.o_read,
            "wait_weight": engine.o_wait_weight & ~weight_port,
            "weight_blocked": engine.o_wait_weight & weight_port,
            "wait_accumulator": engine.o_wait_accumulator,
            "activation_blocked": engine.o_wait_activation,
            "output_blocked": ~waiting & in_flight & self.o_row.valid & ~self.o_row.ready,
            "drain": ~waiting & in_flight,
        }
        busy = self.status.busy
        events = {
            "mac_array.mac": Mux(engine.o_read, array.cells, 0),
            "mac_array.weight_load": load.o_cells * array.columns,
            "mac_array.pass": engine.o_swap,
            "activation_memory.read": engine.o_read,
            "activation_memory.write": self.i_activation.enable & busy,
            "weight_memory.read": load.o_read,
            "weight_memory.write": self.i_weight.enable & busy,
            "accumulator.read": self.accumulator.o_read,
            "accumulator.write": self.accumulator.o_write,
            "accumulator.drain_read": drain.o_drain,
            "parameter_memory.read": drain.o_parameter_read,
            "output_stage.requantise": Mux(drain.o_requantise, array.columns, 0),
            "output_memory.write": drain.o_left,
            "command.accept": self.i_command.valid & self.i_command.ready,
            "command.refuse": self.queue.o_refused,
        }
        m.d.comb += [count.i_clear.eq(self.i_clear), count.i_busy.eq(busy)]
        m.d.comb += [getattr(count, f"i_label_{label}").eq(value) for label, value in conditions.items()]
        m.d.comb += [
            getattr(count, "i_event_" + event.replace(".", "_")).eq(value) for event, value in events.items()]
        wiring.connect(m, count.counters, wiring.flipped(self.counters))
