"""The output stage rounds to nearest, ties towards plus infinity, as the integers say."""

from hw.formal import Bug, Proof
from hw.formal._requantise import Harness

PROOF = Proof(
    title="tflite_single is the nearest integer to product / 2**(31 + shift), ties towards plus infinity",
    build=lambda: Harness("tflite_single"),
    bounded=1,
    cover=1,
    bugs=(
        Bug(
            name="truncates",
            module="hw.rtl.npu.output_stage",
            before="kept[31:].as_signed() + (kept[30] & (below | tie_up))",
            after="kept[31:].as_signed()",
        ),
    ),
)
