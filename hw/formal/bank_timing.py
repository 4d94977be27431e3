"""A command that the checker does not call early breaks no rule of the table."""

from amaranth.hdl import *

from hw.formal import Bug, Proof
from hw.formal._aim_device import COMMANDS, device
from hw.formal._queue import no_reset


class Harness(Elaboratable):
    """Any command to any bank at any time, issued unless the checker calls it early, as the controllers do.

    Each rule is followed on its own: how long its later commands are still forbidden, at every node it speaks of.
    """

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.dram_pim.bank_timing import BankTiming

        m = Module()
        spec, timing = device()
        commands = spec.pim.commands
        m.submodules.checker = checker = BankTiming(timing, spec.pim.dram.organisation, COMMANDS)
        kind, bank, want = Signal(range(len(COMMANDS))), Signal(), Signal()
        self.inputs = [kind, bank, want]
        no_reset(m)
        addressed, issue = Signal(), Signal()

        def among(names: tuple[str, ...]) -> Value:
            return Cat(*(kind == COMMANDS.index(name) for name in names if name in COMMANDS)).any()

        m.d.comb += [
            Assume(kind < len(COMMANDS)),
            addressed.eq(among(tuple(name for name in COMMANDS if commands.command(name).scope == "bank"))),
            checker.i_command.eq(kind),
            checker.i_banks.eq(Mux(addressed, 1 << bank, 0)),
            checker.i_groups.eq(Mux(addressed, 1 << bank, 0)),  # each bank is a group of its own
            issue.eq(want & ~checker.o_early),
            checker.i_issue.eq(issue),
        ]
        for i, rule in enumerate(timing.rules):
            if rule.cycles < 2 or not set(rule.before) & set(COMMANDS) or not set(rule.after) & set(COMMANDS):
                continue
            here = [Const(1)] if rule.level in ("channel", "rank") else [addressed & (bank == b) for b in (0, 1)]
            for n, node in enumerate(here):
                left = Signal(range(rule.cycles), name=f"forbidden_{i}_{n}")
                hit = issue & node & among(rule.before)
                m.d.sync += left.eq(Mux(hit, rule.cycles - 1, Mux(left == 0, 0, left - 1)))
                with m.If(issue & node & among(rule.after)):
                    m.d.comb += Assert(left == 0)
        issued = Signal(4)
        m.d.sync += issued.eq(issued + issue)
        m.d.comb += Cover((issued == 4) & issue & (kind == COMMANDS.index("MAC16")))
        return m


PROOF = Proof(
    title="a command that the checker does not call early breaks no rule of the table",
    build=Harness,
    bounded=8,
    cover=10,
    bugs=(
        Bug(
            name="an age starts one cycle too old",
            module="hw.rtl.dram_pim.bank_timing",
            before="age.eq(Mux(self.i_issue & here & chosen[before], 1, _older(age, most)))",
            after="age.eq(Mux(self.i_issue & here & chosen[before], 2, _older(age, most)))",
        ),
        Bug(
            name="rules of a bank bind no command",
            module="hw.rtl.dram_pim.bank_timing",
            before='"bank": list(self.i_banks)}',
            after='"bank": [Const(0)] * self.banks}',
        ),
    ),
)
