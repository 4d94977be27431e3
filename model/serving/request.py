"""One request and what has become of it."""

from typing import Any


class Request:
    """A prompt and the answer it asks for.

    Parameters
    ----------
    number : int
        Place in the load; ties in time are served in this order.
    arrival : float
        Seconds.
    prompt, answer : int
        Tokens, each at least 1.
    prefix : hashable or None
        Name of the beginning of the prompt that others share.
    prefix_tokens : int
        How long that beginning is.
    session : hashable or None
        Conversation: what came before in it is the beginning of this prompt.
    client : hashable or None
        Whom the fair order counts tokens for; the session if not given.
    priority : int
        Larger goes first where the order looks at it.

    Attributes
    ----------
    cached : int
        Tokens in the cache, computed or found there.
    produced : int
        Tokens of the answer so far.
    scheduled, first, last : float
        Seconds of the start of work, the first and the last token; -1 until then.
    found : int
        Tokens of the prompt that were in the cache when it started.
    preempted : int
        Times it was put back.
    """

    __slots__ = (
        "answer",
        "arrival",
        "blocks",
        "cached",
        "client",
        "end_step",
        "first",
        "fixed",
        "found",
        "kept",
        "last",
        "number",
        "phase",
        "preempted",
        "prefix",
        "prefix_tokens",
        "priority",
        "produced",
        "prompt",
        "scheduled",
        "session",
        "swapped",
        "window_step",
    )

    def __init__(
        self,
        number: int,
        arrival: float,
        prompt: int,
        answer: int,
        *,
        prefix: Any = None,
        prefix_tokens: int = 0,
        session: Any = None,
        client: Any = None,
        priority: int = 0,
    ) -> None:
        self.number = number
        self.arrival = arrival
        self.prompt = prompt
        self.answer = answer
        self.prefix = prefix
        self.prefix_tokens = prefix_tokens
        self.session = session
        self.client = session if client is None else client
        self.priority = priority
        self.cached = self.produced = self.found = self.preempted = 0
        self.scheduled = self.first = self.last = -1.0
        # of the instance that runs it: blocks of its own, blocks shared with others, bytes that do not grow
        self.blocks = 0
        self.kept: Any = None
        self.fixed = 0.0
        self.phase = self.end_step = self.window_step = 0
        self.swapped = False

    def __lt__(self, other: "Request") -> bool:
        """Heaps may hold a request twice; which comes first is the same."""
        return False

    @property
    def context(self) -> int:
        """Tokens that must be in the cache before the next token comes: the prompt and what was produced."""
        return self.prompt + self.produced
