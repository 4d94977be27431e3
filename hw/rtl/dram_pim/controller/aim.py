"""The memory controller of a GDDR6-AiM channel: short descriptors become legal commands, refresh is served between."""

from amaranth.hdl import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.common.enumeration import enumeration
from hw.rtl.dram_pim.bank_timing import BankTiming
from hw.rtl.dram_pim.controller.arrivals import Arrivals
from hw.rtl.dram_pim.controller.look import Look
from hw.rtl.dram_pim.controller.loops import Loops
from hw.rtl.dram_pim.controller.refresh import RefreshTimer
from hw.rtl.dram_pim.controller.rows import OpenRows
from hw.rtl.dram_pim.signature import command_kinds, command_layout
from hw.spec.dram import Timing
from hw.spec.memory_controller import (
    AIM_PHASES,
    CONTROLLER_LABELS,
    DESCRIPTOR_BITS,
    ControllerSpec,
    moved_after,
)

STATES = enumeration("ControllerState", {"IDLE": 0, "LOOK": 1, "CHECK": 2, "RUN": 3, "DRAIN": 4})
CLASSES = enumeration("CommandClass", {"COLUMN": 0, "ROW": 1, "MODE": 2, "REFRESH": 3})
LABELS = enumeration("ControllerLabel", {name.upper(): i for i, name in enumerate(CONTROLLER_LABELS)})
LABEL_BITS = 48


