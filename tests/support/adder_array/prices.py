"""One table: a picojoule an addition."""

from hw.spec.fact import Fact
from hw.spec.machine import Machine
from model.energy.price import Energy, price
from model.energy.table import EnergyTable
from model.record import Measurement, Result

TABLES = ("adders",)


def table(name: str, machine: Machine) -> EnergyTable:
    return EnergyTable(
        title="adders",
        kind="published",
        node_nm=45,
        energies={"adder_array.add": Fact(nominal=1.0, unit="pJ", confidence="assumed", source="a test")},
        error=Fact(nominal=0.1, unit="1", confidence="assumed", source="a test"),
        leaves_out="all else",
    )


def prices(
    chip_name: str, machine: Machine, result: Result, random: Measurement | None
) -> tuple[list[tuple[str, Energy]], list[str]]:
    return [("adders", price(result.counts, table("adders", machine)))], []
