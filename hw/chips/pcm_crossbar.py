"""Phase-change memory after the HERMES core: 256 x 256 cell pairs, a converter per column, inputs as pulse widths."""

from hw.spec.chip import Chip
from hw.spec.crossbar import CrossbarSpec
from hw.spec.fact import Fact

CHIP = Chip(
    title="PCM crossbar of 256 x 256 pairs, one converter a column, hypothesis",
    machine=CrossbarSpec(
        rows=256, columns=256, cell_bits=8, scheme="differential", input_offset=True, plane_bits=8, columns_per_adc=1,
        adc_bits=12, range_policy="calibrated", ranges=((0, 512 << 12),), wordline_cycles=1, settle_cycles=1,
        adc_cycles=128, tiles=3, parameter_words=64, write_cycles=200, verify_cycles=20),
    clock=Fact(nominal=1.0, unit="GHz", confidence="vendor",
               source="Khaddam-Aljameh, JSSC 2022 abstract: 1 GHz, 130 ns for 8-bit inputs"),
    hypothesis="Published: 256 x 256 unit cells, 8-bit inputs, a converter per column, 130 ns. "
               "Assumed: unsigned inputs in one phase with an offset of half the range, pairs that hold 8 bits before "
               "programming error, 12-bit codes of 512 levels; no figure for the K-Cloud chip of stage 3 is public",
)
