"""One after the other."""

from collections.abc import Sequence

from model.serving.request import Request


class Policy:
    """Counts."""

    looks_at_load = False

    def __init__(self, instances: int) -> None:
        self._next = 0

    def choose(self, request: Request, loads: Sequence[float], alive: Sequence[int]) -> int:
        """The next that runs."""
        chosen = alive[self._next % len(alive)]
        self._next += 1
        return chosen
