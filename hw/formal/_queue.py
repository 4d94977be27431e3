"""What it means to be a queue: nothing lost, nothing doubled, nothing changed, order kept."""

from amaranth.hdl import *


class Watch:
    """Follows one arbitrary item through a queue.

    In some cycle, chosen by the solver, an accepted item is marked. `ahead` counts the items before it, `level`
    all items inside, both from the handshakes alone. When the marked one is next, it must leave unchanged; since
    it stands for every item, none is lost, doubled, reordered or altered.
    """

    def __init__(self, m: Module, *, payload: Value, accept: Value, leave: Value, mark: Value, depth: int) -> None:
        self.level = Signal(range(depth + 2), name="watch_level")
        self.inside = Signal(name="watch_inside")
        self.seen = Signal(name="watch_seen")
        self.ahead = Signal(range(depth + 2), name="watch_ahead")
        self.value = Signal(len(payload), name="watch_value", reset_less=True)
        m.d.sync += self.level.eq(self.level + accept - leave)
        with m.If(accept & mark & ~self.seen):
            m.d.sync += [
                self.inside.eq(1),
                self.seen.eq(1),
                self.value.eq(payload),
                self.ahead.eq(self.level - leave),
            ]
        with m.Elif(self.inside & leave):
            m.d.sync += [self.ahead.eq(self.ahead - 1), self.inside.eq(self.ahead != 0)]
        self.turn = Signal(name="watch_turn")
        m.d.comb += self.turn.eq(self.inside & (self.ahead == 0))

    def sane(self, depth: int) -> Value:
        """Lemma for the induction: the marked item is among those inside, and they fit."""
        return (self.level <= depth) & (~self.inside | (self.ahead < self.level))


def no_reset(m: Module) -> None:
    """The reset input stays low: runs start from the initial values."""
    m.d.comb += Assume(~ResetSignal("sync"))


def stable(m: Module, *, valid: Value, ready: Value, payload: Value) -> None:
    """Stream rule: an offered item stays offered, unchanged, until it is taken."""
    offered = Signal(name="stable_offered")
    offer = Signal(len(payload), name="stable_offer", reset_less=True)
    m.d.sync += [offered.eq(valid & ~ready), offer.eq(payload)]
    with m.If(offered):
        m.d.comb += [Assert(valid), Assert(payload == offer)]
