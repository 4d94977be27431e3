"""DRAM standards as data: nanoseconds become cycles in one place, presets say what they leave out."""

import pytest

from hw import dram
from hw.base.error import InputError


@pytest.mark.parametrize("name", dram.names())
def test_every_standard_resolves_and_its_rules_have_delays(name: str) -> None:
    timing = dram.load(name).resolve()
    assert timing.rules
    assert all(rule.cycles >= 0 and rule.window >= 1 for rule in timing.rules)
    assert timing["t_refi"] > timing["t_rfc"] > timing["t_rp"] > 0


def test_hbm2_cycles_are_the_reference_table() -> None:
    timing = dram.load("hbm2").resolve("pimsimulator")
    assert (timing["rl"], timing["wl"], timing["t_rc"], timing["t_refi"]) == (20, 8, 47, 3900)
    assert timing["read_to_write"] == 15
    assert timing["write_to_read_l"] == 19
    assert timing["write_to_precharge"] == 26
    assert timing["read_to_precharge"] == 3


def test_hbm3_cycles_survive_the_way_through_nanoseconds() -> None:
    timing = dram.load("hbm3").resolve()
    assert (timing["t_rfc"], timing["t_refi"], timing["t_faw"]) == (260, 5070, 39)


def test_four_activate_window_and_precharge_before_refresh_are_on_by_default() -> None:
    hbm2 = dram.load("hbm2")

    def has(preset: str, after: str, window: int) -> bool:
        return any(
            after in r.after and r.window == window and r.level == "rank" and r.before in (("ACT",), ("PRE",))
            for r in hbm2.resolve(preset).rules
        )

    assert has("default", "ACT", 4)
    assert has("default", "REF", 1)
    assert not has("pimsimulator", "ACT", 4)
    assert not has("pimsimulator", "REF", 1)
    assert "never" in hbm2.resolve("pimsimulator").note


def test_an_override_changes_what_is_derived_from_it() -> None:
    timing = dram.load("hbm2").resolve("pimsimulator", {"t_wr": 20, "rl": 28})
    assert timing["write_to_precharge"] == 30
    assert timing["read_to_write"] == 23


def test_unknown_timing_preset_and_value_are_named() -> None:
    hbm2 = dram.load("hbm2")
    with pytest.raises(InputError, match=r"a timing of HBM2.* must be one of .*t_rp.*, not 't_xyz'"):
        hbm2.resolve(overrides={"t_xyz": 1})
    with pytest.raises(InputError, match=r"preset of HBM2.* must be one of default, pimsimulator, not 'x'"):
        hbm2.resolve("x")
    with pytest.raises(InputError, match=r"t_rp must be a whole number of cycles from 0"):
        hbm2.resolve(overrides={"t_rp": -1})
