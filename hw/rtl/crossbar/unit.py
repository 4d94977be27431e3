"""A crossbar core among the units of a system: descriptors in, BF16 vectors from and to the shared memory."""

from typing import Any

from amaranth.hdl import *
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.crossbar.core import CrossbarCore
from hw.rtl.crossbar.digital_core import DigitalCrossbarCore
from hw.rtl.crossbar.floating import aligned, largest_exponent, rounded
from hw.rtl.crossbar.signature import CrossbarCounterPorts, cell_layout
from hw.spec.command import command_bits
from hw.spec.crossbar_command import OPCODE_LAYER
from hw.spec.crossbar_unit import (
    LANES,
    OPCODE_PRODUCT,
    PRODUCT_FIELDS,
    UNIT_EVENTS,
    UNIT_LABELS,
    UNIT_REFUSALS,
    CrossbarUnitSpec,
)

WORD_BITS = 16 * LANES
COUNTER_BITS = 48
DESCRIPTOR_BITS = command_bits()


class _State:
    """The descriptor, how far it has come, and what happens to it in a cycle."""

    def __init__(self) -> None:
        self.fields = Signal(data.StructLayout(PRODUCT_FIELDS))
        self.word = Signal(13)
        self.left = Signal(12)
        self.group = Signal(8)
        self.destination = Signal(16)
        self.scale_at = Signal(16)
        self.exponent = Signal(8)
        self.label = {name: Signal(name=f"is_{name}") for name in UNIT_LABELS}
        self.scanned = Signal()
        self.commanded = Signal()
        self.taken = Signal()
        self.inside = Signal()
        self.columns = Signal(8)
        self.held = Signal()
        self.pending = Signal(8)


