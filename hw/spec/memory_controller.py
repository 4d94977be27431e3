"""What a memory controller is told: descriptors, their fields, and the DRAM commands each becomes.

RTL and stepped model read the same tables: fields, phases, labels, refusal codes.
"""

from dataclasses import dataclass

from hw.base.error import InputError
from hw.spec.command import command_bits, pack
from hw.spec.dram import Timing
from hw.spec.pim import PimSpec
from hw.spec.pim_command import Command

OPCODE_READ = 16
OPCODE_WRITE = 17
OPCODE_GEMV = 18

TRANSFER_FIELDS: dict[str, int] = {
    "opcode": 8,
    "wide": 1,
    "indirect": 1,
    "unused": 6,
    "outer": 8,
    "groups": 16,
    "run": 8,
    "outer_stride": 16,
    "stride": 24,
    "address": 24,
    "shared": 16,
    "pointer": 16,
    "scale": 16,
}
"""Field -> width of a READ or WRITE, from bit 0 up, all unsigned."""

GEMV_FIELDS: dict[str, int] = {
    "opcode": 8,
    "load": 1,
    "clear": 1,
    "multiply": 1,
    "read": 1,
    "unused": 4,
    "columns": 8,
    "outputs": 8,
    "copies": 8,
    "pitch": 8,
    "column": 8,
    "row": 16,
    "row_step": 8,
    "source": 16,
    "destination": 16,
}
"""Field -> width of a GEMV of AiM, from bit 0 up, all unsigned."""

REFUSALS: dict[int, str] = {
    0: "none",
    1: "unknown opcode",
    2: "a size is zero, or no phase is asked for",
    3: "it reaches beyond the shared memory",
    4: "it reaches beyond the DRAM",
    5: "it needs more accumulators or columns of the global buffer than there are",
}
"""Status code of a refused descriptor -> meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One loop of a descriptor: `command` for each value of the counts, the last count fastest.

    Parameters
    ----------
    command : str
        A device command.
    label : str
        The cause of the cycles in which it is issued.
    counts : tuple of str
        Fields of the descriptor with the lengths of the loops.
    flag : str
        Field that asks for the phase; "" if it always runs.
    opens : bool
        The rows the descriptor starts with are opened before the phase, as they are needed after it.
    """

    command: str
    label: str
    counts: tuple[str, ...]
    flag: str = ""
    opens: bool = False


AIM_PHASES: dict[int, tuple[Phase, ...]] = {
    OPCODE_READ: (Phase(command="RD", label="read", counts=("outer", "groups", "run")),),
    OPCODE_WRITE: (Phase(command="WR", label="write", counts=("outer", "groups", "run")),),
    OPCODE_GEMV: (
        Phase(command="WRGB", label="register_load", counts=("copies", "columns"), flag="load", opens=True),
        Phase(command="WRMAC16", label="register_load", counts=("outputs",), flag="clear", opens=True),
        Phase(command="MAC16", label="mac", counts=("outputs", "columns"), flag="multiply"),
        Phase(command="RDMAC16", label="result_read", counts=("outputs",), flag="read"),
    ),
}
"""Opcode -> phases, in order, of a controller of a GDDR6-AiM channel."""

