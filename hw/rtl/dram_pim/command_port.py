"""The command port of a DRAM channel with units beside its banks: what both devices share."""

from typing import Any

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.common.enumeration import enumeration, show_when
from hw.rtl.dram_pim.bank_array import BankArray
from hw.rtl.dram_pim.bank_timing import BankTiming
from hw.rtl.dram_pim.decode import CommandDecode
from hw.rtl.dram_pim.signature import (
    COUNTER_BITS,
    ERROR_BITS,
    PORT_EVENTS,
    Reason,
    command_kinds,
    command_layout,
    mode_bits,
    port_commands,
    reserved_rows,
)
from hw.spec.dram import Timing
from hw.spec.pim import ERRORS, PimSpec


class CommandPort(wiring.Component):
    """One channel of one rank. At most one command a cycle; a refused one changes nothing but the status.

    Commands carry their data word, and a word read is on `o_data` in the next cycle: the interface's latencies (RL, WL)
    belong to whoever drives the port. A command is refused for the first of: no known opcode, wrong mode, wrong state
    of the rows, a timing rule not yet met, what the units object to.

    Parameters
    ----------
    spec : PimSpec
    timing : Timing
        Resolved rules, all-bank commands tracked on every bank they reach.
    units : component of UnitsSignature(spec, ...)
        What the device has beside its banks.
    rows : int
        Rows of the cell arrays, a power of two; higher row addresses wrap, reserved rows never reach the arrays.

    Members
    -------
    i_valid : In(1); i_command : In(command_layout); i_data : In(column bits)
    i_config_<name> : In, as the units have them
    o_reason : Out(3)
        In the same cycle: 0, or the code in `ERRORS` the command is refused with.
    o_data : Out(column bits); o_data_valid : Out(1)
    o_error : Out(3)
        Sticky: the code of the first refused command.
    o_mode : Out
        Index into the spec's modes.
    o_count_<event> : Out(40), `PORT_EVENTS` and what the units count
    """

    def __init__(self, spec: PimSpec, timing: Timing, units: Any, *, rows: int) -> None:
        if not timing.broadcast_tracked:
            raise InputError(
                f"RTL of {spec.title} must track all-bank commands on every bank, preset "
                f"{timing.preset!r} does not; choose another preset"
            )
        self.spec, self.timing = spec, timing
        self.commands = port_commands(spec)
        self.layout, self.kinds = command_layout(spec), command_kinds(spec)
        by_code = sorted(self.commands.commands, key=lambda c: c.opcode)
        self.checker = BankTiming(timing, spec.dram.organisation, [c.name for c in by_code])
        self.banks = BankArray(spec.dram.organisation, rows, reserved_rows(spec))
        self.units = units
        self._config = [name for name in units.signature.members if name.startswith("i_config_")]
        events = [*PORT_EVENTS, *units.signature.members["events"].signature.members]
        bits = spec.dram.organisation.column_bits
        super().__init__(
            {
                "i_valid": In(1),
                "i_command": In(self.layout),
                "i_data": In(bits),
                **{name: units.signature.members[name] for name in self._config},
                "o_reason": Out(ERROR_BITS),
                "o_data": Out(bits),
                "o_data_valid": Out(1),
                "o_error": Out(ERROR_BITS),
                "o_mode": Out(mode_bits(spec)),
                **{f"o_count_{event}": Out(COUNTER_BITS) for event in events},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.timing, m.submodules.banks, m.submodules.units = self.checker, self.banks, self.units
        m.submodules.decode = decode = CommandDecode(self.commands)
        operations, units = decode.o_operations, self.units
        mode = Signal(enumeration("Mode", {name: i for i, name in enumerate(self.spec.modes)}), name="mode")
        accept = Signal()
        m.d.comb += [
            decode.i_word.eq(self.i_command.kind << self.commands.field("opcode").low),
            self.o_mode.eq(Value.cast(mode)),
            units.i_command.eq(self.i_command),
            units.i_data.eq(self.i_data),
            units.i_accept.eq(accept),
            units.i_operations.eq(operations),
            units.i_mode.eq(Value.cast(mode)),
            *(getattr(units, name).eq(getattr(self, name)) for name in self._config),
        ]
        addressed, wrong_mode, wrong_row = self._needs(m, mode)
        self._judge(m, accept, ~decode.o_known, wrong_mode | units.o_wrong_mode, wrong_row)
        with m.If(accept & units.o_changes_mode):
            m.d.sync += Value.cast(mode).eq(units.o_next_mode)
        self._track(m, accept, addressed)
        self._rows(m, accept, operations)
        self._answer(m, accept)
        show_when(m, "accepted", accept, self.i_command.kind, {c.name: c.value for c in self.kinds})
        self._count(m, accept, operations)
        return m

    def _needs(self, m: Module, mode: Signal) -> tuple[Signal, Signal, Signal]:
        """Whether the command is for one bank, not legal in this mode, and not with the rows as they are."""
        command, units, banks = self.i_command, self.units, self.banks
        organisation, modes = self.spec.dram.organisation, self.spec.modes
        count, per_group = organisation.banks, organisation.banks_per_group
        group = Cat(command.bank[(per_group - 1).bit_length() :] == b // per_group for b in range(count))
        everywhere = modes[:1] if any(set(modes) & set(c.requires) for c in self.commands.commands) else modes
        addressed, wrong_mode, wrong_row = Signal(), Signal(), Signal()
        closed, same, opened = Signal(), Signal(), Signal()
        with m.Switch(command.kind):
            for item in self.commands.commands:
                named = [name for name in modes if name in item.requires] or everywhere
                reached = {"bank": 1 << command.bank, "bank_group": group}.get(item.scope, (1 << count) - 1)
                with m.Case(item.opcode):
                    m.d.comb += [
                        units.i_reached.eq(reached),
                        addressed.eq(item.scope == "bank"),
                        wrong_mode.eq(
                            Const(0)
                            if len(named) == len(modes)
                            else ~Cat(Value.cast(mode) == modes.index(name) for name in named).any()
                        ),
                        closed.eq("closed" in item.requires and "open" not in item.requires),
                        opened.eq("open" in item.requires and "closed" not in item.requires),
                        same.eq("row" in item.fields),
                    ]
        there = Mux(same, banks.o_match, banks.columns.open)
        m.d.comb += [
            units.i_addressed.eq(addressed),
            wrong_row.eq(
                (opened & (~there & units.o_targets).any()) | (closed & (banks.columns.open & units.o_targets).any())
            ),
        ]
        return addressed, wrong_mode, wrong_row

    def _judge(self, m: Module, accept: Signal, unknown: Value, wrong_mode: Value, wrong_row: Value) -> None:
        """The command's reason, whether it is accepted, and the sticky error."""
        reason, error = Signal(Reason, name="reason"), Signal(Reason, name="error")
        kind = Signal(self.kinds, name="command")  # for waveforms
        causes = [
            (unknown, "unknown_opcode"),
            (wrong_mode, "wrong_mode"),
            (wrong_row, "wrong_row_state"),
            (self.checker.o_early, "early"),
        ]
        code: Value = self.units.o_reason
        for condition, name in reversed(causes):
            code = Mux(condition, ERRORS[name], code)
        m.d.comb += [
            Value.cast(kind).eq(self.i_command.kind),
            Value.cast(reason).eq(Mux(self.i_valid, code, 0)),
            self.o_reason.eq(Value.cast(reason)),
            accept.eq(self.i_valid & ~Value.cast(reason).any()),
            self.o_error.eq(Value.cast(error)),
        ]
        with m.If(~Value.cast(error).any()):
            m.d.sync += Value.cast(error).eq(Value.cast(reason))

    def _track(self, m: Module, accept: Value, addressed: Value) -> None:
        """The timing check: commands for one bank count at every bank that the units make of it, others at the rank."""
        organisation, targets = self.spec.dram.organisation, self.units.o_targets
        per_group = organisation.banks_per_group
        groups = [targets[g * per_group : (g + 1) * per_group].any() for g in range(organisation.bank_groups)]
        m.d.comb += [
            self.checker.i_command.eq(self.i_command.kind),
            self.checker.i_issue.eq(accept),
            self.checker.i_banks.eq(Mux(addressed, targets, 0)),
            self.checker.i_groups.eq(Mux(addressed, Cat(groups), 0)),
        ]

    def _rows(self, m: Module, accept: Value, operations: Any) -> None:
        """Rows are opened and closed here; columns are the units'."""
        banks, targets = self.banks, self.units.o_targets
        m.d.comb += [
            banks.i_open.eq(Mux(accept & operations.open_row, targets, 0)),
            banks.i_close.eq(Mux(accept & operations.close_row, targets, 0)),
            banks.i_row.eq(self.i_command.row),
        ]
        wiring.connect(m, self.units.columns, banks.columns)

    def _answer(self, m: Module, accept: Value) -> None:
        """The word on the data bus, one cycle after its command."""
        last = Signal.like(self.i_command.bank, name="last_bank")
        m.d.sync += [last.eq(self.i_command.bank), self.o_data_valid.eq(accept & self.units.o_answers)]
        m.d.comb += [
            self.units.i_word.eq(Array(self.banks.columns.data)[last]),
            self.o_data.eq(self.units.o_answer),
        ]

    def _count(self, m: Module, accept: Value, operations: Any) -> None:
        """What accepted commands did."""
        refresh = self.commands.command("REF").opcode
        counted = {
            "precharge": operations.close_row & ~operations.write_column,
            "refresh": self.i_command.kind == refresh,
        }
        own = self.units.events
        counted |= {event: getattr(own, event) for event in own.signature.members}
        with m.If(accept):
            for event, amount in counted.items():
                counter = getattr(self, f"o_count_{event}")
                m.d.sync += counter.eq(counter + amount)
