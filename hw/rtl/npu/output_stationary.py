"""The output-stationary dataflow: sums stay in the cells, both operands stream through."""

from amaranth.hdl import *
from amaranth.lib import wiring

from hw.rtl.npu.dataflow import DataflowSignature, queued
from hw.rtl.npu.mac_array import delay
from hw.rtl.npu.output_stationary_array import SUM_BITS, OutputStationaryArray
from hw.rtl.npu.output_stationary_engine import OutputStationarySequencer, OutputStationaryStreamEngine
from hw.rtl.npu.output_stationary_interleave import InterleavingEngine
from hw.spec.core import CoreSpec


class OutputStationary(wiring.Component):
    """Commands become folds of K words for one block of results each; ports as `DataflowSignature`.

    Finished rows go through the ring of accumulator rows, which only buffers here, to the output stage. Cycles of a
    chain of commands as in `WeightStationary`, with P folds of K_p words over all commands and v result rows in the
    last one:

        T = 3 + K_0 + sum over p > 0 of max(K_p, R) + (2*R + C - 1) + 6     drain through the columns
        T = 3 + K_0 + sum over p > 0 of max(K_p, R) + (v + C) + 6           a link per cell

    A link per cell does not let folds follow each other faster: the output stage takes one row per cycle. Without
    overlap of folds max(K_p, R) becomes K_p + 2*R + C - 1 or K_p + R + C. Floating point: a result is there
    `mac_latency` cycles later; above 1 the folds are interleaved (`InterleavingEngine`,
    `model.cycle.npu.output_stationary_interleave`).
    """

    def __init__(self, core: CoreSpec) -> None:
        self.spec = core
        self.sequencer = OutputStationarySequencer(core)
        self.stream = (
            InterleavingEngine(core) if core.array.interleaved_folds > 1 else OutputStationaryStreamEngine(core)
        )
        self.array = OutputStationaryArray(core.array)
        super().__init__(DataflowSignature(core))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sequencer, m.submodules.array = sequencer, array = self.sequencer, self.array
        m.submodules.stream = engine = self.stream
        wiring.connect(m, wiring.flipped(self.i_command), sequencer.i_command)
        queued(m, "fold_queue", sequencer.o_fold, engine.i_fold)
        self._read(m)

        # In a cycle without a word the array takes zeros, floating point the product -0
        idle: Value = Const(0)
        if self.spec.array.is_floating_point:  # -0 in each lane
            bits = self.spec.array.activation_lane_bits
            idle = Cat(Const(1 << (bits - 1), bits) for _ in range(self.spec.array.rows))
        arrived, weight = Signal(), self.weight.data
        m.d.sync += [arrived.eq(engine.o_read), array.i_first.eq(engine.o_first), array.i_last.eq(engine.o_last)]
        m.d.comb += [
            array.i_activation.eq(Mux(arrived, self.activation.data, idle)),
            array.i_weight.eq(Mux(arrived, weight, 0) if self.spec.array.is_floating_point else weight),
            self.o_activation_arrives.eq(arrived),
            self.o_weight_arrives.eq(arrived),
            self.o_sums.eq(self._rows(m)),
        ]
        self._announce(m)
        self._count(m)
        return m

    def _read(self, m: Module) -> None:
        """One word of either operand in a cycle."""
        engine, activation, weight = self.stream, self.activation, self.weight
        ends = engine.o_last & engine.i_fold.payload.ends_command
        m.d.comb += [
            activation.read.eq(engine.o_read),
            activation.address.eq(engine.o_activation_address),
            weight.read.eq(engine.o_read),
            weight.address.eq(engine.o_weight_address),
            engine.i_activation_taken.eq(activation.taken | activation.missing),
            engine.i_weight_taken.eq(weight.taken | weight.missing),
            engine.i_drained.eq(self.i_drained),
            self.o_loaded.eq(ends),
            self.o_streamed.eq(ends),
        ]

    def _announce(self, m: Module) -> None:
        """Result rows to the drain in the order in which they leave; every one is finished when it arrives."""
        engine, control = self.stream, self.o_control
        announced = delay(m, engine.o_row_valid, self.spec.array.fold_tail - 2, "announced")
        m.d.comb += [
            self.o_waiting.eq(engine.o_waiting),
            self.o_begun.eq(engine.o_results),
            self.o_note.eq(engine.o_row_valid),
            self.o_starts_block.eq(engine.o_starts_block),
            self.o_row.eq(engine.o_row),
            self.o_output_address.eq(engine.o_output_address),
            self.o_parameter_address.eq(engine.o_parameter_address),
            self.o_ends_command.eq(engine.o_ends_command),
            control.valid.eq(announced),
            control.first.eq(1),
            control.last.eq(1),
            control.ends_pass.eq(1),
            control.ends_block.eq(1),
        ]

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

    def _count(self, m: Module) -> None:
        """Labels and events; a word that is missing is no conflict."""
        engine, labels, events, activation, weight = self.stream, self.labels, self.events, self.activation, self.weight
        m.d.comb += [
            labels.stream.eq(engine.o_read),
            labels.weight_missing.eq(engine.o_wait_weight_port & weight.missing),
            labels.weight_blocked.eq(engine.o_wait_weight_port),
            labels.wait_accumulator.eq(engine.o_wait_accumulator),
            labels.activation_missing.eq(engine.o_wait_activation_port & activation.missing),
            labels.activation_blocked.eq(engine.o_wait_activation_port),
            events.mac_array_mac.eq(Mux(engine.o_read, self.spec.array.cells, 0)),
            events.mac_array_pass.eq(engine.o_last),
            events.activation_memory_read.eq(activation.read),
            events.weight_memory_read.eq(weight.read),
        ]
        if self.spec.dma is not None:  # a host's write is no copy
            m.d.comb += [
                events.activation_memory_conflict.eq(engine.o_wait_activation_port & ~activation.missing),
                events.weight_memory_conflict.eq(engine.o_wait_weight_port & ~weight.missing),
            ]