CONTROLLER_LABELS: dict[str, str] = {
    "idle": "No descriptor is open and no refresh is due.",
    "prepare": "A descriptor is being looked at: its pointer is read, its bounds are checked.",
    "read": "A column of a bank was read for the shared memory.",
    "write": "A word of the shared memory was written into a bank.",
    "register_load": "A word was written into the global buffer or the accumulators.",
    "mac": "A column of all banks was multiplied with the global buffer's word and accumulated.",
    "result_read": "Accumulators were read.",
    "row_switch": "A row command was issued, or something waited for one, or for an opened row to be ready.",
    "mode": "The mode was changed, or a command waited for the change.",
    "turnaround": "A column command waited for another column command.",
    "refresh": "A refresh was due and not issued, or something waited for it to end.",
    "drain": "All commands of the descriptor are issued, its last word has not arrived.",
}
"""Label of a cycle of the controller -> definition. Every cycle since reset has exactly one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Words from DRAM to the shared memory (`write` False) or back (`write` True), one after another.

    A DRAM word address is (row, column, bank), bank in the low bits: successive addresses lie in successive banks. On
    HBM-PIM it is (parity, row, column, place of the bank), see `hw.spec.hbm_pim_controller.address_of`. The words are
    those at address + i x outer_stride + j x stride + k, for each i below outer, j below groups, k below run.

    Parameters
    ----------
    write : bool
    address : int
        DRAM address of the first word.
    shared : int
        Its word in the shared memory; the others follow it.
    run, groups, outer : int
        Lengths of the three loops, `run` the fastest.
    stride, outer_stride : int
        Steps of the DRAM address: a stride of `banks` goes along the row of one bank.
    wide : bool
        Rows are opened and closed in all banks at once; on HBM-PIM in all banks of the word's parity, one after
        another, before the word.
    pointer, scale : int or None, int
        If `pointer` is given, with n the low 16 bits of that word of the shared memory, (n div banks) x scale + n mod
        banks is added to `address`: output n of a matrix laid out for `Gemv`. On HBM-PIM n x scale is added.
    """

    write: bool
    address: int
    shared: int
    run: int = 1
    groups: int = 1
    outer: int = 1
    stride: int = 0
    outer_stride: int = 0
    wide: bool = False
    pointer: int | None = None
    scale: int = 0

    @property
    def words(self) -> int:
        """Words moved."""
        return self.run * self.groups * self.outer

    def pack(self) -> int:
        """The descriptor as one integer."""
        values = {
            name: int(getattr(self, name))
            for name in ("wide", "outer", "groups", "run", "outer_stride", "stride", "address", "shared", "scale")
        }
        return pack(
            TRANSFER_FIELDS,
            values
            | {
                "opcode": OPCODE_WRITE if self.write else OPCODE_READ,
                "unused": 0,
                "indirect": self.pointer is not None,
                "pointer": self.pointer or 0,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gemv:
    """Products of rows of the banks with a vector: up to 32 outputs in every bank at a time.

    Output j of bank b uses `columns` columns from column + (j mod copies) x pitch of row `row` + (j div copies) x
    row_step. `load`: the global buffer's column + i x pitch + c = word source + c, for each i below copies and c below
    columns. `clear`: accumulators 0 to outputs - 1 become zero. `multiply`: the products are added to them. `read`:
    word destination + j = output j of all banks, bank b in lane b. `pitch` 0 stands for `columns`.

    Parameters
    ----------
    columns : int
        Columns of a row, and words of the vector, that one output takes.
    outputs : int
        Outputs of every bank, one accumulator each.
    row : int
        First row of the weights.
    copies : int
        Outputs whose weights share a row, each with a copy of the vector in the global buffer.
    pitch : int
        Columns from one copy to the next; 0 stands for `columns`.
    column : int
        First column, in the rows and in the global buffer.
    row_step : int
        Rows from one group of `copies` outputs to the next.
    source : int
        First word of the vector in the shared memory; read only with `load`.
    destination : int
        First word of the results in the shared memory; written only with `read`.
    load, clear, multiply, read : bool
        Which phases are asked for; none at all is refused.
    """

    columns: int
    outputs: int
    row: int
    copies: int = 1
    pitch: int = 0
    column: int = 0
    row_step: int = 1
    source: int = 0
    destination: int = 0
    load: bool = True
    clear: bool = True
    multiply: bool = True
    read: bool = True

    def pack(self) -> int:
        """The descriptor as one integer."""
        values = {name: int(getattr(self, name)) for name in GEMV_FIELDS if name not in ("opcode", "unused")}
        return pack(GEMV_FIELDS, values | {"opcode": OPCODE_GEMV, "unused": 0, "pitch": self.pitch or self.columns})


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A descriptor bit by bit, whether the controller understands it or not.

    Parameters
    ----------
    word : int
        The whole descriptor of `DESCRIPTOR_BITS` bits, opcode in the lowest 8.
    """

    word: int

    def pack(self) -> int:
        """The descriptor as one integer."""
        return self.word


MemoryCommand = Transfer | Gemv | Raw

DESCRIPTOR_BITS = command_bits()
"""Width of a descriptor of any unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerSpec:
    """A memory controller and its channel.

    Parameters
    ----------
    pim : PimSpec
        The device whose channel it drives.
    rows : int
        Rows of each bank that are there; a power of two.
    shared_words : int
        Words of the shared memory, each as wide as a column.
    refresh : bool
        False only to compare with simulators that issue none.
    """

    pim: PimSpec
    rows: int
    shared_words: int
    refresh: bool = True

    def __post_init__(self) -> None:
        most = self.pim.dram.organisation.rows
        if self.rows < 2 or self.rows & (self.rows - 1) or self.rows > most:
            raise InputError(f"rows of a bank must be a power of two from 2 to {most}, not {self.rows}")
        if not 1 <= self.shared_words <= 1 << 16:
            raise InputError(f"shared_words must be from 1 to {1 << 16}, not {self.shared_words}")

    @property
    def words(self) -> int:
        """DRAM words of the channel."""
        organisation = self.pim.dram.organisation
        return organisation.banks * organisation.columns * self.rows


def moved_after(timing: Timing) -> dict[str, int]:
    """Command of AiM -> cycles from its issue until its word has moved; 1 for every other."""
    burst = timing["t_burst"]
    return {
        "RD": timing["rl"] + burst,
        "WR": timing["wl"] + burst,
        "WRGB": timing["wl_buffer"] + burst,
        "WRMAC16": timing["wl_register"] + burst,
        "RDMAC16": timing["rl_register"] + burst,
    }


def in_register_mode(command: Command) -> bool:
    """Whether `command` needs the register mode."""
    return command.requires == ("register",)
