"""The stepped model of the weight-stationary core: when each tile, row and command moves, and why not earlier.

Cycle 0 is the one in which the first command is accepted. All rules are those of the RTL's engines:

* A tile's load starts when its pass is known, the tile before is loaded and the row that released the weight
  registers is `load_delay` cycles old: the first of the pass before, or the last with one register or no overlap.
* A row is issued one cycle after the row before, its pass known, its tile loaded in an earlier cycle, an
  accumulator row free if it is of a first K block, and the activation port not blocked.
* A finished row starts to drain one cycle after its last sum was written, one per cycle, when one of the
  output queue's places is free; it leaves five cycles later at the earliest, in order.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from hw.spec.core import OUTPUT_ROWS, PASS_ENTRIES, CoreSpec
from hw.spec.npu_event import LABELS
from model.cycle.npu.timing import OUTPUT_CYCLES, Shape, Timing, cut, event_counts, utilisation

PORTS = ("activation_blocked", "weight_blocked", "output_blocked")
"""Names of stall patterns."""


class Port:
    """A port with a stall pattern: `free(t)` is the first unblocked cycle from `t` on."""

    def __init__(self, pattern: Sequence[bool]) -> None:
        self._blocked = [bool(b) for b in pattern]
        free, following = [0] * len(self._blocked), len(self._blocked)
        for cycle in range(len(self._blocked) - 1, -1, -1):
            following = following if self._blocked[cycle] else cycle
            free[cycle] = following
        self._free = free
        self._sum = list(accumulate(self._blocked, initial=0))

    def free(self, cycle: int) -> int:
        """First cycle from `cycle` on in which the port is not blocked."""
        return self._free[cycle] if cycle < len(self._free) else cycle

    def blocked(self, first: int, last: int) -> int:
        """How many cycles from `first` to `last` (included) are blocked."""
        end = len(self._blocked)
        return max(0, self._sum[min(max(last + 1, 0), end)] - self._sum[min(max(first, 0), end)])


def _joined(accepted: Sequence[int], last: Sequence[int]) -> list[tuple[int, int]]:
    """The cycles from after each command's acceptance to its `last`, as disjoint stretches (first, last)."""
    stretches: list[tuple[int, int]] = []
    for accept, end in zip(accepted, last, strict=True):
        if stretches and accept <= stretches[-1][1]:
            stretches[-1] = stretches[-1][0], max(stretches[-1][1], end)
        else:
            stretches.append((accept + 1, end))
    return stretches


@dataclass(slots=True)
class _Rows:
    """Finished rows in the order they drain."""

    start: list[int] = field(default_factory=list)
    head: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)

    def finish(self, ready: int, output: Port) -> None:
        """One more row, which may drain from cycle `ready` on."""
        start, left = self.start, self.left
        index = len(start)
        if index:
            ready = max(ready, start[-1] + 1)
        if index >= OUTPUT_ROWS:
            ready = max(ready, left[index - OUTPUT_ROWS] + 1)
        head = ready + OUTPUT_CYCLES - 1
        if index:
            head = max(head, left[-1] + 1)
        start.append(ready)
        self.head.append(head)
        left.append(output.free(head))

    @property
    def blocked(self) -> int:
        """Cycles in which a row was at the head and not taken."""
        return sum(self.left) - sum(self.head)

    def refused(self, first: int, last: int) -> int:
        """Cycles from `first` to `last` in which a row was at the head and not taken."""
        total, index = 0, len(self.left) - 1
        while index >= 0 and self.left[index] > first:
            total += max(0, min(self.left[index] - 1, last) - max(self.head[index], first) + 1)
            index -= 1
        return total


