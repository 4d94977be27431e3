"""What every description of a machine says about itself, whatever its kind."""

from typing import ClassVar, Protocol


class Machine(Protocol):
    """A frozen description from which RTL and cycle model are built; one file in `hw/spec` per sort of machine.

    Members
    -------
    part : str
        Name under which the description stands in the digest of its chip: "core", "pim", ...
    kind : str
        Name of its kind in `hw.spec.kind.KINDS`.
    number : str
        Format of its operands, a name of `hw.spec.number`.
    cells : int or None
        Multipliers that can each start a product in every cycle; None where commands set the pace, not cells.
    label : str
        Its size in a few words, for headings: "16 x 16 array".
    macs_per_cycle : int or float
        Most multiply-accumulates in a cycle.
    """

    part: ClassVar[str]

    @property
    def kind(self) -> str: ...

    @property
    def number(self) -> str: ...

    @property
    def cells(self) -> int | None: ...

    @property
    def label(self) -> str: ...

    @property
    def macs_per_cycle(self) -> int | float: ...
