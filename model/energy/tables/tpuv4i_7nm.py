"""TPUv4i paper, ISCA 2021: energies of single operations at 7 nm, from a secondary reading."""

# Ref: N. P. Jouppi et al., "Ten Lessons From Three Generations Shaped Google's TPUv4i", ISCA 2021, table of
#      energy per operation in 45 nm and 7 nm. Quoted from a secondary reading, not re-read at the source.

from hw.spec.fact import Fact
from model.energy.table import OperationTable

_ISCA = "N. P. Jouppi et al., Ten Lessons (TPUv4i), ISCA 2021, 7 nm column, as quoted by a secondary reading"


def _published(nominal: float) -> Fact:
    return Fact(nominal=nominal, unit="pJ", confidence="secondary", source=_ISCA)


TABLE = OperationTable(
    title="TPUv4i ISCA 2021, 7 nm (secondary reading)",
    node_nm=7,
    int8_multiply=_published(0.07),
    int32_multiply=Fact(nominal=1.12, low=0.56, high=1.68, unit="pJ", confidence="inferred",
                        source="INT8 multiply x 16, an array multiplier grows with the square of its width; "
                               "half and one and a half times as range; " + _ISCA),
    int32_add=_published(0.03),
    register_bit=Fact(nominal=0.0015, low=0.0005, high=0.003, unit="pJ", confidence="assumed",
                      source="the 45 nm assumption x 0.3, the ratio of both INT32 additions (0.03 / 0.1)"),
    sram_64_bit={
        32 << 10: _published(8.5),
        1 << 20: _published(14.0),
    },
    error=Fact(nominal=0.3, unit="1", confidence="assumed",
               source="one or two printed digits, library and voltage open, and a secondary reading"),
    leaves_out="wires between blocks, clock tree above the registers, leakage, external memory, host",
)
