"""A core of crossbar tiles: queue, loader, tiles in step, drain, buffer, programming, counters."""

from amaranth.hdl import *
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.arithmetic.fp_class import count_ones
from hw.rtl.common.ram import Ram
from hw.rtl.crossbar.adc_sequencer import AdcSequencer
from hw.rtl.crossbar.counters import CrossbarCounters
from hw.rtl.crossbar.drain import CrossbarDrain
from hw.rtl.crossbar.loader import Loader
from hw.rtl.crossbar.programming import ProgrammingController
from hw.rtl.crossbar.signature import (
    ArrayPort,
    CrossbarCounterPorts,
    StatusPorts,
    cell_layout,
    layer_layout,
    result_layout,
    stage_core,
)
from hw.rtl.crossbar.tile import Tile
from hw.rtl.npu.signature import WritePort
from hw.spec.command import parameter_word_bits
from hw.spec.crossbar import CrossbarSpec
from hw.spec.crossbar_command import OPCODE_LAYER, REFUSALS


class _State:
    """The command that runs, `left` words of it still to leave, and what happens to it in a cycle."""

    def __init__(self) -> None:
        self.command = Signal(layer_layout())
        self.running = Signal()
        self.left = Signal(32)
        self.decode = Signal()
        self.refusal = Signal(range(max(REFUSALS.values()) + 1))
        self.begin = Signal()
        self.take = Signal()
        self.landing = Signal()
        self.leave = Signal()


