"""The vector unit's micro-operations: what one cycle does, how they repeat, what is counted."""

from dataclasses import dataclass
from typing import Literal

LANES = 16
"""Lanes of a word: 16 numbers of 16 bits, one word of the shared memory."""
Unit = Literal[
    "move",
    "multiply",
    "add",
    "maximum",
    "exp2",
    "reciprocal",
    "root",
    "select",
    "store",
    "store_index",
    "turn_in",
    "turn_out",
]
"""What a micro-operation does: `select` keeps the larger value and its index, `turn_in` and `turn_out` write a row and
read a column of the transposer."""
Source = Literal["r0", "r1", "r2", "a", "b", "c", "turn", "one", "minus_infinity", "scale", "epsilon", "zero"]
"""An operand of 16 FP32 lanes: a register, the word at a pointer, a column of the transposer, or a constant."""
Repeat = Literal["once", "words", "rows", "lanes"]
LABELS: tuple[str, ...] = ("idle", "prepare", "multiply", "add", "compare", "function", "move", "store", "transpose")
"""Every cycle has one label."""
LABEL_OF: dict[str, str] = {
    "move": "move",
    "multiply": "multiply",
    "add": "add",
    "maximum": "compare",
    "select": "compare",
    "exp2": "function",
    "reciprocal": "function",
    "root": "function",
    "store": "store",
    "store_index": "store",
    "turn_in": "transpose",
    "turn_out": "transpose",
}
"""Unit of a micro-operation -> label of its cycle."""
EVENTS: dict[str, str] = {
    "vector.descriptor": "a descriptor was carried out",
    "vector.refuse": "a descriptor was refused",
    "vector.multiply": "products of FP32 lanes",
    "vector.add": "sums of FP32 lanes",
    "vector.compare": "comparisons of lanes",
    "vector.function": "lanes of exp2, reciprocal or reciprocal root",
    "vector.move": "lanes moved into a register",
    "vector.convert": "lanes rounded to the storage format",
    "vector.transpose": "words into or out of the transposer",
    "shared_memory.vector_read": "words read by the vector unit",
    "shared_memory.vector_write": "words written by the vector unit",
}
"""Event -> what one count of it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroOperation:
    """One cycle: `to` = unit(x, y) in all lanes.

    Parameters
    ----------
    unit : Unit
        What is done.
    x, y : Source
        Both may name memory only if they name the same pointer: there is one read port.
    exchange : int
        Lane l of y is taken from lane l xor `exchange`.
    negate : bool
        The sign of y is changed.
    to : str
        "r0" to "r2", or "" for stores and `turn_in`.
    """

    unit: Unit
    x: Source = "zero"
    y: Source = "zero"
    exchange: int = 0
    negate: bool = False
    to: Literal["r0", "r1", "r2", ""] = ""

    @property
    def reads(self) -> str:
        """The pointer whose word is read: "a", "b", "c" or ""."""
        return next((s for s in (self.x, self.y) if s in ("a", "b", "c")), "")

    @property
    def writes(self) -> bool:
        """Whether a word is written to the shared memory."""
        return self.unit in ("store", "store_index", "turn_out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Micro-operations carried out `repeat` times: once, per word of a row, per row, or 16 times.

    Parameters
    ----------
    repeat : Repeat
        How often: "once", "words", "rows" or "lanes" (16 times).
    operations : tuple of MicroOperation
        Carried out in order, all of them in each repetition.
    """

    repeat: Repeat
    operations: tuple[MicroOperation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorProgram:
    """The micro-program of one operation.

    Parameters
    ----------
    opcode : int
        Code of the operation in the descriptor, 4 bits.
    title : str
        What is computed, as a formula.
    outer : "rows" or "words"
        What the sections are gone through for.
    sections : tuple of Section
        Gone through in order in each round of `outer`.
    fill : "zero" or "minus_infinity"
        What lanes of a read word beyond the row's length count as.
    across : str
        Pointer that steps by its stride inside a section and by 1 outside ("a" or "d"); the others the other way round.
    masks : bool
        Lanes beyond the row's length are stored as +0.
    """

    opcode: int
    title: str
    outer: Literal["rows", "words"]
    sections: tuple[Section, ...]
    fill: Literal["zero", "minus_infinity"] = "zero"
    across: Literal["a", "d", ""] = ""
    masks: bool = True
