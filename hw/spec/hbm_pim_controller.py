"""What a memory controller of an HBM-PIM channel is told beside transfers, and the steps a product takes.

RTL and stepped model read the same table of steps.
"""

from dataclasses import dataclass
from typing import Literal

from hw.base.error import InputError
from hw.spec.command import pack
from hw.spec.dram import Timing
from hw.spec.memory_controller import CONTROLLER_LABELS, ControllerSpec
from hw.spec.pim import PimSpec

OPCODE_HBM_GEMV = 19

HBM_GEMV_FIELDS: dict[str, int] = {
    "opcode": 8,
    "words": 8,
    "first": 8,
    "passes": 8,
    "row": 16,
    "source": 16,
    "results": 16,
}
"""Field -> width of a GEMV of HBM-PIM, from bit 0 up, all unsigned."""

REGISTERS = 8
"""Vector registers of one file: input words of a tile, and outputs of a unit in one pass."""

HBM_LABELS: dict[str, str] = {name: text for name, text in CONTROLLER_LABELS.items() if name != "result_read"} | {
    "store": "The results of a pass were stored in the banks."
}
"""Label of a cycle of the controller -> definition. Every cycle since reset has exactly one."""

Row = Literal["enter", "registers", "leave", "weights", "results"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HbmGemv:
    """Products of a vector with rows of the even banks, 8 outputs of every unit in a pass.

    Output c x units + v of pass p (v: place of an even bank among the addresses, c below 8) and input word r of tile t
    (8 words of 16 inputs each) meet in that bank, column (r mod 4) x 8 + c of row `row` + 2 (p x tiles + t) + r div 4.
    Each output is left as 16 lane sums in its bank, column (p mod 4) x 8 + c of row `results` + p div 4. So words of a
    tile, and results, are read in their order at successive addresses. Lanes add their words in order, from +0, with
    one rounding to FP16 for each product and each sum.

    Parameters
    ----------
    words : int
        Input words, those of all tiles together.
    first : int
        Place r of the first word; with more than one tile 0.
    passes : int
        Times the input words are gone through, each for 8 more outputs of every unit; 0 is refused.
    row, results : int
        Even; first rows of the weights and of the results.
    source : int
        First input word in the shared memory.
    """

    words: int
    passes: int
    row: int
    results: int
    first: int = 0
    source: int = 0

    def pack(self) -> int:
        """The descriptor as one integer."""
        values = {name: int(getattr(self, name)) for name in HBM_GEMV_FIELDS if name != "opcode"}
        return pack(HBM_GEMV_FIELDS, values | {"opcode": OPCODE_HBM_GEMV})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Part of a product: for each i of its count a row opened or closed, or a column command.

    Parameters
    ----------
    name : str
        Distinct in the table; the sequence of steps and their counts go by it.
    act : "open", "close", "RD" or "WR"
        A row command or a column command.
    banks : tuple of int
        The i-th is that of the i-th command; a single one is that of all.
    row : Row
        Which row it opens or uses: one with a meaning of its own (`fixed_rows`), or that of the weights or results.
    column : int
        Of the first command; the others follow.
    data : "", "zero", "one", "program" or "shared"
        What a write carries.
    label : str
        A name of `HBM_LABELS`: what the cycles in which it is issued count as.
    holds : bool
        A due refresh waits for the end of the step.
    """

    name: str
    act: Literal["open", "close", "RD", "WR"]
    banks: tuple[int, ...]
    label: str
    row: Row = "registers"
    column: int = 0
    data: Literal["", "zero", "one", "program", "shared"] = ""
    holds: bool = False


def steps(spec: PimSpec) -> tuple[Step, ...]:
    """The steps of a product in order; from "load" to "clear" they are repeated for tiles and passes."""
    banks = spec.dram.organisation.banks
    enter, leave = spec.change("SB", "HAB"), spec.change("HAB", "SB")
    enable = spec.change("HAB", "HAB_PIM")
    program, inputs, sums = (spec.register(name) for name in ("CRF", "GRF_A", "GRF_B"))
    if enable.column is None or program.column is None or inputs.column is None or sums.column is None:
        raise InputError(f"registers and PIM mode of {spec.title} must be reached by writes, which they are not")
    ways = [
        Step(name=f"leave_{act}_{bank}", act=act, banks=(bank,), row="leave", label="mode", holds=True)
        for act in ("open", "close")
        for bank in leave.banks
    ]
    return (
        Step(name="close", act="close", banks=tuple(range(banks)), label="mode"),
        Step(name="enter", act="open", banks=enter.banks, row="enter", label="mode", holds=True),
        Step(name="program", act="WR", banks=(1,), column=program.column, data="program", label="mode"),
        Step(name="enable", act="WR", banks=(0,), column=enable.column, data="one", label="mode"),
        Step(name="load", act="WR", banks=(1,), column=inputs.column, data="shared", label="register_load"),
        Step(name="multiply", act="RD", banks=(0,), row="weights", label="mac"),
        Step(name="store", act="WR", banks=(0,), row="results", data="zero", label="store"),
        Step(name="clear", act="WR", banks=(1,), column=sums.column, data="zero", label="register_load"),
        Step(name="disable", act="WR", banks=(0,), column=enable.column, data="zero", label="mode"),
        *ways,
    )


def fixed_rows(spec: PimSpec) -> dict[str, int]:
    """Rows with a meaning of their own."""
    register = spec.register("CRF").row
    assert register is not None, "steps() has looked"
    return {
        "enter": spec.change("SB", "HAB").row, "registers": register, "leave": spec.change("HAB", "SB").row,
    }  # fmt: skip


def program_words(spec: PimSpec, words: int) -> list[int]:
    """The instruction memory of a product over `words` input words."""
    encode = spec.commands.encode
    kinds = spec.commands.operands
    aligned = {"aligned": 1}
    return [
        encode("MAC", aligned | {
            "destination": kinds["GRF_B"], "source_0": kinds["GRF_A"], "source_1": kinds["EVEN_BANK"]}),
        encode("JUMP", {"iterations": words - 1, "offset": 2}),
        encode("FILL", {"destination": kinds["EVEN_BANK"], "source_0": kinds["GRF_B"]}),
        encode("JUMP", {"iterations": 1, "offset": 4}),    # met anew each time: for ever
    ]  # fmt: skip


def hbm_moved_after(timing: Timing) -> dict[str, int]:
    """Command -> cycles from its issue until its word has moved; 1 for every other."""
    return {"RD": timing["rl"] + timing["t_burst"], "WR": timing["wl"] + timing["t_burst"]}


def banks_in_order(spec: PimSpec) -> tuple[int, ...]:
    """The even banks in the order of addresses: one of each bank group, then the next of each.

    Column commands to different bank groups may follow each other after t_ccd_s, to the same one after t_ccd_l only.
    """
    organisation = spec.dram.organisation
    per_group = organisation.banks_per_group
    if per_group % 2 or per_group & (per_group - 1):
        raise InputError(f"banks of a group of {spec.title} must be an even power of two, not {per_group}")
    return tuple(
        group * per_group + inner for inner in range(0, per_group, 2) for group in range(organisation.bank_groups)
    )


def address_of(spec: ControllerSpec, bank: int, row: int, column: int) -> int:
    """DRAM address of a transfer: the banks of one parity, then their columns, then their rows; even banks first."""
    order, columns = banks_in_order(spec.pim), spec.pim.dram.organisation.columns
    odd = bank % 2
    return ((odd * spec.rows + row) * columns + column) * len(order) + order.index(bank - odd)


def place_of(spec: ControllerSpec, address: int) -> tuple[int, int, int]:
    """(bank, row, column) of a DRAM address."""
    order, columns = banks_in_order(spec.pim), spec.pim.dram.organisation.columns
    rest, place = divmod(address, len(order))
    rest, column = divmod(rest, columns)
    odd, row = divmod(rest, spec.rows)
    return order[place] + odd, row, column


def checked(spec: ControllerSpec) -> ControllerSpec:
    """`spec`; raises `InputError` if rows of data would trigger nothing."""
    bit = spec.pim.row_without_trigger_bit
    if bit is not None and spec.rows > 1 << bit:
        raise InputError(f"rows of {spec.pim.title} that hold data must be at most {1 << bit}, not {spec.rows}")
    return spec
