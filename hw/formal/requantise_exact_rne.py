"""The output stage rounds to nearest, ties to even, as the integers say."""

from hw.formal import Bug, Proof
from hw.formal._requantise import Harness

PROOF = Proof(
    title="exact_rne is the nearest integer to product / 2**(31 + shift), ties to even",
    build=lambda: Harness("exact_rne"),
    bounded=1,
    cover=1,
    bugs=(
        Bug(
            name="ties go up",
            module="hw.rtl.npu.output_stage",
            before='kept[31] if mode == "exact_rne" else Const(1)',
            after="Const(1)",
        ),
        Bug(
            name="the bits shifted out are forgotten",
            module="hw.rtl.npu.output_stage",
            before='Const(0) if mode == "gemmlowp" else lost.any()',
            after="Const(0)",
        ),
    ),
)
