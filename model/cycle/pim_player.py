"""Plays a segmented stream on a controller and reuses what it has already stepped through.

A segment is stepped once for each state it is met in; the next time the same segment (with the same outlook) meets the
same state, its length, its events and the state it leaves behind are taken from the first time. That is exact: the
state holds everything the controller's choices depend on. Segments a refresh falls into are always stepped.
"""

from collections import deque
from dataclasses import dataclass

from model.cycle.pim_controller import FIXED, Controller
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

    def play_fenced(self, segments: list[Segment]) -> None:
        """Serve `segments`, each of which ends with a fence; returns when the last request has been issued."""
        controller = self.controller
        loaded, fed = True, 0
        count = len(segments)
        last = None
        for i, segment in enumerate(segments):
            pattern, base = segment.pattern, segment.base
            following = segments[i + 1] if i + 1 < count else None
            full = not loaded or len(controller.queue) >= controller.depth or (fed >= count and not controller.pending)
            key = None
            if full and controller.waiting < 0:
                outlook = (id(following.pattern), following.base - base) if following else None
                if last is None:
                    last = controller.state(base)
                key = (id(pattern), outlook, last)
                step = self.known.get(key)
                if step is not None and controller.now + step.cycles <= controller.next_due():
                    self._reuse(step, base)
                    last = self._shifted(step.state, base, following)
                    loaded = False
                    continue
            if not loaded:
                controller.queue.clear()
                controller.pending.clear()
                fed, loaded = i, True
            while fed < count and len(controller.queue) + len(controller.pending) < controller.depth + len(pattern):
                controller.pending.extend(_resolved(segments[fed]))
                fed += 1
            if full:
                _fill(controller)
            start, due = controller.now, controller.next_due()
            before = list(controller.tally)
            controller.run(len(controller.queue) + len(controller.pending) - len(pattern))
            self.stepped += 1
            last = None
            if key is not None and controller.next_due() == due and controller.waiting < 0:
                self._learn(key, start, before, base, ())
        if not loaded:
            controller.queue.clear()
            controller.pending.clear()

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

    @staticmethod
    def _shifted(state: tuple[object, ...], base: int, following: Segment | None) -> tuple[object, ...] | None:
        """`state` as seen from the next segment's base; saves deriving it again."""
        if following is None:
            return None
        shift = base - following.base
        if not shift:
            return state
        rows = tuple(r if r is None or r >= FIXED // 2 else r + shift for r in state[1])     # type: ignore
        return (state[0], rows, *state[2:])


def _fill(controller: Controller) -> None:
    while controller.pending and len(controller.queue) < controller.depth:
        controller.queue.append(controller.pending.popleft())


def _resolved(segment: Segment) -> list[Request]:
    base = segment.base
    if not base:
        return list(segment.pattern)
    return [r if is_reserved(r.row) else r._replace(row=r.row + base) for r in segment.pattern]
