"""AttAcc, ASPLOS 2024: HBM3 with units beside the banks."""

# Ref: attacc_simulator (MIT), commit c600051, energy table in pJ/bit (credited there to O'Connor): activation 0.11,
#      cell 0.44, column decoder to bank-group mux 1.01, to global I/O 1.23, TSV 0.5, interposer 0.3; arithmetic 0.32.

from hw.spec.fact import Fact
from model.energy.table import EnergyTable

_ATTACC = "attacc_simulator (MIT), commit c600051, energy table"
_AYNA = "Ayna (CMU-SAFARI/HBM-Power, MICRO 2026), HBM2 currents, derived"


def _bit(nominal: float, note: str = "") -> Fact:
    return Fact(nominal=nominal, unit="pJ", confidence="secondary", source=_ATTACC, note=note)


TABLE = EnergyTable(
    title="AttAcc ASPLOS 2024, HBM3",
    kind="published",
    node_nm=16,
    energies={
        "dram.activate_kilobyte": _bit(0.11 * 8192, "0.11 pJ/bit of a fully used row"),
        "dram.read_bit": _bit(0.44),
        "dram.write_bit": _bit(0.44),
        "dram.read_pin_bit": _bit(1.01 + 1.23 + 0.5 + 0.3),
        "dram.write_pin_bit": _bit(1.01 + 1.23 + 0.5 + 0.3),
        "dram.refresh": Fact(nominal=21900, unit="pJ", confidence="inferred", source=_AYNA),
        "dram.background_ns": Fact(nominal=17.1, low=14.1, high=17.1, unit="pJ", confidence="inferred", source=_AYNA),
        "pim.mac": _bit(0.32, "uncited there"),
        "pim.lane_operation": _bit(0.32, "taken equal to a MAC"),
    },
    error=Fact(nominal=0.3, unit="1", confidence="assumed",
               source="no measurement stands behind the table; the models it rests on are 20 % off"),
    leaves_out="memory controller and host, register files and control of the PIM units",
)