class Stepper:
    """One run of the core; see `model.cycle.npu.core.step`."""

    def __init__(self, core: CoreSpec, stalls: Mapping[str, Sequence[bool]]) -> None:
        self.core = core
        array = core.array
        self._load_cycles = array.rows
        self._delay = array.load_delay
        self._released_by_swap = array.swap_releases_weights
        self._depth = array.rows * array.mac_latency + array.columns
        self._activation, self._weight, self._output = (Port(stalls.get(name, ())) for name in PORTS)
        self._rows_matter = any(any(stalls.get(name, ())) for name in PORTS)
        self._budget = dict.fromkeys(LABELS, 0)
        self._finished = _Rows()
        self._last_row = -1  # cycle of the latest issue
        self._all_left = -1  # cycle in which the latest finished row leaves
        self._released = -self._delay  # cycle of the row that released the registers; none yet keeps nobody waiting
        self._loaded = -1  # cycle of the latest tile's last load step
        self._allocated = 0  # accumulator rows given out so far

    def run(self, jobs: Sequence[Shape | None], offered: Sequence[int]) -> Timing:
        """Step through `jobs`; None is a command that is refused."""
        accepted: list[int] = []
        decoded: list[int] = []  # cycle in which the decoder takes the command from the queue
        ended: list[int] = []  # last cycle of the command
        pops: list[int] = []  # cycle of each pass's last row
        decoder_free = sequencer_free = 0
        for index, shape in enumerate(jobs):
            accept = offered[index]
            if index:
                accept = max(accept, accepted[-1] + 1)
            if index >= self.core.command_entries:
                accept = max(accept, decoded[index - self.core.command_entries] + 1)
            accepted.append(accept)
            decoded.append(max(accept + 1, decoder_free))
            if shape is None:
                decoder_free = decoded[-1] + 1
                ended.append(decoder_free)
                continue
            decoder_free = max(decoded[-1] + 1, sequencer_free)  # the sequencer takes it
            emitted = decoder_free
            for rows, first, last in self._passes(shape):
                emitted += 1
                if len(pops) >= PASS_ENTRIES:
                    emitted = max(emitted, pops[-PASS_ENTRIES] + 1)
                pops.append(self._pass(emitted + 1, rows, first, last))
            sequencer_free = emitted
            ended.append(self._all_left)
        self._idle_until(self._all_left + 1)
        busy = _joined(accepted, ended)
        cycles = sum(last - first + 1 for first, last in busy)
        # what is left of the busy cycles: no pass is waiting and no row in flight
        self._budget["prepare"] = cycles - sum(self._budget.values())
        writes = {
            f"{name}.write": sum(port.blocked(first, last) for first, last in busy)
            for name, port in (("activation_memory", self._activation), ("weight_memory", self._weight))
        }
        good = [shape for shape in jobs if shape is not None]
        refused = len(jobs) - len(good)
        counts = (
            event_counts(self.core, good)
            + writes
            + {
                "command.accept": refused,
                "command.refuse": refused,
                "command.queue_empty": cycles - sum(last - first + 1 for first, last in _joined(accepted, decoded)),
                "output_stage.drain_block": self._finished.blocked,
            }
        )
        return Timing(
            cycles=cycles, budget=self._budget, counts=counts, utilisation=utilisation(self.core, good, cycles)
        )

    def _passes(self, shape: Shape) -> Iterator[tuple[int, bool, bool]]:
        """Rows of each pass, and whether it is of the first and of the last K block."""
        blocks = cut(self.core, shape)
        last = blocks.k_blocks - 1
        for rows in blocks.row_blocks():
            for _ in range(blocks.n_blocks):
                for k in range(blocks.k_blocks):
                    yield rows, k == 0, k == last

    def _idle_until(self, cycle: int) -> None:
        """Label the cycles after the latest row and before `cycle`, in which no pass is waiting but rows move."""
        first = self._last_row + 1
        tail = min(cycle - 1, self._all_left)
        if tail >= first:
            refused = self._finished.refused(first, tail)
            self._budget["output_blocked"] += refused
            self._budget["drain"] += tail - first + 1 - refused

    def _pass(self, known: int, rows: int, first: bool, last: bool) -> int:
        """One pass, at the engines from cycle `known` on; returns the cycle of its last row."""
        if known > self._last_row + 1:
            self._idle_until(known)
        waiting = max(known, self._last_row + 1)
        wanted = max(known, self._loaded + 1, self._released + self._delay)
        if not self._rows_matter:
            self._loaded = wanted + self._load_cycles - 1
            swap = max(waiting, self._loaded + 1)
            self._budget["wait_weight"] += swap - waiting
            self._last_row = swap + rows - 1
            self._released = swap if self._released_by_swap else self._last_row
            if last:
                self._all_left = self._last_row + self._depth + OUTPUT_CYCLES
            self._budget["stream"] += rows
            return self._last_row

        budget = self._budget
        self._loaded = wanted - 1
        for _ in range(self._load_cycles):
            self._loaded = self._weight.free(self._loaded + 1)
        if self._loaded >= waiting:
            blocked = self._weight.blocked(max(wanted, waiting), self._loaded)
            budget["weight_blocked"] += blocked
            budget["wait_weight"] += self._loaded - waiting + 1 - blocked
        drained, ring = self._finished.start, self.core.accumulator_rows
        issue = max(waiting, self._loaded + 1)
        for row in range(rows):
            if first:
                if self._allocated >= ring:
                    free = drained[self._allocated - ring] + 1
                    if free > issue:
                        budget["wait_accumulator"] += free - issue
                        issue = free
                self._allocated += 1
            now = self._activation.free(issue)
            budget["activation_blocked"] += now - issue
            if row == 0 or not self._released_by_swap:
                self._released = now
            if last:
                self._finished.finish(now + self._depth + 1, self._output)
            issue = now + 1
        budget["stream"] += rows
        self._last_row = issue - 1
        if last:
            self._all_left = self._finished.left[-1]
        return self._last_row
