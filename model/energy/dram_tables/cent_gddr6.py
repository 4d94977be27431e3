"""CENT, ASPLOS 2025: GDDR6-AiM from supply currents."""

# Ref: Yufeng98/CENT (MIT), commit 8c79786, power model: activation 66.3 mW x 44.5 ns, plain read 438 mW and write
#      553 mW x 1.25 ns, all-bank MAC assumed to draw three times a read, DQ 5.5 pJ/bit.

from hw.spec.fact import Fact
from model.energy.table import EnergyTable

_CENT = "CENT power model (MIT), commit 8c79786, derived"


def _derived(nominal: float, note: str = "") -> Fact:
    return Fact(nominal=nominal, unit="pJ", confidence="inferred", source=_CENT, note=note)


TABLE = EnergyTable(
    title="CENT ASPLOS 2025, GDDR6-AiM",
    kind="published",
    node_nm=16,
    energies={
        "dram.activate_kilobyte": _derived(2950 / 2, "2.95 nJ per 2 KB row"),
        "dram.read_bit": _derived(0.32, "1314 pJ per all-bank MAC of 16 x 256 bits, arithmetic included"),
        "dram.write_bit": _derived(2.70),
        "dram.read_pin_bit": _derived(2.14 - 0.32 + 5.5, "rest of a plain read, and the DQ pins"),
        "dram.write_pin_bit": _derived(5.5, "the DQ pins"),
        "dram.refresh": Fact(nominal=21900, unit="pJ", confidence="inferred",
                             source="Ayna (CMU-SAFARI/HBM-Power, MICRO 2026): HBM2, taken for want of a GDDR6 value"),
        "dram.background_ns": Fact(nominal=17.1, low=14.1, high=78, unit="pJ", confidence="inferred",
                                   source="Ayna (CMU-SAFARI/HBM-Power, MICRO 2026): HBM2 to HBM3E pseudo-channel"),
        "pim.mac": _derived(0.0, "part of the column energy in this source"),
        "pim.lane_operation": _derived(0.0, "part of the column energy in this source"),
    },
    error=Fact(nominal=0.5, unit="1", confidence="assumed",
               source="the factor of three between MAC and read is an assumption of the source"),
    leaves_out="memory controller and host, PCIe or CXL link, control of the PIM units",
)
