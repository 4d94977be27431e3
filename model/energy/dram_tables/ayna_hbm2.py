"""Ayna, MICRO 2026: HBM2 measured on 36 chips."""

# Ref: CMU-SAFARI/HBM-Power (commit 318d3d1), MICRO 2026: HBM2 currents and the read data-pattern model
#      3.18 + 1.04 dq + 1.4875 tsv + 1.41 bank group pJ/bit; random data toggles at 0.5 and reads at 4.82 pJ/bit.

from hw.spec.fact import Fact
from model.energy.table import EnergyTable

_AYNA = "Ayna (CMU-SAFARI/HBM-Power, MICRO 2026), derived from its HBM2 currents"
_RATIO = "a PIM access costs 3.5 times less than one at the pins (ISCA 2021 abstract)"


def _derived(nominal: float, source: str = _AYNA, low: float | None = None) -> Fact:
    return Fact(nominal=nominal, low=low, unit="pJ", confidence="inferred", source=source)


TABLE = EnergyTable(
    title="Ayna MICRO 2026, HBM2, random data",
    kind="published",
    node_nm=20,
    energies={
        "dram.activate_kilobyte": _derived(948),
        # random data above background: read 4.82, write 3.16 pJ/bit at the pins
        "dram.read_bit": _derived(4.82 / 3.5, f"{_AYNA}: 4.82 pJ/bit; {_RATIO}"),
        "dram.write_bit": _derived(3.16 / 3.5, f"{_AYNA}: 3.16 pJ/bit; {_RATIO}"),
        "dram.read_pin_bit": _derived(4.82 - 4.82 / 3.5, f"{_AYNA}: rest of 4.82 pJ/bit"),
        "dram.write_pin_bit": _derived(3.16 - 3.16 / 3.5, f"{_AYNA}: rest of 3.16 pJ/bit"),
        "dram.refresh": _derived(21900),
        "dram.background_ns": _derived(17.1, low=14.1),
        "pim.mac": Fact(nominal=1.5, unit="pJ", confidence="secondary",
                        source="Horowitz ISSCC 2014, 45 nm: FP16 multiply 1.1 + add 0.4"),
        "pim.lane_operation": Fact(nominal=1.1, low=0.4, high=1.1, unit="pJ", confidence="secondary",
                                   source="Horowitz ISSCC 2014, 45 nm: FP16 add 0.4, multiply 1.1"),
    },
    error=Fact(nominal=0.08, unit="1", confidence="secondary",
               source="mean error 8.1 % (zeros) and 7.6 % (random data) on measured stacks, Ayna"),
    leaves_out="memory controller and host, register files and control of the PIM units",
)
