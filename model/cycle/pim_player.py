"""Plays a segmented stream on a controller and reuses what it has already stepped through.

A segment is stepped once for each state it is met in; the next time the same segment (with the same outlook) meets the
same state, its length, its events and the state it leaves behind are taken from the first time. That is exact: the
state holds everything the controller's choices depend on. Segments a refresh falls into are always stepped.
"""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

from model.cycle.pim_controller import Controller
from model.cycle.pim_stream import Request, Segment, is_reserved


@dataclass(slots=True)
class _Step:
    cycles: int
    state: tuple[object, ...]
    tally: list[int]
    finish: int
    queue: tuple[Request, ...]


class Player:
    """Plays streams on one controller. `stepped` and `reused` count segments."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.known: dict[tuple[object, ...], _Step] = {}
        self.stepped = 0
        self.reused = 0
        self._split: dict[int, list[tuple[Request, ...]]] = {}

    def play_fenced(self, segments: list[Segment]) -> None:
        """Serve `segments`, each of which ends with a fence; returns when the last request has been issued.

        Where a refresh is near, a segment is taken apart at its fences, so that only the parts it falls into are
        stepped.
        """
        controller = self.controller
        stream = _Stream(controller, segments)
        for i, segment in enumerate(segments):
            following = segments[i + 1] if i + 1 < len(segments) else None
            full = stream.full()
            key = self._key(segment, following) if full else None
            step = self.known.get(key) if key else None
            if step is not None and controller.now + step.cycles <= controller.next_due():
                self._reuse(step, segment.base)
                stream.loaded = False
                continue
            near = controller.next_due() - controller.now < (step.cycles if step else 12 * len(segment.pattern))
            parts = self._parts(segment) if full and (near or controller.waiting >= 0) else [segment]
            if len(parts) == 1:
                self._step(stream, i, 0, segment, key)
                continue
            done = 0
            for j, part in enumerate(parts):
                nearest = parts[j + 1] if j + 1 < len(parts) else self._parts(following)[0] if following else None
                key = self._key(part, nearest)
                step = self.known.get(key) if key else None
                if step is not None and controller.now + step.cycles <= controller.next_due():
                    self._reuse(step, part.base)
                    stream.loaded = False
                else:
                    self._step(stream, i, done, part, key)
                done += len(part.pattern)
        if not stream.loaded:
            controller.queue.clear()
            controller.pending.clear()

    def _key(self, segment: Segment, following: Segment | None) -> tuple[object, ...] | None:
        """What a segment's course depends on; None while a refresh is waiting."""
        if self.controller.waiting >= 0:
            return None
        outlook = (id(following.pattern), following.base - segment.base) if following else None
        return (id(segment.pattern), outlook, self.controller.state(segment.base))

    def _parts(self, segment: Segment) -> list[Segment]:
        """The segment taken apart at its fences."""
        pattern = segment.pattern
        if id(pattern) not in self._split:
            cuts = [0] + [i + 1 for i, r in enumerate(pattern) if r.fence]
            self._split[id(pattern)] = [pattern[a:b] for a, b in pairwise(cuts)]
        return [Segment(part, segment.base) for part in self._split[id(pattern)]]

    def _step(
        self, stream: "_Stream", index: int, skip: int, segment: Segment, key: tuple[object, ...] | None,
    ) -> None:
        """Step through `segment`, which is segment `index` of the stream from its request `skip` on."""
        controller = self.controller
        stream.load(index, skip, len(segment.pattern))
        start, due = controller.now, controller.next_due()
        before = list(controller.tally)
        controller.run(len(controller.queue) + len(controller.pending) - len(segment.pattern))
        self.stepped += 1
        if key is not None and controller.next_due() == due and controller.waiting < 0:
            self._learn(key, start, before, segment.base, ())

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
                queue = tuple(r._replace(row=r.row - base) for r in controller.queue)
                key = (id(segment.pattern), ahead, queue, controller.state(base))
                step = self.known.get(key)
                if step is not None and controller.now + step.cycles <= controller.next_due():
                    self._reuse(step, base)
                    controller.queue[:] = [r._replace(row=r.row + base) for r in step.queue]
                    controller.pending = deque(_resolved(segments[i + 2]))
                    fed = i + 3
                    continue
            while fed < count and len(controller.queue) + len(controller.pending) < 2 * depth:
                controller.pending.extend(_resolved(segments[fed]))
                fed += 1
            start, due = controller.now, controller.next_due()
            before = list(controller.tally)
            while fed < count and len(controller.pending) < depth:
                controller.pending.extend(_resolved(segments[fed]))
                fed += 1
            controller.run(len(controller.queue) + len(controller.pending) - len(segment.pattern))
            self.stepped += 1
            if (
                key is not None and controller.next_due() == due and controller.waiting < 0
                and len(controller.queue) == depth
            ):
                self._learn(key, start, before, base, tuple(r._replace(row=r.row - base) for r in controller.queue))

    def _reuse(self, step: _Step, base: int) -> None:
        controller = self.controller
        now = controller.now + step.cycles
        controller.restore(step.state, base, now)
        controller.tally = [a + b for a, b in zip(controller.tally, step.tally, strict=True)]
        controller.finish = max(controller.finish, now + step.finish)
        self.reused += 1

    def _learn(
        self, key: tuple[object, ...], start: int, before: list[int], base: int, queue: tuple[Request, ...],
    ) -> None:
        controller = self.controller
        self.known[key] = _Step(
            cycles=controller.now - start, state=controller.state(base),
            tally=[a - b for a, b in zip(controller.tally, before, strict=True)],
            finish=controller.finish - controller.now, queue=queue,
        )


class _Stream:
    """Feeds a controller's queue with the requests of `segments`, as if it had always been full."""

    def __init__(self, controller: Controller, segments: list[Segment]) -> None:
        self.controller, self.segments = controller, segments
        self.loaded = True          # the queue holds the next requests
        self.fed = 0                # segments given to the controller so far

    def full(self) -> bool:
        """True if the command queue holds all it can: its filling up is over."""
        controller = self.controller
        return not self.loaded or len(controller.queue) >= controller.depth or (
            self.fed >= len(self.segments) and not controller.pending
        )

    def load(self, index: int, skip: int, size: int) -> None:
        """Have at least the `size` requests from request `skip` of segment `index` on, and what the queue holds."""
        controller = self.controller
        full = self.full()
        if not self.loaded:
            controller.queue.clear()
            controller.pending.clear()
            controller.pending.extend(_resolved(self.segments[index])[skip:])
            self.fed, self.loaded = index + 1, True
        wanted = controller.depth + size
        while self.fed < len(self.segments) and len(controller.queue) + len(controller.pending) < wanted:
            controller.pending.extend(_resolved(self.segments[self.fed]))
            self.fed += 1
        while full and controller.pending and len(controller.queue) < controller.depth:
            controller.queue.append(controller.pending.popleft())


def _resolved(segment: Segment) -> list[Request]:
    base = segment.base
    if not base:
        return list(segment.pattern)
    return [r if is_reserved(r.row) else r._replace(row=r.row + base) for r in segment.pattern]
