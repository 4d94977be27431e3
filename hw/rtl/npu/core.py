"""The NPU core: command queue, dataflow, memories, accumulators, output stage, counters."""

from typing import Any

from amaranth.hdl import *
from amaranth.lib import wiring

from hw.rtl.arithmetic.fp_class import OperandWatch
from hw.rtl.npu.accumulator import Accumulator
from hw.rtl.npu.command_queue import CommandQueue
from hw.rtl.npu.counters import Counters
from hw.rtl.npu.dataflow import EVENTS, LABELS
from hw.rtl.npu.drain import Drain
from hw.rtl.npu.memory_side.memory_side import MemorySide
from hw.rtl.npu.scratchpad import Scratchpad
from hw.rtl.npu.signature import CoreSignature
from hw.spec.command import activation_word_bits, weight_word_bits
from hw.spec.core import OUTPUT_ROWS, CoreSpec


class Core(wiring.Component):
    """The frame of a GEMM core around its dataflow; ports as `CoreSignature`.

    Commands are queued and judged, operands read for the dataflow part, its rows of sums added up, requantised and
    offered, everything counted. Cycles: `WeightStationary`, `OutputStationary`.

    Parameters
    ----------
    core : CoreSpec
    dataflow : component of DataflowSignature(core)
        The array and what feeds it.
    """

    def __init__(self, core: CoreSpec, dataflow: Any) -> None:
        self.spec = core
        self.queue = CommandQueue(core)
        self.dataflow = dataflow
        banks = 1 if core.dma is None else core.dma.banks
        self.activation_memory = Scratchpad(depth=core.activation_words, width=activation_word_bits(core), banks=banks)
        self.weight_memory = Scratchpad(depth=core.weight_words, width=weight_word_bits(core), banks=banks)
        self.memory_side = None if core.dma is None else MemorySide(core)
        self.accumulator = Accumulator(core)
        self.drain = Drain(core)
        self.watch = OperandWatch(core.array) if core.array.is_floating_point else None
        self.counters_ = Counters(core)
        super().__init__(CoreSignature(core))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.queue, m.submodules.dataflow = queue, flow = self.queue, self.dataflow
        m.submodules.accumulator, m.submodules.drain = accumulator, drain = self.accumulator, self.drain
        wiring.connect(m, wiring.flipped(self.i_command), queue.i_command)
        wiring.connect(m, queue.o_command, flow.i_command)
        m.d.comb += [
            flow.i_geometry.eq(queue.o_geometry),
            flow.i_drained.eq(drain.o_drain),
            accumulator.i_control.eq(flow.o_control),
            accumulator.i_sums.eq(flow.o_sums),
        ]
        self._operands(m)
        self._rows_out(m)
        self._drain(m)
        self._watch(m)
        self._status(m)
        self._count(m)
        return m

    def _operands(self, m: Module) -> None:
        """The memories that the dataflow reads."""
        m.submodules.activation_memory, m.submodules.weight_memory = self.activation_memory, self.weight_memory
        missing = self._memory_side(m)
        for memory, port, absent in zip(
            (self.activation_memory, self.weight_memory),
            (self.dataflow.activation, self.dataflow.weight),
            missing,
            strict=True,
        ):
            m.d.comb += [
                memory.i_read.eq(port.read),
                memory.i_address.eq(port.address),
                port.data.eq(memory.o_data),
                port.taken.eq(memory.o_taken),
                port.missing.eq(absent),
            ]

    def _rows_out(self, m: Module) -> None:
        """Finished rows to the port, unless what they overwrite is still to be copied."""
        drain = self.drain
        keep: Value = Const(0) if self.memory_side is None else self.memory_side.o_keep
        m.d.comb += [
            self.o_row.payload.eq(drain.o_row.payload),
            self.o_row.valid.eq(drain.o_row.valid & ~keep),
            drain.o_row.ready.eq(self.o_row.ready & ~keep),
        ]

    def _drain(self, m: Module) -> None:
        """Connect the drain: rows noted by the dataflow, sums from the accumulators."""
        flow, drain, accumulator = self.dataflow, self.drain, self.accumulator
        m.d.comb += [
            drain.i_note.eq(flow.o_note),
            drain.i_row.eq(flow.o_row),
            drain.i_output_address.eq(flow.o_output_address),
            drain.i_parameter_address.eq(flow.o_parameter_address),
            drain.i_starts_block.eq(flow.o_starts_block),
            drain.i_ends_command.eq(flow.o_ends_command),
            drain.i_available.eq(accumulator.o_available),
            accumulator.i_drain.eq(drain.o_drain),
            drain.i_sums.eq(accumulator.o_drained),
        ]

    def _watch(self, m: Module) -> None:
        """Look for special operands in the words that enter the array."""
        if self.watch is None:
            return
        m.submodules.watch = watch = self.watch
        m.d.comb += [
            watch.i_activation.eq(self.activation_memory.o_data),
            watch.i_activation_valid.eq(self.dataflow.o_activation_arrives),
            watch.i_weight.eq(self.weight_memory.o_data),
            watch.i_weight_valid.eq(self.dataflow.o_weight_arrives),
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
        command, flow = self.queue.o_command, self.dataflow
        m.d.comb += [
            side.i_geometry.eq(self.queue.o_geometry),
            side.i_decoded.eq(command.valid & command.ready),
            side.i_loaded.eq(flow.o_loaded),
            side.i_streamed.eq(flow.o_streamed),
            side.i_drained.eq(self.drain.o_drained_command),
            side.i_left.eq(self.drain.o_left),
            side.i_ends_command.eq(self.drain.o_ends_command),
            side.i_row_address.eq(self.drain.o_row.payload.address),
            side.i_weight_address.eq(flow.weight.address),
            side.i_activation_address.eq(flow.activation.address),
            side.i_parameter_address.eq(self.drain.o_parameter_address),
            self.drain.i_parameter_missing.eq(side.o_parameter_missing),
        ]
        return side.o_activation_missing, side.o_weight_missing

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
        flow = self.dataflow
        labels = {label: getattr(flow.labels, label) for label in LABELS} | self._labels_without_word(m)
        events |= {event: getattr(flow.events, event.replace(".", "_")) for event in EVENTS}
        m.d.comb += [count.i_clear.eq(self.i_clear), count.i_busy.eq(busy)]
        m.d.comb += [getattr(count, f"i_label_{label}").eq(value) for label, value in labels.items()]
        m.d.comb += [getattr(count, "i_event_" + name.replace(".", "_")).eq(value) for name, value in events.items()]
        wiring.connect(m, count.counters, wiring.flipped(self.counters))

    def _labels_without_word(self, m: Module) -> dict[str, ValueLike]:
        """Labels of cycles in which no pass or fold has words to issue."""
        drain, side, idle = self.drain, self.memory_side, ~self.dataflow.o_waiting
        rows_in_flight = Signal(range(self.spec.accumulator_rows + OUTPUT_ROWS + 1))
        m.d.sync += rows_in_flight.eq(rows_in_flight + self.dataflow.o_begun - drain.o_left)
        in_flight = rows_in_flight != 0
        return {
            "output_blocked": idle & in_flight & drain.o_blocked,
            "drain": idle & in_flight,
            "copy": Const(0) if side is None else idle & side.o_open,
        }
