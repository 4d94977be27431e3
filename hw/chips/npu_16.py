"""16 x 16 INT8 core, the project's reference NPU."""

from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts
from hw.spec.mac_array import MacArraySpec

CHIP = Chip(
    title="16 x 16 INT8 weight-stationary core, the project's reference NPU",
    machine=CoreSpec(
        array=MacArraySpec(rows=16, columns=16),
        activation_words=16384,     # 256 KiB: 512 x 512 INT8 activations
        weight_words=16384,         # 256 KiB: 512 x 512 INT8 weights
        accumulator_rows=1024,      # two halves of 512 rows
        output_words=16384,
    ),
    clock=Fact(nominal=1.0, low=0.5, high=1.5, unit="GHz", confidence="assumed",
               source="no silicon; a usual clock of INT8 arrays at 16 to 28 nm"),
    facts=CardFacts(                # a board that could carry it, so that whole cards can be asked about
        dram_capacity=Fact(nominal=4, low=1, high=8, unit="GB", confidence="assumed",
                           source="no board; one package of LPDDR4, 8 to 64 Gbit"),
        dram_bandwidth=Fact(nominal=12.8, low=6.4, high=17.1, unit="GB/s", confidence="assumed",
                            source="no board; 32 bits of LPDDR4-3200 (JESD209-4): 4 B x 3.2 GT/s; 16 bits to 4267"),
    ),
)