class AimController(wiring.Component):
    """One descriptor at a time, its commands in order, each in the first cycle in which the rules allow it.

    A descriptor taken in cycle t is looked at in t + 1 and t + 2; its first command can be issued in t + 3. It is done
    in the cycle in which its last word has moved, and the next can be taken in the cycle after that. A due refresh
    goes before every other command: register mode is left, all rows are closed, REF is issued.

    Parameters
    ----------
    spec : ControllerSpec
    timing : Timing

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

    def __init__(self, spec: ControllerSpec, timing: Timing) -> None:
        self.spec, self.timing = spec, timing
        pim = spec.pim
        organisation = pim.dram.organisation
        self.layout = command_layout(pim)
        by_opcode = sorted(pim.commands.commands, key=lambda c: c.opcode)
        self.checker = BankTiming(timing, organisation, [c.name for c in by_opcode])
        self.refresh = RefreshTimer(timing["t_refi"], enabled=spec.refresh)
        self.rows = OpenRows(organisation)
        self.look = Look(spec)
        self.loops = Loops(spec, AIM_PHASES)
        moved = moved_after(timing)
        self.moved = {c.name: moved.get(c.name, 1) for c in by_opcode}
        self.arrivals = Arrivals(organisation.column_bits, (self.moved["RD"], self.moved["RDMAC16"]))
        bits = organisation.column_bits
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
                "o_label": Out(LABELS),
                **{f"o_count_{label}": Out(LABEL_BITS) for label in CONTROLLER_LABELS},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.timing, m.submodules.refresh, m.submodules.rows = self.checker, self.refresh, self.rows
        m.submodules.look, m.submodules.loops, m.submodules.arrivals = self.look, self.loops, self.arrivals
        look, loops, refresh = self.look, self.loops, self.refresh
        state = Signal(STATES, init=STATES.IDLE, name="state")
        tail = Signal(range(max(self.moved.values()) + 1))
        issued_last = Signal()  # the last command of the descriptor goes out in this cycle
        m.d.comb += [
            self.i_descriptor.ready.eq(state == STATES.IDLE),
            look.i_word.eq(self.i_descriptor.payload),
            look.i_take.eq(self.i_descriptor.valid & self.i_descriptor.ready),
            look.i_pointer.eq(self.i_shared_read_data[:16]),
            look.i_look.eq(state == STATES.LOOK),
            loops.i_transfer.eq(look.o_transfer),
            loops.i_gemv.eq(look.o_gemv),
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
        kind, asked, issue = self._choose(m, running)
        wanted = asked == CLASSES.COLUMN
        advance = Signal()
        m.d.comb += [
            advance.eq(issue & wanted),
            loops.i_advance.eq(advance),
            issued_last.eq(advance & loops.o_last),
            refresh.i_issued.eq(issue & (kind == self._opcode("REF"))),
        ]
        moved = Signal.like(tail)
        with m.Switch(kind):
            for name, cycles in self.moved.items():
                if cycles > 1:
                    with m.Case(self._opcode(name)):
                        m.d.comb += moved.eq(cycles)
            with m.Default():
                m.d.comb += moved.eq(1)
        left = Mux(tail == 0, 0, tail - 1)
        m.d.sync += tail.eq(Mux(advance & (moved > left), moved, left))
        self._move_words(m, kind, advance, state)
        self._label(m, state, asked, issue)
        return m

    def _opcode(self, name: str) -> int:
        return self.spec.pim.commands.command(name).opcode

    def _choose(self, m: Module, running: Value) -> tuple[Value, Value, Signal]:
        """The command proposed, its class, and whether it is issued."""
        loops, rows, checker = self.loops, self.rows, self.checker
        organisation = self.spec.pim.dram.organisation
        due = self.refresh.o_due
        register_mode = Signal(name="register_mode")
        kind = Signal(command_kinds(self.spec.pim), name="proposed")
        asked = Signal(CLASSES, name="asked")
        code = Value.cast(kind)
        m.d.comb += [rows.i_row.eq(loops.o_row), rows.i_bank.eq(loops.o_bank)]
        # rows that must be open: of all banks for commands of the channel and wide transfers, else of one bank
        all_banks = loops.o_wide
        ready = Mux(all_banks, rows.o_all_match, rows.o_match)
        open_other = Mux(all_banks, rows.o_any, rows.o_is_open)

        def propose(name: str, group: Value) -> list:
            return [code.eq(self._opcode(name)), asked.eq(group)]

        def rows_first() -> None:
            with m.If(open_other & all_banks):
                m.d.comb += propose("PREA", CLASSES.ROW)
            with m.Elif(open_other):
                m.d.comb += propose("PRE", CLASSES.ROW)
            with m.Elif(all_banks):
                m.d.comb += propose("ACT16", CLASSES.ROW)
            with m.Else():
                m.d.comb += propose("ACT", CLASSES.ROW)

        with m.If(due):
            with m.If(register_mode):
                m.d.comb += propose("TMOD", CLASSES.REFRESH)
            with m.Elif(rows.o_any):
                m.d.comb += propose("PREA", CLASSES.REFRESH)
            with m.Else():
                m.d.comb += propose("REF", CLASSES.REFRESH)
        with m.Elif(register_mode & ~loops.o_register_mode):
            m.d.comb += propose("TMOD", CLASSES.MODE)
        with m.Elif(~register_mode & loops.o_rows & ~ready):
            rows_first()
        with m.Elif(~register_mode & loops.o_register_mode):
            m.d.comb += propose("TMOD", CLASSES.MODE)
        with m.Else():
            m.d.comb += [code.eq(loops.o_command), asked.eq(CLASSES.COLUMN)]

        addressed = Signal()  # names a bank: rules of its bank and bank group bind it too
        opens, closes = Signal(organisation.banks), Signal(organisation.banks)
        one = Signal(organisation.banks)
        m.d.comb += one.eq(1 << loops.o_bank)
        every = (1 << organisation.banks) - 1
        issue = Signal(name="issue")
        m.d.comb += [
            issue.eq((running | due) & ~checker.o_early),
            self.o_valid.eq(issue),
            self.o_command.kind.eq(code),
            self.o_command.bank.eq(loops.o_bank),
            self.o_command.row.eq(loops.o_row),
            self.o_command.column.eq(loops.o_column),
            self.o_command.accumulator.eq(loops.o_accumulator),
            checker.i_command.eq(code),
            checker.i_issue.eq(issue),
            checker.i_banks.eq(Mux(addressed, one, 0)),
            checker.i_groups.eq(Mux(addressed, 1 << loops.o_bank[ceil_log2(organisation.banks_per_group) :], 0)),
            rows.i_open.eq(Mux(issue, opens, 0)),
            rows.i_close.eq(Mux(issue, closes, 0)),
        ]
        with m.Switch(code):
            for command in self.spec.pim.commands.commands:
                with m.Case(command.opcode):
                    reached = one if command.scope == "bank" else Const(every, organisation.banks)
                    m.d.comb += addressed.eq(command.scope == "bank")
                    if "open_row" in command.operations:
                        m.d.comb += opens.eq(reached)
                    if "close_row" in command.operations:
                        m.d.comb += closes.eq(reached)
                    if "toggle_mode" in command.operations:
                        with m.If(issue):
                            m.d.sync += register_mode.eq(~register_mode)
        return code, asked, issue

    def _move_words(self, m: Module, kind: Value, advance: Value, state: Value) -> None:
        """Words from the shared memory to the channel, and back."""
        loops, arrivals = self.loops, self.arrivals
        destination = Signal(16)
        m.d.comb += [
            self.o_shared_read_address.eq(Mux(state == STATES.RUN, loops.o_shared, self.look.o_transfer.pointer)),
            self.o_data.eq(Mux(kind == self._opcode("WRMAC16"), 0, self.i_shared_read_data)),
            arrivals.i_issue.eq(
                Cat(advance & (kind == self._opcode("RD")), advance & (kind == self._opcode("RDMAC16")))
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

    def _label(self, m: Module, state: Value, asked: Value, issue: Value) -> None:
        """The cause of this cycle, in the order of the rules of `CONTROLLER_LABELS`."""
        label = self.o_label
        after = Signal(CLASSES, name="after")
        with m.If(issue):
            m.d.sync += after.eq(asked)
        with m.If(self.refresh.o_due):
            m.d.comb += label.eq(LABELS.REFRESH)
        with m.Elif(state == STATES.IDLE):
            m.d.comb += label.eq(LABELS.IDLE)
        with m.Elif(state == STATES.DRAIN):
            m.d.comb += label.eq(LABELS.DRAIN)
        with m.Elif(state != STATES.RUN):
            m.d.comb += label.eq(LABELS.PREPARE)
        with m.Elif(asked == CLASSES.MODE):
            m.d.comb += label.eq(LABELS.MODE)
        with m.Elif(asked == CLASSES.ROW):
            m.d.comb += label.eq(Mux(after == CLASSES.REFRESH, LABELS.REFRESH, LABELS.ROW_SWITCH))
        with m.Elif(issue):
            m.d.comb += Value.cast(label).eq(self.loops.o_label)
        with m.Else():
            m.d.comb += label.eq(
                Array([LABELS.TURNAROUND, LABELS.ROW_SWITCH, LABELS.MODE, LABELS.REFRESH])[Value.cast(after)]
            )
        for i, name in enumerate(CONTROLLER_LABELS):
            counter = getattr(self, f"o_count_{name}")
            m.d.sync += counter.eq(counter + (Value.cast(label) == i))
