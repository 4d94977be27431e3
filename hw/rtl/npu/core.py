"""The NPU core: command queue, engines, array, accumulators, output stage, counters."""

from amaranth.hdl import *
from amaranth.lib import fifo, stream, wiring

from hw.rtl.arithmetic.fp_class import OperandWatch
from hw.rtl.npu.accumulator import ROW_CONTROL, Accumulator
from hw.rtl.npu.command_queue import CommandQueue
from hw.rtl.npu.counters import Counters
from hw.rtl.npu.drain import Drain
from hw.rtl.npu.engine import LoadEngine, StreamEngine
from hw.rtl.npu.mac_array import CellStyle, MacArray
from hw.rtl.npu.memory_side.memory_side import MemorySide
from hw.rtl.npu.scratchpad import Scratchpad
from hw.rtl.npu.sequencer import Sequencer
from hw.rtl.npu.signature import CoreSignature
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
        banks = 1 if core.dma is None else core.dma.banks
        self.activation_memory = Scratchpad(depth=core.activation_words, width=activation_word_bits(core), banks=banks)
        self.weight_memory = Scratchpad(depth=core.weight_words, width=weight_word_bits(core), banks=banks)
        self.memory_side = None if core.dma is None else MemorySide(core)
        self.array = MacArray(core.array, cells=cells)
        self.accumulator = Accumulator(core)
        self.drain = Drain(core)
        self.watch = OperandWatch(core.array) if core.array.is_floating_point else None
        self.counters_ = Counters(core)
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
        m.d.comb += self.sequencer.i_geometry.eq(self.queue.o_geometry)
        self._queue(m, "tile_queue", self.sequencer.o_tile, load.i_tile)
        self._queue(m, "pass_queue", self.sequencer.o_pass, engine.i_pass)

        # Operands
        activation_missing, weight_missing = self._memory_side(m)
        m.d.comb += [
            weight.i_read.eq(load.o_read),
            weight.i_address.eq(load.o_address),
            load.i_taken.eq(weight.o_taken | weight_missing),
            load.i_release.eq(
                engine.o_swap if self.spec.array.swap_releases_weights else engine.o_read & engine.o_ends_pass
            ),
            activation.i_read.eq(engine.o_read & ~engine.o_padded),
            activation.i_address.eq(engine.o_address),
            engine.i_taken.eq(activation.o_taken | activation_missing),
            engine.i_loaded.eq(load.o_loaded),
            engine.i_drained.eq(drain.o_drain),
        ]

        # Array
        swap, padded = Signal(), Signal()
        m.d.sync += [swap.eq(engine.o_swap), padded.eq(engine.o_read & engine.o_padded)]
        m.d.comb += [
            self.array.i_activation.eq(Mux(padded, 0, activation.o_data)),
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
        self._rows_out(m)
        self._drain(m, note=engine.o_read & engine.o_last, starts_block=engine.o_swap)
        arrived = Signal()
        m.d.sync += arrived.eq(engine.o_read & ~engine.o_padded)
        self._watch(m, arrived, load.o_load[0])
        self._status(m)
        self._count(m)
        return m

    def _rows_out(self, m: Module) -> None:
        """Finished rows to the port, unless what they overwrite is still to be copied."""
        drain = self.drain
        keep: Value = Const(0) if self.memory_side is None else self.memory_side.o_keep
        m.d.comb += [
            self.o_row.payload.eq(drain.o_row.payload),
            self.o_row.valid.eq(drain.o_row.valid & ~keep),
            drain.o_row.ready.eq(self.o_row.ready & ~keep),
        ]

    def _drain(self, m: Module, *, note: Value, starts_block: Value) -> None:
        """Connect the drain: rows noted by the stream engine, sums from the accumulators."""
        engine, drain, accumulator = self.stream, self.drain, self.accumulator
        m.d.comb += [
            drain.i_note.eq(note),
            drain.i_row.eq(engine.o_row),
            drain.i_output_address.eq(engine.o_output_address),
            drain.i_parameter_address.eq(engine.o_parameter_address),
            drain.i_starts_block.eq(starts_block),
            drain.i_ends_command.eq(engine.o_ends_command),
            drain.i_available.eq(accumulator.o_available),
            accumulator.i_drain.eq(drain.o_drain),
            drain.i_sums.eq(accumulator.o_drained),
        ]

    def _watch(self, m: Module, activation: Value, weight: Value) -> None:
        """Look for special operands in words that the memories gave: `activation`, `weight` say that one enters."""
        if self.watch is None:
            return
        m.submodules.watch = watch = self.watch
        m.d.comb += [
            watch.i_activation.eq(self.activation_memory.o_data),
            watch.i_activation_valid.eq(activation),
            watch.i_weight.eq(self.weight_memory.o_data),
            watch.i_weight_valid.eq(weight),
        ]

    def _memory_side(self, m: Module) -> tuple[Value, Value]:
        """Connect host writes and copies; whether the activation and the weight word asked for are missing."""
        ports = {
            "i_activation": self.activation_memory.i_write,
            "i_weight": self.weight_memory.i_write,
            "i_parameter": self.drain.i_parameter,
        }
        side = self.memory_side
        if side is None:
            for name, port in ports.items():
                wiring.connect(m, wiring.flipped(getattr(self, name)), port)
            m.d.comb += self.queue.o_copy.ready.eq(1)  # never valid: every copy is refused
            return Const(0), Const(0)
        m.submodules.memory_side = side
        for name, port in ports.items():
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(side, name))
            wiring.connect(m, getattr(side, name.replace("i_", "o_", 1)), port)
        wiring.connect(m, side.external, wiring.flipped(self.external))
        wiring.connect(m, self.queue.o_copy, side.i_copy)
        command, readers = self.queue.o_command, self._readers()
        m.d.comb += [
            side.i_geometry.eq(self.queue.o_geometry),
            side.i_decoded.eq(command.valid & command.ready),
            side.i_loaded.eq(readers["loaded"]),
            side.i_streamed.eq(readers["streamed"]),
            side.i_drained.eq(self.drain.o_drained_command),
            side.i_left.eq(self.drain.o_left),
            side.i_ends_command.eq(self.drain.o_ends_command),
            side.i_row_address.eq(self.drain.o_row.payload.address),
            side.i_weight_address.eq(readers["weight_address"]),
            side.i_activation_address.eq(readers["activation_address"]),
            side.i_parameter_address.eq(self.drain.o_parameter_address),
            self.drain.i_parameter_missing.eq(side.o_parameter_missing),
        ]
        return side.o_activation_missing, side.o_weight_missing

    def _readers(self) -> dict[str, Value]:
        """What the memory side knows of the engines that read operands: addresses, last words of a command."""
        return {
            "weight_address": self.load.o_address,
            "activation_address": self.stream.o_address,
            "loaded": self.load.o_ends_command,
            "streamed": self.stream.o_read & self.stream.o_ends_command,
        }

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
        done: Value = self.drain.o_left & self.drain.o_ends_command
        done = done + self.queue.o_fence + self.queue.o_configured
        if self.memory_side is not None:
            done = done + self.memory_side.o_done
        unfinished = Signal(32)
        opened = Signal(32)  # handed on, not ended
        handed = self.queue.o_command.valid & self.queue.o_command.ready
        copied = self.queue.o_copy.valid & self.queue.o_copy.ready
        m.d.sync += opened.eq(opened + handed + copied + self.queue.o_fence + self.queue.o_configured - done)
        m.d.comb += self.queue.i_open.eq(opened != 0)
        m.d.sync += [
            unfinished.eq(unfinished + accepted - done - self.queue.o_refused),
            self.status.completed.eq(self.status.completed + done),
            self.status.refused.eq(self.status.refused + self.queue.o_refused),
        ]
        with m.If(self.queue.o_refused):
            m.d.sync += self.status.error.eq(self.queue.o_code)
        m.d.comb += [self.status.busy.eq(unfinished != 0), self.status.idle.eq(~self.status.busy)]

    def _count(self, m: Module) -> None:
        """Labels and events; definitions in `hw.spec.npu_event`. Those a core does not name stay 0."""
        m.submodules.counters = count = self.counters_
        drain, busy, side, dma = self.drain, self.status.busy, self.memory_side, self.spec.dma
        events: dict[str, ValueLike] = {
            "activation_memory.write": self.activation_memory.i_write.enable & busy,
            "weight_memory.write": self.weight_memory.i_write.enable & busy,
            "accumulator.read": self.accumulator.o_read,
            "accumulator.write": self.accumulator.o_write,
            "accumulator.drain_read": drain.o_drain,
            "parameter_memory.read": drain.o_parameter_read,
            "output_stage.requantise": Mux(drain.o_requantise, self.spec.array.columns, 0),
            "output_stage.saturate": drain.o_saturated,
            "output_stage.nan_out": drain.o_nan,
            "output_stage.drain_block": drain.o_blocked,
            "output_memory.write": drain.o_left,
            "command.accept": self.i_command.valid & self.i_command.ready,
            "command.refuse": self.queue.o_refused,
            "command.queue_empty": self.queue.o_empty & busy,
        }
        if self.watch is not None:
            events |= {"mac_array.nan_in": self.watch.o_nan, "mac_array.infinity_in": self.watch.o_infinity}
        if side is not None and dma is not None:
            events |= {
                "parameter_memory.write": side.o_parameter_written,
                "output_memory.read": side.external.row_read,
                "external_memory.read": side.o_beats_read,
                "external_memory.write": side.o_beat_written,
                "external_memory.read_wait": side.o_waits,
                "external_memory.write_wait": side.o_beat_refused,
                "external_memory.read_byte": side.o_beats_read * dma.bytes_per_cycle,
                "external_memory.write_byte": Mux(side.o_beat_written, dma.bytes_per_cycle, 0),
            }
        labels, own = self._array_counts(m)
        m.d.comb += [count.i_clear.eq(self.i_clear), count.i_busy.eq(busy)]
        m.d.comb += [getattr(count, f"i_label_{label}").eq(value) for label, value in labels.items()]
        m.d.comb += [
            getattr(count, "i_event_" + event.replace(".", "_")).eq(value) for event, value in (events | own).items()
        ]
        wiring.connect(m, count.counters, wiring.flipped(self.counters))

    def _array_counts(self, m: Module) -> tuple[dict[str, ValueLike], dict[str, ValueLike]]:
        """Labels, and the events of array and operand memories."""
        array, engine, load, drain = self.spec.array, self.stream, self.load, self.drain
        rows_in_flight = Signal(range(self.spec.accumulator_rows + OUTPUT_ROWS + 1))
        m.d.sync += rows_in_flight.eq(rows_in_flight + (engine.o_read & engine.o_first) - drain.o_left)
        waiting, in_flight = engine.i_pass.valid, rows_in_flight != 0
        side = self.memory_side
        activation_missing: Value = Const(0) if side is None else side.o_activation_missing
        weight_missing: Value = Const(0) if side is None else load.o_waiting & side.o_weight_missing
        weight_port = load.o_waiting & self.weight_memory.o_taken
        weight_conflict = weight_port & ~weight_missing
        activation_conflict = engine.o_wait_activation & ~activation_missing
        labels: dict[str, ValueLike] = {
            "stream": engine.o_read,
            "wait_weight": engine.o_wait_weight & ~weight_port & ~weight_missing,
            "weight_missing": engine.o_wait_weight & weight_missing,
            "weight_blocked": engine.o_wait_weight & weight_port,
            "wait_accumulator": engine.o_wait_accumulator,
            "activation_missing": engine.o_wait_activation & activation_missing,
            "activation_blocked": engine.o_wait_activation,
            "output_blocked": ~waiting & in_flight & drain.o_blocked,
            "drain": ~waiting & in_flight,
            "copy": Const(0) if side is None else ~waiting & side.o_open,
        }
        events: dict[str, ValueLike] = {
            "mac_array.mac": Mux(engine.o_read, array.cells, 0),
            "mac_array.weight_load": load.o_cells * array.columns,
            "mac_array.pass": engine.o_swap,
            "activation_memory.read": engine.o_read & ~engine.o_padded,
            "activation_memory.conflict": Const(0) if side is None else activation_conflict,
            "weight_memory.read": load.o_read,
            "weight_memory.conflict": Const(0) if side is None else weight_conflict,
        }
        return labels, events
