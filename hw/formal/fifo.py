"""The FIFO between engines keeps order, loses nothing and doubles nothing, also when it wraps round."""

from amaranth.hdl import *

from hw.formal import Bug, Proof
from hw.formal._queue import Watch, no_reset, stable

WIDTH = 4
DEPTH = 3


class Harness(Elaboratable):
    """The synchronous FIFO of Amaranth's library as the core uses it, at a depth that is not a power of two."""

    def elaborate(self, platform: object) -> Module:
        from amaranth.lib import fifo

        m = Module()
        queue = fifo.SyncFIFO(width=WIDTH, depth=DEPTH)
        m.submodules.fifo = inside = queue.elaborate("formal")
        queue._MustUse__used = True  # pyright: ignore[reportAttributeAccessIssue]  # as the module it was made into
        # a further port into its memory, for the lemma; the first port shows the oldest item
        storage, *_ = inside._named_submodules["storage"]
        oldest, probe = storage.read_ports[0], storage.read_port(domain="comb")
        sent, valid, ready, mark = Signal(WIDTH), Signal(), Signal(), Signal()
        self.inputs = [sent, valid, ready, mark]
        no_reset(m)
        accept, leave = Signal(), Signal()
        m.d.comb += [
            queue.w_data.eq(sent),
            queue.w_en.eq(valid),
            queue.r_en.eq(ready),
            accept.eq(valid & queue.w_rdy),
            leave.eq(queue.r_rdy & ready),
        ]
        watch = Watch(m, payload=sent, accept=accept, leave=leave, mark=mark, depth=DEPTH)
        stable(m, valid=queue.r_rdy, ready=ready, payload=queue.r_data)
        place = Signal(range(2 * DEPTH))
        m.d.comb += [
            place.eq(oldest.addr + watch.ahead),
            probe.addr.eq(Mux(place >= DEPTH, place - DEPTH, place)),
            # lemma: where the marked item is
            Assert(~watch.inside | (probe.data == watch.value)),
            Assert(watch.sane(DEPTH)),
            Assert(queue.level == watch.level),
            Assert(queue.r_rdy == (watch.level != 0)),
            Assert(queue.w_rdy == (watch.level != DEPTH)),
            Cover(watch.turn & leave & (watch.level == DEPTH)),
        ]
        with m.If(watch.turn):
            m.d.comb += [Assert(queue.r_rdy), Assert(queue.r_data == watch.value)]
        return m


PROOF = Proof(
    title="the FIFO keeps order, loses nothing and doubles nothing, also when it wraps round",
    build=Harness,
    bounded=4 * DEPTH,
    inductive=2,
    cover=3 * DEPTH,
    bugs=(
        Bug(
            name="an item written to a full FIFO overwrites the oldest",
            module="amaranth.lib.fifo",
            before="w_port.en.eq(self.w_en & self.w_rdy),\n        ]\n        with m.If(do_write):\n"
            "            m.d.sync += produce.eq(_incr(produce, self.depth))\n\n        m.d.comb += [\n"
            "            r_port.addr",
            after="w_port.en.eq(self.w_en),\n        ]\n        with m.If(do_write):\n"
            "            m.d.sync += produce.eq(_incr(produce, self.depth))\n\n        m.d.comb += [\n"
            "            r_port.addr",
        ),
        Bug(
            name="wraps round one entry late",
            module="amaranth.lib.fifo",
            before="signal == modulo - 1",
            after="signal == modulo",
        ),
    ),
)
