"""O'Connor et al., MICRO 2017: HBM2 at a 28 nm model."""

# Ref: M. O'Connor et al., "Fine-Grained DRAM: Energy-Efficient DRAM for Extreme Bandwidth Systems", MICRO 2017,
#      Table 3 and the average-access breakdown (3.92 pJ/bit = 1.21 activation + 2.24 movement + 0.30 I/O + ECC).

from hw.spec.fact import Fact
from model.energy.table import EnergyTable

_PAPER = "O'Connor et al., MICRO 2017, Table 3 and average access, read in secondary copies"
_AYNA = "Ayna (CMU-SAFARI/HBM-Power, MICRO 2026), HBM2 currents, derived"


def _bit(nominal: float, note: str = "") -> Fact:
    return Fact(nominal=nominal, unit="pJ", confidence="secondary", source=_PAPER, note=note)


TABLE = EnergyTable(
    title="O'Connor MICRO 2017, HBM2",
    kind="published",
    node_nm=28,
    energies={
        "dram.activate_kilobyte": _bit(909),
        "dram.read_bit": _bit(1.51, "array to global sense amplifier"),
        "dram.write_bit": _bit(1.51, "taken equal to a read: the paper prices an average access"),
        # 2.24 movement in all - 1.51 in the bank, + 0.30 I/O + 0.17 ECC (3.92 - 1.21 - 2.24 - 0.30)
        "dram.read_pin_bit": _bit(1.20, "rest of the 2.24 pJ/bit movement, 0.30 I/O and 0.17 ECC"),
        "dram.write_pin_bit": _bit(1.20, "taken equal to a read"),
        "dram.refresh": Fact(nominal=21900, unit="pJ", confidence="inferred", source=_AYNA),
        "dram.background_ns": Fact(nominal=17.1, low=14.1, high=17.1, unit="pJ", confidence="inferred", source=_AYNA),
        "pim.mac": Fact(nominal=1.5, unit="pJ", confidence="secondary",
                        source="Horowitz ISSCC 2014, 45 nm: FP16 multiply 1.1 + add 0.4"),
        "pim.lane_operation": Fact(nominal=1.1, low=0.4, high=1.1, unit="pJ", confidence="secondary",
                                   source="Horowitz ISSCC 2014, 45 nm: FP16 add 0.4, multiply 1.1"),
    },
    error=Fact(nominal=0.23, unit="1", confidence="secondary",
               source="mean error of this model against measured HBM2 stacks, 23 % (zeros) and 20 % (random), Ayna"),
    leaves_out="memory controller and host, register files and control of the PIM units",
)
