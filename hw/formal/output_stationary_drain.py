"""On 2 x 2 output-stationary cells, results shift out while the next fold streams, and every one is right."""

from amaranth.hdl import *

from hw.formal import Bug, Proof
from hw.formal._queue import no_reset

SIZE = 2
ACTIVATION_BITS, WEIGHT_BITS = 4, 8


class Harness(Elaboratable):
    """Folds of any length of at least one word, any distance apart that the array allows; operands 0 or 1.

    The reference adds at once, without skew, and shows row R-1-s of a finished fold R + C - 1 + s cycles later.
    """

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.npu.output_stationary_array import SUM_BITS, OutputStationaryArray
        from hw.spec.mac_array import MacArraySpec

        m = Module()
        spec = MacArraySpec(rows=SIZE, columns=SIZE, dataflow="os", activation_format="int4", weight_format="int8")
        m.submodules.array = array = OutputStationaryArray(spec)
        activations, weights = Signal(SIZE), Signal(SIZE)
        want, end = Signal(), Signal()
        self.inputs = [activations, weights, want, end]
        no_reset(m)

        # The schedule: `inside` a fold words come whenever wanted; the next fold's last word is R cycles later at least
        inside, distance = Signal(), Signal(range(SIZE + 1))
        word, last = Signal(), Signal()
        m.d.comb += [word.eq(want), last.eq(want & end & (distance == 0))]
        m.d.sync += distance.eq(Mux(last, SIZE - 1, Mux(distance != 0, distance - 1, 0)))
        with m.If(word):
            m.d.sync += inside.eq(~last)
        m.d.comb += [array.i_first.eq(word & ~inside), array.i_last.eq(last)]
        for i in range(SIZE):
            m.d.comb += [
                array.i_activation.word_select(i, ACTIVATION_BITS).eq(activations[i] & word),
                array.i_weight.word_select(i, WEIGHT_BITS).eq(weights[i]),
            ]

        # The reference: plain sums, and each row of a finished fold late enough
        valid_at, sums_at = [], []
        for r in range(SIZE):
            row = Signal(SIZE * SUM_BITS, name=f"row_{r}")
            for c in range(SIZE):
                total, now = Signal(SUM_BITS, name=f"total_{r}_{c}"), Signal(SUM_BITS, name=f"now_{r}_{c}")
                m.d.comb += [
                    now.eq(Mux(inside, total, 0) + (activations[r] & weights[c] & word)),
                    row.word_select(c, SUM_BITS).eq(now),
                ]
                with m.If(word):
                    m.d.sync += total.eq(now)
            valid: Value = last
            late: Value = row
            for stage in range(SIZE + SIZE - 1 + (SIZE - 1 - r)):
                next_valid = Signal(name=f"valid_{r}_{stage}")
                next_late = Signal.like(row, name=f"late_{r}_{stage}")
                m.d.sync += [next_valid.eq(valid), next_late.eq(late)]
                valid, late = next_valid, next_late
            valid_at.append(valid)
            sums_at.append(late)
        m.d.comb += Assert(array.o_valid == Cat(valid_at).any())
        for valid, late in zip(valid_at, sums_at, strict=True):
            with m.If(valid):
                m.d.comb += Assert(array.o_sums == late)
        folds = Signal(2)
        with m.If(last & (folds != 3)):
            m.d.sync += folds.eq(folds + 1)
        m.d.comb += Cover(valid_at[0] & (folds >= 2) & (sums_at[0] != 0))
        return m


PROOF = Proof(
    title="on 2 x 2 output-stationary cells, results shift out while the next fold streams, and every one is right",
    build=Harness,
    bounded=11,
    cover=12,
    bugs=(
        Bug(
            name="every row shifts in every step",
            module="hw.rtl.npu.output_stationary_array",
            before="Cat(steps[:r]).any())",
            after="Cat(steps).any())",
        ),
        Bug(
            name="a fold starts from the sum of the one before",
            module="hw.rtl.npu.output_stationary_array",
            before="Mux(self.i_first, 0, total) +",
            after="total +",
        ),
        Bug(
            name="the shift starts one cycle early",
            module="hw.rtl.npu.output_stationary_array",
            before="steps = ended[len(rows) :]",
            after="steps = ended[len(rows) - 1 :]",
        ),
    ),
)
