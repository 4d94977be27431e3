"""The NPU core with an output-stationary array; the same ports, memories, output stage and counters as `Core`."""

from amaranth.hdl import *
from amaranth.lib import wiring

from hw.rtl.arithmetic.fp_class import OperandWatch
from hw.rtl.npu.accumulator import ROW_CONTROL, Accumulator
from hw.rtl.npu.command_queue import CommandQueue
from hw.rtl.npu.core import Core
from hw.rtl.npu.counters import Counters
from hw.rtl.npu.drain import Drain
from hw.rtl.npu.mac_array import delay
from hw.rtl.npu.memory_side.memory_side import MemorySide
from hw.rtl.npu.output_stationary_array import SUM_BITS, OsArray
from hw.rtl.npu.output_stationary_engine import OsSequencer, OsStreamEngine
from hw.rtl.npu.output_stationary_interleave import InterleavingEngine
from hw.rtl.npu.scratchpad import Scratchpad
from hw.rtl.npu.signature import CoreSignature
from hw.spec.command import activation_word_bits, weight_word_bits
from hw.spec.core import OUTPUT_ROWS, CoreSpec


class OsCore(Core):
    """Output-stationary GEMM core; ports as `CoreSignature`.

    Finished rows go through the ring of accumulator rows, which only buffers here, to the output stage. Cycles of a
    chain of commands as in `Core`, with P folds of K_p words over all commands and v result rows in the last one:

        T = 3 + K_0 + sum over p > 0 of max(K_p, R) + (2*R + C - 1) + 6     drain through the columns
        T = 3 + K_0 + sum over p > 0 of max(K_p, R) + (v + C) + 6           a link per cell

    A link per cell does not let folds follow each other faster: the output stage takes one row per cycle. Without
    overlap of folds max(K_p, R) becomes K_p + 2*R + C - 1 or K_p + R + C. Floating point: a result is there
    `mac_latency` cycles later; above 1 the folds are interleaved (`InterleavingEngine`,
    `model.cycle.npu.output_stationary_interleave`).
    """

    def __init__(self, core: CoreSpec) -> None:
        self.spec = core
        self.queue = CommandQueue(core)
        self.sequencer = OsSequencer(core)
        self.stream = InterleavingEngine(core) if core.array.interleaved_folds > 1 else OsStreamEngine(core)
        banks = 1 if core.dma is None else core.dma.banks
        self.activation_memory = Scratchpad(depth=core.activation_words, width=activation_word_bits(core), banks=banks)
        self.weight_memory = Scratchpad(depth=core.weight_words, width=weight_word_bits(core), banks=banks)
        self.memory_side = None if core.dma is None else MemorySide(core)
        self.array = OsArray(core.array)
        self.accumulator = Accumulator(core)
        self.drain = Drain(core)
        self.watch = OperandWatch(core.array) if core.array.is_floating_point else None
        self.counters_ = Counters(core)
        wiring.Component.__init__(self, CoreSignature(core))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.queue = self.queue
        m.submodules.sequencer = self.sequencer
        m.submodules.stream = engine = self.stream
        m.submodules.activation_memory = activation = self.activation_memory
        m.submodules.weight_memory = weight = self.weight_memory
        m.submodules.array = array = self.array
        m.submodules.accumulator = accumulator = self.accumulator
        m.submodules.drain = drain = self.drain

        wiring.connect(m, wiring.flipped(self.i_command), self.queue.i_command)
        wiring.connect(m, self.queue.o_command, self.sequencer.i_command)
        self._queue(m, "fold_queue", self.sequencer.o_fold, engine.i_fold)

        # Operands; in a cycle without a word the array takes zeros, floating point the product -0
        self.activation_missing, self.weight_missing = self._memory_side(m)
        m.d.comb += [
            activation.i_read.eq(engine.o_read),
            activation.i_address.eq(engine.o_activation_address),
            weight.i_read.eq(engine.o_read),
            weight.i_address.eq(engine.o_weight_address),
            engine.i_activation_taken.eq(activation.o_taken | self.activation_missing),
            engine.i_weight_taken.eq(weight.o_taken | self.weight_missing),
            engine.i_drained.eq(drain.o_drain),
        ]
        idle: Value = Const(0)
        if self.spec.array.is_floating_point:  # -0 in each lane
            bits = self.spec.array.activation_lane_bits
            idle = Cat(Const(1 << (bits - 1), bits) for _ in range(self.spec.array.rows))
        arrived = Signal()
        m.d.sync += [arrived.eq(engine.o_read), array.i_first.eq(engine.o_first), array.i_last.eq(engine.o_last)]
        m.d.comb += [
            array.i_activation.eq(Mux(arrived, activation.o_data, idle)),
            array.i_weight.eq(Mux(arrived, weight.o_data, 0) if self.spec.array.is_floating_point else weight.o_data),
            accumulator.i_sums.eq(self._rows(m)),
        ]

        # A row's control bits arrive at the accumulators one cycle before its sums
        announced = delay(m, engine.o_row_valid, self.spec.array.fold_tail - 2, "announced")
        control = Signal(ROW_CONTROL)
        m.d.comb += [
            control.valid.eq(announced),
            control.first.eq(1),
            control.last.eq(1),
            control.ends_pass.eq(1),
            control.ends_block.eq(1),
            accumulator.i_control.eq(control),
        ]

        self._rows_out(m)
        self._drain(m, note=engine.o_row_valid, starts_block=engine.o_starts_block)
        self._watch(m, arrived, arrived)
        self._status(m)
        self._count(m)
        return m

    def _readers(self) -> dict[str, Value]:
        engine = self.stream
        ends = engine.o_last & engine.i_fold.payload.ends_command
        return {
            "weight_address": engine.o_weight_address,
            "activation_address": engine.o_activation_address,
            "loaded": ends,
            "streamed": ends,
        }

    def _rows(self, m: Module) -> Value:
        """One row of `columns` sums per cycle; by link each column's bus shows the one cell that is finished."""
        spec, array = self.spec.array, self.array
        if spec.drain == "columns":
            return array.o_sums
        columns = []
        for c in range(spec.columns):
            cells = [r * spec.columns + c for r in range(spec.rows)]
            bus = Signal(SUM_BITS, name=f"bus_{c}")
            shown = [Mux(array.o_valid[i], array.o_sums.word_select(i, SUM_BITS), 0) for i in cells]
            m.d.comb += bus.eq(Cat(*(Cat(*(v[bit] for v in shown)).any() for bit in range(SUM_BITS))))
            columns.append(delay(m, bus, spec.columns - 1 - c, f"bus_skew_{c}"))
        return Cat(*columns)

    def _array_counts(self, m: Module) -> tuple[dict[str, ValueLike], dict[str, ValueLike]]:
        """Labels, and the events of array and operand memories."""
        engine, drain = self.stream, self.drain
        rows_in_flight = Signal(range(self.spec.accumulator_rows + OUTPUT_ROWS + 1))
        m.d.sync += rows_in_flight.eq(rows_in_flight + engine.o_results - drain.o_left)
        waiting, in_flight = engine.o_waiting, rows_in_flight != 0
        labels: dict[str, ValueLike] = {
            "stream": engine.o_read,
            "weight_missing": engine.o_wait_weight_port & self.weight_missing,
            "weight_blocked": engine.o_wait_weight_port,
            "wait_accumulator": engine.o_wait_accumulator,
            "activation_missing": engine.o_wait_activation_port & self.activation_missing,
            "activation_blocked": engine.o_wait_activation_port,
            "output_blocked": ~waiting & in_flight & drain.o_blocked,
            "drain": ~waiting & in_flight,
        }
        side = self.memory_side
        if side is not None:
            labels["copy"] = ~waiting & side.o_open
        events: dict[str, ValueLike] = {
            "mac_array.mac": Mux(engine.o_read, self.spec.array.cells, 0),
            "mac_array.pass": engine.o_last,
            "activation_memory.read": engine.o_read,
            "weight_memory.read": engine.o_read,
        }
        if side is not None:
            events |= {
                "activation_memory.conflict": engine.o_wait_activation_port & ~self.activation_missing,
                "weight_memory.conflict": engine.o_wait_weight_port & ~self.weight_missing,
            }
        return labels, events
