"""What a GDDR6-AiM channel has beside its banks: global buffer, a unit for each bank, multipliers of bank pairs."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import *
from amaranth.lib import wiring

from hw.rtl.arithmetic.fp_mul import FpMul
from hw.rtl.common.register_file import RegisterFile
from hw.rtl.dram_pim.aim.unit import AimUnit
from hw.rtl.dram_pim.signature import AIM_EVENTS, UnitsSignature
from hw.spec.dram import Timing
from hw.spec.pim import PimSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """The command of the cycle before, while it `works`: its operations and address, and what it reached."""

    works: Signal
    operations: Any
    column: Signal
    accumulator: Signal
    reached: Signal
    paired: Signal


class AimUnits(wiring.Component):
    """Commands of the device itself, one cycle of decoding and one of work each. Ports as `UnitsSignature`.

    A product sum is in its accumulator 3 cycles after its command, an activation after 4. `i_config_activation` is the
    index of the function AF16 evaluates.
    """

    def __init__(self, spec: PimSpec, timing: Timing) -> None:
        self.spec = spec
        # a slow command clock leaves no cycle between two MACs, and the tree the time to do without its register
        latency = 1 if timing["t_ccd_l"] > 1 else 0
        self.units = [AimUnit(spec, latency=latency) for _ in range(spec.units)]
        buffer = spec.register("GB")
        self.buffer = RegisterFile(buffer.entries, buffer.bits, 2)
        organisation = spec.dram.organisation
        banks, per_group = range(organisation.banks), organisation.banks_per_group
        self.pair_banks = [b for b in banks if b % per_group < 2]
        self.result_banks = [b for b in banks if b % per_group == 2]
        super().__init__(UnitsSignature(spec, AIM_EVENTS, {"activation": 3}))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.buffer = self.buffer
        for b, unit in enumerate(self.units):
            m.submodules[f"unit_{b}"] = unit
        op = self.i_operations
        pairs = Signal()  # operands from both banks of a pair, summed in the even bank's unit
        m.d.comb += [
            pairs.eq(op.pair_operands & self.i_command.paired),
            self.o_targets.eq(self.i_reached),
            self.o_changes_mode.eq(op.toggle_mode),
            self.o_next_mode.eq(~self.i_mode),
        ]
        step = self._step(m, pairs)
        buffered = self._buffer(m, step)
        self._columns(m, step)
        for b in range(len(self.units)):
            self._unit(m, b, step)
            m.d.comb += self.columns.write_data[b].eq(self._written(m, b, step, buffered))
        self._answer(m, step)
        self._count(m, pairs)
        return m

    def _step(self, m: Module, pairs: Value) -> _Step:
        """The cycle after the command."""
        command = self.i_command
        step = _Step(
            works=Signal(name="working"),
            operations=Signal(self.i_operations.shape(), name="step"),
            column=Signal.like(command.column, name="column"),
            accumulator=Signal.like(command.accumulator, name="accumulator"),
            reached=Signal(len(self.o_targets), name="reached"),
            paired=Signal(name="paired"),
        )
        m.d.sync += [
            step.paired.eq(pairs),
            step.works.eq(self.i_accept),
            step.operations.eq(self.i_operations),
            step.column.eq(command.column),
            step.accumulator.eq(command.accumulator),
            step.reached.eq(self.o_targets),
        ]
        return step

    def _buffer(self, m: Module, step: _Step) -> Value:
        """The global buffer; its word at the command's column, a word just copied from a bank taken from there."""
        command, op, buffer = self.i_command, self.i_operations, self.buffer
        copying = step.works & step.operations.read_column & step.operations.load_buffer
        m.d.comb += [
            buffer.i_address_0.eq(command.column),
            buffer.i_address_1.eq(step.column),
            buffer.i_write.eq(copying | (self.i_accept & op.load_buffer & ~op.read_column)),
            buffer.i_address.eq(Mux(copying, step.column, command.column)),
            buffer.i_data.eq(Mux(copying, self.i_word, self.i_data)),
        ]
        return Mux(copying & (step.column == command.column), self.i_word, buffer.o_data_0)

    def _columns(self, m: Module, step: _Step) -> None:
        """Columns read for the host and the units, and written."""
        command, columns, op = self.i_command, self.columns, self.i_operations
        storing = step.works & step.operations.write_result_pair
        read = Mux(op.read_pair, sum(1 << b for b in self.pair_banks), self.o_targets)
        table = Cat(*(unit.o_table for unit in self.units))
        m.d.comb += [
            columns.read.eq(Mux(self.i_accept & (op.read_column | op.read_pair), read, 0) | table),
            columns.write.eq(
                Mux(self.i_accept & (op.write_column | op.store_buffer), self.o_targets, 0)
                | Mux(storing, sum(1 << b for b in self.result_banks), 0)
            ),
            columns.write_column.eq(Mux(storing, step.column, command.column)),
        ]
        for b, unit in enumerate(self.units):
            m.d.comb += [
                columns.column[b].eq(Mux(unit.o_table, unit.o_column, command.column)),
                columns.write_row[b].eq(columns.row[b]),
            ]

    def _unit(self, m: Module, b: int, step: _Step) -> None:
        """Connect the unit of bank `b`; with paired operands those of odd banks rest."""
        command, unit, data = self.i_command, self.units[b], self.columns.data
        m.d.comb += [
            unit.i_mac.eq(
                step.works
                & step.operations.multiply_accumulate
                & step.reached[b]
                & (~step.paired if b % 2 else Const(1))
            ),
            unit.i_activate.eq(step.works & step.operations.evaluate_activation),
            unit.i_accumulator.eq(step.accumulator),
            unit.i_mode.eq(self.i_config_activation),
            unit.i_bank.eq(data[b]),
            unit.i_buffer.eq(self.buffer.o_data_1 if b % 2 else Mux(step.paired, data[b + 1], self.buffer.o_data_1)),
            unit.i_load.eq(self.i_accept & self.i_operations.load_accumulator),
            unit.i_index.eq(command.accumulator),
            unit.i_data.eq(self.i_data.word_select(b, 16)),
        ]

    def _written(self, m: Module, b: int, step: _Step, buffered: Value) -> Value:
        """What is written into bank `b`: a word of the bus or the buffer, or the products of the pair before it."""
        word = Mux(self.i_operations.store_buffer, buffered, self.i_data)
        if b not in self.result_banks:
            return word
        bits, lanes = self.spec.dram.organisation.column_bits, self.spec.lanes
        storing = step.works & step.operations.write_result_pair
        product = Signal(bits, name=f"product_{b}")
        even, odd = (Mux(storing, self.columns.data[b - back], 0) for back in (2, 1))
        for lane in range(lanes):
            m.submodules[f"multiply_{b}_{lane}"] = multiply = FpMul(self.spec.number, latency=0)
            m.d.comb += [
                multiply.x.eq(even.word_select(lane, bits // lanes)),
                multiply.y.eq(odd.word_select(lane, bits // lanes)),
                product.word_select(lane, bits // lanes).eq(multiply.o),
            ]
        return Mux(storing, product, word)

    def _answer(self, m: Module, step: _Step) -> None:
        """The data bus: registers of all units, kept from the command on, or the column just read."""
        op, word = self.i_operations, Signal.like(self.i_data, name="bus_word")
        driven = Mux(
            op.drive_accumulator,
            Cat(*(unit.o_accumulator for unit in self.units)),
            Cat(*(unit.o_activated for unit in self.units)),
        )
        with m.If(self.i_accept):
            m.d.sync += word.eq(driven)
        m.d.comb += [
            self.o_answers.eq(op.drive_column | op.drive_accumulator | op.drive_activation),
            self.o_answer.eq(Mux(step.operations.drive_column, self.i_word, word)),
        ]

    def _count(self, m: Module, pairs: Value) -> None:
        """Events of a command that is accepted, banks or units added up."""
        op, organisation = self.i_operations, self.spec.dram.organisation
        count, wide, results = organisation.banks, len(self.units), len(self.result_banks)
        reached = Mux(self.i_addressed, 1, Mux(self.o_targets.all(), count, organisation.banks_per_group))
        counted = {
            "activate": Mux(op.open_row, reached, 0),
            "bank_read": Mux(
                op.read_pair,
                len(self.pair_banks),
                Mux(op.read_column, reached, Mux(op.evaluate_activation, wide, 0)),
            ),
            "bank_write": Mux(op.write_result_pair, results, Mux(op.write_column | op.store_buffer, reached, 0)),
            "word_in": op.write_column | op.load_accumulator | (op.load_buffer & ~op.read_column),
            "word_out": self.o_answers,
            "unit_mac": Mux(op.multiply_accumulate, Mux(pairs, count // 2, reached), 0),
            "multiply": Mux(op.write_result_pair, results, 0),
            "activation": Mux(op.evaluate_activation, wide, 0),
            "mode": op.toggle_mode,
        }
        m.d.comb += [getattr(self.events, event).eq(amount) for event, amount in counted.items()]
