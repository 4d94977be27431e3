"""Requests are packed on few instances, so that the others stay idle: less power, and whole instances to switch off."""

from collections.abc import Sequence

from model.serving.request import Request

FULL = 32
"""Requests like the one that comes, at which an instance is full; assumed."""


class Policy:
    """Looks at every instance."""

    looks_at_load = True

    def __init__(self, instances: int) -> None:
        pass

    def choose(self, request: Request, loads: Sequence[float], alive: Sequence[int]) -> int:
        """The busiest that is not full, the lowest number among equals; the least loaded if all are full."""
        most = (FULL - 1) * (request.prompt + request.answer)
        room = [number for number in alive if loads[number] <= most]
        if room:
            return max(room, key=lambda number: (loads[number], -number))
        return min(alive, key=loads.__getitem__)
