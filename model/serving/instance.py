"""An engine on the cards that hold one copy of a model: continuous batching over a paged cache, by events.

Between events either an iteration with prompts is under way, or a run of decode steps whose end is the first of: a
sequence ends, a window fills, blocks run out, a request that can start arrives. A run is one event, however many tokens
it writes (`model.serving.costs`).

Conventions: a prompt of p tokens is in the cache when the first token of the answer is out; the decode step that writes
token i + 1 reads p + i tokens; the last token is never put into the cache.
"""

from heapq import heappop, heappush
from math import inf, sqrt
from typing import Any

from hw.base.error import InputError
from model.serving.costs import Costs, Mixture
from model.serving.layout import Layout
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

    Attributes
    ----------
    owner : object with `done(request, now)` and `started(request, now)`, or None
        Told of the end of each request and, if the instance `hands_over`, of its first token, after which it goes on
        elsewhere with its cache.
    due : float
        When the next event is; infinity if idle.
    load : float
        Tokens of the requests that have not ended.
    prefill_seconds, decode_seconds : float
        Time in iterations with prompts, and in the others.
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
        name: str = "instance",
    ) -> None:
        self.costs = costs
        self.layout = layout
        self.pool = Pool(blocks, layout.block, keeps=keeps)
        self.tokens = tokens
        self.sequences = sequences
        self.waiting = order
        self.batching = batching
        self.eviction = eviction
        self.swap = swap
        self.speed = speed
        self.name = name
        self.owner: Any = None
        self.hands_over = False
        self.running: dict[int, Request] = {}
        self.prefilling: list[Request] = []
        self.kind = IDLE
        self.begun = 0.0
        self.due = inf
        self.load = 0.0
        self.step = 0
        self.decoding = 0
        self._keys = self._window_keys = self._growing = 0
        self._ends: list[tuple[int, int, Request]] = []
        self._fills: list[tuple[int, int, Request]] = []
        self._phases = [0] * layout.block
        self._steps = 0
        self._most = 0
        self._line = (0.0, 0.0)
        self._chunks: list[tuple[Request, int]] = []
        self._grows = layout.grows and not eviction.reserves
        self.prefill_seconds = self.decode_seconds = 0.0
        self.block_seconds = 0.0
        self.steps_done = self.iterations = self.preemptions = self.written = self.computed = self.found = 0
        self.sequence_seconds = 0.0
        self.watch: Any = None
        self._pause = 0.0

    # requests in

    def needs(self, request: Request) -> int:
        """Blocks that `request` takes when its answer is complete."""
        total = request.prompt + request.answer
        growing = -(-total // self.layout.block) if self.layout.grows else 0
        return growing + self.layout.fixed(total)

    def check(self, request: Request) -> None:
        """Raise `InputError` if the whole cache does not hold `request`."""
        if self.needs(request) > self.pool.total:
            most = self.pool.total * self.layout.block
            raise InputError(
                f"a request must fit the cache: no. {request.number} has {request.prompt} + {request.answer} tokens; "
                f"the cache holds {most:,}; use more cards, a narrower cache or a shorter request"
            )

    def check_size(self, prompt: int, answer: int) -> None:
        """The same for a request of so many tokens."""
        self.check(Request(0, 0.0, prompt, answer))

    def submit(self, request: Request, now: float) -> None:
        """A request arrives at `now`; changes `due`."""
        self.waiting.push(request)
        self.load += (request.prompt + request.answer) / self.speed
        if self.kind == IDLE:
            self._plan(now)
        elif self.kind == RUN and len(self.running) < self.sequences and self._room(self.waiting.peek()):
            self._cut(now)

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
        for request in left:
            if request.number in self.running and request.end_step > 0:
                request.produced = request.answer - (request.end_step - self.step)
            request.cached, request.kept, request.swapped, request.end_step = 0, None, False, 0
        self.running.clear()
        self.prefilling.clear()
        self._ends.clear()
        self._fills.clear()
        self._chunks = []
        self._phases = [0] * self.layout.block
        self.decoding = self._keys = self._window_keys = self._growing = 0
        self.pool = Pool(self.pool.total, self.pool.block, keeps=self.pool.keeps)
        self.kind, self.due, self.load = IDLE, inf, 0.0
        return sorted(left, key=lambda r: r.number)

    # what is next

    def _plan(self, now: float) -> None:
        self.begun = now
        if self._grows and self.decoding:
            self._make_room()
        chunks = self._schedule(now) if self.prefilling or len(self.waiting) else []
        if self._pause:
            self.begun, self._pause = now + self._pause, 0.0
        if chunks:
            self.kind = MIXED
            self._chunks = chunks
            self.due = self.begun + self._mixed_seconds()
        elif self.decoding:
            self.kind = RUN
            self._plan_run()
        else:
            self.kind, self.due = IDLE, inf

    def _plan_run(self) -> None:
        base, slope, window_slope, floor = self.costs.line(self.decoding)
        first = base + slope * self._keys + window_slope * self._window_keys
        more = slope * self.decoding + window_slope * self._growing
        self._line = (first, more) if first >= floor else (floor, 0.0)
        ends = self._ends
        while ends[0][2].end_step != ends[0][0] or ends[0][1] not in self.running:
            heappop(ends)
        steps = ends[0][0] - self.step
        fills = self._fills
        while fills and (fills[0][1] not in self.running or fills[0][2].window_step != fills[0][0]):
            heappop(fills)
        if fills and fills[0][0] - self.step < steps:
            steps = fills[0][0] - self.step
        if first < floor and more > 0:
            steps = min(steps, int((floor - first) / more) + 1)  # then the line is above the floor
        if self._grows:
            room = self.pool.available
            if self._growth(steps) > room:
                steps = self._affordable(steps, room)
        self._steps = steps
        self.due = self.begun + self._elapsed(steps)

    def _elapsed(self, steps: int) -> float:
        first, more = self._line
        return steps * first + more * (steps * (steps - 1) / 2)

    def _cut(self, now: float) -> None:
        """End the run with the first step that ends at `now` or later."""
        first, more = self._line
        passed = now - self.begun
        if passed <= 0:
            steps = 0
        elif more > 1e-9 * first:
            # more / 2 n^2 + (first - more / 2) n = passed
            half = first - more / 2
            steps = int((sqrt(half * half + 2 * more * passed) - half) / more)
        else:
            steps = int(passed / first)
        while steps > 0 and self._elapsed(steps - 1) >= passed:
            steps -= 1
        while self._elapsed(steps) < passed:
            steps += 1
        if steps < self._steps:
            self._steps = steps
            self.due = max(now, self.begun + self._elapsed(steps))

    def _growth(self, steps: int) -> int:
        """Blocks that the decoding sequences begin in the next `steps` steps."""
        block = self.layout.block
        rounds, rest = divmod(steps, block)
        total = rounds * self.decoding
        phases, step = self._phases, self.step
        for i in range(step, step + rest):
            total += phases[i % block]
        return total

    def _affordable(self, most: int, room: int) -> int:
        """The most steps, below `most`, whose blocks are there; at least 1, which `_make_room` saw to."""
        block = self.layout.block
        steps = (room // self.decoding) * block
        total = (room // self.decoding) * self.decoding
        while steps < most:
            total += self._phases[(self.step + steps) % block]
            if total > room:
                break
            steps += 1
        return max(1, steps)

    def _make_room(self) -> None:
        """Put requests back, the youngest first, until the blocks of the next step are there."""
        while self.decoding and self._phases[self.step % self.layout.block] > self.pool.available:
            self._put_back(self.running[next(reversed(self.running))])

    def _put_back(self, request: Request) -> None:
        del self.running[request.number]
        decoding = request.end_step > 0
        if decoding:
            self._leave_steps(request)
        else:
            self.prefilling.remove(request)
        self._release(request, request.cached if decoding else request.context)
        request.preempted += 1
        self.preemptions += 1
        request.swapped = decoding and self.eviction.swaps
        if not request.swapped:
            request.cached = 0
        self.waiting.back(request)

    def _leave_steps(self, request: Request) -> None:
        """A decoding sequence leaves the steps; what it produced is written down."""
        request.produced = request.answer - (request.end_step - self.step)
        request.cached = request.prompt + request.produced - 1
        key = request.prompt + request.produced
        self._keys -= key
        window = self.layout.window
        if window is not None:
            if key < window:
                self._growing -= 1
            self._window_keys -= min(key, window)
        self._phases[request.phase] -= 1
        self.decoding -= 1
        request.end_step = 0

    def _join_steps(self, request: Request) -> None:
        request.end_step = self.step + request.answer - request.produced
        key = request.prompt + request.produced
        self._keys += key
        window = self.layout.window
        if window is not None:
            if key < window:
                self._growing += 1
                request.window_step = self.step + window - key
                heappush(self._fills, (request.window_step, request.number, request))
            self._window_keys += min(key, window)
        request.phase = (self.step - key + 1) % self.layout.block
        self._phases[request.phase] += 1
        self.decoding += 1
        heappush(self._ends, (request.end_step, request.number, request))

    # admission

    def _own_blocks(self, request: Request, cached: int) -> int:
        """Blocks that the request holds besides a kept beginning, with `cached` tokens in the cache."""
        total = request.prompt + request.answer
        tokens = total if self.eviction.reserves else cached
        growing = -(-tokens // self.layout.block) if self.layout.grows else 0
        return growing + self.layout.fixed(total) - (request.kept.depth if request.kept is not None else 0)

    def _find(self, request: Request) -> Any:
        """The longest kept beginning of the request's prompt."""
        if not self.pool.keeps or request.produced or request.cached:
            return None
        block, most = self.layout.block, (request.prompt - 1) // self.layout.block
        for key in (("session", request.session), ("prefix", request.prefix)):
            if key[1] is not None:
                kept = self.pool.known.get(key)
                if (
                    kept is not None
                    and kept.depth <= most
                    and (key[0] == "session" or kept.depth * block <= request.prefix_tokens)
                ):
                    return kept
        return None

    def _room(self, request: Request) -> bool:
        kept = self._find(request)
        shared = kept.depth if kept is not None else 0
        room = self.pool.available
        while kept is not None:  # unused beginnings that it would use cannot be given up for it
            room -= 0 if kept.users else kept.blocks
            kept = kept.parent
        tokens = request.prompt + request.answer if self.eviction.reserves else request.context
        need = (-(-tokens // self.layout.block) if self.layout.grows else 0) - shared
        need += self.layout.fixed(request.prompt + request.answer)
        if self._grows:
            need += self._phases[self.step % self.layout.block]
        return need <= room

    def _admit(self, request: Request, now: float) -> None:
        moved = request.cached > 0  # its cache comes from the host or from another instance
        kept = None if moved else self._find(request)
        if kept is not None:
            self.pool.use(kept)
            request.kept = kept
            request.cached = request.found = kept.depth * self.layout.block
            self.found += request.found
        self.pool.take(self._own_blocks(request, request.context if not moved else request.cached))
        self.running[request.number] = request
        if request.scheduled < 0:
            request.scheduled = now

    def _schedule(self, now: float) -> list[tuple[Request, int]]:
        mixes = self.batching.mixes
        budget = self.tokens - (self.decoding if mixes else 0)
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
            if not self._room(request):
                break
            if request.cached:
                waiting.pop()
                self._admit(request, now)
                if request.swapped:
                    self._pause += 2 * self.swap * request.cached
                request.swapped = False
                self._join_steps(request)
                budget -= 1
                continue
            kept = self._find(request)
            todo = request.context - (kept.depth * self.layout.block if kept is not None else 0)
            tokens = part(todo, budget, alone=not chunks)
            if tokens <= 0:
                break
            waiting.pop()
            self._admit(request, now)
            self.prefilling.append(request)
            chunks.append((request, tokens))
            budget -= tokens
        return chunks

    def _mixed_seconds(self) -> float:
        decoding = self.decoding if self.batching.mixes else 0
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
                self._keys if decoding else 0,
                outputs + decoding,
                window_pairs,
                window_keys,
                self._window_keys if decoding else 0,
            )
        )

    # what happened

    def _steps_passed(self, steps: int) -> None:
        """All decoding sequences have written `steps` tokens."""
        if self._grows:
            self.pool.take(self._growth(steps))
        self.step += steps
        self._keys += self.decoding * steps
        self._window_keys += self._growing * steps
        self.written += self.decoding * steps
        self.steps_done += steps
        fills = self._fills
        while fills and fills[0][0] <= self.step:
            at, number, request = heappop(fills)
            if number in self.running and request.window_step == at and request.end_step:
                self._growing -= 1

    def _finish(self, now: float) -> None:
        """Sequences whose last token came with this step end."""
        ends, step = self._ends, self.step
        while ends and ends[0][0] <= step:
            at, number, request = heappop(ends)
            if request.end_step != at or number not in self.running:
                continue
            self._leave_steps(request)
            self._end(request, now)

    def _end(self, request: Request, now: float) -> None:
        del self.running[request.number]
        request.last = now
        request.cached = request.prompt + request.answer - 1
        self._release(request, request.cached, ended=True)
        self.load -= (request.prompt + request.answer) / self.speed
        if self.owner is not None:
            self.owner.done(request, now)

    def _release(self, request: Request, tokens: int, *, ended: bool = False) -> None:
        """Give back what a request with blocks for `tokens` tokens holds; a session keeps its whole blocks."""
        own = self._own_blocks(request, tokens)
        kept = request.kept
        if ended and self.pool.keeps and request.session is not None and self.layout.grows:
            whole = request.cached // self.layout.block - (kept.depth if kept is not None else 0)
            if whole > 0:
                kept = self.pool.keep(("session", request.session), whole, kept)
                own -= whole
        if kept is not None:
            self.pool.leave(kept)
        self.pool.give(own)
        request.kept = None

    def _end_run(self, now: float) -> None:
        passed = now - self.begun
        self.decode_seconds += passed
        self.sequence_seconds += self.decoding * passed
        used = self.pool.used
        if self.watch is not None:
            self.watch(self, self.begun, now, self.decoding, 0, self._steps)
        if self._steps:
            self._steps_passed(self._steps)
            self.iterations += self._steps
        self.block_seconds += passed * (used + self.pool.used) / 2
        self._finish(now)

    def _end_mixed(self, now: float) -> None:
        passed = now - self.begun
        self.prefill_seconds += passed
        self.sequence_seconds += (self.decoding + len(self._chunks)) * passed
        self.block_seconds += passed * self.pool.used
        self.iterations += 1
        if self.watch is not None:
            self.watch(self, self.begun, now, self.decoding, sum(n for _, n in self._chunks), 1)
        if self.decoding and self.batching.mixes:
            self._steps_passed(1)
            self._finish(now)
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
            request.first = now
        if self.pool.keeps and request.prefix is not None and request.kept is None and self.layout.grows:
            whole = min(request.prefix_tokens, request.prompt) // self.layout.block
            if whole and ("prefix", request.prefix) not in self.pool.known:
                request.kept = self.pool.keep(("prefix", request.prefix), whole, None)
        if request.produced == request.answer:
            self._end(request, now)
        elif self.hands_over and request.preempted == 0:
            del self.running[request.number]
            self.load -= (request.prompt + request.answer) / self.speed
            self._release(request, request.cached)
            self.owner.started(request, now)
        else:
            self._join_steps(request)


def _windowed(before: int, tokens: int, window: int) -> int:
    """Pairs of query and key of a chunk under a window: the sum of min(before + i, window) for i = 1 ... tokens."""
    short = min(max(window - before, 0), tokens)
    return short * before + short * (short + 1) // 2 + (tokens - short) * window
