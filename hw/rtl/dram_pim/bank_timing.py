"""Is a DRAM command too early? A checker built from the resolved rule table, nothing written by hand.

Delays between two commands (tRCD, tRP, tCCD, tRRD, refresh) and windows, as the four-activate window tFAW: at most four
activates in any tFAW, so the age of the fourth last is what counts. The stepped model's: `model.cycle.dram_pim.bank`.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.spec.dram import Organisation, Timing


class BankTiming(wiring.Component):
    """Per node (channel, each bank group, each bank) and command an age: cycles since it was last issued there.

    A rule "after b, a waits d" holds at a node if the age of b is at least d; for a window of n the age of the n-th
    last b. Ages stop at the largest delay asked of them, which is also their value after reset (never issued).

    Parameters
    ----------
    timing : Timing
    organisation : Organisation
    commands : sequence of str
        What can be issued; rules about other commands have no effect.

    Members
    -------
    i_command : In
        Index into `commands`.
    i_groups, i_banks : In
        The bank groups and banks the command reaches, one bit each; the channel is always reached.
    i_issue : In(1)
        The command is issued in this cycle.
    o_early : Out(1)
        A rule forbids the command in this cycle.
    """

    def __init__(self, timing: Timing, organisation: Organisation, commands: Sequence[str]) -> None:
        self.commands = list(commands)
        self.banks, self.groups = organisation.banks, organisation.bank_groups
        nodes = {"channel": 1, "bank_group": self.groups, "bank": self.banks}
        self._nodes = {level: [f"{level}_{i}" for i in range(count)] for level, count in nodes.items()}
        # level -> before -> delay -> commands that wait for it
        self._delays: dict[str, dict[str, dict[int, set[str]]]] = {level: {} for level in nodes}
        self._windows: list[tuple[tuple[str, ...], tuple[str, ...], int, int]] = []
        for rule in timing.rules:
            level = "channel" if rule.level == "rank" else rule.level
            if rule.window > 1:
                if level != "channel":
                    raise InputError(f"a rule with a window must be at channel or rank level, not at {level}")
                self._windows.append((rule.before, rule.after, rule.cycles, rule.window))
                continue
            for before in (c for c in rule.before if c in self.commands):
                for after in (c for c in rule.after if c in self.commands):
                    self._delays[level].setdefault(before, {}).setdefault(rule.cycles, set()).add(after)
        super().__init__(
            {
                "i_command": In(max(len(self.commands) - 1, 1).bit_length()),
                "i_groups": In(self.groups),
                "i_banks": In(self.banks),
                "i_issue": In(1),
                "o_early": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        chosen = {name: Signal(name=f"is_{name}") for name in self.commands}
        for index, name in enumerate(self.commands):
            m.d.comb += chosen[name].eq(self.i_command == index)
        early: list[Value] = []
        reached = {"channel": [Const(1)], "bank_group": list(self.i_groups), "bank": list(self.i_banks)}
        for level, names in self._nodes.items():
            for node, here in zip(names, reached[level], strict=True):
                early += self._node(m, node, here, self._delays[level], chosen)
        for index, (before, after, cycles, window) in enumerate(self._windows):
            issued = self.i_issue & Cat(*(chosen[c] for c in before)).any()
            ages = [_age(f"window_{index}_{i}", cycles) for i in range(window)]
            with m.If(issued):
                m.d.sync += ages[0].eq(1 if cycles else 0)
            with m.Else():
                m.d.sync += ages[0].eq(_older(ages[0], cycles))
            for newer, age in pairwise(ages):
                m.d.sync += age.eq(_older(Mux(issued, newer, age), cycles))
            early.append(Cat(*(chosen[c] for c in after)).any() & (ages[-1] < cycles))
        m.d.comb += self.o_early.eq(Cat(*early).any())
        return m

    def _node(
        self,
        m: Module,
        node: str,
        here: Value,
        delays: Mapping[str, Mapping[int, set[str]]],
        chosen: Mapping[str, Signal],
    ) -> list[Value]:
        """Ages of one node; what is early there."""
        early = []
        for before, waits in delays.items():
            most = max(waits)
            if most < 2:
                continue  # one command a cycle: always met
            age = _age(f"{node}_since_{before}", most)
            m.d.sync += age.eq(Mux(self.i_issue & here & chosen[before], 1, _older(age, most)))
            for delay, after in waits.items():
                early.append(here & Cat(*(chosen[c] for c in sorted(after))).any() & (age < delay))
        return early


def _age(name: str, most: int) -> Signal:
    return Signal(range(most + 1), init=most, name=name)


def _older(age: Value, most: int) -> Value:
    return Mux(age == most, most, age + 1)
