"""An engine on the cards that hold one copy of a model: continuous batching over a paged cache, by events.

Between events either an iteration with prompts is under way, or a run of decode steps whose end is the first of: a
sequence ends, a window fills, blocks run out, a request that can start arrives. A run is one event, however many tokens
it writes (`model.serving.costs`).

Conventions: a prompt of p tokens is in the cache when the first token of the answer is out; the decode step that writes
token i + 1 reads p + i tokens; the last token is never put into the cache.
"""

from math import inf, sqrt
from typing import Any

from model.serving.costs import Costs, Mixture
from model.serving.decoding import Decoding
from model.serving.holdings import Holdings
from model.serving.layout import Layout
from model.serving.outlet import Outlet
from model.serving.pool import Pool
from model.serving.request import Request

IDLE, RUN, MIXED = "idle", "run", "mixed"


class Instance:
    """One engine.

    Parameters
    ----------
    costs : Costs
    layout : Layout
    blocks : int
        Blocks of the cache.
    tokens, sequences : int
        Most tokens of an iteration and most requests that run.
    order, batching, eviction : policies
        See `model.serving.policies`.
    keeps : bool
        Beginnings are kept for later requests.
    swap : float
        Seconds to move one token of cache to or from the host's memory.
    speed : float
        Of the instance relative to others, for routers.
    ahead : bool
        The next iteration is composed while one runs: what arrives meanwhile waits for the one after.
    outlet : Outlet or None
        What sends the tokens to their clients (`model.serving.outlet`); None: they are there at once.

    Attributes
    ----------
    owner : object with `done(request, now)` and `started(request, now)`, or None
        Told of the end of each request and, if the instance `hands_over`, of its first token, after which it goes on
        elsewhere with its cache.
    due : float
        When the next event is; infinity if idle.
    loads, place : list of float, int
        A list that instances share, and where in it this one keeps its `load`.
    prefill_seconds, decode_seconds : float
        Time in iterations with prompts, and in the others.
    steps_of : dict of int to int
        Decode steps by the number of sequences, those beside prompts among them; `keys_read` and `window_keys_read` are
        the tokens of cache they read.
    mixed : int
        Iterations with prompts.
    """

    def __init__(
        self,
        costs: Costs,
        layout: Layout,
        *,
        blocks: int,
        tokens: int,
        sequences: int,
        order: Any,
        batching: Any,
        eviction: Any,
        keeps: bool = False,
        swap: float = 0.0,
        speed: float = 1.0,
        ahead: bool = False,
        outlet: Outlet | None = None,
        name: str = "instance",
    ) -> None:
        self.costs = costs
        self.layout = layout
        self.pool = Pool(blocks, layout.block, keeps=keeps)
        self.holdings = Holdings(layout, self.pool, reserves=eviction.reserves)
        self.tokens = tokens
        self.sequences = sequences
        self.waiting = order
        self.batching = batching
        self.eviction = eviction
        self.swap = swap
        self.speed = speed
        self.ahead = ahead
        self.outlet = outlet
        self.name = name
        self.owner: Any = None
        self.hands_over = False
        self.running: dict[int, Request] = {}
        self.prefilling: list[Request] = []
        self.kind = IDLE
        self.begun = 0.0
        self.due = inf
        self.loads, self.place = [0.0], 0
        self.decoding = Decoding(layout, grows=layout.grows and not eviction.reserves)
        self._steps = 0
        self._line = (0.0, 0.0)
        self._chunks: list[tuple[Request, int]] = []
        self.prefill_seconds = self.decode_seconds = 0.0
        self.block_seconds = 0.0
        self.steps_of: dict[int, int] = {}
        self.keys_read = self.window_keys_read = self.mixed = 0
        self.steps_done = self.iterations = self.preemptions = self.written = self.computed = 0
        self.sequence_seconds = 0.0
        self.watch: Any = None
        self._pause = 0.0
        self._late: list[Request] = []
        self._delay = 0.0

    @property
    def load(self) -> float:
        """Tokens of the requests that have not ended, over `speed`."""
        return self.loads[self.place]

    # requests in

    def submit(self, request: Request, now: float) -> None:
        """A request arrives at `now`; changes `due`."""
        self.loads[self.place] += (request.prompt + request.answer) / self.speed
        step = self._passed(now) if self.kind == RUN else 0
        if self.ahead and (self.kind == MIXED or (self.kind == RUN and step >= self._steps)):
            self._late.append(request)
            return
        self.waiting.push(request)
        if self.kind == IDLE:
            self._plan(now)
        elif self.kind == RUN and self._admits():
            # the run ends with the step under way, or with one more if that was composed ahead
            self._shorten(step + self.ahead)
            self.due = max(now, self.due)

    def _admits(self) -> bool:
        """The first of the waiting requests can start."""
        return len(self.running) < self.sequences and self.holdings.room(self.waiting.peek(), self.decoding.next_blocks)

    def advance(self) -> None:
        """The event at `due` happens; the next is planned."""
        now = self.due
        if self.kind == RUN:
            self._end_run(now)
        else:
            self._end_mixed(now)
        self._plan(now)

    def abandon(self) -> list[Request]:
        """Everything in the instance is lost; the requests that had not ended, to be run elsewhere."""
        left = list(self.running.values())
        while len(self.waiting):
            left.append(self.waiting.pop())
        left += self._late
        self._late = []
        for request in left:
            if request.end_step:
                self.decoding.leave(request)
            request.cached, request.kept, request.swapped = 0, None, False
        self.running.clear()
        self.prefilling.clear()
        self._chunks = []
        self.decoding = Decoding(self.layout, grows=self.decoding.grows)
        self.pool = Pool(self.pool.total, self.pool.block, keeps=self.pool.keeps)
        self.holdings = Holdings(self.layout, self.pool, reserves=self.eviction.reserves)
        self.kind, self.due, self.loads[self.place] = IDLE, inf, 0.0
        return sorted(left, key=lambda r: r.number)

    # what is next

    def _plan(self, now: float) -> None:
        self.begun = now
        if self.decoding.grows and self.decoding.count:
            self._make_room()
        chunks = self._schedule(now) if self.prefilling or len(self.waiting) else []
        late = self._late
        if late:
            for request in late:
                self.waiting.push(request)
            self._late = []
            if not chunks and not self.decoding.count:  # nothing was under way that it could have waited for
                chunks = self._schedule(now)
        if self._pause:
            self.begun, self._pause = now + self._pause, 0.0
        if chunks:
            self.kind = MIXED
            self._chunks = chunks
            self.due = self.begun + self._mixed_seconds()
        elif self.decoding.count:
            self.kind = RUN
            self._plan_run()
            if late and self._admits():
                self._shorten(1)
        else:
            self.kind, self.due = IDLE, inf

    def _plan_run(self) -> None:
        d = self.decoding
        base, slope, window_slope, floor = self.costs.line(d.count)
        first = base + slope * d.keys + window_slope * d.window_keys
        more = slope * d.count + window_slope * d.growing
        self._line = (first, more) if first >= floor else (floor, 0.0)
        steps = d.horizon()
        if first < floor and more > 0:
            steps = min(steps, int((floor - first) / more) + 1)  # then the line is above the floor
        if d.grows:
            steps = d.affordable(steps, self.pool.available)
        self._steps = steps
        self.due = self.begun + self._elapsed(steps)

    def _elapsed(self, steps: int) -> float:
        first, more = self._line
        return steps * first + more * (steps * (steps - 1) / 2)

    def _passed(self, now: float) -> int:
        """The step of the run that is under way at `now`, or ends then; 0 at the beginning of the run."""
        first, more = self._line
        passed = now - self.begun
        if passed <= 0:
            return 0
        if more > 1e-9 * first:
            # more / 2 n^2 + (first - more / 2) n = passed
            half = first - more / 2
            steps = int((sqrt(half * half + 2 * more * passed) - half) / more)
        else:
            steps = int(passed / first)
        while steps > 0 and self._elapsed(steps - 1) >= passed:
            steps -= 1
        while self._elapsed(steps) < passed:
            steps += 1
        return steps

    def _shorten(self, steps: int) -> None:
        """End the run after `steps` steps, if it is longer."""
        if steps < self._steps:
            self._steps = steps
            self.due = self.begun + self._elapsed(steps)

    def _make_room(self) -> None:
        """Put requests back, the youngest first, until the blocks of the next step are there."""
        while self.decoding.count and self.decoding.next_blocks > self.pool.available:
            self._put_back(self.running[next(reversed(self.running))])

    def _put_back(self, request: Request) -> None:
        del self.running[request.number]
        decoding = request.end_step > 0
        if decoding:
            self.decoding.leave(request)
        else:
            self.prefilling.remove(request)
        self.holdings.give(request, request.cached if decoding else request.context)
        request.preempted += 1
        self.preemptions += 1
        request.swapped = decoding and self.eviction.swaps
        if not request.swapped:
            request.cached = 0
        self.waiting.back(request)

    # admission

    def _start(self, request: Request, now: float) -> None:
        self.holdings.take(request)
        self.running[request.number] = request
        if request.scheduled < 0:
            request.scheduled = now

    def _schedule(self, now: float) -> list[tuple[Request, int]]:
        mixes = self.batching.mixes
        budget = self.tokens - (self.decoding.count if mixes else 0)
        part = self.batching.part
        chunks: list[tuple[Request, int]] = []
        for request in self.prefilling:
            if budget <= 0:
                break
            tokens = part(request.context - request.cached, budget, alone=not chunks)
            if tokens <= 0:
                break
            chunks.append((request, tokens))
            budget -= tokens
        waiting = self.waiting
        while len(waiting) and budget > 0 and len(self.running) < self.sequences:
            request = waiting.peek()
            if not self.holdings.room(request, self.decoding.next_blocks):
                break
            if request.cached:
                waiting.pop()
                self._start(request, now)
                if request.swapped:
                    self._pause += 2 * self.swap * request.cached
                request.swapped = False
                self.decoding.join(request)
                budget -= 1
                continue
            kept = self.holdings.find(request)
            todo = request.context - (kept.depth * self.layout.block if kept is not None else 0)
            tokens = part(todo, budget, alone=not chunks)
            if tokens <= 0:
                break
            waiting.pop()
            self._start(request, now)
            self.prefilling.append(request)
            chunks.append((request, tokens))
            budget -= tokens
        return chunks

    def _mixed_seconds(self) -> float:
        d = self.decoding
        decoding = d.count if self.batching.mixes else 0
        tokens = pairs = keys = window_pairs = window_keys = outputs = 0
        window = self.layout.window
        for request, n in self._chunks:
            before = request.cached
            tokens += n
            pairs += n * before + n * (n + 1) // 2
            keys += before + n
            outputs += before + n == request.context
            if window is not None:
                window_pairs += _windowed(before, n, window)
                window_keys += min(before, window - 1) + n
        return self.costs.mixed(
            Mixture(
                tokens,
                pairs,
                keys,
                len(self._chunks),
                decoding,
                d.keys if decoding else 0,
                outputs + decoding,
                window_pairs,
                window_keys,
                d.window_keys if decoding else 0,
            )
        )

    # what happened

    def _steps_passed(self, steps: int, now: float) -> None:
        """All decoding sequences have written `steps` tokens; those whose last it was end."""
        d = self.decoding
        self.pool.take(d.growth(steps))
        more = steps * (steps - 1) // 2
        self.steps_of[d.count] = self.steps_of.get(d.count, 0) + steps
        self.keys_read += d.keys * steps + d.count * more
        self.window_keys_read += d.window_keys * steps + d.growing * more
        d.passed(steps)
        self.written += d.count * steps
        self.steps_done += steps
        for request in d.ended():
            self._end(request, now)

    def _end(self, request: Request, now: float) -> None:
        del self.running[request.number]
        now += self._delay
        request.last = now
        request.cached = request.prompt + request.answer - 1
        self.holdings.give(request, request.cached, ended=True)
        self.loads[self.place] -= (request.prompt + request.answer) / self.speed
        if self.owner is not None:
            self.owner.done(request, now)

    def _end_run(self, now: float) -> None:
        passed = now - self.begun
        self.decode_seconds += passed
        self.sequence_seconds += self.decoding.count * passed
        used = self.pool.used + self.decoding.growth(self._steps) / 2
        if self.watch is not None:
            self.watch(self, self.begun, now, self.decoding.count, 0, self._steps)
        if self._steps:
            if self.outlet is not None:
                first, last = self.begun + self._line[0], now
                self._delay = self.outlet.send(self.decoding.count, self._steps, first, last) - now
            self._steps_passed(self._steps, now)
            self.iterations += self._steps
        self.block_seconds += passed * used

    def _end_mixed(self, now: float) -> None:
        passed = now - self.begun
        self.prefill_seconds += passed
        self.sequence_seconds += (self.decoding.count + len(self._chunks)) * passed
        self.block_seconds += passed * self.pool.used
        self.iterations += 1
        self.mixed += 1
        if self.watch is not None:
            self.watch(self, self.begun, now, self.decoding.count, sum(n for _, n in self._chunks), 1)
        if self.outlet is not None:
            written = self.decoding.count if self.batching.mixes else 0
            written += sum(r.cached + n == r.context for r, n in self._chunks)
            self._delay = self.outlet.send(written, 1, now, now) - now
        if self.decoding.count and self.batching.mixes:
            self._steps_passed(1, now)
        for request, tokens in self._chunks:
            request.cached += tokens
            self.computed += tokens
            if request.cached == request.context:
                self.prefilling.remove(request)
                self._first(request, now)
        self._chunks = []

    def _first(self, request: Request, now: float) -> None:
        """The prompt is done: a token comes out."""
        request.produced += 1
        self.written += 1
        if request.first < 0:
            request.first = now + self._delay
        self.holdings.keep_prefix(request)
        if request.produced == request.answer:
            self._end(request, now)
        elif self.hands_over and request.preempted == 0:
            del self.running[request.number]
            self.loads[self.place] -= (request.prompt + request.answer) / self.speed
            self.holdings.give(request, request.cached)
            self.owner.started(request, now)
        else:
            self.decoding.join(request)


def _windowed(before: int, tokens: int, window: int) -> int:
    """Pairs of query and key of a chunk under a window: the sum of min(before + i, window) for i = 1 ... tokens."""
    short = min(max(window - before, 0), tokens)
    return short * before + short * (short + 1) // 2 + (tokens - short) * window
