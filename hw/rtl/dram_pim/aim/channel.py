"""A GDDR6-AiM channel: command port, legality, modes, banks, global buffer and a unit per bank."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.arithmetic.fp_mul import FpMul
from hw.rtl.common.enumeration import enumeration, show_when
from hw.rtl.common.register_file import RegisterFile
from hw.rtl.dram_pim.aim.unit import AimUnit
from hw.rtl.dram_pim.bank_array import BankArray
from hw.rtl.dram_pim.bank_timing import BankTiming
from hw.rtl.dram_pim.hbm_pim.decode import PimDecode
from hw.rtl.dram_pim.signature import AIM_EVENTS, COUNTER_BITS, ERROR_BITS, Reason, command_kinds, command_layout
from hw.spec.dram import Timing
from hw.spec.pim import ERRORS, PimSpec


class AimChannel(wiring.Component):
    """At most one device command a cycle; a refused one changes nothing but the status.

    Commands carry their data word, and a word read is on `o_data` in the next cycle: the interface's latencies belong
    to whoever drives the port. A product sum is in its accumulator 3 cycles after its command, an activation after 4.

    Parameters
    ----------
    spec : PimSpec
    timing : Timing
    rows : int
        Rows of the cell arrays, a power of two; higher row addresses wrap.

    Members
    -------
    i_valid : In(1); i_command : In(command_layout); i_data : In(column bits)
    i_config_activation : In, index of the function AF16 evaluates
    o_reason : Out(3), in the same cycle: 0, or the code in `ERRORS` the command is refused with
    o_data : Out(column bits); o_data_valid : Out(1)
    o_error : Out(3), sticky: the code of the first refused command
    o_mode : Out, index into the spec's modes
    o_count_<event> : Out, see `AIM_EVENTS`
    """

    def __init__(self, spec: PimSpec, timing: Timing, *, rows: int = 64) -> None:
        self.spec = spec
        organisation = spec.dram.organisation
        self.layout, self.kinds = command_layout(spec), command_kinds(spec)
        by_opcode = sorted(spec.commands.commands, key=lambda c: c.opcode)
        self.checker = BankTiming(timing, organisation, [c.name for c in by_opcode])
        self.banks = BankArray(organisation, rows)
        # a slow command clock leaves no cycle between two MACs, and the tree the time to do without its register
        latency = 1 if timing["t_ccd_l"] > 1 else 0
        self.units = [AimUnit(spec, latency=latency) for _ in range(spec.units)]
        buffer = spec.register("GB")
        self.buffer = RegisterFile(buffer.entries, buffer.bits, 2)
        super().__init__(
            {
                "i_valid": In(1),
                "i_command": In(self.layout),
                "i_data": In(organisation.column_bits),
                "i_config_activation": In(3),
                "o_reason": Out(ERROR_BITS),
                "o_data": Out(organisation.column_bits),
                "o_data_valid": Out(1),
                "o_error": Out(ERROR_BITS),
                "o_mode": Out(1),
                **{f"o_count_{event}": Out(COUNTER_BITS) for event in AIM_EVENTS},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec, organisation = self.spec, self.spec.dram.organisation
        count, per_group = organisation.banks, organisation.banks_per_group
        m.submodules.timing, m.submodules.banks = checker, banks = self.checker, self.banks
        m.submodules.buffer = buffer = self.buffer
        m.submodules.decode = decode = PimDecode(spec.commands)
        for b, unit in enumerate(self.units):
            m.submodules[f"unit_{b}"] = unit
        command = self.i_command
        mode = Signal(enumeration("Mode", {name: i for i, name in enumerate(spec.modes)}), name="mode")
        kind = Signal(self.kinds, name="command")
        error = Signal(Reason, name="error")
        reason = Signal(Reason, name="reason")
        m.d.comb += [
            Value.cast(kind).eq(command.kind),
            decode.i_word.eq(command.kind << spec.commands.field("opcode").low),
        ]
        op = decode.o_operations

        # what a command reaches and asks for: one case per command of the set
        targets = Signal(count)
        addressed = Signal()
        wants_open = Signal()
        wants_closed = Signal()
        wrong_mode = Signal()
        in_register = Value.cast(mode) == 1
        group = Signal(count)
        m.d.comb += group.eq(
            Cat(*(command.bank[(per_group - 1).bit_length() :] == b // per_group for b in range(count)))
        )
        with m.Switch(command.kind):
            for item in spec.commands.commands:
                with m.Case(item.opcode):
                    reached = {"bank": 1 << command.bank, "bank_group": group}.get(item.scope, (1 << count) - 1)
                    modes = [name in item.requires for name in spec.modes]
                    rows = [state in item.requires for state in ("open", "closed")]
                    m.d.comb += [
                        targets.eq(reached),
                        addressed.eq(item.scope == "bank"),
                        wants_open.eq(rows == [True, False]),
                        wants_closed.eq(rows == [False, True]),
                        wrong_mode.eq(Const(0) if all(modes) else ~in_register if modes[1] else in_register),
                    ]
        row_wrong = (wants_open & (~banks.o_open & targets).any()) | (wants_closed & (banks.o_open & targets).any())
        causes = [
            (~decode.o_known, "unknown_opcode"),
            (wrong_mode, "wrong_mode"),
            (row_wrong, "wrong_row_state"),
            (checker.o_early, "early"),
        ]
        code: Value = Const(0, ERROR_BITS)
        for condition, name in reversed(causes):
            code = Mux(condition, ERRORS[name], code)
        m.d.comb += [Value.cast(reason).eq(Mux(self.i_valid, code, 0)), self.o_reason.eq(Value.cast(reason))]
        accept = Signal()
        m.d.comb += accept.eq(self.i_valid & ~Value.cast(reason).any())
        with m.If(~Value.cast(error).any()):
            m.d.sync += Value.cast(error).eq(Value.cast(reason))
        groups = Cat(*(group[g * per_group] for g in range(organisation.bank_groups)))
        m.d.comb += [
            self.o_error.eq(Value.cast(error)),
            self.o_mode.eq(Value.cast(mode)),
            checker.i_command.eq(command.kind),
            checker.i_issue.eq(accept),
            checker.i_banks.eq(Mux(addressed, targets, 0)),
            checker.i_groups.eq(Mux(addressed, groups, 0)),
        ]
        with m.If(accept & op.toggle_mode):
            m.d.sync += Value.cast(mode).eq(~in_register)

        # the cycle after the command: its operations, address and targets
        later = Signal(decode.o_operations.shape(), name="step")
        working = Signal()
        column = Signal.like(command.column, name="column")
        accumulator = Signal.like(command.accumulator, name="accumulator")
        last_bank = Signal.like(command.bank, name="last_bank")
        reached = Signal(count, name="reached")
        bus_word = Signal.like(self.i_data, name="bus_word")
        pairs = Signal()  # operands from both banks of a pair, summed in the even bank's unit
        paired = Signal()
        m.d.comb += pairs.eq(op.pair_operands & command.paired)
        m.d.sync += [
            paired.eq(pairs),
            working.eq(accept),
            later.eq(op),
            column.eq(command.column),
            accumulator.eq(command.accumulator),
            last_bank.eq(command.bank),
            reached.eq(targets),
            self.o_data_valid.eq(accept & (op.drive_column | op.drive_accumulator | op.drive_activation)),
        ]
        words = Array([getattr(banks, f"o_data_{b}") for b in range(count)])
        read_word = Signal.like(self.i_data, name="read_word")
        m.d.comb += read_word.eq(words[last_bank])

        # global buffer; a word just copied from a bank is taken from there
        copying = working & later.read_column & later.load_buffer
        m.d.comb += [
            buffer.i_address_0.eq(command.column),
            buffer.i_address_1.eq(column),
            buffer.i_write.eq(copying | (accept & op.load_buffer & ~op.read_column)),
            buffer.i_address.eq(Mux(copying, column, command.column)),
            buffer.i_data.eq(Mux(copying, read_word, self.i_data)),
        ]
        buffered = Mux(copying & (column == command.column), read_word, buffer.o_data_0)

        # banks
        reads = op.read_column | op.read_pair
        pair_banks = [b for b in range(count) if b % per_group < 2]
        result_banks = [b for b in range(count) if b % per_group == 2]
        read_targets = Mux(op.read_pair, sum(1 << b for b in pair_banks), targets)
        storing = working & later.write_result_pair
        table = Cat(*(unit.o_table for unit in self.units))
        m.d.comb += [
            banks.i_open.eq(Mux(accept & op.open_row, targets, 0)),
            banks.i_close.eq(Mux(accept & op.close_row, targets, 0)),
            banks.i_row.eq(command.row),
            banks.i_read.eq(Mux(accept & reads, read_targets, 0) | table),
            banks.i_write.eq(
                Mux(accept & (op.write_column | op.store_buffer), targets, 0)
                | Mux(storing, sum(1 << b for b in result_banks), 0)
            ),
            banks.i_write_column.eq(Mux(storing, column, command.column)),
        ]
        lane_bits = organisation.column_bits // spec.lanes
        for b, unit in enumerate(self.units):
            own = self.i_data.word_select(b, 16)
            m.d.comb += [
                getattr(banks, f"i_column_{b}").eq(Mux(unit.o_table, unit.o_column, command.column)),
                getattr(banks, f"i_write_row_{b}").eq(getattr(banks, f"o_row_{b}")),
                unit.i_mac.eq(working & later.multiply_accumulate & reached[b] & (~paired if b % 2 else Const(1))),
                unit.i_activate.eq(working & later.evaluate_activation),
                unit.i_accumulator.eq(accumulator),
                unit.i_mode.eq(self.i_config_activation),
                unit.i_bank.eq(getattr(banks, f"o_data_{b}")),
                unit.i_buffer.eq(
                    buffer.o_data_1 if b % 2 else Mux(paired, getattr(banks, f"o_data_{b + 1}"), buffer.o_data_1)
                ),
                unit.i_load.eq(accept & op.load_accumulator),
                unit.i_index.eq(command.accumulator),
                unit.i_data.eq(own),
            ]
            word = Mux(op.store_buffer, buffered, self.i_data)
            if b in result_banks:
                product = Signal(organisation.column_bits, name=f"product_{b}")
                for lane in range(spec.lanes):
                    m.submodules[f"multiply_{b}_{lane}"] = multiply = FpMul(spec.number, latency=0)
                    m.d.comb += [
                        multiply.x.eq(Mux(storing, getattr(banks, f"o_data_{b - 2}"), 0).word_select(lane, lane_bits)),
                        multiply.y.eq(Mux(storing, getattr(banks, f"o_data_{b - 1}"), 0).word_select(lane, lane_bits)),
                        product.word_select(lane, lane_bits).eq(multiply.o),
                    ]
                word = Mux(storing, product, word)
            m.d.comb += getattr(banks, f"i_write_data_{b}").eq(word)

        # data bus
        driven = Mux(
            op.drive_accumulator,
            Cat(*(unit.o_accumulator for unit in self.units)),
            Cat(*(unit.o_activated for unit in self.units)),
        )
        with m.If(accept):
            m.d.sync += bus_word.eq(driven)
        m.d.comb += self.o_data.eq(Mux(later.drive_column, read_word, bus_word))

        show_when(m, "accepted", accept, command.kind, {c.name: c.value for c in self.kinds})
        single, wide = Mux(addressed, 1, Mux(targets.all(), count, per_group)), len(self.units)
        self._count(
            m,
            accept,
            {
                "activate": Mux(op.open_row, single, 0),
                "precharge": op.close_row & ~op.write_column,
                "refresh": command.kind == spec.commands.command("REF").opcode,
                "bank_read": Mux(
                    op.read_pair, len(pair_banks), Mux(op.read_column, single, Mux(op.evaluate_activation, wide, 0))
                ),
                "bank_write": Mux(
                    op.write_result_pair, len(result_banks), Mux(op.write_column | op.store_buffer, single, 0)
                ),
                "word_in": op.write_column | op.load_accumulator | (op.load_buffer & ~op.read_column),
                "word_out": op.drive_column | op.drive_accumulator | op.drive_activation,
                "unit_mac": Mux(op.multiply_accumulate, Mux(pairs, count // 2, single), 0),
                "multiply": Mux(op.write_result_pair, len(result_banks), 0),
                "activation": Mux(op.evaluate_activation, wide, 0),
                "mode": op.toggle_mode,
            },
        )
        return m

    def _count(self, m: Module, accept: Value, events: dict[str, Value]) -> None:
        for event, amount in events.items():
            counter = getattr(self, f"o_count_{event}")
            with m.If(accept):
                m.d.sync += counter.eq(counter + amount)
