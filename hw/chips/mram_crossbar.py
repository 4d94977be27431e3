"""MRAM crossbar that adds resistances, after the 64 x 64 array of 28 nm: one-bit cells, multi-bit by slices."""

from hw.spec.chip import Chip
from hw.spec.crossbar import CrossbarSpec
from hw.spec.fact import Fact

CHIP = Chip(
    title="MRAM resistance-sum crossbar, 64 x 64 cells, hypothesis",
    machine=CrossbarSpec(
        rows=64, columns=8, cell_bits=1, scheme="twos_complement", input_signed=True, columns_per_adc=8, adc_bits=7,
        wordline_cycles=2, settle_cycles=1, adc_cycles=2, tiles=16, write_cycles=20, verify_cycles=4),
    clock=Fact(nominal=0.2, low=0.05, high=0.5, unit="GHz", confidence="assumed",
               source="time-to-digital reading of a chain of 64 resistances takes several ns; none is published"),
    hypothesis="Published (Nature 601, 2022, Samsung): 64 x 64 cells at 28 nm, one-bit operands, sums of "
               "resistance. Assumed: 8-bit operands by slices and planes, 7-bit lossless converters shared by 8 "
               "columns, clock; no figure for the K-Cloud chip of stage 3 is public",
)
