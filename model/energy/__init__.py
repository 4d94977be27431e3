"""Price counted events: counts x a table of energies per event, as low / nominal / high with a stated error.

A table is one file in `tables/`: an `OperationTable` of published energies of single operations (a multiply,
an add, a memory access), from which `for_core` composes the events of a core; or an `EnergyTable` that gives
energies of events directly, measured at the gates of one core and holding for that core alone.
"""

from hw.spec.core import CoreSpec
from model.energy.origin import GateOrigin
from model.energy.price import ComponentEnergy, Energy, Interval, price
from model.energy.table import (
    EnergyTable,
    OperationTable,
    load_operations,
    measured_for,
    published,
    table_for,
)
from model.energy.table import names as names

__all__ = [
    "ComponentEnergy",
    "CoreSpec",
    "Energy",
    "EnergyTable",
    "GateOrigin",
    "Interval",
    "OperationTable",
    "load_operations",
    "measured_for",
    "names",
    "price",
    "published",
    "table_for",
]
