"""A DRAM device as data: organisation, timings in nanoseconds and one flat table of timing rules."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, get_args

from hw.base.error import InputError

Level = Literal["channel", "rank", "bank_group", "bank"]
"""What two commands must share for a rule to bind them; one pseudo-channel of one rank is simulated at a time,
so "channel" and "rank" name the same node where a device has no ranks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """What one channel (HBM: pseudo-channel) is made of. A column is one burst, the unit of a column command.

    Parameters
    ----------
    bank_groups : int
        Bank groups of one rank of the channel.
    banks_per_group : int
        Banks of one bank group.
    rows : int
        Rows of one bank.
    columns : int
        Columns of one row, in bursts.
    column_bits : int
        Bits that one column command moves: bus_bits x burst_length.
    bus_bits : int
        Width of the channel's data bus in bits.
    burst_length : int
        Transfers on the data bus for one column command.
    """

    bank_groups: int
    banks_per_group: int
    rows: int
    columns: int
    column_bits: int
    bus_bits: int
    burst_length: int

    def __post_init__(self) -> None:
        for name in (f.name for f in dataclasses.fields(self)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{name} must be an integer of at least 1, not {value!r}")
        if self.bus_bits * self.burst_length != self.column_bits:
            raise InputError(
                f"column_bits must be bus_bits x burst_length = {self.bus_bits * self.burst_length}, "
                f"not {self.column_bits}"
            )

    @property
    def banks(self) -> int:
        """Banks of one channel."""
        return self.bank_groups * self.banks_per_group

    @property
    def column_bytes(self) -> int:
        """Bytes one column command moves."""
        return self.column_bits // 8

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of one bank."""
        return self.columns * self.column_bytes

    @property
    def channel_bytes(self) -> int:
        """Bytes of one rank of one channel."""
        return self.banks * self.rows * self.row_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """After a command of `before`, one of `after` that shares the `level` must wait `delay`.

    Parameters
    ----------
    level : Level
    before, after : tuple of str
        Command names.
    delay : str
        Name of a timing, given or derived.
    window : int
        The delay runs from the `window`-th last command of `before` (4 for a four-activate window).
    """

    level: Level
    before: tuple[str, ...]
    after: tuple[str, ...]
    delay: str
    window: int = 1

    def __post_init__(self) -> None:
        if self.level not in get_args(Level):
            raise InputError(f"level of a timing rule must be one of {', '.join(get_args(Level))}, not {self.level!r}")
        if not self.before or not self.after:
            raise InputError("a timing rule must name at least one command before and one after, not none")
        if self.window < 1:
            raise InputError(f"window of a timing rule must be at least 1, not {self.window}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """A derived timing: the sum of `plus` minus `minus`, never below `floor`.

    Entries are timing names or integers (cycles); an entry that is a tuple stands for the largest of its members.

    Parameters
    ----------
    name : str
        Name of the derived timing, as rules and later sums use it.
    plus, minus : tuple
        What is added and what is subtracted.
    floor : int
        Least result in cycles.
    """

    name: str
    plus: tuple[str | int | tuple[str | int, ...], ...]
    minus: tuple[str | int, ...] = ()
    floor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A named departure from the device's own rules, for comparison with another simulator.

    Parameters
    ----------
    note : str
        What it does otherwise, and why.
    without : tuple of Rule
        Rules of the device that are not enforced.
    extra : tuple of Rule
        Rules that replace them.
    broadcast_tracked : bool
        True: in all-bank modes the state of every bank a command reaches is tracked and checked. False: only that of
        the addressed bank.
    refresh_holds_activates : bool
        True: no row is opened while a refresh is waiting. False: rows may be opened and closed again meanwhile.
    """

    note: str
    without: tuple[Rule, ...] = ()
    extra: tuple[Rule, ...] = ()
    broadcast_tracked: bool = True
    refresh_holds_activates: bool = True


DEFAULT = Preset(note="every rule of the device enforced, tFAW and tRP before refresh included")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedRule:
    """A rule in cycles.

    Parameters
    ----------
    level : Level
        What the two commands must share to be bound.
    before, after : tuple of str
        Names of the commands the wait starts from and of those that wait.
    cycles : int
        Least cycles from the command before to the command after.
    window : int
        The wait starts at the `window`-th last command of `before`; 1 for the last one.
    """

    level: Level
    before: tuple[str, ...]
    after: tuple[str, ...]
    cycles: int
    window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """A device's timings and rules in cycles of its command clock: what models and RTL work from.

    Parameters
    ----------
    clock_ns : float
        Period of the command clock in nanoseconds.
    cycles : dict of str to int
        Every timing, given or derived, by name, in cycles.
    rules : tuple of TimedRule
        The rules that are enforced: the device's and what the preset changes in them.
    broadcast_tracked, refresh_holds_activates : bool
        As in the chosen `Preset`.
    preset : str
        Name of the chosen preset, "default" for the device's own rules.
    note : str
        What that preset does otherwise, and why.
    """

    clock_ns: float
    cycles: dict[str, int]
    rules: tuple[TimedRule, ...]
    broadcast_tracked: bool
    refresh_holds_activates: bool
    preset: str
    note: str

    def __getitem__(self, name: str) -> int:
        return self.cycles[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class DramSpec:
    """One DRAM standard.

    Parameters
    ----------
    title : str
        Its name for people, with speed and width.
    source : str
        Where its timings and rules were taken from.
    organisation : Organisation
        Banks, rows, columns and data bus of one channel.
    clock_ns : float
        Period of the command clock the cycle counts refer to.
    timings_ns : dict of str to float
        Given timings; names as in the standard, lower case (`t_rcd_rd`, `rl`, `t_refi`, ...).
    derived : tuple of Sum
        Timings that follow from them, in order.
    rules : tuple of Rule
        The whole legality table.
    presets : dict of str to Preset
        Compatibility presets beside "default".
    """

    title: str
    source: str
    organisation: Organisation
    clock_ns: float
    timings_ns: dict[str, float]
    derived: tuple[Sum, ...]
    rules: tuple[Rule, ...]
    presets: dict[str, Preset] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.clock_ns > 0:
            raise InputError(f"clock_ns must be above 0, not {self.clock_ns!r}")
        known = set(self.timings_ns) | {s.name for s in self.derived}
        for rule in (*self.rules, *(r for p in self.presets.values() for r in p.extra)):
            if rule.delay not in known:
                raise InputError(f"delay of a timing rule must be a timing of {self.title}, not {rule.delay!r}")
        for preset in self.presets.values():
            for rule in preset.without:
                if rule not in self.rules:
                    raise InputError(f"a preset can only leave out rules of {self.title}, not {rule}")
        self.resolve()

    def resolve(self, preset: str = "default", overrides: Mapping[str, int] | None = None) -> Timing:
        """Timings and rules in cycles: the only place where nanoseconds become cycles (rounded up).

        `overrides` replaces given timings, in cycles of this device's clock. Raises `InputError` for an unknown
        preset or timing and for a value that is not a whole number of cycles of at least 0.
        """
        if preset == "default":
            chosen = DEFAULT
        elif preset in self.presets:
            chosen = self.presets[preset]
        else:
            known = ", ".join(("default", *self.presets))
            raise InputError(f"preset of {self.title} must be one of {known}, not {preset!r}")
        clock = Fraction(str(self.clock_ns))
        cycles = {name: math.ceil(Fraction(str(ns)) / clock) for name, ns in self.timings_ns.items()}
        for name, value in (overrides or {}).items():
            if name not in cycles:
                known = ", ".join(sorted(self.timings_ns))
                raise InputError(f"a timing of {self.title} must be one of {known}, not {name!r}")
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1 << 24:
                raise InputError(f"{name} must be a whole number of cycles from 0 to {1 << 24}, not {value!r}")
            cycles[name] = value
        cycles = self._derive({name: int(value) for name, value in cycles.items()})
        rules = tuple(
            TimedRule(level=r.level, before=r.before, after=r.after, cycles=cycles[r.delay], window=r.window)
            for r in (*(r for r in self.rules if r not in chosen.without), *chosen.extra)
        )
        return Timing(
            clock_ns=self.clock_ns,
            cycles=cycles,
            rules=rules,
            broadcast_tracked=chosen.broadcast_tracked,
            refresh_holds_activates=chosen.refresh_holds_activates,
            preset=preset,
            note=chosen.note,
        )

    def _derive(self, cycles: dict[str, int]) -> dict[str, int]:
        """`cycles` with the derived timings added."""

        def value(entry: str | int | tuple[str | int, ...]) -> int:
            if isinstance(entry, tuple):
                return max(value(e) for e in entry)
            if isinstance(entry, int):
                return entry
            if entry not in cycles:
                raise InputError(f"a derived timing of {self.title} must use known timings, not {entry!r}")
            return cycles[entry]

        for total in self.derived:
            amount = sum(value(e) for e in total.plus) - sum(value(e) for e in total.minus)
            cycles[total.name] = max(amount, total.floor)
        return cycles
