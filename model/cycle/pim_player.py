"""Plays a segmented stream on a controller and reuses what it has already stepped through.

A segment is stepped once for each state it is met in; the next time the same segment (with the same outlook) meets the
same state, its length, its events and the state it leaves behind are taken from the first time. That is exact: the
state holds everything the controller's choices depend on. Segments a refresh falls into are always stepped.
"""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

from model.cycle.pim_channel import seen_elsewhere
from model.cycle.pim_controller import Controller
from model.cycle.pim_stream import Request, Segment, is_reserved, moved


@dataclass(slots=True)
class _Step:
    """What stepping through requests came to. `state`: number of the state it left; `uses`: times it was reused since
    the controller's tally was last brought up to date."""

    cycles: int
    state: int
    tally: list[int]
    finish: int
    queue: tuple[Request, ...]
    uses: int = 0


class Player:
    """Plays streams on one controller. `stepped` and `reused` count segments."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.known: dict[tuple[object, ...], _Step] = {}
        self.stepped = 0
        self.reused = 0
        # states met so far have numbers; _moved: number, rows further down -> number of the same state seen from there
        self._states: list[tuple[object, ...]] = []
        self._numbers: dict[tuple[object, ...], int] = {}
        self._moved: dict[tuple[int, int], int] = {}
        # number of the controller's state and the row it is seen from, while nothing was stepped since; True: the
        # controller itself was not put into that state yet
        self._left: tuple[int, int] | None = None
        self._ahead = False
        self._used: list[_Step] = []
        self._split: dict[int, list[tuple[tuple[Request, ...], int]]] = {}
        self._shared: dict[tuple[Request, ...], tuple[Request, ...]] = {}

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
            step = self.known.get(key) if key else None
            if step is not None and controller.now + step.cycles <= controller.next_due():
                self._reuse(step, segment.base)
                continue
            start, due, before = controller.now, controller.next_due(), self._tally()
            parts = self._parts(segment)
            after = self._part(following, 0) if following else None
            for part, outlook in zip(parts, (*parts[1:], after), strict=True):
                self._play_part(part, outlook)
            if key is not None and controller.next_due() == due and controller.waiting < 0:
                self._learn(key, start, before, segment.base, ())
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
        step = self.known.get(key) if key else None
        if step is not None and controller.now + step.cycles <= controller.next_due():
            self._reuse(step, part.base)
            return
        ahead = _resolved(outlook) if outlook else []
        controller.queue[:] = _resolved(part) + ahead
        start, due, before = controller.now, controller.next_due(), self._tally()
        self._run(len(ahead))
        if key is not None and controller.next_due() == due and controller.waiting < 0:
            self._learn(key, start, before, part.base, ())

    def _key(self, segment: Segment, following: Segment | None) -> tuple[object, ...] | None:
        """What a segment's course depends on; None while a refresh is waiting."""
        if self.controller.waiting >= 0:
            return None
        outlook = (id(following.pattern), following.base - segment.base) if following else None
        return (id(segment.pattern), outlook, self._state(segment.base))

    def _state(self, base: int) -> int:
        """Number of the controller's state as seen from row `base`."""
        if self._left is None:
            number = self._number(self.controller.state(base))
            self._left = number, base
            return number
        number, seen_from = self._left
        if seen_from == base:
            return number
        place = number, seen_from - base
        there = self._moved.get(place)
        if there is None:
            there = self._moved[place] = self._number(seen_elsewhere(self._states[number], seen_from - base))
        return there

    def _number(self, state: tuple[object, ...]) -> int:
        number = self._numbers.setdefault(state, len(self._states))
        if number == len(self._states):
            self._states.append(state)
        return number

    def _run(self, remaining: int) -> None:
        """Step until only `remaining` requests are left."""
        self._catch_up()
        self.controller.run(remaining)
        self.stepped += 1

    def _catch_up(self) -> None:
        """Put the controller into the state that reused steps have led to."""
        if self._ahead and self._left is not None:
            number, base = self._left
            self.controller.restore(self._states[number], base, self.controller.now)
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

    def _cut(self, segment: Segment) -> list[tuple[tuple[Request, ...], int]]:
        """Patterns between fences and the row each starts at; those that differ only in their first row and column are
        one."""
        pattern = segment.pattern
        made = self._split.get(id(pattern))
        if made is None:
            cuts = [0] + [i + 1 for i, r in enumerate(pattern) if r.fence]
            made = self._split[id(pattern)] = []
            for a, b in pairwise(cuts):
                part = pattern[a:b]
                row = column = 0
                if not any([is_reserved(r.row) for r in part]):
                    row, column = min([(r.row, r.column) for r in part])
                    part = tuple([moved(r, -row, -column) for r in part])
                made.append((self._shared.setdefault(part, part), row))
        return made

    def play_open(self, segments: list[Segment]) -> None:
        """Serve `segments` without fences, each as long as the command queue (the last may be shorter)."""
        controller = self.controller
        depth, count = controller.depth, len(segments)
        fed, arrived = 0, len(controller.queue) + len(controller.pending)
        for i, segment in enumerate(segments):
            base = segment.base
            # requests beyond the queue: the next segment but one and later ones
            key = None
            if controller.waiting < 0 and len(controller.queue) == depth and i + 2 < count and not arrived:
                ahead = tuple((id(s.pattern), s.base - base) for s in segments[i + 1 : i + 3])
                queue = tuple([moved(r, -base) for r in controller.queue])
                key = (id(segment.pattern), ahead, queue, self._state(base))
                step = self.known.get(key)
                if step is not None and controller.now + step.cycles <= controller.next_due():
                    self._reuse(step, base)
                    controller.queue[:] = [moved(r, base) for r in step.queue]
                    controller.pending = deque(_resolved(segments[i + 2]))
                    fed = i + 3
                    continue
            while fed < count and len(controller.queue) + len(controller.pending) < 2 * depth:
                controller.pending.extend(_resolved(segments[fed]))
                fed += 1
            start, due = controller.now, controller.next_due()
            before = self._tally()
            while fed < count and len(controller.pending) < depth:
                controller.pending.extend(_resolved(segments[fed]))
                fed += 1
            self._run(len(controller.queue) + len(controller.pending) - len(segment.pattern))
            if (
                key is not None and controller.next_due() == due and controller.waiting < 0
                and len(controller.queue) == depth
            ):
                self._learn(key, start, before, base, tuple([moved(r, -base) for r in controller.queue]))
        self._catch_up()
        self._tally()

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
        self, key: tuple[object, ...], start: int, before: list[int], base: int, queue: tuple[Request, ...],
    ) -> None:
        controller = self.controller
        self.known[key] = _Step(
            cycles=controller.now - start, state=self._state(base),
            tally=[a - b for a, b in zip(self._tally(), before, strict=True)],
            finish=controller.finish - controller.now, queue=queue,
        )


def _resolved(segment: Segment) -> list[Request]:
    base = segment.base
    if not base:
        return list(segment.pattern)
    return [r if is_reserved(r.row) else moved(r, base) for r in segment.pattern]
