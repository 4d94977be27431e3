"""Horowitz, ISSCC 2014: energies of single operations at 45 nm, 0.9 V."""

# Ref: M. Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC 2014, session 1.1,
#      table of rough energies per operation in a 45 nm process at 0.9 V.

from hw.spec.fact import Fact
from model.energy.table import OperationTable

_ISSCC = "M. Horowitz, Computing's energy problem, ISSCC 2014, table of energies at 45 nm, 0.9 V"


def _published(nominal: float) -> Fact:
    return Fact(nominal=nominal, unit="pJ", confidence="secondary", source=_ISSCC)


TABLE = OperationTable(
    title="Horowitz ISSCC 2014, 45 nm, 0.9 V",
    node_nm=45,
    int8_multiply=_published(0.2),
    int32_multiply=_published(3.1),
    int32_add=_published(0.1),
    register_bit=Fact(nominal=0.005, low=0.002, high=0.010, unit="pJ", confidence="assumed",
                      source="a flip-flop and its clock pin switch 2 to 12 fF at 0.9 V, C V^2"),
    sram_64_bit={
        8 << 10: _published(10.0),
        32 << 10: _published(20.0),
        1 << 20: _published(100.0),
    },
    error=Fact(nominal=0.3, unit="1", confidence="assumed",
               source="the paper calls its numbers rough, prints one or two digits; 30 % covers the rounding"
                      " (0.05 in 0.2), voltage and library"),
    leaves_out="wires between blocks, clock tree above the registers, leakage, external memory, host",
)