class CrossbarUnit(wiring.Component):
    """One vector times one resident matrix a descriptor.

    Cycles of a descriptor: taken, checked, `words` cycles of looking for the largest exponent, then for each group of
    outputs one cycle that sends the command, the cycles the core is busy with it, and one that stores the last word.

    Memories below this module: `scales` (words of 16 exponents), `core` as in `CrossbarCore`.

    Members
    -------
    i_descriptor : In(stream of 160 bits), ready while idle
    i_cell : In(stream of cell_layout()), cells to program, taken while the core is idle
    o_done, o_refused, o_busy : Out(1); o_code : Out(4)
    o_read_address : Out(16); i_read_data : In(256), in the same cycle
    o_write_address : Out(16); o_write_data : Out(256); o_write_enable : Out(1)
    array_<t> : the analogue boundary of tile t, if arrays are analogue
    o_missed : Out(1), sticky: a code did not come when it was due
    counters : Out(CrossbarCounterPorts), of the core
    o_count_<event>, o_label_count_<label> : Out(48)
    """

    def __init__(self, spec: CrossbarUnitSpec) -> None:
        self.spec = spec
        self.core = DigitalCrossbarCore(spec.core) if spec.core.array == "digital" else CrossbarCore(spec.core)
        self.scales = memory.Memory(shape=8 * LANES, depth=spec.scale_words, init=[])
        self.ports = [name for name in self.core.signature.members if name.startswith("array_")]
        super().__init__(
            {
                "i_descriptor": In(stream.Signature(DESCRIPTOR_BITS)),
                "i_cell": In(stream.Signature(cell_layout())),
                "o_done": Out(1),
                "o_refused": Out(1),
                "o_busy": Out(1),
                "o_code": Out(4),
                "o_read_address": Out(16),
                "i_read_data": In(WORD_BITS),
                "o_write_address": Out(16),
                "o_write_data": Out(WORD_BITS),
                "o_write_enable": Out(1),
                **{name: self.core.signature.members[name] for name in self.ports},
                "o_missed": Out(1),
                "counters": Out(CrossbarCounterPorts()),
                **{f"o_count_{event}": Out(COUNTER_BITS) for event in UNIT_EVENTS},
                **{f"o_label_count_{label}": Out(COUNTER_BITS) for label in UNIT_LABELS},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.core = core = self.core
        m.submodules.scales = self.scales
        for name in (*self.ports, "i_cell", "counters"):
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(core, name))
        m.d.comb += self.o_missed.eq(core.status.missed)
        at = _State()
        highest = self._read(m, at)
        self._command(m, core, at.fields, at.columns, at.group)
        self._results(m, at)
        refusal = self._refusal(at.fields)
        with m.FSM():
            with m.State("IDLE"):
                self._take(m, at)
            with m.State("CHECK"):
                self._check(m, at, refusal)
            with m.State("SCAN"):
                self._scan(m, at, highest)
            with m.State("COMMAND"):
                m.d.comb += [at.label["prepare"].eq(1), core.i_command.valid.eq(1), at.commanded.eq(1)]
                m.d.sync += [at.pending.eq(at.columns), at.word.eq(0)]
                m.next = "RUN"
            with m.State("RUN"):
                self._run(m, at)
        m.d.comb += self.o_busy.eq(~at.label["idle"])
        self._count(m, at)
        return m

    def _read(self, m: Module, at: _State) -> Value:
        """The word read: its largest exponent, for SCAN, and its integers to the tiles, for RUN."""
        core, fields, exponent, left = self.core, at.fields, at.exponent, at.left
        highest = largest_exponent(m, "largest", self.i_read_data, LANES)
        integers = Cat(
            aligned(m, f"aligned_{lane}", self.i_read_data.word_select(lane, 16), exponent) for lane in range(LANES)
        )
        m.d.comb += [
            self.o_read_address.eq(fields.source + at.word),
            at.inside.eq(at.word < fields.words),
            core.i.payload.eq(Mux(at.inside, integers, 0)),
            at.taken.eq(core.i.valid & core.i.ready),
            at.columns.eq(Mux(left < fields.column_tiles, left, fields.column_tiles)),
        ]
        return highest

    def _results(self, m: Module, at: _State) -> None:
        """Results: taken in one cycle, rounded and written in the next."""
        core, held, exponent = self.core, at.held, at.exponent
        sums = Signal.like(core.o.payload.lanes)
        read = self.scales.read_port(domain="comb")
        m.d.sync += held.eq(core.o.valid)
        with m.If(core.o.valid):
            m.d.sync += sums.eq(core.o.payload.lanes)
        invalid = exponent == 255
        m.d.comb += [
            core.o.ready.eq(1),
            read.addr.eq(at.scale_at),
            self.o_write_enable.eq(held),
            self.o_write_address.eq(at.destination),
            self.o_write_data.eq(
                Cat(
                    rounded(
                        m, f"rounded_{lane}", sums[lane], exponent, read.data.word_select(lane, 8).as_signed(), invalid
                    )
                    for lane in range(LANES)
                )
            ),
        ]
        with m.If(held):
            m.d.sync += [
                at.destination.eq(at.destination + 1),
                at.scale_at.eq(at.scale_at + 1),
                at.left.eq(at.left - 1),
            ]
        with m.If(held):  # words of the present group that have not been written
            m.d.sync += at.pending.eq(at.pending - 1)

    def _take(self, m: Module, at: _State) -> None:
        """IDLE: a descriptor."""
        m.d.comb += [at.label["idle"].eq(1), self.i_descriptor.ready.eq(1)]
        with m.If(self.i_descriptor.valid):
            m.d.sync += [
                Value.cast(at.fields).eq(self.i_descriptor.payload[: Value.cast(at.fields).shape().width]),
                at.word.eq(0),
                at.group.eq(0),
                at.exponent.eq(0),
            ]
            m.next = "CHECK"

    def _check(self, m: Module, at: _State, refusal: Value) -> None:
        """CHECK: refused, or begun."""
        m.d.comb += [at.label["prepare"].eq(1), self.o_code.eq(refusal), self.o_refused.eq(refusal != 0)]
        m.d.sync += [
            at.left.eq(at.fields.outputs),
            at.destination.eq(at.fields.destination),
            at.scale_at.eq(at.fields.scales),
        ]
        m.next = "SCAN"
        with m.If(self.o_refused):
            m.next = "IDLE"

    def _scan(self, m: Module, at: _State, highest: Value) -> None:
        """SCAN: the largest exponent of all words."""
        m.d.comb += [at.label["scan"].eq(1), at.scanned.eq(1)]
        m.d.sync += at.word.eq(at.word + 1)
        with m.If(highest > at.exponent):
            m.d.sync += at.exponent.eq(highest)
        with m.If(at.word == at.fields.words - 1):
            m.next = "COMMAND"

    def _run(self, m: Module, at: _State) -> None:
        """RUN: words in until the last word of the group is out; then the next group, or the end."""
        last = at.held & (at.pending == 1)
        m.d.comb += [self.core.i.valid.eq(1), at.label["store"].eq(last), at.label["run"].eq(~last)]
        with m.If(at.taken):
            m.d.sync += at.word.eq(at.word + 1)
        with m.If(last):
            m.d.sync += at.group.eq(at.group + 1)
            m.next = "COMMAND"
            with m.If(at.left == 1):
                m.d.comb += self.o_done.eq(1)
                m.next = "IDLE"

    def _count(self, m: Module, at: _State) -> None:
        """Events, and the label of the cycle."""
        counted = {
            "scan": at.scanned,
            "align": at.taken & at.inside,
            "store": at.held,
            "command": at.commanded,
            "descriptor": self.o_done,
            "refuse": self.o_refused,
        }
        for prefix, conditions in (("o_count_", counted), ("o_label_count_", at.label)):
            for name, holds in conditions.items():
                counter = getattr(self, prefix + name)
                m.d.sync += counter.eq(counter + holds)

    def _command(self, m: Module, core: Any, fields: data.View, columns: Value, group: Value) -> None:
        """The command of the present group."""
        given = {
            "opcode": OPCODE_LAYER,
            "vectors": 1,
            "row_tiles": fields.row_tiles,
            "column_tiles": columns,
            "from_stream": 1,
            "to_stream": 1,
            "sums": 1,
            "array": fields.array + group,
        }
        m.d.comb += [core.i_command.payload[name].eq(value) for name, value in given.items()]

    def _refusal(self, fields: data.View) -> Value:
        """Code of `UNIT_REFUSALS`, as `CrossbarUnitSpec.refusal` finds it."""
        spec, core = self.spec, self.spec.core
        f: dict[str, Value] = {name: fields[name] for name in PRODUCT_FIELDS}
        checks = (
            f["opcode"] != OPCODE_PRODUCT,
            ~Cat(f[name].any() for name in ("words", "outputs", "row_tiles", "column_tiles", "groups")).all()
            | (f["groups"] * f["column_tiles"] < f["outputs"]),
            (f["source"] + f["words"] > spec.shared_words) | (f["destination"] + f["outputs"] > spec.shared_words),
            (f["row_tiles"] * f["column_tiles"] > core.tiles)
            | (f["words"] > f["row_tiles"] * core.load_beats)
            | (f["array"] + f["groups"] > core.arrays),
            f["scales"] + f["outputs"] > spec.scale_words,
        )
        assert len(checks) == len(UNIT_REFUSALS) - 1
        code: Value = C(0, 4)
        for number, broken in reversed(list(enumerate(checks, start=1))):
            code = Mux(broken, number, code)
        return code
