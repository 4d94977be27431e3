"""The stepped model of a system: every descriptor taken and ended in the cycle in which RTL takes and ends it.

Cycle 0 is the first after reset; the program runs from cycle `start` on. Between events nothing is stepped.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from hw.base.error import InputError
from hw.spec.command import Command, Copy, Descriptor, Fence, Geometry
from hw.spec.dram import Timing
from hw.spec.system import CROSSBAR, QUEUE_ENTRIES, Program, SystemSpec, wait_labels
from model.cycle.crossbar.unit import CrossbarPort
from model.cycle.npu.program.timing import counted
from model.cycle.npu.timing import Timing as CoreTiming
from model.cycle.system.controller import NEVER, Controller, Issued
from model.cycle.system.core_port import CorePort
from model.cycle.system.kinds import controller_of
from model.cycle.system.vector_port import VectorPort


class NoVector:
    """A system without a vector unit refuses its descriptors in the cycle in which they are offered."""

    def run(self, word: int, taken: int) -> tuple[int, int]:
        """See `VectorPort`."""
        return taken, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemTiming:
    """What a run took.

    Parameters
    ----------
    cycles : int
        From the first cycle of the run to the one before it is finished.
    waits : dict
        Unit -> label of `wait_labels` -> cycles; each unit's sum is `cycles`.
    controllers : dict
        Unit of a channel -> label of its controller -> cycles from reset to the end of the run.
    core : CoreTiming
        Busy cycles, labels and events of the core.
    taken, ended : dict
        Unit -> cycle in which each of its descriptors was taken and ended (of the core: empty).
    codes : dict
        Unit -> refusal codes, of the descriptors refused.
    full : dict
        Unit -> cycles in which its queue held all the descriptors it can.
    crossbar : CrossbarPort or None
        Labels and events of the crossbars, if there are any.
    """

    cycles: int
    waits: dict[str, dict[str, int]]
    controllers: dict[str, dict[str, int]]
    core: CoreTiming
    taken: dict[str, list[int]]
    ended: dict[str, list[int]]
    codes: dict[str, list[int]]
    full: dict[str, int]
    crossbar: CrossbarPort | None = None

    @property
    def controller(self) -> dict[str, int]:
        """Those of the first channel's controller."""
        return self.controllers["memory"]


@dataclass(slots=True)
class _Single:
    """A unit that has one descriptor at a time."""

    run: Callable[[int, int], tuple[int, int]]
    free: int = 0  # first cycle in which it can take one
    taken: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    immediate: bool = False  # ends in the cycle in which it is taken

    def take(self, word: int, now: int) -> None:
        end, code = self.run(word, now)
        self.taken.append(now)
        self.ended.append(end)
        if code:
            self.codes.append(code)
        self.free = end + 1

    def done(self, now: int) -> int:
        """Descriptors ended before cycle `now`."""
        return len(self.ended) - (now < self.free)


