"""When is a command legal? Blocked one cycle before, legal at the earliest cycle."""

import pytest

from hw import dram
from model.cycle.dram_pim.bank import Banks

HBM2 = dram.load("hbm2")


class Channel:
    """Three verbs on one HBM2 channel."""

    def __init__(self, preset: str = "default", **overrides: int) -> None:
        self.banks = Banks(HBM2.resolve(preset, overrides), HBM2.organisation)
        self.timing = HBM2.resolve(preset, overrides)

    def issue(self, name: str, bank: int, row: int, now: int) -> None:
        assert self.banks.probe(name, bank, row, now), f"{name} must be legal at {now}"
        self.banks.issue(self.banks.commands[name], bank, now)
        if name == "ACT":
            self.banks.open_row[bank] = row
        elif name == "PRE":
            self.banks.open_row[bank] = -1

    def assert_earliest(self, name: str, bank: int, row: int, now: int) -> None:
        assert not self.banks.probe(name, bank, row, now - 1)
        assert self.banks.probe(name, bank, row, now)


def test_read_waits_for_row_to_column_delay() -> None:
    channel = Channel()
    channel.issue("ACT", 0, 5, 100)
    channel.assert_earliest("RD", 0, 5, 100 + channel.timing["t_rcd_rd"])
    channel.assert_earliest("WR", 0, 5, 100 + channel.timing["t_rcd_wr"])


def test_read_of_another_row_is_never_legal() -> None:
    channel = Channel()
    channel.issue("ACT", 0, 5, 100)
    assert not channel.banks.probe("RD", 0, 6, 10_000)


def test_same_bank_activate_waits_for_row_cycle_and_precharge() -> None:
    channel = Channel()
    channel.issue("ACT", 0, 5, 100)
    ras = 100 + channel.timing["t_ras"]
    channel.assert_earliest("PRE", 0, 0, ras)
    channel.issue("PRE", 0, 0, ras)
    channel.assert_earliest("ACT", 0, 6, max(ras + channel.timing["t_rp"], 100 + channel.timing["t_rc"]))


def test_activates_of_one_group_are_further_apart_than_of_two() -> None:
    channel = Channel()
    channel.issue("ACT", 0, 5, 100)
    channel.assert_earliest("ACT", 1, 5, 100 + channel.timing["t_rrd_l"])
    channel.assert_earliest("ACT", 4, 5, 100 + channel.timing["t_rrd_s"])


def test_fifth_activate_waits_for_the_four_activate_window() -> None:
    channel = Channel(t_faw=30)
    for i, bank in enumerate((0, 4, 8, 12)):
        channel.issue("ACT", bank, 5, 100 + i * channel.timing["t_rrd_s"])
    channel.assert_earliest("ACT", 1, 5, 130)
    without = Channel("pimsimulator", t_faw=30)
    for i, bank in enumerate((0, 4, 8, 12)):
        without.issue("ACT", bank, 5, 100 + i * without.timing["t_rrd_s"])
    without.assert_earliest("ACT", 1, 5, 112 + without.timing["t_rrd_s"])


def test_refresh_waits_for_the_last_precharge_by_default_only() -> None:
    for preset, delay in (("default", 14), ("pimsimulator", 0)):
        channel = Channel(preset)
        channel.issue("ACT", 0, 5, 100)
        assert not channel.banks.probe("REF", None, 0, 10_000)  # type: ignore[arg-type]
        channel.issue("PRE", 0, 0, 200)
        assert channel.banks.earliest(channel.banks.commands["REF"]) == (200 + delay if delay else 0)


def test_write_to_read_is_short_between_groups_by_default_and_long_in_the_preset() -> None:
    for preset, key in (("default", "write_to_read_s"), ("pimsimulator", "write_to_read_l")):
        channel = Channel(preset)
        channel.issue("ACT", 0, 5, 0)
        channel.issue("ACT", 4, 5, 10)
        channel.issue("WR", 0, 5, 100)
        channel.assert_earliest("RD", 4, 5, 100 + channel.timing[key])


@pytest.mark.parametrize("preset", ["default", "pimsimulator"])
def test_relative_state_restored_elsewhere_gives_the_same_waits(preset: str) -> None:
    channel = Channel(preset)
    for i, bank in enumerate((0, 4, 8, 12)):
        channel.issue("ACT", bank, 5, 100 + 6 * i)
    channel.issue("RD", 0, 5, 120)
    state = channel.banks.relative(121)
    copy = Banks(channel.timing, HBM2.organisation)
    copy.restore(state, 5000)
    assert copy.relative(5000) == state
    for command in range(len(copy.commands)):
        for bank in range(16):
            wait = max(channel.banks.earliest(command, bank) - 121, 0)
            assert copy.earliest(command, bank) - 5000 == wait
