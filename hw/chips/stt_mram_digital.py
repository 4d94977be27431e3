"""STT-MRAM digital compute in memory: lossless adder trees beside magnetic cells, 64 kb."""

from hw.spec.chip import Chip
from hw.spec.crossbar import CrossbarSpec
from hw.spec.fact import Fact

CHIP = Chip(
    title="STT-MRAM digital compute-in-memory macro, 64 kb, hypothesis",
    machine=CrossbarSpec(
        rows=64, columns=16, cell_bits=1, scheme="twos_complement", array="digital", input_signed=True,
        columns_per_adc=1, adc_bits=7, wordline_cycles=0, tiles=8, write_cycles=11, verify_cycles=3),
    # 8 planes in the 14.8 ns between 7.4 ns (4 bits) and 29.6 ns (16 bits)
    clock=Fact(nominal=0.54, low=0.4, high=0.7, unit="GHz", confidence="inferred",
               source="Nature Electronics 2025, 40 nm: 7.4 to 29.6 ns for 4 to 16 bits, one bit of input a cycle"),
    hypothesis="Published: 64 kb, 4 to 16 bits, lossless, 7.4 to 29.6 ns. Assumed: 8 tiles of 64 x 128 cells, one "
               "adder tree per column; no figure for the K-Cloud chip of stage 3 is public",
)
