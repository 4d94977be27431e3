"""A whole core at the gates: arithmetic of the table, wide nets behind buffers, and the core itself."""

# pyright: reportAttributeAccessIssue=false

from dataclasses import replace
from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw import chips
from hw.base.error import InputError
from hw.gates import core_clock, library, synthesis, timing
from hw.spec.core import CoreSpec
from hw.spec.pim import PimSpec
from tb.gates import pim_device
from tb.gates.whole_core import EDGE, PUBLISHED, Part, WholeCore, measure, memory_kilobits, text
from tb.npu.gate_blocks import blocks

CORE = chips.machine(chips.load("npu_16"), CoreSpec, "a test")


class Wide(wiring.Component):
    """One register read by 256 gates."""

    def __init__(self) -> None:
        super().__init__({"select": In(1), "a": In(256), "o": Out(256)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        held, words, out = Signal(), Signal(256), Signal(256)
        m.d.sync += [held.eq(self.select), words.eq(self.a)]
        m.d.sync += [out[i].eq(words[i] & held) for i in range(256)]
        m.d.comb += self.o.eq(out)
        return m


def test_a_wide_net_gets_buffers_and_the_clock_they_allow(tmp_path: Path) -> None:
    process = library.load("mini45")
    found = {}
    for name, recipe in (("plain", synthesis.UNBUFFERED), ("buffered", synthesis.RECIPE)):
        netlist = synthesis.synthesise(Wide(), name, process, tmp_path, recipe).netlist
        found[name] = netlist.area_um2, timing.analyse(netlist, process.wire, process.input_slew_ns).critical_ns
    assert found["buffered"][1] < found["plain"][1] / 4
    assert found["buffered"][0] < found["plain"][0] * 1.15


def test_the_table_adds_up_and_the_clock_is_that_of_the_slowest_part() -> None:
    parts = (
        Part(name="cells", copies=4, area_um2=1000.0, critical_ns=1.0),
        Part(name="control", copies=1, area_um2=6000.0, critical_ns=0.5),
    )
    core = WholeCore(parts=parts, critical_ns=2.0, path=("n1",), memory_kilobits=8.0, macs=4)
    assert core.area_mm2 == pytest.approx(0.01)
    assert core.clock_ghz == pytest.approx(0.5)
    # 2 operations x 4 cells x 0.5 GHz = 4 GOPS on 0.01 mm2
    assert core.tera_operations_per_mm2 == pytest.approx(0.4)
    slow = WholeCore(parts=(parts[0], Part(name="x", copies=1, area_um2=6000.0, critical_ns=4.0)), critical_ns=2.0,
                     path=(), memory_kilobits=8.0, macs=4)  # fmt: skip
    assert slow.clock_ghz == pytest.approx(0.25)
    assert core.slowest == "a path through several parts"
    queue = Part(name="queue", copies=1, area_um2=6000.0, critical_ns=1.95)
    assert WholeCore(parts=(queue, parts[1]), critical_ns=2.0, path=(), memory_kilobits=8.0, macs=4).slowest == "queue"
    lines = "\n".join(text(core, "chip", 0.5))
    assert "says 0.5 GHz: met" in lines
    assert "says 1 GHz: not met in 45 nm: 2.00 times" in "\n".join(text(core, "chip", 1.0))
    # a shrink to 22 nm by the square of the node
    assert f"{0.4 * (45 / 22) ** 2:.2f} TOPS/mm2 at 22 nm" in lines
    assert all(published.name in lines for published in PUBLISHED)


def test_the_memories_left_out_are_those_of_the_core() -> None:
    # 2 x 16,384 words of 16 bytes, 1,024 rows of 16 sums of 32 bits, 64 words of parameters
    assert memory_kilobits(CORE) == pytest.approx(2 * 16384 * 128 / 1024 + 512 + 70.5, rel=0.001)


@pytest.mark.volume
def test_the_reference_core_has_the_area_and_clock_that_the_page_says(tmp_path: Path) -> None:
    core = measure(CORE, library.load("mini45"), Path("build"))
    by_name = {part.name: part for part in core.parts}
    assert by_name["cells"].copies == 256
    assert by_name["cells"].total_um2 > 0.3e6 * core.area_mm2
    # the slowest of the whole is the check of a command
    assert by_name["command queue and its checks"].critical_ns > 0.8 * core.critical_ns
    assert 0.3 < core.area_mm2 < 0.5


def copies(name: str) -> dict[str, tuple[float, float]]:
    core = chips.machine(chips.load(name), CoreSpec, "a test")
    small = replace(core, array=replace(core.array, rows=EDGE, columns=EDGE))
    return {block.name: (block.copies, block.in_small) for block in blocks(core, small)}


def test_every_dataflow_and_format_has_its_blocks_as_often_as_its_array() -> None:
    integer = copies("npu_16")
    # a row and a column wait 0 to 15 cycles each
    assert integer["operand skew"] == (240, 2)
    assert integer["sum skew"] == (120, 1)
    assert integer["accumulate"] == (16, 2)
    assert integer["output stage, two columns"] == (8, 1)
    assert "copy channels" not in integer
    assert copies("npu_16_dma")["copy channels"] == (1, 1)
    # rows wait for the four stages of a cell, columns for one cycle
    floating = copies("npu_16_bf16")
    assert floating["operand skew"] == (4 * 120 + 120, 5)
    assert floating["decoders"] == (32, 4)
    # sums stay in the cells: nothing is added to them below the array
    assert copies("npu_16_os") == {name: count for name, count in integer.items() if name != "accumulate"}
    mixed = replace(CORE, array=replace(CORE.array, weight_format="int4"))
    with pytest.raises(InputError, match="as wide as each other"):
        blocks(mixed, mixed)


def measured(name: str) -> WholeCore:
    chip, process = chips.load(name), library.load("mini45")
    if name in chips.with_machine(PimSpec):
        return pim_device.measure(chip.machine_as(PimSpec), process, Path("build"))
    return measure(chip.machine_as(CoreSpec), process, Path("build"))


@pytest.mark.volume
@pytest.mark.parametrize("name", [n for n, chip in chips.load_all()[0].items() if core_clock.reached(chip)])
def test_the_clock_that_is_kept_is_what_the_present_rtl_reaches(name: str) -> None:
    found, kept = measured(name), core_clock.reached(chips.load(name))
    assert kept is not None
    assert (round(found.clock_ghz, 4), found.slowest) == (kept.ghz, kept.slowest)


def test_a_pim_device_is_as_fast_as_the_slowest_of_its_parts() -> None:
    parts = (
        Part(name="units", copies=8, area_um2=1000.0, critical_ns=4.0),
        Part(name="bank control", copies=1, area_um2=500.0, critical_ns=0.5),
    )
    device = WholeCore(parts=parts, critical_ns=4.0, path=(), memory_kilobits=0.0, macs=32)
    assert (device.slowest, device.clock_ghz) == ("units", 0.25)
    lines = "\n".join(pim_device.text(device, "some_pim", 1.0))
    assert "together 0.009 mm2, at most 0.250 GHz; commands come at 1 GHz: 4.00 times as fast" in lines
