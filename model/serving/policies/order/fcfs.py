"""First come, first served; what was put back goes first."""

from collections import deque

from model.serving.request import Request


class Policy:
    """A queue."""

    __slots__ = ("_queue",)

    def __init__(self) -> None:
        self._queue: deque[Request] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    def push(self, request: Request) -> None:
        """A new request."""
        self._queue.append(request)

    def back(self, request: Request) -> None:
        """A request that was put back."""
        self._queue.appendleft(request)

    def peek(self) -> Request:
        """The next."""
        return self._queue[0]

    def pop(self) -> Request:
        """The next, taken out."""
        return self._queue.popleft()
