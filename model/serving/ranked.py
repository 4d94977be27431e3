"""A queue by rank, for the orders that are more than first come, first served."""

from heapq import heappop, heappush
from typing import Any

from model.serving.request import Request


class Ranked:
    """The smallest rank first; equal ranks in the order of the load. What was put back goes before all else."""

    __slots__ = ("_heap",)

    def __init__(self) -> None:
        self._heap: list[tuple[Any, int, Request]] = []

    def rank(self, request: Request) -> Any:
        """To be given by the order."""
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, request: Request) -> None:
        """A new request."""
        heappush(self._heap, ((1, self.rank(request)), request.number, request))

    def back(self, request: Request) -> None:
        """A request that was put back."""
        heappush(self._heap, ((0, self.rank(request)), request.number, request))

    def peek(self) -> Request:
        """The next."""
        return self._heap[0][2]

    def pop(self) -> Request:
        """The next, taken out."""
        return heappop(self._heap)[2]
