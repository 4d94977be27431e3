"""Fair between clients: the one that was served the fewest tokens is next, in the order of arrival within each.

The counter of a client that comes back is lifted to the least of those who wait, so that idle time is no credit (the
virtual token counter of Sheng et al., Fairness in Serving Large Language Models, OSDI 2024). A token of the answer
counts twice one of the prompt, as there.
"""

from collections import deque
from typing import Any

from model.serving.request import Request

ANSWER_WEIGHT = 2


class Policy:
    """One queue for each client."""

    __slots__ = ("_first", "_queues", "_served", "_size")

    def __init__(self) -> None:
        self._queues: dict[Any, deque[Request]] = {}
        self._served: dict[Any, int] = {}
        self._first: deque[Request] = deque()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def push(self, request: Request) -> None:
        """A new request."""
        queue = self._queues.get(request.client)
        if queue is None:
            least = min((self._served[c] for c in self._queues), default=0)
            self._served[request.client] = max(self._served.get(request.client, 0), least)
            queue = self._queues[request.client] = deque()
        queue.append(request)
        self._size += 1

    def back(self, request: Request) -> None:
        """A request that was put back; its tokens are counted already."""
        self._first.appendleft(request)
        self._size += 1

    def peek(self) -> Request:
        """The next."""
        return self._first[0] if self._first else self._queues[self._least()][0]

    def pop(self) -> Request:
        """The next, taken out."""
        self._size -= 1
        if self._first:
            return self._first.popleft()
        client = self._least()
        queue = self._queues[client]
        request = queue.popleft()
        self._served[client] += request.prompt + ANSWER_WEIGHT * request.answer
        if not queue:
            del self._queues[client]
        return request

    def _least(self) -> Any:
        served = self._served
        return min(self._queues, key=lambda c: (served[c], self._queues[c][0].number))
