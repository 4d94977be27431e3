"""4 x 4 INT8 core, small enough for every test."""

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.mac_array import MacArraySpec

CHIP = Chip(
    title="4 x 4 INT8 weight-stationary core, small enough for every test",
    machine=CoreSpec(
        array=MacArraySpec(rows=4, columns=4),
        activation_words=1024,
        weight_words=1024,
        accumulator_rows=64,
        output_words=1024,
    ),
    clock=Fact(nominal=1.0, low=0.5, high=1.5, unit="GHz", confidence="assumed",
               source="no silicon; a usual clock of INT8 arrays at 16 to 28 nm"),
)
