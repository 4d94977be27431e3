"""The protocol that loads a weight tile while the one before still streams, on a whole array."""

from amaranth.hdl import *

from hw.formal._queue import no_reset


class Harness(Elaboratable):
    """An INT4 x INT8 array under every legal schedule: loads, swaps, rows in any cycle the protocol allows.

    A load takes `rows` steps, bottom row's weight first, step j enabling rows r <= j; it may start in the very cycle
    of a swap. A swap needs a completed load; rows may stream from the swap on. The reference keeps two whole tiles
    and multiplies at once; it must agree `latency` cycles later. At most one activation of a row is 1, the others
    are 0, and weights are 0 or 1: the sum then is the weight that one cell used, and the solver works on the
    schedule, not on multipliers and adders.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.npu.mac_array import MacArray
        from hw.spec.mac_array import MacArraySpec

        m = Module()
        size, activation_bits, bits = self.size, 4, 8
        spec = MacArraySpec(rows=size, columns=size, activation_format="int4", weight_format="int8")
        m.submodules.array = array = MacArray(spec)
        activations, weights = Signal(size), Signal(size * bits)
        want_load, want_swap, want_row = Signal(), Signal(), Signal()
        self.inputs = [activations, weights, want_load, want_swap, want_row]
        no_reset(m)

        # The schedule
        loading, step = Signal(), Signal(range(size))
        loaded, streaming = Signal(), Signal()
        swap, start, row, busy = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            swap.eq(want_swap & loaded),
            start.eq(want_load & ~loading & (~loaded | swap)),
            row.eq(swap | (want_row & streaming)),
            busy.eq(loading | start),
        ]
        with m.If(swap):
            m.d.sync += [loaded.eq(0), streaming.eq(1)]
        with m.If(busy):
            m.d.sync += [loading.eq(step != size - 1), step.eq(Mux(step == size - 1, 0, step + 1))]
            with m.If(step == size - 1):
                m.d.sync += loaded.eq(1)
        m.d.comb += [
            Assume((activations & (activations - 1)[:size]) == 0),
            Assume((weights & ~Const(sum(1 << (c * bits) for c in range(size)), size * bits)) == 0),
            array.i_swap.eq(swap),
            array.i_weight.eq(weights),
            array.i_load.eq(Mux(busy, Cat(step >= r for r in range(size)), 0)),
        ]
        for r in range(size):
            m.d.comb += array.i_activation.word_select(r, activation_bits).eq(activations[r])

        # The reference: two tiles as plain registers
        coming = [Signal(size * bits, name=f"coming_{r}") for r in range(size)]
        active = [Signal(size * bits, name=f"active_{r}") for r in range(size)]
        for r in range(size):
            with m.If(swap):
                m.d.sync += active[r].eq(coming[r])
            with m.If(busy & (step == size - 1 - r)):
                m.d.sync += coming[r].eq(weights)
        expected = Signal(size * spec.partial_sum_bits)
        for c in range(size):
            tile = [Mux(swap, coming[r], active[r]).word_select(c, bits).as_signed() for r in range(size)]
            total = sum(Mux(activations[r], tile[r], 0) for r in range(size))
            m.d.comb += expected.word_select(c, spec.partial_sum_bits).eq(total)
        valid: Value = row
        late: Value = expected
        for stage in range(array.latency):
            next_valid, next_late = Signal(name=f"valid_{stage}"), Signal.like(expected, name=f"late_{stage}")
            m.d.sync += [next_valid.eq(valid), next_late.eq(late)]
            valid, late = next_valid, next_late
        with m.If(valid):
            m.d.comb += Assert(array.o_partial_sum == late)

        swaps = Signal(2)
        with m.If(swap & (swaps != 3)):
            m.d.sync += swaps.eq(swaps + 1)
        # two tiles back to back, the second loaded from the cycle of the first one's swap
        m.d.comb += Cover(valid & (swaps >= 2) & (late != 0))
        return m
