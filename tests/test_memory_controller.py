"""The memory controllers of both DRAM-PIM channels against their stepped models: commands, cycles, contents."""

from itertools import pairwise

import pytest

from hw.rtl.emit.verilog import emit
from hw.spec.hbm_pim_controller import address_of, place_of
from hw.spec.memory_controller import CONTROLLER_LABELS, REFUSALS
from tb.bench.build import BUILD, build
from tb.bench.icarus import without_power_on_values
from tb.bench.protocol import Checked
from tb.bench.run import Outcome, run
from tb.system.controller_player import ControllerPlayer
from tb.system.devices import controller


def play(device: str, programs: int, seed: int = 5) -> Outcome:
    spec, timing = controller(device)
    emitted = emit(Checked(ControllerPlayer(spec, timing)), f"controller_{device}", BUILD / "rtl")
    public = [f"{emitted.name}.dut.{name}" for name in ("program", "log", "trace", "shared")]
    public.append(f"{emitted.name}.dut.channel.banks.bank_0.cells")
    built = build(without_power_on_values(emitted), "none", public, random_start=True)  # cells as the seed says
    return run(built, "tb.system.controller_tests", seed=seed, parameters={"device": device, "programs": programs})


@pytest.mark.rtl
def test_random_programs_on_four_banks_equal_the_model() -> None:
    outcome = play("aim_4", 30)
    assert outcome.passed, outcome.explain()
    assert sum(outcome.data["stopped"].values()) > 5, "programs must have come after a reset in the middle of another"
    assert set(outcome.data["codes"]) == {str(code) for code in REFUSALS}
    assert set(outcome.data["labels"]) == set(CONTROLLER_LABELS)
    assert min(outcome.data["labels"].values()) > 0
    assert set(outcome.data["commands"]) == {
        "ACT",
        "ACT16",
        "PRE",
        "PREA",
        "REF",
        "TMOD",
        "RD",
        "WR",
        "WRGB",
        "WRMAC16",
        "MAC16",
        "RDMAC16",
    }


@pytest.mark.rtl
@pytest.mark.volume
def test_200_random_programs_on_sixteen_banks_equal_the_model() -> None:
    outcome = play("aim_16", 200)
    assert outcome.passed, outcome.explain()
    assert {"REF", "read", "write", "register_load", "mac", "result_read"} <= set(outcome.data["stopped"])
    assert min(outcome.data["labels"].values()) > 0


def test_addresses_of_hbm_pim_are_places_and_follow_each_other_over_the_bank_groups() -> None:
    spec, _ = controller("hbm_pim")
    places = [place_of(spec, address) for address in range(spec.words)]
    assert len(set(places)) == spec.words
    assert all(address_of(spec, *place) == address for address, place in enumerate(places))
    per_group = spec.pim.dram.organisation.banks_per_group
    for (first, *_), (second, *_) in pairwise(places):
        assert first % 2 != second % 2 or first // per_group != second // per_group
    assert {bank % 2 for bank, _, _ in places[: spec.words // 2]} == {0}


@pytest.mark.rtl
def test_random_programs_on_hbm_pim_equal_the_model() -> None:
    outcome = play("hbm_pim", 10)
    assert outcome.passed, outcome.explain()
    assert min(outcome.data["labels"].values()) > 0
    assert set(outcome.data["commands"]) == {"ACT", "PRE", "REF", "RD", "WR"}


@pytest.mark.rtl
@pytest.mark.volume
def test_200_random_programs_on_hbm_pim_equal_the_model() -> None:
    outcome = play("hbm_pim", 200)
    assert outcome.passed, outcome.explain()
    assert {"REF", "read", "write", "register_load", "mac", "store"} <= set(outcome.data["stopped"])
    assert set(outcome.data["codes"]) == {str(code) for code in REFUSALS}


@pytest.mark.rtl
@pytest.mark.volume
@pytest.mark.parametrize("device", ["aim_4", "hbm_pim"])
def test_other_random_cells_and_registers_change_nothing(device: str) -> None:
    """What cells and registers hold at the start is drawn from the seed; four-bank AiM of seed 1 comes to rows that
    nobody has written in its program 21."""
    for seed in (1, 2, 3):
        outcome = play(device, 24, seed)
        assert outcome.passed, outcome.explain()
