"""Converter bits, cell bits and shared converters of a crossbar on the digits: accuracy against time and energy."""

from model.sweep.space import Space

SPACE = Space(
    title="converter bits and sharing of a ReRAM crossbar on the digits network",
    subject="machine",
    base={"chip": "reram_22nm", "workload": "digits_60", "range_policy": "full"},
    axes={"adc_bits": [3, 4, 5, 6, 7, 8], "columns_per_adc": [4, 8, 16], "cell_bits": [1, 2]},
    objectives={"correct": "max", "seconds": "min", "energy_j": "min"},
)
