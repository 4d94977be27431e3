"""Where requests come from while the simulator runs: a list in time, or a closed loop of users."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from model.serving.request import Request


class Stream:
    """Requests at times of their own. `load` makes the iterator anew; a resumed run skips what it took."""

    def __init__(self, load: Callable[[], Iterable[Request]], check: Callable[[Request], None] | None = None) -> None:
        self._load = load
        self._check = check
        self._iterator: Iterator[Request] = iter(load())
        self.taken = 0

    def take(self) -> Request | None:
        """The next in time."""
        request = next(self._iterator, None)
        if request is not None:
            self.taken += 1
            if self._check is not None:
                self._check(request)
        return request

    def done(self, request: Request, now: float) -> None:
        """Nothing follows from it."""

    def __getstate__(self) -> dict[str, Any]:
        return {"taken": self.taken}

    def attach(self, load: Callable[[], Iterable[Request]], check: Callable[[Request], None] | None = None) -> None:
        """After a restart: the same load, from where it was."""
        self._load, self._check = load, check
        self._iterator = iter(load())
        for _ in range(self.taken):
            next(self._iterator)


class ClosedLoop:
    """`users` that each send a request when the one before ends, until `requests` were sent.

    `lengths` gives (prompt, answer) of a request by its number. All begin at time 0.
    """

    def __init__(self, users: int, requests: int, lengths: Callable[[int], tuple[int, int]]) -> None:
        self.requests = requests
        self.lengths = lengths
        self.sent = 0
        self._ready: list[Request] = []
        for _ in range(min(users, requests)):
            self._send(0.0)

    def _send(self, now: float) -> None:
        if self.sent < self.requests:
            prompt, answer = self.lengths(self.sent)
            self._ready.append(Request(self.sent, now, prompt, answer, client=None))
            self.sent += 1

    def take(self) -> Request | None:
        """A request that is ready; None while all users wait."""
        return self._ready.pop(0) if self._ready else None

    def done(self, request: Request, now: float) -> None:
        """Its user sends the next."""
        self._send(now)
