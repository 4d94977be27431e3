"""Single numbers and words that no total shows: prefixes of units, ranges that hold their middle, words of refusals."""

from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import Elaboratable

from hw import chips
from hw.base.error import InputError
from hw.gates import library, synthesis
from hw.gates.blocks import Adder, Delay
from hw.rtl.arithmetic.fp_add import FpAdd
from hw.rtl.npu.cell import Cell
from hw.rtl.npu.output_stage import OutputStage
from hw.spec import facts, from_json, unit
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.mac_array import MacArraySpec
from hw.spec.number import number_format
from model.energy import dram
from model.serving import simulate
from model.serving.request_error import learn
from model.sweep.areas import ACCUMULATE_AREA, CELL_AREA, OUTPUT_LANE_AREA
from tb.gates.core import two_columns

PREFIXES = {"T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12,
            "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30}  # fmt: skip


@pytest.mark.parametrize("base", ["B", "B/s", "Hz", "s", "W", "J"])
def test_a_prefix_means_its_power(base: str) -> None:
    found = 0
    for prefix, factor in PREFIXES.items():
        if unit.quantity(prefix + base) is None:
            continue
        found += 1
        assert unit.ratio(prefix + base, base) == factor, prefix + base
        assert unit.ratio(base, prefix + base) == pytest.approx(1 / factor), prefix + base
    assert found


def test_what_was_given_is_shown_whole_up_to_forty_characters() -> None:
    assert from_json._shown("x" * 38) == '"' + "x" * 38 + '"'
    assert from_json._shown("x" * 39) == '"' + "x" * 36 + "..."


def test_the_refusal_of_a_fact_shows_one_number_or_a_range() -> None:
    described = {"unit": "W", "least": 10.0, "most": 20.0, "zero": False}
    with pytest.raises(InputError, match=r"and at most 20 W, not 30 W$"):
        facts._check("tdp", Fact(nominal=30, unit="W", confidence="vendor", source="s"), described)
    with pytest.raises(InputError, match=r"not 15 to 30 W$"):
        facts._check("tdp", Fact(nominal=20, low=15, high=30, unit="W", confidence="vendor", source="s"), described)


def test_what_is_learnt_holds_nine_tenths_of_a_normal_scatter() -> None:
    ratios = np.exp(0.1 * np.random.default_rng(1).standard_normal(20_001))
    factor = 1 + learn(ratios.tolist())
    assert np.mean((ratios < factor) & (ratios > 1 / factor)) == pytest.approx(0.9, abs=0.01)


def test_the_factor_of_a_request_that_nobody_measured_may_be_one() -> None:
    low, high = simulate.ASSUMED
    assert low < 1 < high


@pytest.mark.parametrize("name", dram.names())
def test_a_bit_at_the_pins_is_the_banks_part_and_the_rest(name: str) -> None:
    energies = dram.load(name).energies
    for way in ("read", "write"):
        whole, bank = energies.get(f"dram.{way}_pin_bit"), energies.get(f"dram.{way}_bit")
        if whole is None or bank is None or "rest of" not in whole.source:
            continue
        stated = float(whole.source.rpartition("rest of ")[2].split()[0])
        assert bank.nominal + whole.nominal == pytest.approx(stated), way


@pytest.mark.parametrize("name", ["int8", "fp8_e4m3", "bf16", "fp16", "fp32"])
def test_codes_in_order_begin_with_the_lowest(name: str) -> None:
    fmt = number_format(name)
    lowest = fmt.lowest_code
    if fmt.is_integer:
        assert lowest == 1 << (fmt.bits - 1)
    elif fmt.has_infinity:
        assert lowest == ((1 << (fmt.exponent_bits + 1)) - 1) << fmt.fraction_bits, "minus infinity"
    else:
        assert lowest == (1 << fmt.bits) - 2, "every pattern but the highest is a number"


@pytest.mark.parametrize("number", sorted(CELL_AREA))
def test_the_area_of_a_cell_is_what_the_present_rtl_maps_to(number: str, tmp_path: Path) -> None:
    latency = 4 if number_format(number).exponent_bits else 1
    array = MacArraySpec(rows=16, columns=16, activation_format=number, weight_format=number, mac_latency=latency)
    process = library.load("mini45")
    made = synthesis.synthesise(Cell(array), f"cell_{number}", process, tmp_path)
    assert made.netlist.area_um2 == pytest.approx(CELL_AREA[number].nominal, rel=0.02)


def test_the_areas_below_the_array_are_what_the_present_rtl_maps_to(tmp_path: Path) -> None:
    def area(name: str, made: Elaboratable) -> float:
        return synthesis.synthesise(made, name, library.load("mini45"), tmp_path).netlist.area_um2

    register = area("delay32", Delay(32))
    for floating, adder in ((False, Adder(32)), (True, FpAdd("fp32", latency=0))):
        whole = area(f"add_{floating}", adder) + register
        assert whole == pytest.approx(ACCUMULATE_AREA[floating].nominal, rel=0.02)
    # FP32 leaves a core through three registers a lane
    assert OUTPUT_LANE_AREA[True].nominal == pytest.approx(3 * register, rel=0.02)
    two = OutputStage(two_columns(chips.machine(chips.load("npu_16"), CoreSpec)))
    assert area("output_stage_2", two) / 2 == pytest.approx(OUTPUT_LANE_AREA[False].nominal, rel=0.02)
