"""The skid buffer keeps order, loses nothing and doubles nothing."""

from amaranth.hdl import *

from hw.formal import Bug, Proof
from hw.formal._queue import Watch, no_reset, stable

WIDTH = 8
DEPTH = 2


class Harness(Elaboratable):
    """The buffer between a free sender and a free receiver."""

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.common.skid import SkidBuffer

        m = Module()
        m.submodules.skid = skid = SkidBuffer(WIDTH)
        sent, valid, ready, mark = Signal(WIDTH), Signal(), Signal(), Signal()
        self.inputs = [sent, valid, ready, mark]
        no_reset(m)
        accept, leave = Signal(), Signal()
        m.d.comb += [
            skid.i.payload.eq(sent),
            skid.i.valid.eq(valid),
            skid.o.ready.eq(ready),
            accept.eq(valid & skid.i.ready),
            leave.eq(skid.o.valid & ready),
        ]
        watch = Watch(m, payload=sent, accept=accept, leave=leave, mark=mark, depth=DEPTH)
        stable(m, valid=skid.o.valid, ready=ready, payload=skid.o.payload)
        m.d.comb += [
            Assert(watch.sane(DEPTH)),
            Assert(skid.o.valid == (watch.level != 0)),
            Assert(skid.i.ready == (watch.level != DEPTH)),
            # lemma: where the marked item is
            Assert(skid.held | ~skid.waiting),
            Assert(~(watch.inside & (watch.ahead == 1)) | (skid.second == watch.value)),
            Cover(watch.turn & leave & watch.seen & (watch.level == DEPTH)),
        ]
        with m.If(watch.turn):
            m.d.comb += [Assert(skid.o.valid), Assert(skid.o.payload == watch.value)]
        return m


PROOF = Proof(
    title="the skid buffer keeps order, loses nothing and doubles nothing",
    build=Harness,
    bounded=10,
    inductive=2,
    cover=8,
    bugs=(
        Bug(
            name="the input overtakes the waiting item",
            module="hw.rtl.common.skid",
            before="Mux(self.waiting, self.second, self.i.payload)",
            after="self.i.payload",
        ),
        Bug(
            name="ready one item too long",
            module="hw.rtl.common.skid",
            before="self.i.ready.eq(~self.waiting)",
            after="self.i.ready.eq(1)",
        ),
    ),
)
