"""Requests of a session, or with the same beginning, stay on one instance while it is not much busier than the
idlest.
"""

from collections.abc import Sequence
from typing import Any

from model.serving.request import Request

MOST = 2.0
"""Load over that of the idlest instance at which a session moves; assumed."""


class Policy:
    """Remembers where a session or a beginning was last."""

    looks_at_load = True

    def __init__(self, instances: int) -> None:
        self._place: dict[Any, int] = {}

    def choose(self, request: Request, loads: Sequence[float], alive: Sequence[int]) -> int:
        """Where it was, or the least loaded."""
        least = min(alive, key=loads.__getitem__)
        key = request.session if request.session is not None else request.prefix
        if key is None:
            return least
        place = self._place.get(key, least)
        if place not in alive or loads[place] > MOST * loads[least] + request.prompt + request.answer:
            place = least
        self._place[key] = place
        return place
