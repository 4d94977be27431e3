"""The less loaded of two that a fixed sequence draws (Mitzenmacher, The power of two choices, 2001)."""

from collections.abc import Sequence

from model.serving.request import Request


class Policy:
    """A linear congruential sequence: the same on every machine."""

    looks_at_load = True

    def __init__(self, instances: int) -> None:
        self._state = 12345

    def choose(self, request: Request, loads: Sequence[float], alive: Sequence[int]) -> int:
        """The less loaded of the two."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
        one = alive[(self._state >> 33) % len(alive)]
        other = alive[(self._state >> 13) % len(alive)]
        return one if loads[one] <= loads[other] else other
