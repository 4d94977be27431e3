"""An HBM-PIM pseudo-channel: command port, legality, modes, banks, sequencer and units."""

from typing import Any

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.common.enumeration import enumeration, show_when
from hw.rtl.dram_pim.bank_array import BankArray
from hw.rtl.dram_pim.bank_timing import BankTiming
from hw.rtl.dram_pim.hbm_pim.decode import PLACES
from hw.rtl.dram_pim.hbm_pim.sequencer import PimSequencer
from hw.rtl.dram_pim.hbm_pim.unit import INDEX_BITS, PimUnit, execute_layout
from hw.rtl.dram_pim.signature import (
    COUNTER_BITS,
    ERROR_BITS,
    PIM_EVENTS,
    Reason,
    command_kinds,
    command_layout,
    reserved_rows,
)
from hw.spec.dram import Timing
from hw.spec.pim import ERRORS, ModeChange, PimSpec


class HbmPimChannel(wiring.Component):
    """One pseudo-channel of one rank. At most one command a cycle; a refused one changes nothing but the status.

    Commands carry their data word: the interface's latencies (RL, WL) belong to whoever drives the port. The word of
    a plain read is on `o_data` in the next cycle. A trigger's result is in its register or bank after 4 cycles.

    Parameters
    ----------
    spec : PimSpec
    timing : Timing
        Resolved rules, all-bank commands tracked on every bank they reach.
    rows : int
        Rows of the cell arrays, a power of two; higher row addresses wrap, reserved rows never reach the arrays.

    Members
    -------
    i_valid : In(1); i_command : In(command_layout); i_data : In(column bits)
    o_reason : Out(3)
        In the same cycle: 0, or the code in `ERRORS` the command is refused with.
    o_data : Out(column bits); o_data_valid : Out(1)
    o_error : Out(3)
        Sticky: the code of the first refused command.
    o_mode : Out
        Index into the spec's modes.
    o_count_<event> : Out
        See `PIM_EVENTS`.
    """

    def __init__(self, spec: PimSpec, timing: Timing, *, rows: int = 128) -> None:
        if not timing.broadcast_tracked:
            raise InputError(
                f"RTL of {spec.title} must track all-bank commands on every bank, preset "
                f"{timing.preset!r} does not; choose another preset"
            )
        self.spec, self.timing = spec, timing
        organisation = spec.dram.organisation
        self.checker = BankTiming(timing, organisation, [c.name for c in command_kinds(spec)])
        self.banks = BankArray(organisation, rows, reserved_rows(spec))
        self.sequencer = PimSequencer(spec)
        self.units = [PimUnit(spec) for _ in range(spec.units)]
        self.layout, self.kinds = command_layout(spec), command_kinds(spec)
        super().__init__(
            {
                "i_valid": In(1),
                "i_command": In(self.layout),
                "i_data": In(organisation.column_bits),
                "o_reason": Out(ERROR_BITS),
                "o_data": Out(organisation.column_bits),
                "o_data_valid": Out(1),
                "o_error": Out(ERROR_BITS),
                "o_mode": Out(2),
                **{f"o_count_{event}": Out(COUNTER_BITS) for event in PIM_EVENTS},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec, organisation = self.spec, self.spec.dram.organisation
        count, per_group = organisation.banks, organisation.banks_per_group
        m.submodules.timing, m.submodules.banks = checker, banks = self.checker, self.banks
        m.submodules.sequencer = sequencer = self.sequencer
        for i, unit in enumerate(self.units):
            m.submodules[f"unit_{i}"] = unit
        command = self.i_command
        modes = enumeration("Mode", {name: i for i, name in enumerate(spec.modes)})
        mode = Signal(modes, name="mode")
        kind = Signal(command_kinds(spec), name="command")
        error = Signal(Reason, name="error")
        reason = Signal(Reason, name="reason")
        names = {c.name: c.value for c in command_kinds(spec)}
        m.d.comb += Value.cast(kind).eq(command.kind)
        is_ = {name: Signal(name=f"is_{name.lower()}") for name in names}
        m.d.comb += [is_[name].eq(command.kind == value) for name, value in names.items()]

        # the banks a command reaches
        single = Value.cast(mode) == 0
        pim = Value.cast(mode) == spec.modes.index("HAB_PIM")
        leader = command.bank < 2
        reserved = Signal()
        if spec.row_without_trigger_bit is not None:
            m.d.comb += reserved.eq(command.row[spec.row_without_trigger_bit])
        targets = Signal(count)
        parity = Cat(*(command.bank[0] == (b & 1) for b in range(count)))
        m.d.comb += targets.eq(Mux(single | ~leader, 1 << command.bank, parity))
        groups = Cat(*(targets[g * per_group : (g + 1) * per_group].any() for g in range(organisation.bank_groups)))

        # legality, in the order of the reasons
        row_wrong = Signal()
        m.d.comb += row_wrong.eq(
            Mux(
                is_["REF"],
                banks.o_open.any(),
                Mux(
                    is_["ACT"],
                    (banks.o_open & targets).any(),
                    (is_["RD"] | is_["WR"]) & (~banks.o_match & targets).any(),
                ),
            )
        )
        column = is_["RD"] | is_["WR"]
        trigger = Signal()
        m.d.comb += trigger.eq(column & ~reserved & pim)
        bank_names = {"EVEN_BANK": 0, "ODD_BANK": 1}
        mismatch = Cat(
            *(
                sequencer.o_present[place]
                & (sequencer.o_fields[place] == operand)
                & (command.bank[0] != bank_names[kind_name])
                for place in PLACES
                for kind_name, operand in spec.commands.operands.items()
                if kind_name in bank_names
            )
        ).any()
        causes = [
            (~single & ~leader & (is_["ACT"] | (column & ~reserved)), "wrong_mode"),
            (row_wrong, "wrong_row_state"),
            (checker.o_early, "early"),
            (column & ~reserved & ~single & ~pim, "wrong_mode"),
            (trigger & sequencer.o_unknown, "unknown_opcode"),
            (trigger & sequencer.o_jump_range, "jump_range"),
            (trigger & ~sequencer.o_halts & mismatch, "bank_mismatch"),
        ]
        code: Value = Const(0, ERROR_BITS)
        for condition, name in reversed(causes):
            code = Mux(condition, ERRORS[name], code)
        m.d.comb += [Value.cast(reason).eq(Mux(self.i_valid, code, 0)), self.o_reason.eq(Value.cast(reason))]
        accept = Signal()
        m.d.comb += accept.eq(self.i_valid & ~Value.cast(reason).any())
        with m.If(~Value.cast(error).any()):
            m.d.sync += Value.cast(error).eq(Value.cast(reason))
        m.d.comb += [self.o_error.eq(Value.cast(error)), self.o_mode.eq(Value.cast(mode))]

        m.d.comb += [
            checker.i_command.eq(command.kind),
            checker.i_issue.eq(accept),
            checker.i_groups.eq(Mux(is_["REF"], 0, groups)),
            checker.i_banks.eq(Mux(is_["REF"], 0, targets)),
        ]

        # rows and cells
        executes = Signal()
        m.d.comb += executes.eq(accept & trigger & ~sequencer.o_halts)
        plain = accept & column & single & ~reserved
        written = [Signal(name=f"unit_writes_{b}") for b in range(count)]
        write_row, write_column = self._delayed(m, command.row, 3), self._delayed(m, command.column, 3)
        any_written = Cat(*written).any()
        m.d.comb += [
            banks.i_open.eq(Mux(accept & is_["ACT"], targets, 0)),
            banks.i_close.eq(Mux(accept & is_["PRE"], targets, 0)),
            banks.i_row.eq(command.row),
            *(getattr(banks, f"i_column_{b}").eq(command.column) for b in range(count)),
            banks.i_read.eq(Mux((plain & is_["RD"]) | executes, targets, 0)),
            banks.i_write.eq(Cat(*written) | Mux(plain & is_["WR"], targets, 0)),
            *(getattr(banks, f"i_write_row_{b}").eq(Mux(any_written, write_row, command.row)) for b in range(count)),
            banks.i_write_column.eq(Mux(any_written, write_column, command.column)),
        ]
        bank_last = Signal.like(command.bank)
        answer = Signal()
        m.d.sync += [
            bank_last.eq(command.bank),
            answer.eq(plain & is_["RD"]),
            self.o_data_valid.eq(accept & is_["RD"] & ~trigger),
        ]
        words = Array([getattr(banks, f"o_data_{b}") for b in range(count)])
        m.d.comb += self.o_data.eq(Mux(answer, words[bank_last], 0))

        # registers and modes
        entry_of = {}
        loads = accept & is_["WR"] & reserved & ~single & leader
        for file in spec.registers:
            if file.row is None or file.column is None:
                continue
            here = Signal(name=f"write_{file.name.lower()}")
            m.d.comb += here.eq(
                loads
                & (command.row == file.row)
                & (command.column >= file.column)
                & (command.column < file.column + file.columns)
            )
            entry_of[file.name] = here, (command.column - file.column)[:INDEX_BITS]
        start = Signal()
        for i, change in enumerate(spec.mode_changes):
            start_now = self._mode_change(m, i, change, accept, is_, mode)
            if change.after == "HAB_PIM":
                m.d.comb += start.eq(start_now)
        m.d.comb += [
            sequencer.i_write.eq(entry_of["CRF"][0]),
            sequencer.i_entry.eq(entry_of["CRF"][1]),
            sequencer.i_data.eq(self.i_data),
            sequencer.i_start.eq(start),
            sequencer.i_trigger.eq(accept & trigger),
        ]

        # units
        execute, valid = self._execute(m, executes, is_["WR"])
        entry = Mux(entry_of["GRF_A"][0], entry_of["GRF_A"][1], entry_of["GRF_B"][1])
        for i, unit in enumerate(self.units):
            m.d.comb += [
                unit.i_execute.eq(execute),
                unit.i_valid.eq(valid),
                unit.i_even.eq(getattr(banks, f"o_data_{2 * i}")),
                unit.i_odd.eq(getattr(banks, f"o_data_{2 * i + 1}")),
                unit.i_write_a.eq(entry_of["GRF_A"][0]),
                unit.i_write_b.eq(entry_of["GRF_B"][0]),
                unit.i_write_s.eq(entry_of["SRF"][0]),
                unit.i_entry.eq(entry),
                unit.i_data.eq(self.i_data),
                unit.i_clear.eq(start),
                written[2 * i].eq(unit.o_write_even),
                written[2 * i + 1].eq(unit.o_write_odd),
            ]
            for b in (2 * i, 2 * i + 1):
                m.d.comb += getattr(banks, f"i_write_data_{b}").eq(Mux(written[b], unit.o_data, self.i_data))

        show_when(m, "accepted", accept, command.kind, {c.name: c.value for c in self.kinds})
        show_when(m, "executed", executes, sequencer.o_opcode, {c.name: c.opcode for c in spec.commands.commands})
        operations = sequencer.o_operations
        mac = operations.multiply & operations.add_product
        stores = operations.store_register & is_["WR"]
        self._count(
            m,
            {
                "activate": accept & is_["ACT"] & single,
                "activate_broadcast": accept & is_["ACT"] & ~single,
                "precharge": accept & is_["PRE"],
                "refresh": accept & is_["REF"],
                "read": accept & is_["RD"] & ~trigger,
                "write": plain & is_["WR"],
                "control": accept & is_["WR"] & reserved,
                "mac": executes & mac,
                "store": executes & stores,
                "compute": executes & operations.write_destination & ~mac,
                "idle_trigger": accept & trigger & (sequencer.o_halts | (operations.store_register & ~is_["WR"])),
            },
        )
        return m

    def _delayed(self, m: Module, value: Value, cycles: int) -> Value:
        for i in range(cycles):
            later = Signal(len(value), name=f"{value.name if isinstance(value, Signal) else 'address'}_{i}")
            m.d.sync += later.eq(value)
            value = later
        return value

    def _mode_change(
        self,
        m: Module,
        number: int,
        change: ModeChange,
        accept: Value,
        is_: dict[str, Signal],
        mode: Signal,
    ) -> Value:
        """Follow one mode change; the cycle in which it happens."""
        command, spec = self.i_command, self.spec
        row: Value = command.row
        condition = accept & is_[change.command] & (Value.cast(mode) == spec.modes.index(change.before))
        if change.command == "PRE":
            row = Array([getattr(self.banks, f"o_row_{b}") for b in range(spec.dram.organisation.banks)])[command.bank]
            condition = condition & self.banks.o_open.bit_select(command.bank, 1)
        condition = condition & (row == change.row)
        if change.column is not None:
            condition = condition & (command.column == change.column)
        if change.data_bit is not None:
            condition = condition & (self.i_data[0] == change.data_bit)
        reached = Signal(len(change.banks), name=f"reached_{number}")
        here = Cat(*(command.bank == b for b in change.banks))
        hit = Signal(name=f"mode_step_{number}")
        m.d.comb += hit.eq(condition & here.any())
        done = hit & (reached | here).all()
        with m.If(done):
            m.d.sync += [reached.eq(0), Value.cast(mode).eq(spec.modes.index(change.after))]
        with m.Elif(hit):
            m.d.sync += reached.eq(reached | here)
        return done

    def _execute(self, m: Module, executes: Value, write: Value) -> tuple[Any, Signal]:
        """What the units do in the next cycle: operand kinds and register indices, aligned ones from the address."""
        spec, command, sequencer = self.spec, self.i_command, self.sequencer
        fields, operations = sequencer.o_fields, sequencer.o_operations
        execute = Signal(execute_layout(spec))
        valid = Signal(name="execute_valid")
        aligned = operations.align | (fields.aligned & sequencer.o_present.aligned)
        kinds = spec.commands.operands
        m.d.sync += valid.eq(executes)
        with m.If(executes):
            m.d.sync += [
                execute.operations.eq(operations),
                execute.relu.eq(fields.relu),
                execute.store.eq(write),
                execute.odd.eq(command.bank[0]),
                execute.column.eq(command.column[:INDEX_BITS]),
            ]
            for place in PLACES:
                own = fields["source_1_index" if place == "source_2" else f"{place}_index"][:INDEX_BITS]
                for_a = Mux(
                    operations.fetch_destination, Cat(command.column[3:5], command.row[0]), command.column[:INDEX_BITS]
                )
                by_address = Mux(fields[place] == kinds["GRF_A"], for_a, command.column[:INDEX_BITS])
                vector = (fields[place] == kinds["GRF_A"]) | (fields[place] == kinds["GRF_B"])
                m.d.sync += [
                    execute[f"{place}_kind"].eq(fields[place]),
                    execute[f"{place}_index"].eq(Mux(aligned & vector, by_address, own)),
                ]
        return execute, valid

    def _count(self, m: Module, events: dict[str, Value]) -> None:
        for event, happens in events.items():
            counter = getattr(self, f"o_count_{event}")
            m.d.sync += counter.eq(counter + happens)