class CrossbarCore(wiring.Component):
    """Runs layer descriptors on its tiles, one command after the other.

    For each vector: load (the next one during the present one if double buffered), one cycle to take it over, compute,
    one cycle until the last codes are added, then beats of results. All tiles of a command compute in step.

    A command takes 1 cycle to decode. Results wait for room in a queue of `OUTPUT_WORDS`; nothing else stalls but a
    stream of inputs that offers none. A host write into the buffer goes before a result.

    Members
    -------
    i_command : In(stream of layer_layout())
    i_cell : In(stream of cell_layout())
        Cells to program, taken while no command is queued or running.
    i : In(stream of lanes bytes)
        Inputs of commands with from_stream.
    o : Out(stream of result_layout(spec))
        Results of commands with to_stream.
    i_buffer, i_parameter : In(WritePort)
        Host writes.
    array_<t> : Out(ArrayPort(spec))
        The analogue boundary of tile t.
    status : Out(StatusPorts)
    counters : Out(CrossbarCounterPorts)
    """

    def __init__(self, spec: CrossbarSpec) -> None:
        self.spec = spec
        self.buffer = Ram(shape=spec.lanes * 8, depth=spec.buffer_words)
        self.sequencer, self.loader, self.drain = AdcSequencer(spec), Loader(spec), CrossbarDrain(spec)
        self.programming = ProgrammingController(spec)
        self.tiles = [Tile(spec) for _ in range(spec.tiles)]
        super().__init__(
            {
                "i_command": In(stream.Signature(layer_layout())),
                "i_cell": In(stream.Signature(cell_layout())),
                "i": In(stream.Signature(unsigned(spec.lanes * 8))),
                "o": Out(stream.Signature(result_layout(spec))),
                "i_buffer": In(WritePort(depth=spec.buffer_words, width=spec.lanes * 8)),
                "i_parameter": In(
                    WritePort(depth=max(spec.parameter_words, 2), width=parameter_word_bits(stage_core(spec)))
                ),
                **{f"array_{t}": Out(ArrayPort(spec)) for t in range(spec.tiles)},
                "status": Out(StatusPorts()),
                "counters": Out(CrossbarCounterPorts()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        queue = fifo.SyncFIFO(width=layer_layout().size, depth=self.spec.command_entries)
        m.submodules.queue, m.submodules.sequencer, m.submodules.loader = queue, self.sequencer, self.loader
        m.submodules.drain, m.submodules.programming = self.drain, self.programming
        m.submodules.counters = counters = CrossbarCounters(self.spec)
        m.submodules.buffer = self.buffer
        for t, tile in enumerate(self.tiles):
            m.submodules[f"tile_{t}"] = tile
        at, programming = _State(), self.programming
        head = self._commands(m, queue, at)
        self._vectors(m, head, at)
        self._results(m, at)
        self._inputs(m)
        active = self._connect_tiles(m, at)
        m.d.comb += [
            programming.i.payload.eq(self.i_cell.payload),
            programming.i.valid.eq(self.i_cell.valid),
            self.i_cell.ready.eq(programming.i.ready),
            programming.i_allow.eq(~at.running & ~queue.r_rdy),
        ]
        busy = Signal()
        m.d.comb += [busy.eq(at.running | queue.r_rdy | programming.o_busy), self.status.idle.eq(~busy)]
        self._count(m, counters, busy, active, at)
        return m

    def _commands(self, m: Module, queue: fifo.SyncFIFO, at: _State) -> data.View:
        """Commands judged one after the other; the one at the head of the queue."""
        head = layer_layout()(queue.r_data)
        m.d.comb += [
            queue.w_data.eq(self.i_command.payload),
            queue.w_en.eq(self.i_command.valid),
            self.i_command.ready.eq(queue.w_rdy),
        ]
        m.d.comb += [at.decode.eq(queue.r_rdy & ~at.running & ~self.programming.o_busy), queue.r_en.eq(at.decode)]
        self._judge(m, head, at.refusal)
        m.d.comb += at.begin.eq(at.decode & (at.refusal == 0))
        with m.If(at.begin):
            words = head.vectors * head.column_tiles * self.spec.drain_beats
            m.d.sync += [at.command.eq(head), at.running.eq(1), at.left.eq(words)]
        with m.If(at.decode & (at.refusal != 0) & (self.status.error == 0)):
            m.d.sync += self.status.error.eq(at.refusal)
        return head

    def _vectors(self, m: Module, head: data.View, at: _State) -> None:
        """One vector after the other: take over, compute, last codes, beats."""
        loader, sequencer, drain = self.loader, self.sequencer, self.drain
        m.d.comb += [
            at.take.eq(at.running & loader.o_full & ~sequencer.o_busy & ~at.landing & ~drain.o_issuing),
            sequencer.i_start.eq(at.take),
            loader.i_start.eq(at.take),
            loader.i_begin.eq(at.begin),
            loader.i_command.eq(Mux(at.begin, head, at.command)),
            loader.i_computing.eq(sequencer.o_busy),
            drain.i_begin.eq(at.begin),
            drain.i_command.eq(Mux(at.begin, head, at.command)),
            drain.i_go.eq(at.landing),
        ]
        m.d.sync += at.landing.eq(sequencer.o_last)

    def _results(self, m: Module, at: _State) -> None:
        """Results leave, into the buffer or the stream; the last one ends its command."""
        drain, command, leave = self.drain, at.command, at.leave
        ends = Signal()
        write = self.buffer.write_port()
        m.d.comb += [
            self.o.payload.eq(drain.o.payload),
            self.o.valid.eq(drain.o.valid & command.to_stream),
            drain.o.ready.eq(Mux(command.to_stream, self.o.ready, ~self.i_buffer.enable)),
            leave.eq(drain.o.valid & drain.o.ready),
            ends.eq(leave & (at.left == 1)),
            write.en.eq(self.i_buffer.enable | (leave & ~command.to_stream)),
            write.addr.eq(Mux(self.i_buffer.enable, self.i_buffer.address, drain.o.payload.address)),
            write.data.eq(
                Mux(self.i_buffer.enable, self.i_buffer.data, Cat(lane[:8] for lane in drain.o.payload.lanes))
            ),
        ]
        with m.If(leave):
            m.d.sync += at.left.eq(at.left - 1)
        with m.If(ends):
            m.d.sync += at.running.eq(0)
        m.d.sync += self.status.completed.eq(self.status.completed + (ends | (at.decode & (at.refusal != 0))))

    def _inputs(self, m: Module) -> None:
        """Inputs from the buffer or the stream; parameters."""
        loader, read = self.loader, self.buffer.read_port()
        m.d.comb += [
            read.addr.eq(loader.o_address),
            read.en.eq(loader.o_read),
            loader.i_data.eq(read.data),
            loader.i.payload.eq(self.i.payload),
            loader.i.valid.eq(self.i.valid),
            self.i.ready.eq(loader.i.ready),
        ]
        m.d.comb += [
            *(
                (getattr(self.drain.i_parameter, name)).eq(getattr(self.i_parameter, name))
                for name in ("address", "data", "enable")
            )
        ]

    def _judge(self, m: Module, head: object, refusal: Signal) -> None:
        """The code a command is refused with, 0 if it is run."""
        spec = self.spec
        c: dict[str, Value] = {name: head[name] for name in layer_layout().members}  # type: ignore[index]
        tiles = c["row_tiles"] * c["column_tiles"]
        steps = c["vectors"] - 1
        inputs = c["input_address"] + steps * c["input_stride"] + c["row_tiles"] * spec.load_beats
        outputs = c["output_address"] + steps * c["output_stride"] + c["column_tiles"] * spec.drain_beats
        parameters = c["parameter_address"] + c["column_tiles"] * spec.drain_beats
        checks = {
            "opcode": c["opcode"] != OPCODE_LAYER,
            "size": (c["vectors"] == 0) | (c["row_tiles"] == 0) | (c["column_tiles"] == 0),
            "tiles": c["first_tile"] + tiles > spec.tiles,
            "input": ~c["from_stream"] & (inputs > spec.buffer_words),
            "output": ~c["to_stream"] & ((outputs > spec.buffer_words) | c["sums"]),
            "parameter": ~c["sums"] & (parameters > spec.parameter_words),
            "array": c["array"] >= spec.arrays,
        }
        for name, broken in reversed(checks.items()):
            with m.If(broken):
                m.d.comb += refusal.eq(REFUSALS[name])

    def _connect_tiles(self, m: Module, at: _State) -> Signal:
        """Broadcast of sequencing to the command's tiles, of inputs to a row of them, results of one of them."""
        loader, sequencer, drain, programming = self.loader, self.sequencer, self.drain, self.programming
        command, take = at.command, at.take
        spec = self.spec
        c: dict[str, Value] = {name: command[name] for name in layer_layout().members}  # type: ignore[index]
        end = Signal(range(513))
        m.d.sync += end.eq(c["first_tile"] + (c["row_tiles"] * c["column_tiles"])[:9])
        active = Signal(spec.tiles)
        levels, missed = [], []
        for t, tile in enumerate(self.tiles):
            here, written = active[t], Signal(name=f"written_{t}")
            m.d.comb += [
                here.eq((t >= c["first_tile"]) & (t < end)),
                written.eq(programming.o_cell.tile == t),
                tile.i_load.eq(loader.o_load & (t >= loader.o_base) & (t < loader.o_base + c["column_tiles"])),
                tile.i_word.eq(loader.o_word),
                tile.i_data.eq(loader.o_data),
                tile.i_start.eq(take & here),
                tile.i_show.eq(sequencer.o_show & here),
                tile.i_next.eq(sequencer.o_next & here),
                tile.i_col_sel.eq(sequencer.o_col_sel),
                tile.i_hold.eq(sequencer.o_hold & here),
                tile.i_sample.eq(sequencer.o_sample & here),
                tile.i_first.eq(sequencer.o_first),
                tile.i_pulse.eq(programming.o_pulse & written),
                tile.i_verify.eq(programming.o_verify & written),
                tile.i_row.eq(programming.o_cell.row),
                tile.i_column.eq(programming.o_cell.column),
                tile.i_level.eq(programming.o_cell.level),
                tile.i_array.eq(Mux(programming.o_busy, programming.o_cell.array, c["array"])),
                tile.i_beat.eq(drain.o_beat),
            ]
            with m.If(drain.o_tile == t):
                m.d.comb += drain.i_results.eq(tile.o_results)
            levels.append(Mux(written, tile.o_verify_level, 0))
            missed.append(tile.o_missed)
            wiring.connect(m, tile.array, wiring.flipped(getattr(self, f"array_{t}")))
        level: Value = levels[0]
        for other in levels[1:]:
            level = level | other
        m.d.comb += programming.i_level.eq(level)
        with m.If(Cat(missed).any()):
            m.d.sync += self.status.missed.eq(1)
        return active

    def _count(self, m: Module, counters: CrossbarCounters, busy: Signal, active: Signal, at: _State) -> None:
        """Labels and events."""
        loader, sequencer, drain, programming = self.loader, self.sequencer, self.drain, self.programming
        command, decode, refusal, landing, leave = at.command, at.decode, at.refusal, at.landing, at.leave
        spec = self.spec
        c: dict[str, Value] = {name: command[name] for name in layer_layout().members}  # type: ignore[index]
        tiles = Signal(range(spec.tiles + 1))
        m.d.comb += tiles.eq(count_ones(list(active)))
        running = busy & ~decode & ~programming.o_busy
        labels = {
            "program": programming.o_busy,
            "word_line": sequencer.o_word_line,
            "settle": sequencer.o_settle,
            "convert": sequencer.o_convert,
            "output_blocked": drain.o.valid & ~drain.o.ready,
            "drain": landing | drain.o_issuing | drain.o_in_flight,
            "wait_input": running & loader.o_waiting,
            "load": running,
        }
        # columns that are there in the selected step
        ends = spec.physical_columns - (spec.converters - 1) * spec.columns_per_adc
        columns = Mux(sequencer.o_col_sel < ends, spec.converters, spec.converters - 1)
        conversions = Mux(sequencer.o_sample, columns * tiles, 0)
        rest = spec.columns - (spec.drain_beats - 1) * spec.lanes
        outputs = Mux(drain.o_beat == spec.drain_beats - 1, rest, spec.lanes)
        requantise = drain.o_issue_last & ~c["sums"]
        events = {
            "array.plane": Mux(sequencer.o_plane, tiles, 0),
            "array.wordline_toggle": _total([tile.o_toggles for tile in self.tiles]),
            "array.wordline_active": Mux(sequencer.o_next, _total([tile.o_active for tile in self.tiles]), 0),
            "array.conversion": conversions,
            "digital.shift_add": conversions,
            "array.cell_pulse": programming.o_pulsed,
            "array.cell_verify": programming.o_verified,
            "array.cell_given_up": programming.o_given_up,
            "digital.merge": Mux(drain.o_issue, outputs, 0),
            "digital.tile_add": Mux(drain.o_issue, outputs, 0),
            "output_stage.requantise": Mux(requantise, outputs, 0),
            "parameter_memory.read": requantise,
            "buffer.read": loader.o_read,
            "buffer.write": self.i_buffer.enable | (leave & ~c["to_stream"]),
            "stream.input": self.i.valid & self.i.ready,
            "stream.output": leave & c["to_stream"],
            "command.accept": self.i_command.valid & self.i_command.ready,
            "command.refuse": decode & (refusal != 0),
        }
        m.d.comb += counters.i_busy.eq(busy)
        for label, holds in labels.items():
            m.d.comb += getattr(counters, f"i_label_{label}").eq(holds)
        for event, amount in events.items():
            m.d.comb += getattr(counters, "i_event_" + event.replace(".", "_")).eq(amount)
        wiring.connect(m, counters.counters, wiring.flipped(self.counters))


def _total(values: list[Value]) -> Value:
    """Their sum."""
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total
