"""What memory controllers of both DRAM-PIM channels share: life of a descriptor, words on their way, labels."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from amaranth.hdl import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.common.enumeration import enumeration
from hw.rtl.dram_pim.bank_timing import BankTiming
from hw.rtl.dram_pim.controller.arrivals import Arrivals
from hw.rtl.dram_pim.controller.open_rows import OpenRows
from hw.rtl.dram_pim.controller.refresh import RefreshTimer
from hw.rtl.dram_pim.signature import command_layout
from hw.spec.dram import Timing
from hw.spec.memory_controller import DESCRIPTOR_BITS, ControllerSpec

STATES = enumeration("ControllerState", {"IDLE": 0, "LOOK": 1, "CHECK": 2, "RUN": 3, "DRAIN": 4})
CLASSES = enumeration("CommandClass", {"COLUMN": 0, "ROW": 1, "MODE": 2, "REFRESH": 3})
LABEL_BITS = 48


class MemoryController(wiring.Component):
    """One descriptor at a time, its commands in order, each in the first cycle in which the rules allow it.

    A descriptor taken in cycle t is looked at in t + 1 and t + 2; its first command can be issued in t + 3. It is done
    in the cycle in which its last word has moved, and the next can be taken in the cycle after that. A due refresh
    goes before every other command.

    Parameters
    ----------
    spec : ControllerSpec
    timing : Timing
    commands : sequence of str
        Commands of the channel's port, in the order of their codes.
    moved : mapping
        Command -> cycles from its issue until its word has moved, where that is not 1.
    reads : sequence of str
        Commands that bring a word.
    labels : mapping
        Label -> definition.
    look, loops : components
        See `hw.rtl.dram_pim.controller.descriptor` and `loops`.

    Members
    -------
    i_descriptor : In(stream of DESCRIPTOR_BITS)
    o_busy : Out(1), a descriptor was taken before this cycle and has not ended before it
    o_done, o_refused : Out(1), the descriptor has ended or is refused in this cycle; o_code : Out(4), why
    o_shared_read_address : Out(16); i_shared_read_data : In(column bits), in the same cycle
    o_shared_write_enable, o_shared_write_address, o_shared_write_data : Out
    o_valid, o_command, o_data : Out; i_data, i_data_valid : In, the port of the channel
    o_label : Out, the cause of this cycle; o_count_<label> : Out(48), cycles of each since reset
    """

    def __init__(
        self,
        spec: ControllerSpec,
        timing: Timing,
        *,
        commands: Sequence[str],
        moved: Mapping[str, int],
        reads: Sequence[str],
        labels: Mapping[str, str],
        look: Any,
        loops: Any,
    ) -> None:
        self.spec, self.timing = spec, timing
        organisation = spec.pim.dram.organisation
        self.layout = command_layout(spec.pim)
        self.codes = {name: code for code, name in enumerate(commands)}
        self.moved = {name: moved.get(name, 1) for name in commands}
        self.reads, self.labels = list(reads), list(labels)
        self.label = enumeration("ControllerLabel", {name.upper(): i for i, name in enumerate(labels)})
        self.checker = BankTiming(timing, organisation, list(commands))
        self.refresh = RefreshTimer(timing["t_refi"], enabled=spec.refresh)
        self.rows = OpenRows(organisation)
        self.look, self.loops = look, loops
        bits = organisation.column_bits
        self.arrivals = Arrivals(bits, tuple(self.moved[name] for name in self.reads))
        super().__init__(
            {
                "i_descriptor": In(stream.Signature(DESCRIPTOR_BITS)),
                "o_busy": Out(1),
                "o_done": Out(1),
                "o_refused": Out(1),
                "o_code": Out(4),
                "o_shared_read_address": Out(16),
                "i_shared_read_data": In(bits),
                "o_shared_write_enable": Out(1),
                "o_shared_write_address": Out(16),
                "o_shared_write_data": Out(bits),
                "o_valid": Out(1),
                "o_command": Out(self.layout),
                "o_data": Out(bits),
                "i_data": In(bits),
                "i_data_valid": In(1),
                "o_label": Out(self.label),
                **{f"o_count_{label}": Out(LABEL_BITS) for label in self.labels},
            }
        )

    @abstractmethod
    def _choose(self, m: Module, running: Value) -> tuple[Value, Value, Value, Value]:
        """Drive the channel's port and what follows it: the command proposed, its class, whether it is issued, and
        whether the need at hand is met in this cycle."""

    @abstractmethod
    def _word(self, kind: Value) -> Value:
        """The word that the command `kind` carries."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.timing, m.submodules.refresh, m.submodules.rows = self.checker, self.refresh, self.rows
        m.submodules.look, m.submodules.loops, m.submodules.arrivals = self.look, self.loops, self.arrivals
        look, loops, refresh = self.look, self.loops, self.refresh
        state = Signal(STATES, init=STATES.IDLE, name="state")
        tail = Signal(range(max(self.moved.values()) + 1))
        issued_last = Signal()  # the last need of the descriptor is met in this cycle
        m.d.comb += [
            self.i_descriptor.ready.eq(state == STATES.IDLE),
            look.i_word.eq(self.i_descriptor.payload),
            look.i_take.eq(self.i_descriptor.valid & self.i_descriptor.ready),
            look.i_pointer.eq(self.i_shared_read_data[:16]),
            look.i_look.eq(state == STATES.LOOK),
            loops.i_start.eq(state == STATES.CHECK),
            loops.i_address.eq(look.o_address),
            self.o_busy.eq(state != STATES.IDLE),
            self.o_code.eq(look.o_code),
            self.o_refused.eq((state == STATES.CHECK) & (look.o_code != 0)),
            self.o_done.eq((state == STATES.DRAIN) & (tail == 1)),
        ]
        with m.Switch(state):
            with m.Case(STATES.IDLE), m.If(self.i_descriptor.valid):
                m.d.sync += state.eq(STATES.LOOK)
            with m.Case(STATES.LOOK):
                m.d.sync += state.eq(STATES.CHECK)
            with m.Case(STATES.CHECK):
                m.d.sync += state.eq(Mux(look.o_code != 0, STATES.IDLE, STATES.RUN))
            with m.Case(STATES.RUN), m.If(issued_last):
                m.d.sync += state.eq(STATES.DRAIN)
            with m.Case(STATES.DRAIN), m.If(tail == 1):
                m.d.sync += state.eq(STATES.IDLE)

        running = Signal()
        m.d.comb += running.eq(state == STATES.RUN)
        kind, asked, issue, advance = self._choose(m, running)
        m.d.comb += [
            loops.i_advance.eq(advance),
            issued_last.eq(advance & loops.o_last),
            refresh.i_issued.eq(issue & (kind == self.codes["REF"])),
        ]
        moved = Signal.like(tail)
        with m.Switch(kind):
            for name, cycles in self.moved.items():
                if cycles > 1:
                    with m.Case(self.codes[name]):
                        m.d.comb += moved.eq(cycles)
            with m.Default():
                m.d.comb += moved.eq(1)
        left = Mux(tail == 0, 0, tail - 1)
        m.d.sync += tail.eq(Mux(advance & (moved > left), moved, left))
        self._move_words(m, kind, advance, state)
        self._count(m, state, asked, issue)
        return m

    def _move_words(self, m: Module, kind: Value, advance: Value, state: Value) -> None:
        """Words from the shared memory to the channel, and back."""
        arrivals = self.arrivals
        destination = Signal(16)
        m.d.comb += [
            self.o_shared_read_address.eq(Mux(state == STATES.RUN, self.loops.o_shared, self.look.o_pointer)),
            self.o_data.eq(self._word(kind)),
            arrivals.i_issue.eq(
                Cat(*(advance & self.loops.o_brings & (kind == self.codes[name]) for name in self.reads))
            ),
            arrivals.i_data.eq(self.i_data),
            arrivals.i_data_valid.eq(self.i_data_valid),
            self.o_shared_write_enable.eq(arrivals.o_valid),
            self.o_shared_write_data.eq(arrivals.o_data),
            self.o_shared_write_address.eq(destination),
        ]
        with m.If(state == STATES.CHECK):
            m.d.sync += destination.eq(self.look.o_destination)
        with m.Elif(arrivals.o_valid):
            m.d.sync += destination.eq(destination + 1)

    def _count(self, m: Module, state: Value, asked: Value, issue: Value) -> None:
        """The cause of this cycle: the first rule that applies."""
        label, names = self.o_label, self.label
        after = Signal(CLASSES, name="after")
        with m.If(issue):
            m.d.sync += after.eq(asked)
        with m.If(self.refresh.o_due & ~((state == STATES.RUN) & self.loops.o_holds)):
            m.d.comb += label.eq(names.REFRESH)
        with m.Elif(state == STATES.IDLE):
            m.d.comb += label.eq(names.IDLE)
        with m.Elif(state == STATES.DRAIN):
            m.d.comb += label.eq(names.DRAIN)
        with m.Elif(state != STATES.RUN):
            m.d.comb += label.eq(names.PREPARE)
        with m.Elif(asked == CLASSES.MODE):
            m.d.comb += label.eq(names.MODE)
        with m.Elif(asked == CLASSES.ROW):
            m.d.comb += label.eq(Mux(after == CLASSES.REFRESH, names.REFRESH, names.ROW_SWITCH))
        with m.Elif(issue):
            m.d.comb += Value.cast(label).eq(self.loops.o_label)
        with m.Else():
            causes = [names.TURNAROUND, names.ROW_SWITCH, names.MODE, names.REFRESH]
            m.d.comb += label.eq(Array(causes)[Value.cast(after)])
        for i, name in enumerate(self.labels):
            counter = getattr(self, f"o_count_{name}")
            m.d.sync += counter.eq(counter + (Value.cast(label) == i))
