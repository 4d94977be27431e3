"""What the proofs of the AXI port share: its sizes, legal bursts, a slave that is free within the rules."""

from typing import Any

from amaranth.hdl import *

BURST_BEATS = 2
OUTSTANDING = 2
ADDRESS_BITS = 14
"""Of beats that are asked for: four pages; what is above plays no part."""
COUNT_BITS = 4
"""Of counts of handshakes: more than a bounded run can have."""


def specs() -> tuple:
    """A bus of one byte and bursts of at most two beats: (DmaSpec, AxiSpec)."""
    from hw.spec.axi import AxiSpec
    from hw.spec.dma import DmaSpec

    return (
        DmaSpec(bytes_per_cycle=1, external_beats=1 << 20),
        AxiSpec(burst_beats=BURST_BEATS, outstanding=OUTSTANDING),
    )


def legal(m: Module, valid: Value, payload: Value) -> None:
    """An address that is offered is that of a legal burst."""
    with m.If(valid):
        m.d.comb += [
            Assert(payload.len < BURST_BEATS),
            Assert(payload.burst == 1),
            Assert(payload.size == 0),
            Assert(payload.addr[:12] + payload.len < 4096),
        ]


def count(m: Module, event: Value, name: str) -> Signal:
    """Cycles so far in which `event` was high."""
    counted = Signal(COUNT_BITS, name=name)
    m.d.sync += counted.eq(counted + event)
    return counted


def constant(m: Module, free: Value, name: str) -> Signal:
    """A value that the solver chooses in the first cycle and that stays; 0 in that cycle."""
    begun, kept = Signal(name=f"{name}_begun"), Signal(len(free), name=name)
    m.d.sync += begun.eq(1)
    with m.If(~begun):
        m.d.sync += kept.eq(free)
    return kept


class FreeWriteSlave:
    """AW, W and B of a slave that does anything legal with a write port; counts what it has seen."""

    def __init__(self, m: Module, port: Any) -> None:
        self.address_ready, self.beat_ready, self.answers = Signal(), Signal(), Signal()
        self.response = Signal(2)
        self.inputs = [self.address_ready, self.beat_ready, self.answers, self.response]
        m.d.comb += [
            port.axi_aw.ready.eq(self.address_ready),
            port.axi_w.ready.eq(self.beat_ready),
            port.axi_b.valid.eq(self.answers),
            port.axi_b.payload.resp.eq(self.response),
        ]
        self.addressed = count(m, port.axi_aw.valid & port.axi_aw.ready, "addressed")
        self.ended = count(m, port.axi_w.valid & port.axi_w.ready & port.axi_w.payload.last, "ended")
        self.answered = count(m, port.axi_b.valid & port.axi_b.ready, "answered")
        m.d.comb += Assume(~self.answers | ((self.answered != self.addressed) & (self.answered != self.ended)))


class FreeReadSlave:
    """AR and R of a slave that answers in any order of IDs, one burst at a time of each; counts what is in flight."""

    def __init__(self, m: Module, port: Any, channels: int) -> None:
        read, address = port.axi_r, port.axi_ar
        self.ready, self.offers, self.identity = Signal(), Signal(), Signal(2)
        self.data, self.response = Signal(8), Signal(2)
        self.inputs = [self.ready, self.offers, self.identity, self.data, self.response]
        taken = address.valid & address.ready
        moved = read.valid & read.ready
        last = Signal()
        m.d.comb += [
            address.ready.eq(self.ready),
            read.valid.eq(self.offers),
            read.payload.id.eq(self.identity),
            read.payload.data.eq(self.data),
            read.payload.resp.eq(self.response),
            read.payload.last.eq(last),
        ]
        self.in_flight = []
        allowed: Value = Const(0)
        for index in range(channels):
            # lengths of the bursts in flight, the oldest first
            lengths = [Signal(4, name=f"length_{index}_{k}") for k in range(OUTSTANDING + 1)]
            number = Signal(range(OUTSTANDING + 2), name=f"in_flight_{index}")
            done = Signal(4, name=f"done_{index}")
            mine, ends = moved & (self.identity == index), Signal(name=f"ends_{index}")
            m.d.comb += ends.eq(mine & last)
            m.d.sync += number.eq(number + (taken & (address.payload.id == index)) - ends)
            with m.If(mine):
                m.d.sync += done.eq(Mux(last, 0, done + 1))
            after = number - ends
            for k, length in enumerate(lengths):
                following = lengths[k + 1] if k < OUTSTANDING else length
                with m.If(taken & (address.payload.id == index) & (after == k)):
                    m.d.sync += length.eq(address.payload.len)
                with m.Elif(ends):
                    m.d.sync += length.eq(following)
            with m.If(self.identity == index):
                m.d.comb += last.eq(done == lengths[0])
            m.d.comb += Assert(number <= OUTSTANDING)
            allowed = allowed | ((self.identity == index) & (number != 0))
            self.in_flight.append(number)
        m.d.comb += Assume(~self.offers | allowed)
        # a legal slave keeps what it offers
        waits, kept = Signal(name="slave_waits"), Signal(12, name="slave_kept")
        now = Cat(self.identity, self.data, self.response)
        m.d.sync += [waits.eq(read.valid & ~read.ready), kept.eq(now)]
        m.d.comb += Assume(~waits | (self.offers & (kept == now)))
