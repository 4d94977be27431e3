"""A GDDR6-AiM channel on streams of DRAM commands."""

# pyright: reportAttributeAccessIssue=false

from collections import Counter
from functools import cache

import numpy as np
from amaranth.lib import wiring

from hw import chips
from hw.rtl.aim_channel import AimChannel
from hw.spec.chip import Chip
from hw.spec.error import InputError
from hw.spec.pim import ERRORS, PimSpec
from tb.aim_random import RandomAimStreams, table_cells
from tb.bench import Bench, bench_test
from tb.pim_checker import broken_rules
from tb.pim_compare import fill_cells, same_answer, same_cells, same_registers
from tb.pim_driver import PimDriver, Played
from tb.pim_player import PimPlayer
from tb.pim_random import Cells, to_integer

ROWS = 64
"""Rows of the cell arrays."""

NAMES = {code: name for name, code in ERRORS.items()}

PUBLIC = (
    "stream", "words", "log", "answers", "channel.banks.bank_0.cells",
    "channel.unit_0.accumulators.words", "channel.unit_0.accumulators.held",
    "channel.unit_0.activated.words", "channel.unit_0.activated.held",
    "channel.buffer.words", "channel.buffer.held",
)


def top(chip: Chip) -> wiring.Component:
    """The channel of `chip` with a player before its port."""
    return player(_spec(chip))


def suits(chip: Chip) -> bool:
    """Chips whose banks have an adder tree."""
    return chip.pim is not None and bool(chip.pim.align_bits)


def player(spec: PimSpec) -> PimPlayer:
    """A player on a channel of `spec`."""
    return PimPlayer(AimChannel(spec, spec.dram.resolve(), rows=ROWS), {})


def _spec(chip: Chip) -> PimSpec:
    if chip.pim is None or not suits(chip):
        known = ", ".join(name for name in chips.names() if suits(chips.load(name)))
        raise InputError(f"the aim bench needs a chip with adder trees beside its banks, {chip.title!r} has none; "
                         f"choose one of {known}")
    return chip.pim


@cache
def _player(chip_name: str) -> PimPlayer:
    return player(_spec(chips.load(chip_name)))


@bench_test(timeout_cycles=100_000_000)
async def random_streams_are_accepted_when_the_model_says_and_do_what_it_says(bench: Bench) -> None:
    chip_name = bench.parameters["chip"]
    spec = _spec(chips.load(chip_name))
    timing = spec.dram.resolve()
    driver = PimDriver(bench, _player(chip_name))
    cells: Cells = table_cells(spec, ROWS)
    fill_cells(driver, cells, spec)
    refused: Counter[str] = Counter()
    events: Counter[str] = Counter()
    accepted = 0
    streams = int(bench.parameters.get("streams", 200))
    for number in range(streams):
        walk = RandomAimStreams(spec, timing, cells, bench.rng, rows=ROWS)
        expected = walk.stream(120)
        bench.dut.i_config_activation.value = walk.device.activation
        answer = await driver.play(expected.commands)
        where = f"stream {number}"
        same_answer(where, expected, answer)
        assert spec.modes[answer.mode] == walk.device.mode, f"{where}: mode {answer.mode}, not {walk.device.mode}"
        channel, device = driver.dut.channel, walk.device
        for u in range(spec.units):
            unit = getattr(channel, f"unit_{u}")
            same_registers(where, f"accumulator of unit {u}", unit.accumulators, device.accumulator[u])
            same_registers(where, f"activation of unit {u}", unit.activated, device.activated[u])
        buffer = np.array([to_integer(word) for word in device.buffer], dtype=object)
        same_registers(where, "global buffer", channel.buffer, buffer)
        broken = broken_rules(timing, spec.dram.organisation, expected.accepted)
        assert not broken, f"{where}: {broken[0]}"
        accepted += len(expected.accepted)
        refused.update(NAMES[r] for r in expected.reasons if r)
        events += expected.counts
    same_cells(driver, cells, spec)
    bench.report(streams=streams, accepted=accepted, refused=dict(refused), events=dict(events))


@bench_test(timeout_cycles=100_000)
async def an_unknown_opcode_is_refused_and_changes_nothing_else(bench: Bench) -> None:
    chip_name = bench.parameters["chip"]
    driver = PimDriver(bench, _player(chip_name))
    driver.kinds["unknown"] = 31
    word = bench.rng.integers(0, 1 << 16, 16).astype(np.uint16)
    data = to_integer(word)
    stream = [Played(0, "ACT", 2, 5), Played(1, "unknown", 2, 5), Played(60, "WR", 2, 0, 9, data),
              Played(61, "unknown", 2, 0, 9, 1), Played(120, "RD", 2, 0, 9), Played(121, "RD", 3, 0, 9)]
    answer = await driver.play(stream)
    assert answer.reasons == [0, ERRORS["unknown_opcode"], 0, ERRORS["unknown_opcode"], 0, ERRORS["wrong_row_state"]]
    assert answer.words == [data], f"the word read is {answer.words}, not {data:#x}"
    assert answer.error == ERRORS["unknown_opcode"], "the first refusal stays in the sticky status"
    assert (answer.counts["activate"], answer.counts["bank_write"], answer.counts["bank_read"]) == (1, 1, 1)
