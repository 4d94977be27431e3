"""22 nm ReRAM with current-domain converters, 8 rows of cells at a time replaced by 64: a labelled hypothesis."""

from hw.spec.chip import Chip
from hw.spec.crossbar import CrossbarSpec
from hw.spec.fact import Fact

CHIP = Chip(
    title="22 nm ReRAM crossbar, 2-bit cells, hypothesis",
    machine=CrossbarSpec(
        rows=64, columns=16, cell_bits=2, scheme="differential", input_signed=True, columns_per_adc=8, adc_bits=9,
        wordline_cycles=1, settle_cycles=1, adc_cycles=1, sample_and_hold=True, tiles=8, write_cycles=50,
        verify_cycles=5),
    clock=Fact(nominal=1.0, low=0.5, high=1.3, unit="GHz", confidence="assumed",
               source="conversions of 0.8 to 2 ns, as surveyed converters of 7 to 9 bits give"),
    hypothesis="Published for the class (ISSCC 2021 to 2022, 22 nm, 4 and 8 Mb): 8 bit by 8 bit in 14.4 to 14.8 ns "
               "with 4 to 8 rows a time, 1-bit cells. Assumed: 64 rows at a time, 2-bit differential cells, 9-bit "
               "converters shared by 8 columns; no figure for the K-Cloud chip of stage 3 is public",
)
