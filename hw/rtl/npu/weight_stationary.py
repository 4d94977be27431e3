"""The weight-stationary dataflow: weights stay in the cells, activations stream through."""

from amaranth.hdl import *
from amaranth.lib import wiring

from hw.rtl.npu.accumulator import ROW_CONTROL
from hw.rtl.npu.dataflow import DataflowSignature, queued
from hw.rtl.npu.engine import LoadEngine, StreamEngine
from hw.rtl.npu.mac_array import CellStyle, MacArray
from hw.rtl.npu.sequencer import Sequencer
from hw.spec.core import CoreSpec


class WeightStationary(wiring.Component):
    """Commands become passes of rows over one weight tile each; ports as `DataflowSignature`.

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
        self.sequencer = Sequencer(core)
        self.load, self.stream = LoadEngine(core), StreamEngine(core)
        self.array = MacArray(core.array, cells=cells)
        super().__init__(DataflowSignature(core))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sequencer, m.submodules.array = sequencer, array = self.sequencer, self.array
        m.submodules.load, m.submodules.stream = load, engine = self.load, self.stream

        # Commands become passes; each engine has its own queue of them
        wiring.connect(m, wiring.flipped(self.i_command), sequencer.i_command)
        m.d.comb += sequencer.i_geometry.eq(self.i_geometry)
        queued(m, "tile_queue", sequencer.o_tile, load.i_tile)
        queued(m, "pass_queue", sequencer.o_pass, engine.i_pass)
        self._read(m)

        # Array: words one cycle after they were asked for
        swap, padded = Signal(), Signal()
        m.d.sync += [
            swap.eq(engine.o_swap),
            padded.eq(engine.o_read & engine.o_padded),
            self.o_activation_arrives.eq(engine.o_read & ~engine.o_padded),
        ]
        m.d.comb += [
            array.i_activation.eq(Mux(padded, 0, self.activation.data)),
            array.i_swap.eq(swap),
            array.i_weight.eq(self.weight.data),
            array.i_load.eq(load.o_load),
            self.o_weight_arrives.eq(load.o_load[0]),
            self.o_sums.eq(array.o_partial_sum),
        ]
        self._announce(m)
        self._count(m)
        return m

    def _read(self, m: Module) -> None:
        """Weights one tile ahead, activation rows when weights and accumulator rows are there."""
        load, engine, activation, weight = self.load, self.stream, self.activation, self.weight
        m.d.comb += [
            weight.read.eq(load.o_read),
            weight.address.eq(load.o_address),
            load.i_taken.eq(weight.taken | weight.missing),
            load.i_release.eq(
                engine.o_swap if self.spec.array.swap_releases_weights else engine.o_read & engine.o_ends_pass
            ),
            activation.read.eq(engine.o_read & ~engine.o_padded),
            activation.address.eq(engine.o_address),
            engine.i_taken.eq(activation.taken | activation.missing),
            engine.i_loaded.eq(load.o_loaded),
            engine.i_drained.eq(self.i_drained),
            self.o_loaded.eq(load.o_ends_command),
            self.o_streamed.eq(engine.o_read & engine.o_ends_command),
        ]

    def _announce(self, m: Module) -> None:
        """Rows to the drain as their last pass is issued; their control bits travel beside them through the array."""
        engine = self.stream
        control = Signal(ROW_CONTROL)
        m.d.comb += [
            self.o_waiting.eq(engine.i_pass.valid),
            self.o_begun.eq(engine.o_read & engine.o_first),
            self.o_note.eq(engine.o_read & engine.o_last),
            self.o_starts_block.eq(engine.o_swap),
            self.o_row.eq(engine.o_row),
            self.o_output_address.eq(engine.o_output_address),
            self.o_parameter_address.eq(engine.o_parameter_address),
            self.o_ends_command.eq(engine.o_ends_command),
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
        m.d.comb += self.o_control.eq(control)

    def _count(self, m: Module) -> None:
        """Labels and events; a word that is missing is no conflict."""
        array, engine, load = self.spec.array, self.stream, self.load
        labels, events, activation, weight = self.labels, self.events, self.activation, self.weight
        missing, port = load.o_waiting & weight.missing, load.o_waiting & weight.taken
        m.d.comb += [
            labels.stream.eq(engine.o_read),
            labels.wait_weight.eq(engine.o_wait_weight & ~port & ~missing),
            labels.weight_missing.eq(engine.o_wait_weight & missing),
            labels.weight_blocked.eq(engine.o_wait_weight & port),
            labels.wait_accumulator.eq(engine.o_wait_accumulator),
            labels.activation_missing.eq(engine.o_wait_activation & activation.missing),
            labels.activation_blocked.eq(engine.o_wait_activation),
            events.mac_array_mac.eq(Mux(engine.o_read, array.cells, 0)),
            events.mac_array_weight_load.eq(load.o_cells * array.columns),
            events.mac_array_pass.eq(engine.o_swap),
            events.activation_memory_read.eq(activation.read),
            events.weight_memory_read.eq(weight.read),
        ]
        if self.spec.dma is not None:  # a host's write is no copy
            m.d.comb += [
                events.activation_memory_conflict.eq(engine.o_wait_activation & ~activation.missing),
                events.weight_memory_conflict.eq(port & ~missing),
            ]
