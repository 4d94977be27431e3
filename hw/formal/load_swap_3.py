"""On 3 x 3 cells, a tile loaded behind the one that streams never disturbs it, under every legal schedule."""

from hw.formal import Bug, Proof
from hw.formal._load_swap import Harness

PROOF = Proof(
    title="on 3 x 3 cells, a tile loaded behind the one that streams never disturbs it",
    build=lambda: Harness(3),
    bounded=15,
    cover=15,
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
