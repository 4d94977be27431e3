"""The way of tokens from an engine to its clients: one process that handles them one after the other.

Tokens of a step stand in line behind those of the steps before. Over a run of steps the ends of the steps lie on a line
that bends upwards and the work on a straight one, so the last of them all waits either for what was left before the
run, or for the tokens from the first step on, or for those of the last step alone.
"""


class Outlet:
    """`token` seconds for each token; `free` is when all handed over so far are out."""

    __slots__ = ("free", "token")

    def __init__(self, token: float) -> None:
        self.token = token
        self.free = 0.0

    def send(self, tokens: int, steps: int, first: float, last: float) -> float:
        """Hand over `tokens` at each of `steps` steps, the first of which ends at `first` and the last at `last`
        (seconds); when half of the last step's are out."""
        step = tokens * self.token
        self.free = max(max(self.free, first) + steps * step, last + step)
        return self.free - step / 2
