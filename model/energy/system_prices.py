"""Energy of core, vector unit and shared memory of a system from what they counted: gates at 45 nm, memories by a law.

The channel is priced by `model.energy.dram`; a DRAM process and 45 nm logic are different technologies, so the parts
are stated beside each other and not added.
"""

from collections.abc import Mapping

from hw.base.error import InputError
from hw.spec.fact import Fact
from hw.spec.machine import Machine
from hw.spec.system import SystemSpec
from model.energy import dram
from model.energy.price import Energy, Interval, price
from model.energy.system_at_gates import PRICES
from model.energy.table import EnergyTable, OperationTable, load_operations
from model.record import Measurement, Result

LIBRARY_ERROR = 0.25
"""Of a sum: no layout (wires, sizing, clock tree), and up to 18 % between tables and transistors."""

MEMORIES = "horowitz_45nm"
"""Table of the memories' energies: the same node as the gates."""

LEFT_OUT = "control, queues, comparisons and word shuffles of the vector unit, clock tree above registers, idle cycles"
"""What these energies do not contain."""

_NOTHING = Interval(low=0.0, nominal=0.0, high=0.0)


def unit_energy(
    spec: SystemSpec, core: Mapping[str, int], vector: Mapping[str, int], words: int
) -> dict[str, Interval]:
    """Part -> joules of its counted events; nothing for a format whose gates were never measured.

    Parameters
    ----------
    spec : SystemSpec
    core, vector : mapping
        Event -> count, of the core and of the vector unit.
    words : int
        Words that the memory controller moved from or to the shared memory.
    """
    table = load_operations(MEMORIES)
    assert isinstance(table, OperationTable)
    if spec.number not in PRICES:
        return {}
    prices = _memories(spec, table)
    for event, values in PRICES[spec.number].items():
        # an accumulator's row is added and stored
        prices[event] = prices.get(event, _NOTHING) + _gates(*values)
    shared = {event: count for event, count in vector.items() if event.startswith("shared_memory.")}
    beats = core.get("external_memory.read", 0) + core.get("external_memory.write", 0)
    return {
        "core": _sum(prices, core),
        "vector unit": _sum(prices, {event: count for event, count in vector.items() if event not in shared}),
        "shared memory": _sum(prices, {"shared_memory.word": sum(shared.values()) + beats + words}),
    }


def _gates(low: float, nominal: float, high: float) -> Interval:
    return Interval(low=low * (1 - LIBRARY_ERROR), nominal=nominal, high=high * (1 + LIBRARY_ERROR))


def _memories(spec: SystemSpec, table: OperationTable) -> dict[str, Interval]:
    """Event -> pJ of one access."""
    core, word = spec.core, spec.pim.dram.organisation.column_bits
    array, bits = core.array, spec.core.array.rows * 16
    columns = array.columns * 16

    def access(words: int, width: int) -> Interval:
        fact: Fact = table.memory(words * width // 8, width)
        error = table.error.nominal
        return Interval(low=fact.minimum * (1 - error), nominal=fact.nominal, high=fact.maximum * (1 + error))

    activation, weight = access(core.activation_words, bits), access(core.weight_words, columns)
    sums, output = access(core.accumulator_rows, 32 * array.columns), access(core.output_words, columns)
    return {
        "activation_memory.read": activation,
        "activation_memory.write": activation,
        "weight_memory.read": weight,
        "weight_memory.write": weight,
        "accumulator.read": sums,
        "accumulator.drain_read": sums,
        "accumulator.write": sums,
        "output_memory.read": output,
        "output_memory.write": output,
        "shared_memory.word": access(spec.shared_words, word),
    }


def _sum(prices: Mapping[str, Interval], counts: Mapping[str, int]) -> Interval:
    total = _NOTHING
    for event, count in counts.items():
        if event in prices:
            total = total + prices[event] * (count * 1e-12)
    return total


TABLES = tuple(dram.names())
"""All sources of DRAM energies."""


def table(name: str, machine: Machine) -> EnergyTable:
    """The source of DRAM energies called `name`: they hold for every channel."""
    return dram.load(name)


def prices(
    chip_name: str, machine: Machine, result: Result, random: Measurement | None
) -> tuple[list[tuple[str, Energy]], list[str]]:
    """(source, energy) of the channel's events by each source of its DRAM; `unit_energy` has the other units."""
    if not isinstance(machine, SystemSpec):
        raise InputError(f"energies of a system price systems, not a machine of kind {machine.kind!r}")
    return [(name, price(result.counts, dram.load(name))) for name in dram.sources_of(machine.pim)], []
