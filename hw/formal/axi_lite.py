"""The AXI4-Lite registers answer every access once, never before it is there, and never block."""

from amaranth.hdl import *

from hw.formal import Bug, Proof
from hw.formal._axi import count
from hw.formal._queue import no_reset, stable


class Harness(Elaboratable):
    """The registers between a free host and a free core."""

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.npu.memory_side.axi_lite import AxiLite

        m = Module()
        m.submodules.lite = lite = AxiLite({"identity": 1})
        no_reset(m)
        free = {
            name: Signal(width, name=name)
            for name, width in {
                "aw_valid": 1,
                "aw": 12,
                "w_valid": 1,
                "w": 36,
                "b_ready": 1,
                "ar_valid": 1,
                "ar": 12,
                "r_ready": 1,
                "room": 1,
                "running": 1,
                "busy": 1,
            }.items()
        }
        self.inputs = list(free.values())
        m.d.comb += [
            lite.lite_aw.valid.eq(free["aw_valid"]),
            lite.lite_aw.payload.addr.eq(free["aw"]),
            lite.lite_w.valid.eq(free["w_valid"]),
            Cat(lite.lite_w.payload.data, lite.lite_w.payload.strb).eq(free["w"]),
            lite.lite_b.ready.eq(free["b_ready"]),
            lite.lite_ar.valid.eq(free["ar_valid"]),
            lite.lite_ar.payload.addr.eq(free["ar"]),
            lite.lite_r.ready.eq(free["r_ready"]),
            lite.o_command.ready.eq(free["room"]),
            lite.i_running.eq(free["running"]),
            lite.i_busy.eq(free["busy"]),
        ]
        stable(m, valid=lite.lite_b.valid, ready=lite.lite_b.ready, payload=lite.lite_b.payload.as_value())
        stable(m, valid=lite.lite_r.valid, ready=lite.lite_r.ready, payload=lite.lite_r.payload.as_value())
        moves = {
            name: getattr(lite, f"lite_{name}").valid & getattr(lite, f"lite_{name}").ready
            for name in ("aw", "w", "b", "ar", "r")
        }
        counts = {name: count(m, event, f"count_{name}") for name, event in moves.items()}
        # a write whose address and data are there is answered within two cycles of the answer before
        waits = Signal(2)
        due = (counts["aw"] != counts["b"]) & (counts["w"] != counts["b"]) & ~lite.lite_b.valid
        m.d.sync += waits.eq(Mux(due, waits + 1, 0))
        m.d.comb += [
            Assert(~lite.lite_b.valid | ((counts["aw"] != counts["b"]) & (counts["w"] != counts["b"]))),
            Assert(~lite.lite_r.valid | (counts["ar"] != counts["r"])),
            Assert(counts["ar"] - counts["r"] <= 1),
            Assert(waits < 2),
            Assert((counts["ar"] == counts["r"]) | lite.lite_r.valid),
            Assert(~lite.o_command.valid | free["running"]),
            Cover((counts["b"] == 2) & (counts["r"] == 1) & lite.o_command.valid),
        ]
        # a command that is not taken is answered with an error
        refused = Signal()
        m.d.sync += refused.eq(lite.o_command.valid & ~lite.o_command.ready)
        with m.If(refused):
            m.d.comb += Assert(lite.lite_b.valid & (lite.lite_b.payload.resp != 0))
        return m


PROOF = Proof(
    title="the registers answer every access once, after it is there, and never wait for the core",
    build=Harness,
    bounded=9,
    cover=12,
    bugs=(
        Bug(
            name="a write is answered before its data",
            module="hw.rtl.npu.memory_side.axi_lite",
            before="act.eq(address_held & write_held &",
            after="act.eq(address_held &",
        ),
        Bug(
            name="a response falls before it is taken",
            module="hw.rtl.npu.memory_side.axi_lite",
            before="with m.Elif(self.lite_b.ready):",
            after="with m.Else():",
        ),
        Bug(
            name="a command waits for the queue",
            module="hw.rtl.npu.memory_side.axi_lite",
            before="(~self.lite_b.valid | self.lite_b.ready)),",
            after="(~self.lite_b.valid | self.lite_b.ready) & self.o_command.ready),",
        ),
        Bug(
            name="a command that was not taken is acknowledged",
            module="hw.rtl.npu.memory_side.axi_lite",
            before="known.eq(self.i_running & self.o_command.ready)",
            after="known.eq(self.i_running)",
        ),
    ),
)
