"""Two tiles of 16 x 16 with 2-bit cells: built and simulated in a minute."""

from hw.spec.chip import Chip
from hw.spec.crossbar import CrossbarSpec
from hw.spec.fact import Fact

CHIP = Chip(
    title="2 tiles of 16 x 16, 2-bit cells, for tests",
    machine=CrossbarSpec(
        rows=16, columns=16, cell_bits=2, scheme="differential", input_signed=True, columns_per_adc=8, adc_bits=7,
        sample_and_hold=True, tiles=2, lanes=16, buffer_words=256, parameter_words=16),
    clock=Fact(nominal=1.0, unit="GHz", confidence="assumed", source="as the presets"),
)
