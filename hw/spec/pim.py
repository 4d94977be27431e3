"""A processing-in-memory device as data: registers, modes, units, error codes."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from hw.base.error import InputError
from hw.spec.dram import DramSpec
from hw.spec.fact import Fact
from hw.spec.number import number_format
from hw.spec.pim_command import CommandSet

ERRORS: dict[str, int] = {
    "early": 1,  # a timing rule is not yet met
    "wrong_row_state": 2,  # ACT on an open bank, a column command on a closed bank or another row, REF with open rows
    "wrong_mode": 3,  # the command is not legal in the device's mode
    "unknown_opcode": 4,  # a trigger met an instruction word of no command
    "jump_range": 5,  # a JUMP leaves the program, or more than JUMPS_PER_TRIGGER follow one another
    "bank_mismatch": 6,  # the instruction names the other bank of the pair than the trigger addresses
}
"""Codes of the sticky error status: the first refused command sets it, and a refused command changes nothing else."""

JUMPS_PER_TRIGGER = 3
"""JUMPs that may follow one another between two triggers: one per clock fits between column commands."""


def aligned_index(kind: str, accumulates: bool, row: int, column: int) -> int:
    """Register index of operand kind GRF_A or GRF_B in address-aligned mode.

    Column bits 2:0; but for GRF_A of an instruction that accumulates, {row bit 0, column bits 4:3}.
    """
    if kind == "GRF_A" and accumulates:
        return (row & 1) << 2 | column >> 3 & 3
    return column & 7


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterFile:
    """Registers of `entries` x `bits`. If `row` is given, column `column + i` of that reserved row writes entry (or
    group of entries) i of all units at once while the device is in an all-bank mode.

    `per`: "unit" (one copy in each unit) or "channel" (one copy shared by all units).

    Parameters
    ----------
    name : str
        As the device's documents call it: "GRF_A", "CRF", "GB" and the like.
    entries, bits : int
        Number of registers and width of each.
    per : "unit" or "channel"
        What has a copy of its own.
    row : int or None
        Reserved row through which the host writes it; None if no row is reserved for it.
    column : int or None
        First column of that row that writes it; None without `row`.
    columns : int
        Columns of that row that write it, `entries` / `columns` registers each; 0 without `row`.
    """

    name: str
    entries: int
    bits: int
    per: Literal["unit", "channel"] = "unit"
    row: int | None = None
    column: int | None = None
    columns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChange:
    """`command` at `row` (and `column`, if not None) in each of `banks` takes the device from a mode to another.

    `data_bit`: for writes, the value bit 0 of the data must have. The change happens when the last of the banks has
    been reached, in any order.

    Parameters
    ----------
    before, after : str
        Modes of the device, of `PimSpec.modes`: the one it must be in, and the one it changes to.
    command : str
        Device command; for a PRE, `row` is the row it closes.
    row, column : int, int or None
        Where the command must go; any column if None.
    banks : tuple of int
        Banks that must all be reached.
    data_bit : int or None
        0 or 1; None if the data does not matter.
    """

    before: str
    after: str
    command: str
    row: int
    banks: tuple[int, ...]
    column: int | None = None
    data_bit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """A function of the activation unit.

    kind "relu": max(x, 0). kind "leaky_relu": x if x >= 0 else slope x. kind "table": y = slope[i] x + offset[i] with
    i = floor((x + limit) segments / (2 limit)), x held within [-limit, limit).

    Parameters
    ----------
    name : str
        Name of the function.
    code : int
        Value of the activation mode register that chooses it; its place in `PimSpec.activations`.
    kind : "relu", "leaky_relu" or "table"
        How it is computed.
    slope : float
        leaky_relu: factor of negative x; else unused.
    limit : float
        table: half the width of the range around 0 that the pieces cover; else unused.
    segments : int
        table: number of linear pieces of equal width; else unused.
    """

    name: str
    code: int
    kind: Literal["relu", "leaky_relu", "table"]
    slope: float = 0.0
    limit: float = 0.0
    segments: int = 0


_COLUMN_SPACING = {"hbm_pim": "read_to_read_l", "aim": "t_ccd_l"}
"""Kind -> timing that keeps two column commands to the units apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PimSpec:
    """A PIM device: a DRAM, a command set and the units beside the banks.

    Parameters
    ----------
    kind : str
        "hbm_pim": units that run programs, in modes; "aim": one adder tree per bank, commands of its own.
    title : str
        Its name for people.
    dram : DramSpec
        Organisation and timing of the memory.
    commands : CommandSet
        What its units and its host can be told.
    units : int
        Units of one channel.
    banks_per_unit : int
        Banks that share a unit; units x banks_per_unit are all banks of a channel.
    lanes : int
        Lanes of one unit; lanes x format bits = column bits.
    number : str
        Format of operands and results.
    accumulator : str
        Format the accumulator keeps between commands.
    align_bits : int
        Fraction bits kept below the largest exponent in the aligned adder tree; 0 if there is no tree.
    modes : tuple of str
        The first is the mode after reset.
    mode_changes : tuple of ModeChange
        Steps between modes by commands at reserved places; empty if a command of its own changes the mode.
    registers : tuple of RegisterFile
        Register files of the units and of the channel.
    row_without_trigger_bit : int or None
        Rows with this address bit set never trigger an instruction.
    park_row : int or None
        Row the banks are left at around mode changes.
    activations : tuple of Activation
        Functions of the activation unit, in the order of their codes; empty if there is none.
    """

    part: ClassVar[str] = "pim"

    kind: Literal["hbm_pim", "aim"]
    title: str
    dram: DramSpec
    commands: CommandSet
    units: int
    banks_per_unit: int
    lanes: int
    number: str
    accumulator: str
    modes: tuple[str, ...]
    registers: tuple[RegisterFile, ...]
    mode_changes: tuple[ModeChange, ...] = ()
    align_bits: int = 0
    row_without_trigger_bit: int | None = None
    park_row: int | None = None
    activations: tuple[Activation, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in _COLUMN_SPACING:
            raise InputError(f"kind of a PIM device must be one of {', '.join(_COLUMN_SPACING)}, not {self.kind!r}")
        organisation = self.dram.organisation
        if self.units * self.banks_per_unit != organisation.banks:
            raise InputError(
                f"units x banks_per_unit must be the {organisation.banks} banks of the DRAM, "
                f"not {self.units} x {self.banks_per_unit}"
            )
        bits = number_format(self.number).bits
        number_format(self.accumulator)
        if self.lanes * bits != organisation.column_bits:
            raise InputError(
                f"lanes x bits of {self.number} must be the column's {organisation.column_bits} bits, "
                f"not {self.lanes} x {bits}"
            )
        for change in self.mode_changes:
            for mode in (change.before, change.after):
                if mode not in self.modes:
                    raise InputError(f"a mode change must name modes of {', '.join(self.modes)}, not {mode!r}")

    @property
    def cells(self) -> None:
        """Commands set the pace, not multipliers."""
        return None

    @property
    def label(self) -> str:
        """Its units and their width."""
        return f"{self.units} units of {self.lanes} lanes"

    @property
    def macs_per_cycle(self) -> float:
        """Multiply-accumulates of all units of one channel per clock of the command bus: one column each tCCD_L."""
        return self.units * self.lanes / self.dram.resolve()[_COLUMN_SPACING[self.kind]]

    @property
    def clock(self) -> Fact:
        """The command clock of its DRAM, of which all its cycles are, GHz."""
        return Fact(nominal=1 / self.dram.clock_ns, unit="GHz", confidence="inferred", source=self.dram.title)

    def register(self, name: str) -> RegisterFile:
        """The register file called `name`; raises `InputError` listing the known ones."""
        for register in self.registers:
            if register.name == name:
                return register
        raise InputError(
            f"a register file of {self.title} must be one of {', '.join(r.name for r in self.registers)}, not {name!r}"
        )

    def change(self, before: str, after: str) -> ModeChange:
        """The step from mode `before` to mode `after`; raises `InputError` if there is none."""
        for step in self.mode_changes:
            if (step.before, step.after) == (before, after):
                return step
        raise InputError(f"{self.title} must have a step from {before} to {after}, which it has not")
