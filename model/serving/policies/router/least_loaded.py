"""The instance with the fewest tokens still to do, for its speed."""

from collections.abc import Sequence

from model.serving.request import Request


class Policy:
    """Looks at every instance."""

    looks_at_load = True

    def __init__(self, instances: int) -> None:
        pass

    def choose(self, request: Request, loads: Sequence[float], alive: Sequence[int]) -> int:
        """The least load, the lowest number among equals."""
        if len(alive) == len(loads):
            return loads.index(min(loads))
        return min(alive, key=loads.__getitem__)
