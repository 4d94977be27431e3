"""Cycles of GEMMs on the output-stationary core: closed form, and stepped by events.

With the P folds of all commands in order, fold p of K_p words, R rows, C columns and v rows of results in the last
fold, a chain of commands offered one per cycle takes

    T = 3 + K_0 + sum over p > 0 of max(K_p, R) + (2*R + C - 1) + 6     drain through the columns
    T = 3 + K_0 + sum over p > 0 of max(K_p, R) + (v + C) + 6           a link per cell

cycles when no port is blocked: `prepare`, `stream` (sum of K_p) with `wait_accumulator` (max(0, R - K_p)), and
`drain`. Results leave one row per cycle, so the last words of two folds are at least R cycles apart whatever the
drain; a link per cell only shortens the tail. Without overlap of folds each fold but the last is followed by
2*R + C - 1 (columns) or R + C (link) cycles of `wait_accumulator` instead.

Floating point: the last sum of a fold is ready L = `mac_latency` cycles later, so the tail, and each fold without
overlap, takes L more; with L > 1 folds are interleaved, see `model.cycle.npu.output_stationary_interleave`.
"""

from collections.abc import Iterator, Mapping, Sequence

from hw.spec.core import CoreSpec
from hw.spec.npu_event import LABELS
from model.cycle.npu.command_queue import last_decoded
from model.cycle.npu.stepper import Port, Stepper
from model.cycle.npu.timing import OUTPUT_CYCLES, PREPARE_CYCLES, Shape, Timing, cut, event_counts, utilisation


def closed_form(core: CoreSpec, jobs: Sequence[Shape]) -> Timing:
    """Cycles of `jobs` queued together, no port blocked, folds not interleaved; see the module for the formula."""
    array = core.array
    stream = wait = gap = height = 0
    for index, shape in enumerate(jobs):
        blocks = cut(core, shape)
        folds = blocks.n_blocks * (blocks.full_blocks + (blocks.rest_rows > 0))
        gap = array.fold_delay - 1 if not array.fold_overlap else max(0, array.rows - blocks.k_blocks)
        stream += folds * blocks.k_blocks
        wait += (folds - (index == 0)) * gap
        height = blocks.rest_rows or blocks.full_rows
    return summed(core, jobs, stream, wait, height, last_decoded(core, [(job, 1) for job in jobs]))


def summed(core: CoreSpec, jobs: Sequence[Shape], stream: int, wait: int, height: int, decoded: int) -> Timing:
    """The closed form from its parts; `height` result rows in the last fold, the last command `decoded` then."""
    array = core.array
    tail = array.fold_tail + (array.rows if array.drain == "columns" else height) - 1
    budget = dict.fromkeys(LABELS, 0) | {
        "stream": stream,
        "wait_accumulator": wait,
        "drain": tail + OUTPUT_CYCLES,
        "prepare": PREPARE_CYCLES,
    }
    cycles = sum(budget.values())
    counts = event_counts(core, jobs) + {"command.queue_empty": cycles - decoded}
    return Timing(cycles=cycles, budget=budget, counts=counts, utilisation=utilisation(core, jobs, cycles))


class OutputStationaryStepper(Stepper):
    """One run of the output-stationary core; what differs from `Stepper` is what happens in a fold.

    * A word is issued one cycle after the word before, its fold known, both operand ports free.
    * The last word of a fold is issued at least R cycles after that of the fold before, with R accumulator rows
      free; the first word, without overlap, when the last result of the fold before has left the array.
    * Result rows follow the last word one per cycle: row R-1 first through the columns, row 0 first by link.
    """

    def __init__(self, core: CoreSpec, stalls: Mapping[str, Sequence[bool]]) -> None:
        super().__init__(core, stalls)
        self._columns = core.array.drain == "columns"
        self._operands = Port(
            [a or w for a, w in _pairs(stalls.get("activation_blocked", ()), stalls.get("weight_blocked", ()))]
        )
        self._last_word = -core.array.rows - core.array.fold_delay

    def _passes(self, shape: Shape) -> Iterator[tuple[int, bool, bool]]:
        """Words of each fold; result rows are noted for `_pass`."""
        blocks = cut(self.core, shape)
        for rows in blocks.row_blocks():
            for _ in range(blocks.n_blocks):
                self._height = rows
                yield blocks.k_blocks, True, True

    def _pass(self, known: int, rows: int, first: bool, last: bool) -> int:
        """One fold of `rows` words, at the engine from cycle `known` on; returns the cycle of its last word."""
        if known > self._last_row + 1:
            self._idle_until(known)
        array, words = self.core.array, rows
        now = max(known, self._last_row + 1)
        start = max(now, self._last_word + array.fold_delay)
        self._budget["wait_accumulator"] += start - now
        now = start
        if self._rows_matter:
            for _ in range(words - 1):
                now = self._take(now) + 1
        else:
            now += words - 1
        space = max(now, self._last_word + array.rows)
        missing = self._allocated + array.rows - self.core.accumulator_rows
        if missing > 0 and self._rows_matter:
            space = max(space, self._finished.start[missing - 1] + 1)
        self._budget["wait_accumulator"] += space - now
        end = self._take(space) if self._rows_matter else space
        self._budget["stream"] += words
        self._last_word = self._last_row = end
        self._results(end)
        return end

    def _results(self, end: int) -> None:
        """The result rows of a fold whose last word is issued in cycle `end`."""
        array = self.core.array
        skipped = array.rows - self._height if self._columns else 0
        arrival = end + skipped + array.fold_tail  # sums of the first row at the edge of the array
        if self._rows_matter:
            for row in range(self._height):
                self._finished.finish(arrival + row + 1, self._output)
            self._all_left = self._finished.left[-1]
        else:
            self._all_left = arrival + self._height - 1 + OUTPUT_CYCLES
        self._allocated += self._height

    def _take(self, cycle: int) -> int:
        """Issue a word from `cycle` on, when both ports are free; the waiting cycles are labelled."""
        taken = self._operands.free(cycle)
        if taken > cycle:
            weight = self._weight.blocked(cycle, taken - 1)
            self._budget["weight_blocked"] += weight
            self._budget["activation_blocked"] += taken - cycle - weight
        return taken


def _pairs(one: Sequence[bool], other: Sequence[bool]) -> Iterator[tuple[bool, bool]]:
    for index in range(max(len(one), len(other))):
        yield index < len(one) and one[index], index < len(other) and other[index]
