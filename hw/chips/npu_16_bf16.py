"""16 x 16 BF16 core: `npu_16` with floating-point cells of four stages."""

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.mac_array import MacArraySpec

CHIP = Chip(
    title="16 x 16 BF16 weight-stationary core, fused FP32 sums, adder pipelined in four stages",
    machine=CoreSpec(
        array=MacArraySpec(
            rows=16, columns=16, activation_format="bf16", weight_format="bf16", mac_latency=4),
        activation_words=16384,     # 512 KiB: 512 x 512 BF16 activations
        weight_words=16384,         # 512 KiB: 512 x 512 BF16 weights
        accumulator_rows=1024,      # two halves of 512 rows
        output_words=16384,
        output_format="bf16",
    ),
    clock=Fact(nominal=1.0, low=0.5, high=1.5, unit="GHz", confidence="assumed",
               source="no silicon; a usual clock of pipelined floating-point arrays at 7 to 28 nm"),
)
