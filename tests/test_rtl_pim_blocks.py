"""Blocks of the PIM channels in Amaranth's simulator: the timing checker against the model's banks, the decoder against
the command sets, the cell arrays."""

# pyright: reportAttributeAccessIssue=false

import numpy as np
import pytest
from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.sim import Simulator

from hw import chips
from hw.base.error import InputError
from hw.rtl.dram_pim.bank_array import Bank
from hw.rtl.dram_pim.bank_timing import BankTiming
from hw.rtl.dram_pim.command_port import CommandPort
from hw.rtl.dram_pim.decode import CommandDecode
from hw.rtl.dram_pim.signature import UnitsSignature, command_kinds
from hw.spec.pim import ERRORS, PimSpec
from model.cycle.dram_pim.bank import Banks


def spec_of(chip: str) -> PimSpec:
    spec = chips.load(chip).pim
    assert spec is not None
    return spec


@pytest.mark.parametrize("chip", ["hbm_pim", "aim"])
def test_timing_checker_forbids_a_command_exactly_until_the_model_allows_it(chip: str) -> None:
    spec = spec_of(chip)
    organisation, timing = spec.dram.organisation, spec.dram.resolve()
    names = [kind.name for kind in command_kinds(spec)]
    checker, banks = BankTiming(timing, organisation, names), Banks(timing, organisation)
    rng = np.random.default_rng(5)
    scopes = {c.name: c.scope for c in spec.commands.commands} if chip == "aim" else {"REF": "channel"}
    waits: list[int] = []

    async def drive(ctx) -> None:
        now = 0
        for _ in range(250):
            name = str(rng.choice(names))
            bank = int(rng.integers(organisation.banks)) if scopes.get(name, "bank") == "bank" else None
            ctx.set(checker.i_command, names.index(name))
            ctx.set(checker.i_groups, 0 if bank is None else 1 << bank // organisation.banks_per_group)
            ctx.set(checker.i_banks, 0 if bank is None else 1 << bank)
            first = max(now, banks.earliest(banks.commands[name], bank))
            waits.append(first - now)
            while now < first:
                assert ctx.get(checker.o_early), f"{name} allowed at {now}, not at {first}"
                await ctx.tick()
                now += 1
            assert not ctx.get(checker.o_early), f"{name} forbidden at {now}"
            ctx.set(checker.i_issue, 1)
            banks.issue(banks.commands[name], bank, now)
            await ctx.tick()
            ctx.set(checker.i_issue, 0)
            now += 1

    simulator = Simulator(checker)
    simulator.add_clock(1e-9)
    simulator.add_testbench(drive)
    simulator.run()
    assert sum(w > 0 for w in waits) > 50


@pytest.mark.parametrize("chip", ["hbm_pim", "aim"])
def test_decoder_gives_the_micro_operations_of_every_command_and_none_for_other_opcodes(chip: str) -> None:
    commands = spec_of(chip).commands
    decode = CommandDecode(commands)
    opcode = commands.field("opcode")
    rng = np.random.default_rng(6)

    async def drive(ctx) -> None:
        for code in range(opcode.mask + 1):
            word = int(rng.integers(1 << opcode.low)) | code << opcode.low
            ctx.set(decode.i_word, word)
            await ctx.delay(1e-9)
            command = commands.by_opcode(code)
            shown = {name for name, _ in decode.o_operations.shape() if ctx.get(decode.o_operations[name])}
            assert ctx.get(decode.o_known) == (command is not None)
            assert shown == set(command.operations if command else ())
            if command is not None:
                _, values = commands.decode(word)
                assert {name: ctx.get(decode.o_fields[name]) for name in values} == values
                present = {name for name, _ in decode.o_present.shape() if ctx.get(decode.o_present[name])}
                assert present == set(command.fields)

    simulator = Simulator(decode)
    simulator.add_testbench(drive)
    simulator.run()


def test_bank_reads_what_was_written_in_the_open_row() -> None:
    organisation = spec_of("hbm_pim").dram.organisation
    bank = Bank(organisation, 4, {})

    async def drive(ctx) -> None:
        for row in (1, 3):
            ctx.set(bank.i_write, 1)
            ctx.set(bank.i_write_row, row)
            ctx.set(bank.i_write_column, 7)
            ctx.set(bank.i_write_data, 1000 + row)
            await ctx.tick()
        ctx.set(bank.i_write, 0)
        for row in (3, 1):
            assert not ctx.get(bank.o_is_open)
            ctx.set(bank.i_open, 1)
            ctx.set(bank.i_row, row)
            await ctx.tick()
            ctx.set(bank.i_open, 0)
            assert (ctx.get(bank.o_is_open), ctx.get(bank.o_row)) == (1, row)
            ctx.set(bank.i_read, 1)
            ctx.set(bank.i_column, 7)
            await ctx.tick()
            ctx.set(bank.i_read, 0)
            assert ctx.get(bank.o_data) == 1000 + row
            ctx.set(bank.i_close, 1)
            await ctx.tick()
            ctx.set(bank.i_close, 0)

    simulator = Simulator(bank)
    simulator.add_clock(1e-9)
    simulator.add_testbench(drive)
    simulator.run()


class PlainUnits(wiring.Component):
    """The smallest part of a command port: columns are the host's, as in a DRAM without units."""

    def __init__(self, spec: PimSpec) -> None:
        super().__init__(UnitsSignature(spec, ["column"]))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        op, columns, command = self.i_operations, self.columns, self.i_command
        m.d.comb += [
            self.o_targets.eq(self.i_reached),
            self.o_answers.eq(op.read_column),
            self.o_answer.eq(self.i_word),
            columns.read.eq(Mux(self.i_accept & op.read_column, self.i_reached, 0)),
            columns.write.eq(Mux(self.i_accept & op.write_column, self.i_reached, 0)),
            columns.write_column.eq(command.column),
            self.events.column.eq(op.read_column | op.write_column),
        ]
        if "toggle_mode" in dict(op.shape()):
            m.d.comb += [self.o_changes_mode.eq(op.toggle_mode), self.o_next_mode.eq(~self.i_mode)]
        for b in range(len(columns.data)):
            m.d.comb += [
                columns.column[b].eq(command.column),
                columns.write_row[b].eq(columns.row[b]),
                columns.write_data[b].eq(self.i_data),
            ]
        return m


def test_the_command_port_judges_and_counts_for_any_units() -> None:
    spec = spec_of("hbm_pim")
    timing = spec.dram.resolve()
    port = CommandPort(spec, timing, PlainUnits(spec), rows=2)
    codes = {kind.name: kind.value for kind in port.kinds}
    word = 0x1234 << 200 | 0x5678

    async def drive(ctx) -> None:
        async def offer(code: int, row: int = 1, column: int = 3, data: int = 0) -> int:
            ctx.set(port.i_valid, 1)
            ctx.set(port.i_command, {"kind": code, "bank": 6, "row": row, "column": column})
            ctx.set(port.i_data, data)
            reason = ctx.get(port.o_reason)
            await ctx.tick()
            ctx.set(port.i_valid, 0)
            return reason

        assert await offer(max(codes.values()) + 1) == ERRORS["unknown_opcode"]
        assert await offer(codes["RD"]) == ERRORS["wrong_row_state"]
        assert await offer(codes["ACT"]) == 0
        assert await offer(codes["ACT"]) == ERRORS["wrong_row_state"]
        assert await offer(codes["REF"]) == ERRORS["wrong_row_state"]
        assert await offer(codes["WR"], data=word) == ERRORS["early"]
        await ctx.tick().repeat(timing["t_rcd_wr"])
        assert await offer(codes["WR"], row=0) == ERRORS["wrong_row_state"]
        assert await offer(codes["WR"], data=word) == 0
        await ctx.tick().repeat(timing["write_to_read_l"])
        assert await offer(codes["RD"]) == 0
        assert (ctx.get(port.o_data_valid), ctx.get(port.o_data)) == (1, word)
        await ctx.tick().repeat(timing["t_rc"])
        assert ctx.get(port.o_data_valid) == 0
        assert await offer(codes["PRE"]) == 0
        await ctx.tick().repeat(timing["t_rp"])
        assert await offer(codes["REF"]) == 0
        assert ctx.get(port.o_error) == ERRORS["unknown_opcode"]
        counts = [ctx.get(getattr(port, f"o_count_{event}")) for event in ("precharge", "refresh", "column")]
        assert counts == [1, 1, 2]

    simulator = Simulator(port)
    simulator.add_clock(1e-9)
    simulator.add_testbench(drive)
    simulator.run()


def test_every_command_of_a_device_is_judged_by_the_modes_and_rows_it_requires() -> None:
    spec = spec_of("aim")
    commands, organisation = spec.commands, spec.dram.organisation
    port = CommandPort(spec, spec.dram.resolve(), PlainUnits(spec), rows=2)
    per_group, reasons = organisation.banks_per_group, {code: name for name, code in ERRORS.items()} | {0: ""}
    met = set()

    def expected(name: str, mode: int, opened: set[int], bank: int) -> str:
        item = commands.command(name)
        banks = set(range(organisation.banks))
        reached = {"bank": {bank}, "bank_group": {b for b in banks if b // per_group == bank // per_group}}
        states = {"open" if b in opened else "closed" for b in reached.get(item.scope, banks)}
        modes = [m for m in spec.modes if m in item.requires] or list(spec.modes[:1])
        rows = [state for state in ("open", "closed") if state in item.requires] or ["open", "closed"]
        return "wrong_mode" if spec.modes[mode] not in modes else "" if states <= set(rows) else "wrong_row_state"

    async def drive(ctx) -> None:
        async def offer(name: str, bank: int) -> None:
            ctx.set(port.i_command, {"kind": commands.command(name).opcode, "bank": bank, "row": 1})
            ctx.set(port.i_valid, 1)
            await ctx.tick()
            ctx.set(port.i_valid, 0)
            await ctx.tick().repeat(200)  # every timing rule is met

        for opened in (set(), {5}, set(range(organisation.banks))):
            for bank in opened:
                await offer("ACT", bank)
            for mode in (0, 1):
                for name in (c.name for c in commands.commands):
                    for bank in (5, 9):
                        ctx.set(port.i_command, {"kind": commands.command(name).opcode, "bank": bank, "row": 1})
                        ctx.set(port.i_valid, 1)
                        reason = reasons[ctx.get(port.o_reason)]
                        ctx.set(port.i_valid, 0)
                        assert reason == expected(name, mode, opened, bank), (name, mode, opened, bank)
                        met.add(reason)
                await offer("TMOD", 0)
            await offer("PREA", 0)

    simulator = Simulator(port)
    simulator.add_clock(1e-9)
    simulator.add_testbench(drive)
    simulator.run()
    assert met == {"", "wrong_mode", "wrong_row_state"}


def test_a_channel_that_cannot_be_built_is_refused_with_a_reason() -> None:
    spec = spec_of("hbm_pim")
    with pytest.raises(InputError, match="must track all-bank commands"):
        CommandPort(spec, spec.dram.resolve("pimsimulator"), PlainUnits(spec), rows=2)
    with pytest.raises(InputError, match="power of two"):
        CommandPort(spec, spec.dram.resolve(), PlainUnits(spec), rows=100)
