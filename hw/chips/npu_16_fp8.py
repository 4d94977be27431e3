"""16 x 16 FP8 core: E4M3 activations and weights, saturating BF16 results."""

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.mac_array import MacArraySpec

CHIP = Chip(
    title="16 x 16 FP8 (E4M3) weight-stationary core, fused FP32 sums, BF16 results",
    machine=CoreSpec(
        array=MacArraySpec(
            rows=16, columns=16, activation_format="fp8_e4m3", weight_format="fp8_e4m3", mac_latency=3),
        activation_words=16384,     # 256 KiB: 512 x 512 FP8 activations
        weight_words=16384,         # 256 KiB: 512 x 512 FP8 weights
        accumulator_rows=1024,      # two halves of 512 rows
        output_words=16384,
        output_format="bf16",
        saturate=True,
    ),
    clock=Fact(nominal=1.0, low=0.5, high=1.5, unit="GHz", confidence="assumed",
               source="no silicon; a usual clock of pipelined floating-point arrays at 7 to 28 nm"),
)
