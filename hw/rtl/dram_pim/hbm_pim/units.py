"""What an HBM-PIM pseudo-channel has beside its banks: modes, sequencer and a unit for each pair of banks."""

from typing import Any

from amaranth.hdl import *
from amaranth.lib import wiring

from hw.rtl.common.enumeration import show_when
from hw.rtl.dram_pim.hbm_pim.sequencer import PimSequencer
from hw.rtl.dram_pim.hbm_pim.unit import INDEX_BITS, LATENCY, PLACES, PimUnit, execute_layout
from hw.rtl.dram_pim.signature import HBM_PIM_EVENTS, UnitsSignature, command_kinds
from hw.spec.pim import ERRORS, ModeChange, PimSpec


class HbmPimUnits(wiring.Component):
    """Plain columns in the first mode; in the others one column command for all units. Ports as `UnitsSignature`.

    A column command that reaches rows without trigger loads registers or changes the mode; any other in the PIM mode is
    a trigger, whose result is in its register or bank after `LATENCY` cycles.
    """

    def __init__(self, spec: PimSpec) -> None:
        self.spec = spec
        self.kinds = {kind.name: kind.value for kind in command_kinds(spec)}
        self.sequencer = PimSequencer(spec)
        self.units = [PimUnit(spec) for _ in range(spec.units)]
        super().__init__(UnitsSignature(spec, HBM_PIM_EVENTS))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sequencer = self.sequencer
        for i, unit in enumerate(self.units):
            m.submodules[f"unit_{i}"] = unit
        command, op, spec = self.i_command, self.i_operations, self.spec

        # what kind of command it is in this mode
        single, pim = self.i_mode == 0, self.i_mode == spec.modes.index("HAB_PIM")
        leader = command.bank < 2  # of the two banks whose commands reach all others in the all-bank modes
        reserved, trigger, executes = Signal(), Signal(), Signal()
        if spec.row_without_trigger_bit is not None:
            m.d.comb += reserved.eq(command.row[spec.row_without_trigger_bit])
        column = op.read_column | op.write_column
        plain = self.i_accept & column & single & ~reserved
        m.d.comb += [
            trigger.eq(column & ~reserved & pim),
            executes.eq(self.i_accept & trigger & ~self.sequencer.o_halts),
        ]
        parity = Cat(command.bank[0] == (b & 1) for b in range(spec.dram.organisation.banks))
        m.d.comb += [
            self.o_targets.eq(Mux(self.i_addressed & ~single & leader, parity, self.i_reached)),
            self.o_wrong_mode.eq(~single & ~leader & (op.open_row | (column & ~reserved))),
            self.o_answers.eq(op.read_column & ~trigger),
        ]
        self._object(m, column & ~reserved & ~single & ~pim, trigger)

        entries = self._loads(m, op.write_column & reserved & ~single & leader)
        start = self._modes(m)
        self._sequence(m, entries["CRF"], start, trigger)
        self._operate(m, entries, start, executes)
        self._columns(m, plain, executes)
        show_when(m, "executed", executes, self.sequencer.o_opcode, {c.name: c.opcode for c in spec.commands.commands})
        self._count(m, single, reserved, trigger, plain, executes)
        return m

    def _object(self, m: Module, between_modes: Value, trigger: Value) -> None:
        """Columns in the all-bank mode without PIM; instructions that are none, jump too far or name the other bank."""
        command, sequencer = self.i_command, self.sequencer
        bank_names = {"EVEN_BANK": 0, "ODD_BANK": 1}
        mismatch = Cat(
            *(
                sequencer.o_present[place]
                & (sequencer.o_fields[place] == operand)
                & (command.bank[0] != bank_names[name])
                for place in PLACES
                for name, operand in self.spec.commands.operands.items()
                if name in bank_names
            )
        ).any()
        causes = [
            (between_modes, "wrong_mode"),
            (trigger & sequencer.o_unknown, "unknown_opcode"),
            (trigger & sequencer.o_jump_range, "jump_range"),
            (trigger & ~sequencer.o_halts & mismatch, "bank_mismatch"),
        ]
        code: Value = Const(0, len(self.o_reason))
        for condition, name in reversed(causes):
            code = Mux(condition, ERRORS[name], code)
        m.d.comb += self.o_reason.eq(code)

    def _loads(self, m: Module, loads: Value) -> dict[str, tuple[Signal, Value]]:
        """Register file -> whether it is written in this cycle, and the entry."""
        command, found = self.i_command, {}
        for file in self.spec.registers:
            if file.row is None or file.column is None:
                continue
            here = Signal(name=f"write_{file.name.lower()}")
            m.d.comb += here.eq(
                self.i_accept
                & loads
                & (command.row == file.row)
                & (command.column >= file.column)
                & (command.column < file.column + file.columns)
            )
            found[file.name] = here, (command.column - file.column)[:INDEX_BITS]
        return found

    def _modes(self, m: Module) -> Value:
        """Follow the mode changes; the cycle in which the PIM mode is entered."""
        start = Signal()
        for i, change in enumerate(self.spec.mode_changes):
            done = self._mode_change(m, i, change)
            with m.If(done):
                m.d.comb += [self.o_changes_mode.eq(1), self.o_next_mode.eq(self.spec.modes.index(change.after))]
            if change.after == "HAB_PIM":
                m.d.comb += start.eq(done)
        return start

    def _mode_change(self, m: Module, number: int, change: ModeChange) -> Value:
        """Follow one mode change; the cycle in which it happens."""
        command, columns = self.i_command, self.columns
        row: Value = command.row
        condition = self.i_accept & (command.kind == self.kinds[change.command])
        condition = condition & (self.i_mode == self.spec.modes.index(change.before))
        if change.command == "PRE":
            row = Array(columns.row)[command.bank]
            condition = condition & columns.open.bit_select(command.bank, 1)
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
            m.d.sync += reached.eq(0)
        with m.Elif(hit):
            m.d.sync += reached.eq(reached | here)
        return done

    def _sequence(self, m: Module, entry: tuple[Signal, Value], start: Value, trigger: Value) -> None:
        """Instructions into the sequencer, and triggers."""
        sequencer = self.sequencer
        m.d.comb += [
            sequencer.i_write.eq(entry[0]),
            sequencer.i_entry.eq(entry[1]),
            sequencer.i_data.eq(self.i_data),
            sequencer.i_start.eq(start),
            sequencer.i_trigger.eq(self.i_accept & trigger),
        ]

    def _operate(self, m: Module, entries: dict[str, tuple[Signal, Value]], start: Value, executes: Value) -> None:
        """All units do the same to their banks."""
        execute, valid = self._execute(m, executes)
        entry = Mux(entries["GRF_A"][0], entries["GRF_A"][1], entries["GRF_B"][1])
        for i, unit in enumerate(self.units):
            m.d.comb += [
                unit.i_execute.eq(execute),
                unit.i_valid.eq(valid),
                unit.i_even.eq(self.columns.data[2 * i]),
                unit.i_odd.eq(self.columns.data[2 * i + 1]),
                unit.i_write_a.eq(entries["GRF_A"][0]),
                unit.i_write_b.eq(entries["GRF_B"][0]),
                unit.i_write_s.eq(entries["SRF"][0]),
                unit.i_entry.eq(entry),
                unit.i_data.eq(self.i_data),
                unit.i_clear.eq(start),
            ]

    def _execute(self, m: Module, executes: Value) -> tuple[Any, Signal]:
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
                execute.store.eq(self.i_operations.write_column),
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

    def _columns(self, m: Module, plain: Value, executes: Value) -> None:
        """Columns of the host in the single-bank mode, of the units in the PIM mode; answers to the host."""
        command, columns, op = self.i_command, self.columns, self.i_operations
        written = [Signal(name=f"unit_writes_{b}") for b in range(len(columns.data))]
        row, column = _delayed(m, command.row, LATENCY - 1), _delayed(m, command.column, LATENCY - 1)
        by_units = Cat(*written).any()
        m.d.comb += [
            columns.read.eq(Mux((plain & op.read_column) | executes, self.o_targets, 0)),
            columns.write.eq(Cat(*written) | Mux(plain & op.write_column, self.o_targets, 0)),
            columns.write_column.eq(Mux(by_units, column, command.column)),
        ]
        for b, own in enumerate(written):
            unit = self.units[b // 2]
            m.d.comb += [
                own.eq(unit.o_write_odd if b % 2 else unit.o_write_even),
                columns.column[b].eq(command.column),
                columns.write_row[b].eq(Mux(by_units, row, command.row)),
                columns.write_data[b].eq(Mux(own, unit.o_data, self.i_data)),
            ]
        answer = Signal()
        m.d.sync += answer.eq(plain & op.read_column)
        m.d.comb += self.o_answer.eq(Mux(answer, self.i_word, 0))

    def _count(self, m: Module, single: Value, reserved: Value, trigger: Value, plain: Value, executes: Value) -> None:
        """Events of a command that is accepted."""
        op, does, halts = self.i_operations, self.sequencer.o_operations, self.sequencer.o_halts
        mac = does.multiply & does.add_product
        counted = {
            "activate": op.open_row & single,
            "activate_broadcast": op.open_row & ~single,
            "read": op.read_column & ~trigger,
            "write": plain & op.write_column,
            "control": op.write_column & reserved,
            "mac": executes & mac,
            "store": executes & does.store_register & op.write_column,
            "compute": executes & does.write_destination & ~mac,
            "idle_trigger": trigger & (halts | (does.store_register & ~op.write_column)),
        }
        m.d.comb += [getattr(self.events, event).eq(happens) for event, happens in counted.items()]


def _delayed(m: Module, value: Value, cycles: int) -> Value:
    """`value`, `cycles` cycles later."""
    for i in range(cycles):
        later = Signal(len(value), name=f"address_{i}")
        m.d.sync += later.eq(value)
        value = later
    return value
