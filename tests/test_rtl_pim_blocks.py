"""Blocks of the PIM channels in Amaranth's simulator: the timing checker against the model's banks, the decoder against
the command sets, the cell arrays."""

# pyright: reportAttributeAccessIssue=false

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw import chips
from hw.base.error import InputError
from hw.rtl.dram_pim.bank_array import Bank
from hw.rtl.dram_pim.bank_timing import BankTiming
from hw.rtl.dram_pim.decode import CommandDecode
from hw.rtl.dram_pim.hbm_pim.top import channel
from hw.rtl.dram_pim.signature import command_kinds
from hw.spec.pim import PimSpec
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


def test_a_channel_that_cannot_be_built_is_refused_with_a_reason() -> None:
    spec = spec_of("hbm_pim")
    with pytest.raises(InputError, match="must track all-bank commands"):
        channel(spec, spec.dram.resolve("pimsimulator"))
    with pytest.raises(InputError, match="power of two"):
        channel(spec, spec.dram.resolve(), rows=100)
