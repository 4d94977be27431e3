"""The output stage rounds twice as gemmlowp does, as the integers say."""

from hw.formal import Bug, Proof
from hw.formal._requantise import Harness

PROOF = Proof(
    title="gemmlowp rounds by 2**31 with ties up, then by 2**shift with ties away from zero",
    build=lambda: Harness("gemmlowp"),
    bounded=1,
    cover=1,
    bugs=(
        Bug(
            name="negative ties go up",
            module="hw.rtl.npu.output_stage",
            before="tie_up = ~high[-1]",
            after="tie_up = Const(1)",
        ),
        Bug(
            name="the first rounding does not saturate",
            module="hw.rtl.npu.output_stage",
            before="Mux(doubled > (1 << 31) - 1, (1 << 31) - 1, doubled)",
            after="doubled",
        ),
        Bug(
            name="the first rounding truncates",
            module="hw.rtl.npu.output_stage",
            before="(product + (1 << 30)) >> 31",
            after="product >> 31",
        ),
    ),
)
