"""A whole core at the gates: arithmetic of the table, wide nets behind buffers, and the core itself."""

# pyright: reportAttributeAccessIssue=false

from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw import chips
from hw.gates import library, synthesis, timing
from hw.spec.core import CoreSpec
from tb.gates.whole_core import PUBLISHED, Part, WholeCore, measure, memory_kilobits, text

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
    core = WholeCore(parts=parts, critical_ns=2.0, path=("n1",), memory_kilobits=8.0, cells=4)
    assert core.area_mm2 == pytest.approx(0.01)
    assert core.clock_ghz == pytest.approx(0.5)
    # 2 operations x 4 cells x 0.5 GHz = 4 GOPS on 0.01 mm2
    assert core.tera_operations_per_mm2 == pytest.approx(0.4)
    slow = WholeCore(parts=(parts[0], Part(name="x", copies=1, area_um2=6000.0, critical_ns=4.0)), critical_ns=2.0,
                     path=(), memory_kilobits=8.0, cells=4)  # fmt: skip
    assert slow.clock_ghz == pytest.approx(0.25)
    assert core.slowest == "a path through several parts"
    queue = Part(name="queue", copies=1, area_um2=6000.0, critical_ns=1.95)
    assert WholeCore(parts=(queue, parts[1]), critical_ns=2.0, path=(), memory_kilobits=8.0, cells=4).slowest == "queue"
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
