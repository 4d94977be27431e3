"""Where the cycles of a job went: a label for each of them, summing to the total."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Cycles by label.

    Parameters
    ----------
    prepare : int
        The command is being decoded.
    load : int
        The first stationary operand moves in.
    fill : int
        Operand read and skew, from the last row's entry until the last column has its result.
    stream : int
        One row of operands enters per cycle.
    drain : int
        Finished results leave the array.
    bubble : int
        The array waits for itself between folds.
    stall : int
        It waits for memory.
    """

    prepare: int = 0
    load: int = 0
    fill: int = 0
    stream: int = 0
    drain: int = 0
    bubble: int = 0
    stall: int = 0

    @property
    def cycles(self) -> int:
        """Sum of all labels."""
        return sum(self.as_dict().values())

    def as_dict(self) -> dict[str, int]:
        """Label -> cycles, in the order above."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __add__(self, other: "Budget") -> "Budget":
        mine, theirs = self.as_dict(), other.as_dict()
        return Budget(**{label: mine[label] + theirs[label] for label in mine})

    def __mul__(self, times: int) -> "Budget":
        return Budget(**{label: cycles * times for label, cycles in self.as_dict().items()})
