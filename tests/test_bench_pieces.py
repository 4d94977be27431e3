"""Pieces of the benches that a whole run hardly shows: word by word comparison, special codes, sources, refusals."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from hw.rtl.emit.verilog import Emitted
from hw.spec.number import number_format
from model import workloads
from model.number.codec import code_type, decode
from tb.arithmetic.fp_vectors import FLOATS, special_codes
from tb.bench.icarus import build_icarus
from tb.dram_pim.checker import broken_rules
from tb.dram_pim.compare import same_words
from tb.npu.check import check
from tb.npu.speed import harness_source


def test_words_are_compared_in_number_order_and_value() -> None:
    same_words("here", [1, 2], [1, 2])
    with pytest.raises(AssertionError, match="here: 1 words were read, not 2"):
        same_words("here", [1, 2], [1])
    with pytest.raises(AssertionError, match="here: 3 words were read, not 2"):
        same_words("here", [1, 2], [1, 2, 3])
    with pytest.raises(AssertionError, match="word 1 read is 0x3, not 0x2"):
        same_words("here", [1, 2], [1, 3])


@pytest.mark.parametrize("chip", ["aim", "hbm_pim"])
def test_every_timing_rule_of_a_device_is_found_broken_a_cycle_early_and_not_in_time(chip: str) -> None:
    pim = chips.load(chip).pim
    assert pim is not None
    timing, organisation = pim.dram.resolve(), pim.dram.organisation
    checked = 0
    for rule in timing.rules:
        for before in rule.before:
            for after in rule.after:
                said = f"{after} at {{}} follows {' or '.join(rule.before)} at 0 in {rule.level} 0 after"
                for cycle, broken in ((rule.cycles - 1, True), (rule.cycles, False)):
                    if cycle < 0:
                        continue
                    trace = [(0, before, (0,))] * rule.window + [(cycle, after, (0,))]
                    found = broken_rules(timing, organisation, trace)
                    assert (
                        any(text == f"{said.format(cycle)} {cycle} cycles, not {rule.cycles}" for text in found)
                        == broken
                    ), (rule, before, after, found)
                    checked += broken
    assert checked >= 20


def test_a_rule_within_a_bank_is_not_broken_by_another_bank() -> None:
    pim = chips.load("aim").pim
    assert pim is not None
    timing, organisation = pim.dram.resolve(), pim.dram.organisation
    opened = [(0, "ACT", (0,)), (1000, "PRE", (0,))]
    assert broken_rules(timing, organisation, [*opened, (1001, "ACT", (0,))])
    assert not broken_rules(timing, organisation, [*opened, (1001, "ACT", (9,))])


@pytest.mark.parametrize("name", [*FLOATS, "fp32"])
def test_special_codes_hold_zeros_ones_extremes_infinity_and_nan_of_both_signs(name: str) -> None:
    fmt = number_format(name)
    codes = {int(code) for code in special_codes(name)}
    sign = 1 << (fmt.bits - 1)
    assert codes == {code ^ sign for code in codes}, "both signs"
    exponents = ((1 << fmt.exponent_bits) - 1) << fmt.fraction_bits
    wanted = {0, 1, fmt.bias << fmt.fraction_bits, (1 << fmt.fraction_bits) - 1, 1 << fmt.fraction_bits}
    wanted |= {exponents, exponents - 1} if fmt.has_infinity else {sign - 2}
    assert wanted <= codes
    with np.errstate(invalid="ignore"):
        values = decode(np.array(sorted(codes), code_type(name)), name) if fmt.bits < 32 else None
    assert values is None or np.isnan(values).any()


@pytest.mark.parametrize(("width", "words"), [(32, 0), (64, 0), (96, 3), (128, 4)])
def test_the_plain_harness_fills_ports_beyond_64_bits_word_by_word(width: int, words: int) -> None:
    ports = [{"name": f"{memory}__data", "width": width} for memory in ("i_activation", "i_weight", "i_parameter")]
    emitted = Emitted(
        name="top", verilog_path=Path("top.v"), manifest_path=Path("top.json"), manifest={"ports": ports}, digest="0"
    )
    source = harness_source(emitted, [1], 16)
    parts = re.findall(r"top->i_weight___05Fdata(\[\d+\])? = draw\(\);", source)
    assert parts == ([f"[{i}]" for i in range(words)] or [""])


def test_a_chip_of_many_cores_is_refused_with_those_of_one() -> None:
    many = next(name for name in chips.names() if chips.load(name).cores > 1 and chips.load(name).core is not None)
    with pytest.raises(InputError, match="choose one of") as refused:
        check(chips.load(many), workloads.load("gemm_16"), 1)
    offered = str(refused.value).partition("choose one of ")[2].partition(", or use")[0].split(", ")
    assert "npu_16" in offered
    assert all(chips.load(name).cores == 1 for name in offered)


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs iverilog")
def test_what_icarus_refuses_is_said_with_its_own_words(tmp_path: Path) -> None:
    path = tmp_path / "top.v"
    path.write_text("module top(input a); assign b = ; endmodule\n")
    emitted = Emitted(
        name="top", verilog_path=path, manifest_path=path, digest="0",
        manifest={"name": "top", "ports": [{"name": "a", "width": 1}], "memories": [], "signals": [], "instances": {}},
    )  # fmt: skip
    with pytest.raises(RuntimeError, match=r"iverilog failed with code \d+:\n.*top\.v"):
        build_icarus(emitted, out_dir=tmp_path / "sim")
