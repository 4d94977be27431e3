"""On 2 x 2 cells, a tile loaded behind the one that streams never disturbs it, under every legal schedule."""

from hw.formal import Bug, Proof
from hw.formal._load_swap import Harness

PROOF = Proof(
    title="on 2 x 2 cells, a tile loaded behind the one that streams never disturbs it",
    build=lambda: Harness(2),
    bounded=11,
    cover=11,
    bugs=(
        Bug(
            name="all rows take the swap in the same cycle",
            module="hw.rtl.npu.mac_array",
            before='swap = delay(m, swap, depth, f"swap_skew_{r}")',
            after="pass",
        ),
        Bug(
            name="weights enter all columns in the same cycle",
            module="hw.rtl.npu.mac_array",
            before='delay(m, weight, c, f"weight_skew_{c}")',
            after="weight",
        ),
    ),
)
