"""The memory controller of a GDDR6-AiM channel: short descriptors become legal commands, refresh is served between."""

from amaranth.hdl import *
from amaranth.utils import ceil_log2

from hw.rtl.dram_pim.controller.controller import CLASSES, MemoryController
from hw.rtl.dram_pim.controller.descriptor import AimLook
from hw.rtl.dram_pim.controller.loops import Loops
from hw.rtl.dram_pim.signature import command_kinds
from hw.spec.dram import Timing
from hw.spec.memory_controller import AIM_PHASES, CONTROLLER_LABELS, ControllerSpec, moved_after


class AimController(MemoryController):
    """See `MemoryController`. For a refresh register mode is left and all rows are closed at once.

    Parameters
    ----------
    spec : ControllerSpec
    timing : Timing
    """

    def __init__(self, spec: ControllerSpec, timing: Timing) -> None:
        super().__init__(
            spec,
            timing,
            commands=[c.name for c in sorted(spec.pim.commands.commands, key=lambda c: c.opcode)],
            moved=moved_after(timing),
            reads=("RD", "RDMAC16"),
            labels=CONTROLLER_LABELS,
            look=AimLook(spec),
            loops=Loops(spec, AIM_PHASES),
        )

    def _word(self, kind: Value) -> Value:
        return Mux(kind == self.codes["WRMAC16"], 0, self.i_shared_read_data)

    def _choose(self, m: Module, running: Value) -> tuple[Value, Value, Value, Value]:
        loops, rows, checker = self.loops, self.rows, self.checker
        organisation = self.spec.pim.dram.organisation
        due = self.refresh.o_due
        register_mode = Signal(name="register_mode")
        kind = Signal(command_kinds(self.spec.pim), name="proposed")
        asked = Signal(CLASSES, name="asked")
        code = Value.cast(kind)
        m.d.comb += [
            loops.i_transfer.eq(self.look.o_transfer),
            loops.i_gemv.eq(self.look.o_gemv),
            rows.i_row.eq(loops.o_row),
            rows.i_bank.eq(loops.o_bank),
        ]
        # rows that must be open: of all banks for commands of the channel and wide transfers, else of one bank
        all_banks = loops.o_wide
        ready = Mux(all_banks, rows.o_all_match, rows.o_match)
        open_other = Mux(all_banks, rows.o_any, rows.o_is_open)

        def propose(name: str, group: Value) -> list:
            return [code.eq(self.codes[name]), asked.eq(group)]

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
            with m.If(open_other & all_banks):
                m.d.comb += propose("PREA", CLASSES.ROW)
            with m.Elif(open_other):
                m.d.comb += propose("PRE", CLASSES.ROW)
            with m.Elif(all_banks):
                m.d.comb += propose("ACT16", CLASSES.ROW)
            with m.Else():
                m.d.comb += propose("ACT", CLASSES.ROW)
        with m.Elif(~register_mode & loops.o_register_mode):
            m.d.comb += propose("TMOD", CLASSES.MODE)
        with m.Else():
            m.d.comb += [code.eq(loops.o_command), asked.eq(CLASSES.COLUMN)]

        addressed = Signal()  # names a bank: rules of its bank and bank group bind it too
        opens, closes = Signal(organisation.banks), Signal(organisation.banks)
        one = Signal(organisation.banks)
        m.d.comb += one.eq(1 << loops.o_bank)
        every = (1 << organisation.banks) - 1
        issue, advance = Signal(name="issue"), Signal(name="advance")
        m.d.comb += [
            issue.eq((running | due) & ~checker.o_early),
            advance.eq(issue & (asked == CLASSES.COLUMN)),
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
        return code, asked, issue, advance