class SystemRun:
    """One run of a program on a system.

    Parameters
    ----------
    spec : SystemSpec
    timing : Timing
        Of the channel.
    program : Program
    vector : VectorPort
    pointed : callable, or mapping of unit to callable
        The low 16 bits of a word of the shared memory, asked by each channel in the order of its descriptors with a
        pointer; one callable serves the channels together, which is right for one channel alone.
    start : int
        First cycle of the run after reset.
    watch : callable, or mapping of unit to callable
        Called with every command on the port of each channel; one callable serves all.
    """

    def __init__(
        self,
        spec: SystemSpec,
        timing: Timing,
        program: Program,
        *,
        vector: VectorPort | None = None,
        pointed: Callable[[int], int] | Mapping[str, Callable[[int], int]] = lambda _: 0,
        start: int = 0,
        watch: Callable[[Issued], None] | Mapping[str, Callable[[Issued], None]] = lambda _: None,
    ) -> None:
        self.commands = program.commands
        self.start = start
        self.core = CorePort(spec.core)
        watching = {unit: watch[unit] if isinstance(watch, Mapping) else watch for unit in spec.memory_units}
        self.controllers = {unit: controller_of(spec.controller, timing, watching[unit]) for unit in watching}
        self.single = {"vector": _Single((vector or NoVector()).run, immediate=vector is None)}
        for unit, controller in self.controllers.items():
            asked = pointed[unit] if isinstance(pointed, Mapping) else pointed
            self.single[unit] = _Single(partial(_run, controller, asked))
        self.crossbar = None if spec.crossbar is None else CrossbarPort(spec.crossbar_unit)
        if self.crossbar is not None:
            self.single[CROSSBAR] = _Single(self.crossbar.run)
        self.units = spec.units
        self.queues: dict[str, deque[int]] = {unit: deque() for unit in self.units}
        self.waits = {unit: dict.fromkeys(wait_labels(self.units), 0) for unit in self.units}

    def run(self) -> SystemTiming:
        """To the end."""
        now, fetched = self.start, 0
        full = dict.fromkeys(self.units, 0)
        self.core.now = now
        while True:
            ended = {"core": self.core.done} | {unit: port.done(now) for unit, port in self.single.items()}
            # the end mark was read in the cycle before
            if fetched > len(self.commands) and sum(ended.values()) == len(self.commands):
                break
            busy = {"core": self.core.unfinished > 0} | {
                unit: now < port.free and not port.immediate for unit, port in self.single.items()
            }
            labels, moved = {}, False
            for unit in self.units:
                labels[unit] = label = self._label(unit, busy[unit], ended)
                ready = self._ready(unit, ended)
                if unit == "core":
                    if ready and not self.core.given:
                        self.core.offer(core_item(self.commands[self.queues[unit][0]].command))
                elif label == "take":
                    self.single[unit].take(self.commands[self.queues[unit].popleft()].command.pack(), now)
                    moved = True
            horizon = self._horizon(now, moved)
            level = {unit: len(queue) for unit, queue in self.queues.items()}
            level = {u: n + (u != "core" and moved and labels[u] == "take") for u, n in level.items()}
            fetch = fetched <= len(self.commands)
            if fetch and fetched < len(self.commands):
                fetch = level[self.commands[fetched].unit] < QUEUE_ENTRIES
            if fetch:
                horizon = now + 1
            following = self._core(now, horizon)
            if fetch:
                if fetched < len(self.commands):
                    self.queues[self.commands[fetched].unit].append(fetched)
                fetched += 1
            for unit, label in labels.items():
                self.waits[unit][label] += following - now
                full[unit] += (level[unit] == QUEUE_ENTRIES) * (following - now)
            now = following
        controllers = {}
        for unit, controller in self.controllers.items():
            controller.elapse(now, "idle")
            controllers[unit] = dict(controller.labels)
            controllers[unit]["refresh"] -= controller.now - now  # of one under way, what comes after the end
        return SystemTiming(
            cycles=now - self.start,
            waits=self.waits,
            controllers=controllers,
            core=counted(self.core),
            taken={unit: port.taken for unit, port in self.single.items()},
            ended={unit: port.ended for unit, port in self.single.items()},
            codes={unit: port.codes for unit, port in self.single.items()},
            full=full,
            crossbar=self.crossbar,
        )

    def _ready(self, unit: str, ended: dict[str, int]) -> bool:
        queue = self.queues[unit]
        return bool(queue) and not any(ended[u] < n for u, n in self.commands[queue[0]].waits.items())

    def _label(self, unit: str, busy: bool, ended: dict[str, int]) -> str:
        """Label of the present cycle of `unit`."""
        queue = self.queues[unit]
        if busy:
            return "busy"
        if not queue:
            return "empty"
        waits = self.commands[queue[0]].waits
        lacking = next((u for u in self.units if ended[u] < waits.get(u, 0)), "")
        return f"wait_{lacking}" if lacking else "take"

    def _horizon(self, now: int, moved: bool) -> int:
        """First cycle from which on a queue's head may become ready, by an end of vector unit or controller."""
        if moved:
            return now + 1
        return min([port.free for port in self.single.values() if port.free > now], default=NEVER)

    def _core(self, now: int, horizon: int) -> int:
        """Let the core go on, at most to `horizon`; the next cycle to look at."""
        core = self.core
        if not core.active:
            if horizon == NEVER:
                raise InputError("a program must not wait for what comes later: a descriptor that nothing can start")
            core.idle_until(horizon)
            return horizon
        before = core.accepted
        core.advance(horizon)
        if core.accepted > before:
            self.queues["core"].popleft()
        return core.now


def _run(controller: Controller, pointed: Callable[[int], int], word: int, taken: int) -> tuple[int, int]:
    return controller.run(word, taken, pointed)


def core_item(command: object) -> Command | Copy | Fence | Geometry | Descriptor:
    """`command`, which must be one of the core."""
    if not isinstance(command, Command | Copy | Fence | Geometry | Descriptor):
        raise InputError(f"a descriptor of the core must be one of its own, not {command!r}")
    return command
