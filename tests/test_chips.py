"""Chips as data: all load, every number has a source, published geometry gives published peaks."""

import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.chip import Chip

NAMED = {
    "sapeon_x220_compact",
    "sapeon_x220_enterprise",
    "sapeon_x330_compact",
    "sapeon_x330_prime",
    "rebellions_atom",
    "furiosa_warboy",
    "furiosa_rngd",
    "deepx_dx_m1",
    "deepx_dx_h1",
    "telechips_n_dolphin",
    "telechips_dolphin5",
    "nvidia_t4",
    "nvidia_a2",
    "nvidia_a100_pcie",
    "nvidia_l40s",
    "nvidia_h100_pcie",
    "nvidia_h100_sxm",
    "nvidia_h200_sxm",
    "nvidia_jetson_agx_orin",
}

UNITS = {
    "peak_int4": "TOPS",
    "peak_int8": "TOPS",
    "peak_fp8": "TFLOPS",
    "peak_fp16": "TFLOPS",
    "peak_bf16": "TFLOPS",
    "tdp": "W",
    "idle_power": "W",
    "dram_capacity": "GB",
    "dram_bandwidth": "GB/s",
    "host_bandwidth": "GB/s",
    "process": "nm",
    "die_area": "mm2",
    "price": "USD",
}


def test_every_named_chip_is_there() -> None:
    assert set(chips.names()) >= NAMED


@pytest.mark.parametrize("name", chips.names())
def test_every_fact_has_the_unit_of_its_name(name: str) -> None:
    for fact_name, fact in chips.load(name).facts.items():
        assert fact.unit == UNITS.get(fact_name, fact.unit), fact_name


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_product_states_peak_power_and_memory(name: str) -> None:
    facts = chips.load(name).facts
    assert facts.keys() >= {"tdp", "dram_capacity", "dram_bandwidth"}
    assert any(fact.startswith("peak_") for fact in facts)


@pytest.mark.parametrize("name", sorted(NAMED))
def test_an_assumed_number_that_is_a_guess_carries_a_range(name: str) -> None:
    for fact_name, fact in chips.load(name).facts.items():
        if fact.confidence == "assumed" and "recalled, not in a stored copy" not in fact.source:
            assert fact.minimum < fact.maximum, fact_name


def cored() -> list[str]:
    return [name for name in sorted(NAMED) if chips.load(name).core is not None]


@pytest.mark.parametrize("name", cored())
def test_geometry_and_clock_give_the_stated_peak(name: str) -> None:
    chip = chips.load(name)
    assert chip.clock is not None
    peak = chip.facts.get("peak_int8") or chip.facts["peak_fp8"]
    derived = 2 * chip.devices * chip.macs_per_cycle * chip.clock.nominal / 1000
    # marketing rounds: Warboy 65.5 as 64, RNGD 524 as 512
    assert derived == pytest.approx(peak.nominal, rel=0.03)


@pytest.mark.parametrize("name", cored())
def test_what_nobody_published_is_said_in_a_hypothesis(name: str) -> None:
    chip = chips.load(name)
    assert chip.clock is not None
    if chip.clock.confidence == "assumed":
        assert "not" in chip.hypothesis or "neither" in chip.hypothesis
        assert chip.clock.minimum < chip.clock.maximum
        assert chip.facts["array_rows"].minimum < chip.facts["array_rows"].maximum


def test_warboy_has_its_published_16384_macs() -> None:
    chip = chips.load("furiosa_warboy")
    assert chip.macs_per_cycle == 2 * 64 * 32 * 4
    assert chip.facts["peak_int8_from_geometry"].nominal == pytest.approx(
        2 * chip.macs_per_cycle * chip.clock.nominal / 1000  # type: ignore[union-attr]
    )


@pytest.mark.parametrize(("name", "kib"), [("furiosa_warboy", 256), ("furiosa_rngd", 512), ("rebellions_atom", 4096)])
def test_the_memories_of_a_core_fill_its_published_scratchpad(name: str, kib: int) -> None:
    core = chips.load(name).core
    assert core is not None
    rows, columns = core.array.rows, core.array.columns
    total = (
        core.activation_words * rows
        + core.weight_words * columns
        + core.accumulator_rows * columns * 4
        + core.output_words * columns
    )
    assert total == kib * 1024
    assert chips.load(name).facts["sram_per_core"].nominal == kib


def test_the_enterprise_card_is_two_compact_ones() -> None:
    one, two = chips.load("sapeon_x220_compact"), chips.load("sapeon_x220_enterprise")
    assert two.macs_per_cycle == one.macs_per_cycle
    assert (one.devices, two.devices) == (1, 2)


def test_digests_differ_between_chips() -> None:
    digests = [chips.load(name).digest for name in chips.names()]
    assert len(set(digests)) == len(digests)


def test_an_unknown_chip_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'furiosa_warboy'"):
        chips.load("furiosa_warbot")


def test_a_chip_without_cores_is_refused() -> None:
    with pytest.raises(InputError, match="cores must be an integer from 1 to 1048576, not 0"):
        Chip(title="x", cores=0)
    with pytest.raises(InputError, match="devices must be an integer from 1 to 1048576, not 0"):
        Chip(title="x", devices=0)
