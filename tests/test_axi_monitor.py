"""Every rule of the AXI monitor finds a bug planted in the RTL."""

import shutil
from dataclasses import asdict

import pytest

from hw.formal import Bug, planted
from hw.rtl.emit.verilog import emit
from tb.bench.build import BUILD
from tb.bench.icarus import build_icarus, without_power_on_values
from tb.bench.run import run
from tests.test_axi_foreign import AXI, CORE, _cases

BUGS = {
    "W waits for AWREADY": Bug(
        name="WVALID waits for the address to be taken",
        module="hw.rtl.npu.memory_side.axi_write",
        before="self.axi_w.valid.eq(lengths.r_rdy & beats.r_rdy)",
        after="self.axi_w.valid.eq(lengths.r_rdy & beats.r_rdy & ~closed.r_rdy)",
    ),
    "AW waits for WREADY": Bug(
        name="AWVALID waits for the beats to be taken",
        module="hw.rtl.npu.memory_side.axi_write",
        before="self.axi_aw.valid.eq(closed.r_rdy)",
        after="self.axi_aw.valid.eq(closed.r_rdy & ~(lengths.r_rdy & beats.r_rdy))",
    ),
    "control is unknown": Bug(
        name="READY looks at the payload",
        module="hw.rtl.common.skid",
        before="self.i.ready.eq(~self.waiting)",
        after="self.i.ready.eq(~self.waiting & ~Value.cast(self.i.payload)[0])",
    ),
    "VALID fell before READY": Bug(
        name="ARVALID falls",
        module="hw.rtl.npu.memory_side.axi_read",
        before="with m.If(self.axi_ar.ready):",
        after="with m.If(Const(1)):",
    ),
    "the payload changed before READY": Bug(
        name="AW shows the next burst at once",
        module="hw.rtl.npu.memory_side.axi_write",
        before="closed.r_en.eq(self.axi_aw.valid & self.axi_aw.ready)",
        after="closed.r_en.eq(self.axi_aw.valid)",
    ),
    "a burst crosses a page": Bug(
        name="reads look at the length only",
        module="hw.rtl.npu.memory_side.axi_read",
        before="Mux(to_page < self.axi.burst_beats, to_page, self.axi.burst_beats)",
        after="self.axi.burst_beats",
    ),
    "a burst is too long": Bug(
        name="bursts are one beat longer",
        module="hw.rtl.npu.memory_side.axi_read",
        before="Mux(to_page < self.axi.burst_beats, to_page, self.axi.burst_beats)",
        after="Mux(to_page < self.axi.burst_beats, to_page, self.axi.burst_beats + 1)",
    ),
    "a burst is not aligned": Bug(
        name="reads begin at the second byte",
        module="hw.rtl.npu.memory_side.axi_read",
        before="self.axi_ar.payload.addr.eq(self._page + (addresses[index] << self._size))",
        after="self.axi_ar.payload.addr.eq(self._page + (addresses[index] << self._size) + 1)",
    ),
    "WLAST was not at the last beat": Bug(
        name="WLAST one beat early",
        module="hw.rtl.npu.memory_side.axi_write",
        before="self.axi_w.payload.last.eq(sent + 1 == lengths.r_data)",
        after="self.axi_w.payload.last.eq(sent + 2 == lengths.r_data)",
    ),
    "a strobe is low": Bug(
        name="the first byte is not written",
        module="hw.rtl.npu.memory_side.axi_write",
        before="self.axi_w.payload.strb.eq(~0)",
        after="self.axi_w.payload.strb.eq(~1)",
    ),
    "a burst is not INCR": Bug(
        name="reads are FIXED",
        module="hw.rtl.npu.memory_side.axi_read",
        before="self.axi_ar.payload.burst.eq(INCR)",
        after="self.axi_ar.payload.burst.eq(0)",
    ),
    "a burst is not as wide": Bug(
        name="reads of half a bus",
        module="hw.rtl.npu.memory_side.axi_read",
        before="self.axi_ar.payload.size.eq(self._size)",
        after="self.axi_ar.payload.size.eq(self._size - 1)",
    ),
    "VALID is not low in or after reset": Bug(
        name="AWVALID is high until the first burst",
        module="hw.rtl.npu.memory_side.axi_write",
        before="self.axi_aw.valid.eq(closed.r_rdy)",
        after="self.axi_aw.valid.eq(closed.r_rdy | (self.o_opened == 0))",
    ),
    "an unknown payload is offered": Bug(
        name="AWVALID is high before an address was ever written",
        module="hw.rtl.npu.memory_side.axi_write",
        before="self.axi_aw.valid.eq(closed.r_rdy)",
        after="self.axi_aw.valid.eq(closed.r_rdy | (self.o_opened == 0))",
    ),
    "a response before its address": Bug(
        name="registers are read all the time",
        module="hw.rtl.npu.memory_side.axi_lite",
        before="accept.eq(self.lite_ar.valid & self.lite_ar.ready)",
        after="accept.eq(self.lite_ar.ready)",
    ),
    "a response before address and data": Bug(
        name="a write is answered before its data",
        module="hw.rtl.npu.memory_side.axi_lite",
        before="act.eq(address_held & write_held &",
        after="act.eq(address_held &",
    ),
    "PROT, CACHE": Bug(
        name="AxCACHE forgotten",
        module="hw.rtl.npu.memory_side.axi_top",
        before='"CACHE": (4, axi.cache)',
        after='"CACHE": (4, 0)',
    ),
}

FOREIGN = {"control is unknown": "Cannot convert Logic('X') to bool"}
"""Rule -> what the foreign agents say if they meet it first, in the same edge."""


@pytest.mark.rtl
@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs iverilog")
@pytest.mark.parametrize(
    "rule", [*list(BUGS)[:1], *(pytest.param(name, marks=pytest.mark.volume) for name in list(BUGS)[1:])]
)
def test_the_monitor_finds(rule: str) -> None:
    with planted(BUGS[rule]):
        from hw.rtl.npu.memory_side.axi_top import AxiTop as Wrong

        design = without_power_on_values(emit(Wrong(CORE, AXI), "axi_top", BUILD / "rtl"))
    outcome = run(
        build_icarus(design),
        "tb.npu.foreign_axi_tests",
        tests=("programs_run_between_foreign_agents",),
        seed=2,
        timeout_s=60,  # a bug may hang the bus; what the monitor saw before is handed out all the same
        parameters={"core": asdict(CORE), "axi": asdict(AXI), "cases": _cases(3)},
    )
    assert not outcome.passed
    found = any(rule in broken for broken in outcome.data.get("rules", []))
    assert found or FOREIGN.get(rule, "none") in (outcome.failure or ""), outcome.explain()
