"""What a machine is drawn with: its grid of cells and its memories, from its description alone."""

from dataclasses import dataclass
from functools import singledispatch

from hw.spec.command import activation_word_bits, output_word_bits, parameter_word_bits, weight_word_bits
from hw.spec.core import CoreSpec
from hw.spec.crossbar import CrossbarSpec
from hw.spec.pim import PimSpec
from hw.spec.system import SystemSpec

ACCUMULATOR_BITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A memory or register file.

    Parameters
    ----------
    name : str
        For people.
    words, bits : int
        Words, and bits of each.
    copies : int
        How many there are of it.
    """

    name: str
    words: int
    bits: int
    copies: int = 1

    @property
    def bytes(self) -> float:
        """Of all copies."""
        return self.copies * self.words * self.bits / 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A machine for a picture.

    Parameters
    ----------
    rows, columns : int
        Of the grid of cells; 0 if there is none to draw.
    cell : str
        What one cell of the grid is.
    memories : tuple of Memory
        As the data meets them.
    """

    rows: int = 0
    columns: int = 0
    cell: str = ""
    memories: tuple[Memory, ...] = ()


@singledispatch
def parts_of(machine: object) -> Parts:
    """The parts of a machine; none for a description nobody has drawn."""
    return Parts()


@parts_of.register
def _core(machine: CoreSpec) -> Parts:
    array = machine.array
    return Parts(
        rows=array.rows,
        columns=array.columns,
        cell=f"{array.activation_format.upper()} multiply-accumulate",
        memories=(
            Memory(name="activations", words=machine.activation_words, bits=activation_word_bits(machine)),
            Memory(name="weights", words=machine.weight_words, bits=weight_word_bits(machine)),
            Memory(name="accumulators", words=machine.accumulator_rows, bits=array.columns * ACCUMULATOR_BITS),
            Memory(name="parameters", words=machine.parameter_words, bits=parameter_word_bits(machine)),
            Memory(name="outputs", words=machine.output_words, bits=output_word_bits(machine)),
        ),
    )


@parts_of.register
def _pim(machine: PimSpec) -> Parts:
    organisation = machine.dram.organisation
    row_bits = organisation.columns * organisation.column_bits
    registers = tuple(
        Memory(name=r.name, words=r.entries, bits=r.bits, copies=machine.units if r.per == "unit" else 1)
        for r in machine.registers
    )
    banks = Memory(name="DRAM banks", words=organisation.rows, bits=row_bits, copies=organisation.banks)
    return Parts(
        rows=machine.units,
        columns=machine.lanes,
        cell=f"{machine.number.upper()} lane of a bank's unit",
        memories=(banks, *registers),
    )


@parts_of.register
def _crossbar(machine: CrossbarSpec) -> Parts:
    return Parts(
        rows=machine.rows,
        columns=machine.physical_columns,
        cell=f"cell of {machine.cell_bits} bits",
        memories=(
            Memory(name="buffer", words=machine.buffer_words, bits=8 * machine.lanes),
            Memory(
                name="cells", words=machine.rows, bits=machine.physical_columns * machine.cell_bits,
                copies=machine.tiles * machine.arrays,
            ),
        ),
    )  # fmt: skip


@parts_of.register
def _system(machine: SystemSpec) -> Parts:
    core, memory = parts_of(machine.core), parts_of(machine.pim)
    return Parts(rows=core.rows, columns=core.columns, cell=core.cell, memories=(*core.memories, *memory.memories))
