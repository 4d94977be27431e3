"""16 x 16 INT4 core: two products per cell and cycle in the lanes of `npu_16`."""

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.mac_array import MacArraySpec

CHIP = Chip(
    title="16 x 16 INT4 weight-stationary core, pairs of terms in 8-bit lanes",
    machine=CoreSpec(
        array=MacArraySpec(rows=16, columns=16, activation_format="int4", weight_format="int4"),
        activation_words=16384,     # 256 KiB: 1024 x 512 INT4 activations
        weight_words=16384,         # 256 KiB: 1024 x 512 INT4 weights
        accumulator_rows=1024,      # two halves of 512 rows
        output_words=16384,
    ),
    clock=Fact(nominal=1.0, low=0.5, high=1.5, unit="GHz", confidence="assumed",
               source="no silicon; a usual clock of INT8 arrays at 16 to 28 nm"),
)
