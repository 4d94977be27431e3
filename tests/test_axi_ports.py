"""The ports of what is behind AXI: names, directions and widths of the AMBA specification, fixed attributes as asked,
either polarity of the reset."""

# pyright: reportAttributeAccessIssue=false

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out
from amaranth.sim import Simulator

from hw.rtl.emit.verilog import emit
from hw.rtl.npu.memory_side.axi_signature import lite_members, read_members, write_members
from hw.rtl.npu.memory_side.axi_top import AxiTop, ResetPolarity, StandardPorts
from tests.test_axi_foreign import AXI, CORE

DMA = CORE.dma
assert DMA is not None
BITS = 8 * DMA.bytes_per_cycle

# IHI 0022 H, tables A2-2 to A2-6 and B1-1: signals of AXI4 and AXI4-Lite; widths that the specification leaves open are
# those of the core, optional signals that are not there are USER and REGION
_ADDRESS = {"ID": 2, "ADDR": 64, "LEN": 8, "SIZE": 3, "BURST": 2, "LOCK": 1, "CACHE": 4, "PROT": 3, "QOS": 4}
_LITE = {"ADDR": 12, "PROT": 3}
CHANNELS: dict[str, tuple[bool, dict[str, int]]] = {
    "M_AXI_AW": (True, _ADDRESS),
    "M_AXI_W": (True, {"DATA": BITS, "STRB": BITS // 8, "LAST": 1}),
    "M_AXI_B": (False, {"ID": 2, "RESP": 2}),
    "M_AXI_AR": (True, _ADDRESS),
    "M_AXI_R": (False, {"ID": 2, "DATA": BITS, "RESP": 2, "LAST": 1}),
    "S_AXI_AW": (False, _LITE),
    "S_AXI_W": (False, {"DATA": 32, "STRB": 4}),
    "S_AXI_B": (True, {"RESP": 2}),
    "S_AXI_AR": (False, _LITE),
    "S_AXI_R": (True, {"DATA": 32, "RESP": 2}),
}
"""Prefix of a channel -> whether the core sends it, its signals with their widths but VALID and READY."""


@pytest.mark.parametrize(("reset", "name"), [("low", "ARESETN"), ("high", "ARESET")])
def test_the_verilog_has_the_ports_of_the_specification_and_no_other(
    reset: ResetPolarity, name: str, tmp_path: Path
) -> None:
    assert DMA is not None
    # the whole core with one reset only; with the other it runs in `test_axi_foreign.py`
    top = AxiTop(CORE, AXI, 0, reset) if reset == "high" else StandardPorts(_Inner(), DMA, AXI, reset)
    emitted = emit(top, "ports", tmp_path)
    wanted = {"ACLK": ("in", 1), name: ("in", 1), "INTERRUPT": ("out", 1)}
    for prefix, (sent, signals) in CHANNELS.items():
        ours, theirs = ("out", "in") if sent else ("in", "out")
        wanted |= {prefix + signal: (ours, width) for signal, width in signals.items()}
        wanted |= {f"{prefix}VALID": (ours, 1), f"{prefix}READY": (theirs, 1)}
    ports = {port["name"]: (port["direction"], port["width"]) for port in emitted.manifest["ports"]}
    assert ports == wanted


class _Inner(wiring.Component):
    """Counts cycles on the write data, interrupts after three: what a reset is seen by."""

    def __init__(self) -> None:
        assert DMA is not None
        super().__init__({**read_members(DMA), **write_members(DMA), **lite_members(), "o_interrupt": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count = Signal(8)
        m.d.sync += count.eq(count + 1)
        m.d.comb += [
            self.axi_w.payload.data.eq(count),
            self.axi_w.valid.eq(count != 0),
            self.o_interrupt.eq(count > 3),
            self.axi_b.ready.eq(self.axi_b.valid & (self.axi_b.payload.resp == 2)),
            self.lite_r.payload.data.eq(self.lite_ar.payload.addr),
        ]
        return m


@pytest.mark.parametrize(("reset", "active"), [("low", 0), ("high", 1)])
def test_the_reset_has_the_level_that_was_asked_for_and_attributes_are_those_given(
    reset: ResetPolarity, active: int
) -> None:
    assert DMA is not None
    dut: Any = StandardPorts(_Inner(), DMA, replace(AXI, cache=0b0011, prot=0b010), reset)
    level = getattr(dut, "ARESETN" if reset == "low" else "ARESET")
    simulator, seen = Simulator(dut), []

    async def use(ctx: Any) -> None:
        async def edge() -> None:
            ctx.set(dut.ACLK, 1)
            await ctx.delay(1e-9)
            ctx.set(dut.ACLK, 0)
            await ctx.delay(1e-9)
            seen.append((ctx.get(dut.M_AXI_WDATA), ctx.get(dut.M_AXI_WVALID), ctx.get(dut.INTERRUPT)))

        for value in (active, 1 - active, 1 - active, 1 - active, 1 - active, 1 - active, active, 1 - active):
            ctx.set(level, value)
            await edge()
        assert ctx.get(dut.M_AXI_AWCACHE) == ctx.get(dut.M_AXI_ARCACHE) == 0b0011
        assert ctx.get(dut.M_AXI_AWPROT) == ctx.get(dut.M_AXI_ARPROT) == 0b010
        for response, taken in ((2, 1), (1, 0)):
            ctx.set(dut.M_AXI_BVALID, 1)
            ctx.set(dut.M_AXI_BRESP, response)
            ctx.set(dut.S_AXI_ARADDR, 0x128 + response)
            await ctx.delay(1e-9)
            assert (ctx.get(dut.M_AXI_BREADY), ctx.get(dut.S_AXI_RDATA)) == (taken, 0x128 + response)

    simulator.add_testbench(use)
    simulator.run()
    assert seen == [(0, 0, 0), (1, 1, 0), (2, 1, 0), (3, 1, 0), (4, 1, 1), (5, 1, 1), (0, 0, 0), (1, 1, 0)]
