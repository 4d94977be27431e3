"""The copy channels of a core, beside its host ports."""

from collections.abc import Mapping
from typing import Any

from amaranth.hdl import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.npu.command_queue import COPY_LAYOUT
from hw.rtl.npu.geometry import GEOMETRY
from hw.rtl.npu.memory_side.copy_channel import INDEX_BITS, CopyIn
from hw.rtl.npu.memory_side.copy_out import CopyOut
from hw.rtl.npu.memory_side.pool_channel import PoolChannel
from hw.rtl.npu.signature import ExternalPort, WritePort
from hw.spec.command import COPY_TARGETS, activation_word_bits, parameter_word_bits, weight_word_bits
from hw.spec.core import CoreSpec

_TARGETS = {
    "activation": ["external_to_activation"],
    "weight": ["external_to_weight"],
    "parameter": ["external_to_parameter"],
    "output": ["output_to_external", "output_to_activation"],
    "pool": ["output_to_activation_max"],
}
"""Channel -> targets of the copies that it carries out."""


class MemorySide(wiring.Component):
    """Four copy channels; hands copies to them in order and tells readers which words are still to come.

    Max pooling is a channel beside the last; only one of the two, which read the output memory, is open at a time.

    A write port is taken by the host first, then by its read channel, then by the write channel. Compute
    commands are counted where they are decoded and where each engine is done with one, so that a reader waits
    only for copies decoded before its command.

    Members
    -------
    i_copy : In(stream of COPY_LAYOUT)
    i_geometry : In(GEOMETRY)
        Of the copy, if it pools.
    i_decoded, i_loaded, i_streamed, i_drained : In(1)
        A compute command is handed to the sequencer; its last weight word, its last row is read; its last row
        is drained.
    i_left, i_ends_command, i_row_address : In
        A finished row leaves (`i_left`); its address is judged before that.
    o_keep : Out(1)
        That row must wait: what it overwrites is still to be copied.
    i_activation_address, i_weight_address, i_parameter_address : In
    o_activation_missing, o_weight_missing, o_parameter_missing : Out(1)
        The word at that address is still to be copied for the command that asks.
    i_activation, i_weight, i_parameter : In(WritePort)
    o_activation, o_weight, o_parameter : Out(WritePort)
    external : Out(ExternalPort)
    o_done : Out(3)
        Copies that end in this cycle.
    o_open : Out(1)
        A copy has not ended.
    o_beats_read, o_waits : Out(2)
    o_beat_written, o_beat_refused, o_parameter_written : Out(1)
        For the counters, as `hw.spec.npu_event`.
    """

    def __init__(self, core: CoreSpec) -> None:
        assert core.dma is not None
        self.spec = core
        self.channels = {
            "activation": CopyIn(core.dma, depth=core.activation_words, width=activation_word_bits(core)),
            "weight": CopyIn(core.dma, depth=core.weight_words, width=weight_word_bits(core)),
            "parameter": CopyIn(core.dma, depth=core.parameter_words, width=parameter_word_bits(core)),
        }
        self.output = CopyOut(core)
        self.pool = PoolChannel(core) if core.convolution else None
        ports = {name: WritePort(depth=channel.depth, width=channel.width) for name, channel in self.channels.items()}
        marks = ("i_decoded", "i_loaded", "i_streamed", "i_drained", "i_left", "i_ends_command")
        super().__init__(
            {
                "i_copy": In(stream.Signature(COPY_LAYOUT)),
                "i_geometry": In(GEOMETRY),
                **{name: In(1) for name in marks},
                "i_row_address": In(ceil_log2(core.output_words)),
                "o_keep": Out(1),
                **{f"i_{name}_address": In(ceil_log2(channel.depth)) for name, channel in self.channels.items()},
                **{f"o_{name}_missing": Out(1) for name in self.channels},
                **{f"i_{name}": In(port) for name, port in ports.items()},
                **{f"o_{name}": Out(port) for name, port in ports.items()},
                "external": Out(ExternalPort(core, core.dma)),
                "o_done": Out(3),
                "o_open": Out(1),
                "o_beats_read": Out(2),
                "o_waits": Out(2),
                "o_beat_written": Out(1),
                "o_beat_refused": Out(1),
                "o_parameter_written": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.output_channel = self.output
        for name, channel in self.channels.items():
            m.submodules[f"{name}_channel"] = channel
            wiring.connect(m, channel.external, wiring.flipped(getattr(self.external, name)))
        wiring.connect(m, self.output.o_external, wiring.flipped(self.external.output))
        count = self._count(m)
        channels: dict[str, Any] = {**self.channels, "output": self.output}
        if self.pool is not None:
            m.submodules.pool_channel = channels["pool"] = self.pool
        self._hand_out(m, channels, count)
        self._readers(m, count)
        for name, channel in self.channels.items():
            self._write(m, name, channel)
        self._status(m, channels)
        return m

    def _count(self, m: Module) -> dict[str, Signal]:
        """Compute commands: decoded, done with by each engine, ended."""
        count = {name: Signal(INDEX_BITS, name=name) for name in ("decoded", "loaded", "streamed", "drained", "ended")}
        m.d.sync += [count[name].eq(count[name] + getattr(self, f"i_{name}")) for name in list(count)[:-1]]
        m.d.sync += count["ended"].eq(count["ended"] + (self.i_left & self.i_ends_command))
        return count

    def _hand_out(self, m: Module, channels: Mapping[str, Any], count: Mapping[str, Signal]) -> None:
        """Each copy to its channel."""
        copy, output, pool = self.i_copy.payload, self.output, self.pool
        if pool is not None:
            m.d.comb += [pool.i_geometry.eq(self.i_geometry), pool.i_row_address.eq(self.i_row_address)]
        for name, channel in channels.items():
            mine = Signal(name=f"for_{name}")
            order = channel.i_copy.payload
            other_open: Value = Const(0)  # of the two that read the output memory
            if pool is not None and name in ("output", "pool"):
                other_open = output.o_open if name == "pool" else pool.o_open
            m.d.comb += [
                mine.eq(Cat(copy.target == COPY_TARGETS[target] for target in _TARGETS[name]).any()),
                channel.i_copy.valid.eq(self.i_copy.valid & mine & ~other_open),
                order.address.eq(copy.address),
                order.other_address.eq(copy.other_address),
                order.words.eq(copy.words),
                order.order.eq(count["decoded"]),
                order.needs.eq(count["decoded"] - copy.overlap),
                order.external.eq(copy.target == COPY_TARGETS["output_to_external"]),
                channel.i_ended.eq(count["ended"]),
            ]
            with m.If(mine):
                m.d.comb += self.i_copy.ready.eq(channel.i_copy.ready & ~other_open)

    def _readers(self, m: Module, count: Mapping[str, Signal]) -> None:
        """Which words are still to come, and reads of the output memory."""
        output, pool = self.output, self.pool
        from_output: Value = output.o_missing
        if pool is not None:
            from_output = from_output | pool.o_missing
            m.d.comb += [
                pool.i_address.eq(self.i_activation_address),
                pool.i_index.eq(count["streamed"]),
                pool.i_data.eq(self.external.row_data),
            ]
        readers = {"activation": "streamed", "weight": "loaded", "parameter": "drained"}
        for name, channel in self.channels.items():
            m.d.comb += [
                channel.i_address.eq(getattr(self, f"i_{name}_address")),
                channel.i_index.eq(count[readers[name]]),
                getattr(self, f"o_{name}_missing").eq(channel.o_missing | (from_output if name == "activation" else 0)),
            ]
        m.d.comb += [
            output.i_address.eq(self.i_activation_address),
            output.i_index.eq(count["streamed"]),
            # rows that come bottom first, through the columns of an output-stationary array, are not followed
            output.i_left.eq(self.i_left if self.spec.array.rows_ascend else 0),
            output.i_ends_command.eq(self.i_ends_command),
            output.i_row_address.eq(self.i_row_address),
            self.o_keep.eq(output.o_keep | (0 if pool is None else pool.o_keep)),
            self.external.row_read.eq(output.o_read | (0 if pool is None else pool.o_read)),
            self.external.row_address.eq(
                output.o_read_address if pool is None else Mux(pool.o_open, pool.o_read_address, output.o_read_address)
            ),
            output.i_data.eq(self.external.row_data),
        ]

    def _write(self, m: Module, name: str, channel: CopyIn) -> None:
        """The write port of one memory: host, read channel, and for activations write channel."""
        host, port, output, pool = getattr(self, f"i_{name}"), getattr(self, f"o_{name}"), self.output, self.pool
        m.d.comb += channel.i_hold.eq(host.enable)
        with m.If(host.enable):
            m.d.comb += [port.enable.eq(1), port.address.eq(host.address), port.data.eq(host.data)]
        with m.Elif(channel.o_write.enable):
            written = channel.o_write
            m.d.comb += [port.enable.eq(1), port.address.eq(written.address), port.data.eq(written.data)]
        if name == "activation":
            with m.Elif(output.o_write.enable):
                written = output.o_write
                m.d.comb += [port.enable.eq(1), port.address.eq(written.address), port.data.eq(written.data)]
            held = host.enable | channel.o_write.enable
            m.d.comb += output.i_hold.eq(held)
            if pool is not None:
                with m.If(pool.o_write.enable):  # never with the write above
                    written = pool.o_write
                    m.d.comb += [port.enable.eq(1), port.address.eq(written.address), port.data.eq(written.data)]
                m.d.comb += pool.i_hold.eq(held)

    def _status(self, m: Module, channels: Mapping[str, Any]) -> None:
        """What ended, is open and moved in this cycle."""
        inputs, output = list(self.channels.values()), self.output
        m.d.comb += [
            self.o_done.eq(sum((channel.o_done for channel in channels.values()), Const(0))),
            self.o_open.eq(Cat(channel.o_open for channel in channels.values()).any()),
            self.o_beats_read.eq(
                sum((channel.external.data.valid & channel.external.data.ready for channel in inputs), Const(0))
            ),
            self.o_waits.eq(sum((channel.o_waiting for channel in inputs), Const(0))),
            self.o_beat_written.eq(output.o_external.valid & output.o_external.ready),
            self.o_beat_refused.eq(output.o_external.valid & ~output.o_external.ready),
            self.o_parameter_written.eq(self.channels["parameter"].o_write.enable),
        ]
