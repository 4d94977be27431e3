"""Energy tables: published operations, and the energies of a core's events composed from them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from hw.base import catalog
from hw.base.error import InputError
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.number import number_format
from model.energy import tables
from model.energy.origin import GateOrigin, blocks_digest

Kind = Literal["published", "measured"]


def _check_energies(energies: Mapping[str, Fact], what: str) -> None:
    for name, fact in energies.items():
        if fact.unit != "pJ":
            raise InputError(f"{what} {name} must be in pJ, not {fact.unit!r}")
        if fact.minimum < 0:
            raise InputError(f"{what} {name} must be at least 0 pJ, not {fact.minimum}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyTable:
    """Energy of each counted event in pJ, at one technology point.

    Parameters
    ----------
    title : str
        One line for people.
    kind : Kind
        "published": from papers; "measured": from simulated gates of this design.
    node_nm : float
        Process the energies belong to.
    energies : dict of str to Fact
        "component.event" to pJ per event.
    error : Fact
        Relative error of the table as a whole, unit "1": a total of E is stated as E (1 - error) to
        E (1 + error), on top of the ranges of the entries.
    leaves_out : str
        What these energies do not contain, in one sentence.
    gates : GateOrigin or None
        What a measured table was measured on; None exactly for a published one.
    cycle : Fact or None
        Energy of every busy cycle, whatever happens in it: clock and leakage, pJ. None where the events hold it.
    """

    title: str
    kind: Kind
    node_nm: float
    energies: Mapping[str, Fact]
    error: Fact
    leaves_out: str
    gates: GateOrigin | None = None
    cycle: Fact | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise InputError(f"kind of an energy table must be one of published, measured, not {self.kind!r}")
        if (self.kind == "measured") != (self.gates is not None):
            raise InputError(
                f"an energy table is measured exactly if it says on which gates, {self.title!r} is "
                f"{self.kind} {'with' if self.gates else 'without'} them"
            )
        if self.error.unit != "1" or not 0 <= self.error.nominal < 1:
            raise InputError(
                f"the error of an energy table must be a ratio from 0 to below 1, not "
                f"{self.error.nominal} {self.error.unit}"
            )
        _check_energies(self.energies, "the energy of event")
        _check_energies({"busy": self.cycle} if self.cycle else {}, "the energy of a cycle")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationTable:
    """Published energies of single operations at one process, from which a core's events are composed.

    Parameters
    ----------
    title : str
        One line for people.
    node_nm : float
        Process the energies belong to, nm.
    error : Fact
        Relative error of what is composed from them, unit "1", as in `EnergyTable`.
    leaves_out : str
        What these energies do not contain, in one sentence.
    int8_multiply, int32_multiply, int32_add : Fact
        One operation on random operands, pJ.
    register_bit : Fact
        One flip-flop written with its share of the clock, pJ.
    sram_64_bit : dict of int to Fact
        Capacity in bytes to pJ per access of 64 bits; at least two capacities.
    """

    title: str
    node_nm: float
    error: Fact
    leaves_out: str
    int8_multiply: Fact
    int32_multiply: Fact
    int32_add: Fact
    register_bit: Fact
    sram_64_bit: Mapping[int, Fact] = field(default_factory=dict)

    def __post_init__(self) -> None:
        operations = {n: getattr(self, n) for n in ("int8_multiply", "int32_multiply", "int32_add", "register_bit")}
        _check_energies(operations, "the energy of operation")
        _check_energies({str(size): fact for size, fact in self.sram_64_bit.items()}, "the access energy of memory")
        if len(self.sram_64_bit) < 2:
            raise InputError(f"an operation table must give at least 2 memory sizes, not {len(self.sram_64_bit)}")

    def add(self, bits: int) -> Fact:
        """An addition of `bits` bits: a ripple of full adders, so energy grows with the width."""
        return _scaled(self.int32_add, bits / 32, f"INT32 addition x {bits}/32 (width)")

    def register(self, bits: int) -> Fact:
        """`bits` flip-flops written."""
        return _scaled(self.register_bit, bits, f"register bit x {bits}")

    def memory(self, capacity_bytes: int, width_bits: int) -> Fact:
        """One access of `width_bits` in a memory of `capacity_bytes`.

        Nominal: power law through the two published sizes nearest to the capacity. Low: the same memory built
        of banks of the smallest published size, one of them active. High: the nominal times 1.25.
        """
        sizes = sorted(self.sram_64_bit)
        upper = next((i for i, size in enumerate(sizes) if size >= capacity_bytes), len(sizes) - 1)
        below, above = sizes[max(0, upper - 1)], sizes[max(1, upper)]
        at_below, at_above = (self.sram_64_bit[size].nominal for size in (below, above))
        exponent = math.log(at_above / at_below) / math.log(above / below)
        words = width_bits / 64
        nominal = at_below * (capacity_bytes / below) ** exponent * words
        bank = self.sram_64_bit[sizes[0]].nominal * words
        return Fact(
            nominal=nominal,
            low=min(bank, nominal),
            high=1.25 * nominal,
            unit="pJ",
            confidence="inferred",
            source=f"64-bit accesses of {below} and {above} bytes, power law, x {words:g} words; "
            f"{self.sram_64_bit[below].source}",
            note="low: banks of the smallest published size; high: nominal x 1.25",
        )

    def for_core(self, core: CoreSpec) -> EnergyTable:
        """The energies of the events of `core`, each from the operations and bits it moves.

        A MAC: one multiply, one addition of the partial sum's width, and the registers of activation and
        partial sum. A word of a memory: one access of its
        width, read or written. A requantised lane: 32-bit bias addition,
        32 x 32 multiply, 32-bit rounding addition. Command and pass events are control, not priced.
        """
        array = core.array
        activation = number_format(array.activation_format)
        weight = number_format(array.weight_format)
        if activation.name != "int8" or weight.name != "int8":
            raise InputError(
                f"table {self.title!r} prices INT8 x INT8 cores, not {activation.name} x {weight.name}; "
                "choose another energy table"
            )
        partial = array.partial_sum_bits
        row_bits = array.columns * 32
        accumulator = self.memory(core.accumulator_rows * row_bits // 8, row_bits)
        activation_bits, weight_bits = array.rows * activation.bits, array.columns * weight.bits
        activation_word = self.memory(core.activation_words * activation_bits // 8, activation_bits)
        weight_word = self.memory(core.weight_words * weight_bits // 8, weight_bits)
        # bias 32, multiplier 32 and shift 5 bits per column
        parameter_bits = array.columns * 69
        return EnergyTable(
            title=self.title,
            kind="published",
            node_nm=self.node_nm,
            error=self.error,
            leaves_out=self.leaves_out,
            energies={
                "mac_array.mac": _sum(
                    "multiply + add + activation and partial sum registers",
                    self.int8_multiply,
                    self.add(partial),
                    self.register(activation.bits + partial),
                ),
                "mac_array.weight_load": self.register(weight.bits),
                "activation_memory.read": activation_word,
                "activation_memory.write": activation_word,
                "weight_memory.read": weight_word,
                "weight_memory.write": weight_word,
                "parameter_memory.read": self.memory(core.parameter_words * parameter_bits // 8, parameter_bits),
                "accumulator.read": accumulator,
                "accumulator.write": accumulator,
                "accumulator.drain_read": accumulator,
                "output_stage.requantise": _sum(
                    "32 x 32 multiply + two 32-bit additions",
                    self.int32_multiply,
                    _scaled(self.int32_add, 2, "INT32 addition x 2"),
                ),
                "output_memory.write": self.memory(core.output_words * array.columns, array.columns * 8),
            },
        )


def names() -> list[str]:
    """The names of all energy tables."""
    return catalog.names(tables)


def load_operations(name: str) -> OperationTable | EnergyTable:
    """The table called `name`; raises `InputError` listing the known ones."""
    return catalog.load(tables, "TABLE", name, "energy table")


def table_for(name: str, core: CoreSpec) -> EnergyTable:
    """The table called `name` as energies of the events of `core`.

    Raises
    ------
    InputError
        If the table was measured on the gates of another array or output stage.
    """
    table = load_operations(name)
    if isinstance(table, OperationTable):
        return table.for_core(core)
    if table.gates is not None and table.gates.blocks_digest != blocks_digest(core):
        raise InputError(
            f"table {name!r} was measured on blocks {table.gates.blocks_digest} of {table.gates.chip} and must price "
            f"those only, not {blocks_digest(core)}; measure it with `make energy CHIP=` or choose a published table"
        )
    return table


def published() -> list[str]:
    """The names of the tables that any INT8 core can be priced by."""
    return [name for name in names() if isinstance(load_operations(name), OperationTable)]


def measured_for(chip: str, core: CoreSpec) -> tuple[list[EnergyTable], list[str]]:
    """The tables measured on the gates of `core`, and one sentence for everything that does not fit any more.

    A table of another array or output stage is left out and named. One whose cell library or whose blocks' RTL has
    been edited still prices, and is named.
    """
    found, notices, other = [], [], False
    for name in names():
        table = load_operations(name)
        if isinstance(table, OperationTable) or table.gates is None or table.gates.chip != chip:
            continue
        again = f"run `make energy CHIP={chip}`"
        if table.gates.blocks_digest != blocks_digest(core):
            notices.append(
                f"energy table {name} is of an earlier core ({table.gates.blocks_digest}) and not applied; {again}"
            )
            other = True
            continue
        found.append(table)
        notices += [f"energy table {name} {change}; {again}" for change in table.gates.changes()]
    if not found and not other:
        notices.append(f"no energy table was measured at the gates of {chip}; `make energy CHIP={chip}` measures one")
    return found, notices


def _scaled(fact: Fact, factor: float, how: str) -> Fact:
    return Fact(
        nominal=fact.nominal * factor,
        low=fact.minimum * factor,
        high=fact.maximum * factor,
        unit=fact.unit,
        confidence=fact.confidence,
        source=f"{how}; {fact.source}",
        note=fact.note,
    )


def _sum(how: str, *facts: Fact) -> Fact:
    return Fact(
        nominal=sum(f.nominal for f in facts),
        low=sum(f.minimum for f in facts),
        high=sum(f.maximum for f in facts),
        unit="pJ",
        confidence="inferred",
        source=how + ": " + "; ".join(f.source for f in facts),
    )
