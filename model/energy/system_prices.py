"""Energy of core, vector unit and shared memory of a system from what they counted: gates at 45 nm, memories by a law.

The channel is priced by `model.energy.dram`; a DRAM process and 45 nm logic are different technologies, so the parts
are stated beside each other and not added.
"""

from collections.abc import Mapping
from dataclasses import dataclass

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


MOVES_A_WORD = ("read", "write", "register_load", "result_read")
"""Labels of the memory controller: a word of the shared memory went to the channel or came from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartEnergy:
    """What a part of a system took, at 45 nm.

    Parameters
    ----------
    gates, memories : Interval
        Joules of its logic, measured at the gates of this design, and of its memories, by published sizes.
    """

    gates: Interval = _NOTHING
    memories: Interval = _NOTHING

    @property
    def all(self) -> Interval:
        """Both together."""
        return self.gates + self.memories


def part_energy(
    spec: SystemSpec, core: Mapping[str, float], vector: Mapping[str, float], words: float
) -> dict[str, PartEnergy]:
    """Part -> what its counted events took; nothing for a format whose gates were never measured.

    Parameters
    ----------
    spec : SystemSpec
    core, vector : mapping
        Event -> count, of the core and of the vector unit.
    words : float
        Words that memory controller and crossbars moved from or to the shared memory.
    """
    table = load_operations(MEMORIES)
    assert isinstance(table, OperationTable)
    if spec.number not in PRICES:
        return {}
    gates = {event: _gates(*values) for event, values in PRICES[spec.number].items()}
    memories = _memories(spec, table)
    shared = {event: count for event, count in vector.items() if event.startswith("shared_memory.")}
    beats = core.get("external_memory.read", 0) + core.get("external_memory.write", 0)
    moved = {"shared_memory.word": sum(shared.values()) + beats + words}
    return {
        # an accumulator's row is added and stored
        "core": PartEnergy(gates=_sum(gates, core), memories=_sum(memories, core)),
        "vector unit": PartEnergy(gates=_sum(gates, vector)),
        "shared memory": PartEnergy(memories=_sum(memories, moved)),
    }


def unit_energy(
    spec: SystemSpec, core: Mapping[str, float], vector: Mapping[str, float], words: float
) -> dict[str, Interval]:
    """Part -> joules of its counted events, logic and memories together; see `part_energy`."""
    return {part: energy.all for part, energy in part_energy(spec, core, vector, words).items()}


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


def _sum(prices: Mapping[str, Interval], counts: Mapping[str, float]) -> Interval:
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
