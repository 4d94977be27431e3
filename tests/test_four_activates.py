"""The four-activate window, again and again: model and RTL against a reference that looks at all pairs."""

# pyright: reportAttributeAccessIssue=false

import pytest
from amaranth.sim import Simulator

from hw import dram
from hw.rtl.dram_pim.bank_timing import BankTiming
from model.cycle.dram_pim.bank import Banks

ACTIVATES = 14
"""The window is used from the fifth on; a history that keeps too little or too much shows later."""

# cycles of t_faw: that of the standard, and one that binds more than anything else
CASES = [
    (name, wide)
    for name in dram.names()
    if any(rule.window > 1 for rule in dram.load(name).resolve().rules)
    for wide in (False, True)
]


def _opened(name: str, wide: bool):
    standard = dram.load(name)
    timing = standard.resolve()
    if wide:
        timing = standard.resolve("default", {"t_faw": 9 * timing["t_rrd_s"] + 5})
    return timing, standard.organisation


def _expected(timing, organisation) -> list[tuple[int, int]]:
    """(bank, earliest cycle) of activates that visit the bank groups in turn, from the rules alone."""
    window = next(rule for rule in timing.rules if rule.window > 1 and "ACT" in rule.before)
    pairs = {
        level: max(
            (
                r.cycles
                for r in timing.rules
                if r.level in levels and r.window == 1 and "ACT" in r.before and "ACT" in r.after
            ),
            default=1,
        )
        for level, levels in (("channel", ("channel", "rank")), ("bank_group", ("bank_group",)), ("bank", ("bank",)))
    }
    groups, each = organisation.bank_groups, organisation.banks // organisation.bank_groups
    order = [group * each + index for index in range(each) for group in range(groups)]
    done: list[tuple[int, int]] = []
    for number in range(ACTIVATES):
        bank = order[number % len(order)]
        earliest = 0
        for before, cycle in done:
            gap = pairs["channel"]
            if before // each == bank // each:
                gap = max(gap, pairs["bank_group"])
            if before == bank:
                gap = max(gap, pairs["bank"])
            earliest = max(earliest, cycle + gap)
        if number >= window.window:
            earliest = max(earliest, done[number - window.window][1] + window.cycles)
        done.append((bank, earliest))
    return done


@pytest.mark.parametrize(("name", "wide"), CASES)
def test_the_model_waits_for_the_window_every_time(name: str, wide: bool) -> None:
    timing, organisation = _opened(name, wide)
    banks = Banks(timing, organisation)
    for bank, cycle in _expected(timing, organisation):
        assert banks.earliest(banks.commands["ACT"], bank) == cycle
        banks.issue(banks.commands["ACT"], bank, cycle)


@pytest.mark.parametrize(("name", "wide"), CASES)
def test_the_rtl_waits_for_the_window_every_time(name: str, wide: bool) -> None:
    timing, organisation = _opened(name, wide)
    checker = BankTiming(timing, organisation, ["ACT", "PRE"])
    each = organisation.banks // organisation.bank_groups

    async def drive(ctx) -> None:
        now = 0
        for bank, cycle in _expected(timing, organisation):
            ctx.set(checker.i_command, 0)
            ctx.set(checker.i_groups, 1 << bank // each)
            ctx.set(checker.i_banks, 1 << bank)
            while now < cycle:
                assert ctx.get(checker.o_early), f"bank {bank} allowed at {now}, not at {cycle}"
                await ctx.tick()
                now += 1
            assert not ctx.get(checker.o_early), f"bank {bank} forbidden at {now}"
            ctx.set(checker.i_issue, 1)
            await ctx.tick()
            ctx.set(checker.i_issue, 0)
            now += 1

    simulator = Simulator(checker)
    simulator.add_clock(1e-9)
    simulator.add_testbench(drive)
    simulator.run()
