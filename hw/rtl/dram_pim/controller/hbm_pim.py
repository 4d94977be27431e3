"""The memory controller of an HBM-PIM channel: short descriptors become legal commands, refresh is served between."""

from amaranth.hdl import *
from amaranth.utils import ceil_log2

from hw.rtl.dram_pim.controller.controller import CLASSES, MemoryController
from hw.rtl.dram_pim.controller.descriptor import HbmLook
from hw.rtl.dram_pim.controller.hbm_pim_steps import ACTS, DATA, HbmSteps
from hw.rtl.dram_pim.signature import command_kinds
from hw.spec.dram import Timing
from hw.spec.hbm_pim_controller import HBM_LABELS, banks_in_order, checked, hbm_moved_after, program_words
from hw.spec.memory_controller import ControllerSpec


class HbmPimController(MemoryController):
    """See `MemoryController`. For a refresh open rows are closed one after another, the lowest bank first.

    In an all-bank mode a command to bank 0 or 1 reaches all even or all odd banks.

    Parameters
    ----------
    spec : ControllerSpec
    timing : Timing
    """

    def __init__(self, spec: ControllerSpec, timing: Timing) -> None:
        super().__init__(
            checked(spec),
            timing,
            commands=[kind.name for kind in command_kinds(spec.pim)],
            moved=hbm_moved_after(timing),
            reads=("RD",),
            labels=HBM_LABELS,
            look=HbmLook(spec),
            loops=HbmSteps(spec),
        )

    def _word(self, kind: Value) -> Value:
        words = self.look.o_gemv.words
        program = program_words(self.spec.pim, 1)  # of one input word: no iterations
        jump = Const(program[1], 32) | (words - 1)[:8] << self.spec.pim.commands.field("iterations").low
        code = Cat(Const(program[0], 32), jump[:32], *(Const(word, 32) for word in program[2:]))
        chosen = {"": 0, "zero": 0, "one": 1, "program": code, "shared": self.i_shared_read_data}
        return Array([chosen[name] for name in DATA])[self.loops.o_data]

    def _choose(self, m: Module, running: Value) -> tuple[Value, Value, Value, Value]:
        loops, rows, checker = self.loops, self.rows, self.checker
        organisation = self.spec.pim.dram.organisation
        count, per_group = organisation.banks, organisation.banks_per_group
        kind = Signal(command_kinds(self.spec.pim), name="proposed")
        asked = Signal(CLASSES, name="asked")
        code = Value.cast(kind)
        bank = Signal(ceil_log2(count), name="bank")
        due, met, own = Signal(), Signal(), Signal()
        act = {name: loops.o_act == i for i, name in enumerate(ACTS)}
        m.d.comb += [
            loops.i_transfer.eq(self.look.o_transfer),
            loops.i_gemv.eq(self.look.o_gemv),
            rows.i_row.eq(loops.o_row),
            rows.i_bank.eq(loops.o_bank),
            bank.eq(loops.o_bank),
            due.eq(self.refresh.o_due & ~(running & loops.o_holds)),
        ]

        def propose(name: str, group: Value, last: bool = False) -> list:
            return [code.eq(self.codes[name]), asked.eq(group), own.eq(last)]

        # banks of the word's parity that must have its row: other rows are closed first, then it is opened in each
        other, shut, together = Signal(), Signal(), Signal.like(bank)
        odd = loops.o_bank[0]
        for wanted, state in ((shut, ~rows.o_open), (other, rows.o_open & ~rows.o_matches)):
            for even in reversed(banks_in_order(self.spec.pim)):
                with m.If(loops.o_wide & Mux(odd, state[even + 1], state[even])):
                    m.d.comb += [wanted.eq(1), together.eq(Cat(odd, Const(even >> 1, len(bank) - 1)))]
        ways = act["open"] | act["close"]  # rows for their own sake: part of a change of mode
        with m.If(due):
            m.d.comb += propose("PRE", CLASSES.REFRESH)
            m.d.comb += bank.eq(rows.o_lowest)
            with m.If(~rows.o_any):
                m.d.comb += propose("REF", CLASSES.REFRESH)
        with m.Elif(other | shut):
            m.d.comb += propose("PRE", CLASSES.ROW)
            m.d.comb += bank.eq(together)
            with m.If(~other):
                m.d.comb += propose("ACT", CLASSES.ROW)
        with m.Elif(act["close"]):
            m.d.comb += propose("PRE", CLASSES.MODE, True)
            m.d.comb += met.eq(~rows.o_is_open)
        with m.Elif(rows.o_is_open & ~rows.o_match):
            m.d.comb += propose("PRE", Mux(ways, CLASSES.MODE.value, CLASSES.ROW.value))
        with m.Elif(act["open"]):
            m.d.comb += propose("ACT", CLASSES.MODE, True)
            m.d.comb += met.eq(rows.o_match)
        with m.Elif(~rows.o_is_open):
            m.d.comb += propose("ACT", CLASSES.ROW)
        with m.Elif(act["WR"]):
            m.d.comb += propose("WR", CLASSES.COLUMN, True)
        with m.Else():
            m.d.comb += propose("RD", CLASSES.COLUMN, True)

        reached = Signal(count)
        parity = Cat(*(bank[0] == (b & 1) for b in range(count)))
        m.d.comb += reached.eq(Mux(loops.o_all_banks & (bank < 2), parity, 1 << bank))
        groups = Cat(*(reached[g * per_group : (g + 1) * per_group].any() for g in range(organisation.bank_groups)))
        is_refresh = code == self.codes["REF"]
        issue, advance = Signal(name="issue"), Signal(name="advance")
        m.d.comb += [
            issue.eq(((running & ~met) | due) & ~checker.o_early),
            advance.eq(running & ~due & (met | (issue & own))),
            self.o_valid.eq(issue),
            self.o_command.kind.eq(code),
            self.o_command.bank.eq(bank),
            self.o_command.row.eq(loops.o_row),
            self.o_command.column.eq(loops.o_column),
            checker.i_command.eq(code),
            checker.i_issue.eq(issue),
            checker.i_banks.eq(Mux(is_refresh, 0, reached)),
            checker.i_groups.eq(Mux(is_refresh, 0, groups)),
            rows.i_open.eq(Mux(issue & (code == self.codes["ACT"]), reached, 0)),
            rows.i_close.eq(Mux(issue & (code == self.codes["PRE"]), reached, 0)),
        ]
        return code, asked, issue, advance
