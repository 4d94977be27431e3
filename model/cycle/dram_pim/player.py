"""Plays a segmented stream on a controller and reuses what it has already stepped through.

A segment is stepped once for each state it is met in; the next time the same segment (with the same outlook) meets the
same state, its length, its events and the state it leaves behind are taken from the first time. That is exact: the
state holds everything the controller's choices depend on, a waiting refresh included. Segments in which a refresh
becomes due are always stepped.
"""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

from model.cycle.dram_pim.channel import seen_elsewhere
from model.cycle.dram_pim.controller import Controller
from model.cycle.dram_pim.numbering import Numbers
from model.cycle.dram_pim.stream import Pattern, Request, Segment, is_reserved, moved


@dataclass(slots=True)
class _Step:
    """What stepping through requests came to. `state`, `queue`: numbers of the state and the queue it left; `uses`:
    times it was reused since the controller's tally was last brought up to date."""

    cycles: int
    state: int
    tally: list[int]
    finish: int
    queue: int
    uses: int = 0


def _queue_elsewhere(queue: tuple[Request, ...], rows: int) -> tuple[Request, ...]:
    return tuple([moved(r, rows) for r in queue])


class Player:
    """Plays streams on one controller. `stepped` and `reused` count segments."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.known: dict[tuple[object, ...], _Step] = {}
        self.stepped = 0
        self.reused = 0
        self._states = Numbers(seen_elsewhere)
        self._queues = Numbers(_queue_elsewhere)
        # number of the controller's state and the row it is seen from, while nothing was stepped since; True: the
        # controller itself was not put into that state yet
        self._left: tuple[int, int] | None = None
        self._ahead = False
        self._used: list[_Step] = []
        self._split: dict[Pattern, list[tuple[Pattern, int]]] = {}
        self._shared: dict[tuple[Request, ...], Pattern] = {}

    def play_fenced(self, segments: list[Segment]) -> None:
        """Serve `segments`, each of which ends with a fence; returns when the last request has been issued.

        A segment not met before in its state is taken apart at its fences, and so is one a refresh falls into: only
        the parts that are new, or hold the refresh, are stepped through.
        """
        controller = self.controller
        first = self._fill_up(segments)
        for i in range(first, len(segments)):
            segment = segments[i]
            following = segments[i + 1] if i + 1 < len(segments) else None
            key = self._key(segment, following)
            step = self.known.get(key)
            if step is not None and controller.now + step.cycles <= controller.next_due():
                self._reuse(step, segment.base)
                continue
            start, due, before = controller.now, controller.next_due(), self._tally()
            parts = self._parts(segment)
            after = self._part(following, 0) if following else None
            for part, outlook in zip(parts, (*parts[1:], after), strict=True):
                self._play_part(part, outlook)
            if controller.next_due() == due:
                self._learn(key, start, before, segment.base)
        self._catch_up()
        self._tally()
        controller.queue.clear()

    def _fill_up(self, segments: list[Segment]) -> int:
        """Step through the first segments, while the command queue is still filling; how many they are."""
        controller = self.controller
        fed = 0
        for i, segment in enumerate(segments):
            everything = fed == len(segments) and not controller.pending
            if fed > i and (everything or len(controller.queue) >= controller.depth):
                # from here on the queue always reaches to the next fence and beyond
                controller.queue.clear()
                controller.pending.clear()
                return i
            wanted = controller.depth + len(segment.pattern)
            while fed < len(segments) and len(controller.queue) + len(controller.pending) < wanted:
                controller.pending.extend(_resolved(segments[fed]))
                fed += 1
            self._run(len(controller.queue) + len(controller.pending) - len(segment.pattern))
        return len(segments)

    def _play_part(self, part: Segment, outlook: Segment | None) -> None:
        """Serve requests up to one fence; of what follows, the controller sees as far as the next."""
        controller = self.controller
        key = self._key(part, outlook)
        step = self.known.get(key)
        if step is not None and controller.now + step.cycles <= controller.next_due():
            self._reuse(step, part.base)
            return
        ahead = _resolved(outlook) if outlook else []
        controller.queue[:] = _resolved(part) + ahead
        start, due, before = controller.now, controller.next_due(), self._tally()
        self._run(len(ahead))
        if controller.next_due() == due:
            self._learn(key, start, before, part.base)

    def _key(self, segment: Segment, following: Segment | None) -> tuple[object, ...]:
        """What a segment's course depends on."""
        outlook = (following.pattern, following.base - segment.base) if following else None
        return (segment.pattern, outlook, self._state(segment.base))

    def _state(self, base: int) -> int:
        """Number of the controller's state as seen from row `base`."""
        if self._left is None:
            self._left = self._states.of(self.controller.state(base)), base
        number, seen_from = self._left
        return self._states.elsewhere(number, seen_from - base)

    def _run(self, remaining: int) -> None:
        """Step until only `remaining` requests are left."""
        self._catch_up()
        self.controller.run(remaining)
        self.stepped += 1

    def _catch_up(self) -> None:
        """Put the controller into the state that reused steps have led to."""
        if self._ahead and self._left is not None:
            number, base = self._left
            self.controller.restore(self._states.values[number], base, self.controller.now)
        self._left, self._ahead = None, False

    def _tally(self) -> list[int]:
        """The controller's tally, brought up to date."""
        tally = self.controller.tally
        for step in self._used:
            tally = [a + step.uses * b for a, b in zip(tally, step.tally, strict=True)]
            step.uses = 0
        self._used.clear()
        self.controller.tally = tally
        return list(tally)

    def _parts(self, segment: Segment) -> list[Segment]:
        """The segment taken apart at its fences."""
        return [Segment(part, segment.base + row) for part, row in self._cut(segment)]

    def _part(self, segment: Segment, i: int) -> Segment:
        part, row = self._cut(segment)[i]
        return Segment(part, segment.base + row)

    def _cut(self, segment: Segment) -> list[tuple[Pattern, int]]:
        """Patterns between fences and the row each starts at; those that differ only in their first row and column are
        one."""
        pattern = segment.pattern
        made = self._split.get(pattern)
        if made is None:
            cuts = [0] + [i + 1 for i, r in enumerate(pattern.requests) if r.fence]
            made = self._split[pattern] = []
            for a, b in pairwise(cuts):
                part = pattern.requests[a:b]
                row = column = 0
                if not any([is_reserved(r.row) for r in part]):
                    row, column = min([(r.row, r.column) for r in part])
                    part = tuple([moved(r, -row, -column) for r in part])
                made.append((self._shared.setdefault(part, Pattern(part)), row))
        return made

    def play_open(self, segments: list[Segment]) -> None:
        """Serve `segments` without fences, each as long as the command queue (the last may be shorter)."""
        controller = self.controller
        depth, count = controller.depth, len(segments)
        fed, arrived = 0, bool(controller.queue or controller.pending)
        held: tuple[int, int] | None = None  # number of the queue and the row it is seen from, after a reused step
        for i, segment in enumerate(segments):
            base = segment.base
            # what is served from a full queue depends on it and on the next two segments
            key = None
            if i + 2 < count and not arrived and (held is not None or len(controller.queue) == depth):
                number, seen_from = held or (self._queues.of(tuple(controller.queue)), 0)
                ahead = tuple([(s.pattern, s.base - base) for s in segments[i + 1 : i + 3]])
                key = segment.pattern, ahead, self._queues.elsewhere(number, seen_from - base), self._state(base)
                step = self.known.get(key)
                if step is not None and controller.now + step.cycles <= controller.next_due():
                    self._reuse(step, base)
                    held, fed = (step.queue, base), i + 3
                    continue
            if held is not None:
                controller.queue[:] = _queue_elsewhere(self._queues.values[held[0]], held[1])
                controller.pending = deque(_resolved(segments[i + 1]))
                held = None
            while fed < count and (
                len(controller.pending) < depth or len(controller.queue) + len(controller.pending) < 2 * depth
            ):
                controller.pending.extend(_resolved(segments[fed]))
                fed += 1
            start, due, before = controller.now, controller.next_due(), self._tally()
            self._run(len(controller.queue) + len(controller.pending) - len(segment.pattern))
            if key is not None and controller.next_due() == due and len(controller.queue) == depth:
                queue = self._queues.of(_queue_elsewhere(tuple(controller.queue), -base))
                self._learn(key, start, before, base, queue)
        self._catch_up()
        self._tally()
        if held is not None:
            raise AssertionError("the last two segments of a stream are always stepped")

    def _reuse(self, step: _Step, base: int) -> None:
        controller = self.controller
        now = controller.now = controller.now + step.cycles
        self._left, self._ahead = (step.state, base), True
        if not step.uses:
            self._used.append(step)
        step.uses += 1
        controller.finish = max(controller.finish, now + step.finish)
        self.reused += 1

    def _learn(
        self,
        key: tuple[object, ...],
        start: int,
        before: list[int],
        base: int,
        queue: int = -1,
    ) -> None:
        controller = self.controller
        self.known[key] = _Step(
            cycles=controller.now - start,
            state=self._state(base),
            tally=[a - b for a, b in zip(self._tally(), before, strict=True)],
            finish=controller.finish - controller.now,
            queue=queue,
        )


def _resolved(segment: Segment) -> list[Request]:
    base = segment.base
    if not base:
        return list(segment.pattern.requests)
    return [r if is_reserved(r.row) else moved(r, base) for r in segment.pattern.requests]
