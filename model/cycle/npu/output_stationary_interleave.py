"""Cycles of floating-point GEMMs on an output-stationary core whose adder takes L > 1 cycles: L folds take turns.

Turn t mod L belongs to one fold: a fold issues a word in every L-th cycle. Folds start in neighbouring turns and end in
order, their last words at least R cycles apart, that is D = the least number of at least R that is 1 more than a
multiple of L (neighbouring turns). With K words per fold, fold i of a single GEMM issues its last word in cycle

    e(i) = 3 + 1 + (K - 1) L + i D + floor(i / L) L max(0, K - D)               K > 1
    e(i) = 3 + 1 + i R                                                          K = 1

and the rest is as with L = 1: T = e(P - 1) + (L + 2R + C - 1 or L + v + C) + 6. In a chain, e is the longest path over
steps of one fold (D cycles) and of L folds (K L cycles, K of the later one) from the last L folds before: `last_words`.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from hw.spec.core import PASS_ENTRIES, CoreSpec
from hw.spec.mac_array import MacArraySpec
from model.cycle.npu.output_stationary_core import OutputStationaryStepper, summed
from model.cycle.npu.timing import PREPARE_CYCLES, Shape, Timing, cut

NEVER = -(1 << 60)


def closed_form(core: CoreSpec, jobs: Sequence[Shape]) -> Timing:
    """Cycles of `jobs` queued together, no port blocked; see the module for the formula."""
    starts, ends = last_words(core, jobs)
    stream = sum(words * count for words, count in (_folds(core, shape) for shape in jobs))
    blocks = cut(core, jobs[-1])
    return summed(
        core,
        jobs,
        stream=stream,
        wait=int(ends[-1]) - PREPARE_CYCLES - stream,
        height=blocks.rest_rows or blocks.full_rows,
        decoded=last_decoded(core, jobs, starts),
    )


def _folds(core: CoreSpec, shape: Shape) -> tuple[int, int]:
    """Words per fold, and how many folds, of one GEMM."""
    blocks = cut(core, shape)
    return blocks.k_blocks, blocks.n_blocks * (blocks.full_blocks + (blocks.rest_rows > 0))


def last_words(core: CoreSpec, jobs: Iterable[Shape]) -> tuple[np.ndarray, np.ndarray]:
    """Cycle of each fold's first and of its last word, no port blocked."""
    array = core.array
    turns, distance = array.interleaved_folds, array.last_word_distance
    # last words of the L folds before, latest first; before the first fold the turns are just free
    before = [PREPARE_CYCLES - j for j in range(turns)]
    ended = NEVER
    starts, ends = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for shape in jobs:
        words, count = _folds(core, shape)
        index = np.arange(count)
        if words == 1:
            first = before[0] + 1 if ended == NEVER else ended + array.rows
            end = first + index * array.rows
            start = end
            before = [int(end[-1]) + 1 - j for j in range(1, turns + 1)]
        else:
            bound = np.full(count, NEVER)
            for j, last in enumerate(before):  # a step of L folds from fold -1 - j
                steps = index - (turns - 1 - j)
                path = last + words * turns + _path(np.maximum(steps, 0), array, words)
                bound = np.where(steps >= 0, np.maximum(bound, path), bound)
            if ended != NEVER:  # a step of one fold from the last
                bound = np.maximum(bound, ended + distance + _path(index, array, words))
            end = bound
            history = np.concatenate((np.array(before[::-1], np.int64), end))
            start = history[:count] + turns
            before = history[-1 : -turns - 1 : -1].tolist()
        ended = int(end[-1])
        starts.append(start)
        ends.append(end)
    return np.concatenate(starts), np.concatenate(ends)


def _path(folds: np.ndarray, array: MacArraySpec, words: int) -> np.ndarray:
    """Longest path over `folds` folds of `words` words, in steps of one or of L."""
    turns, distance = array.interleaved_folds, array.last_word_distance
    return folds * distance + folds // turns * turns * max(0, words - distance)


def last_decoded(core: CoreSpec, jobs: Sequence[Shape], starts: np.ndarray) -> int:
    """As `model.cycle.npu.command_queue.last_decoded`: here a fold leaves its queue with its first word."""
    if len(jobs) <= 2:
        return len(jobs)
    last = sum(_folds(core, shape)[1] for shape in jobs[:-2]) - 1
    handed = PREPARE_CYCLES + last
    return handed if last < PASS_ENTRIES else max(handed, int(starts[last - PASS_ENTRIES]) + 1)


class InterleavingStepper(OutputStationaryStepper):
    """One run of the core, fold after fold, each from turn to turn; unlike in
    `OutputStationaryStepper` several are open at a time.

    A fold that is not the only one open starts in the turn after that of the fold before; its last word is out after
    theirs. Cycles in which a fold is known or open and no word is issued, and no port is to blame, wait for the adder.
    """

    def __init__(self, core: CoreSpec, stalls: Mapping[str, Sequence[bool]]) -> None:
        super().__init__(core, stalls)
        self._turns = core.array.interleaved_folds
        self._started = NEVER  # first word of the fold before
        self._ends: list[int] = []  # last words of all folds

    def _pass(self, known: int, rows: int, first: bool, last: bool) -> int:
        """One fold of `rows` words; returns the cycle of its first word, with which it leaves the queue."""
        array, words, turns = self.core.array, rows, self._turns
        if known > self._last_row + 1:
            self._idle_until(known)
        waiting = max(known, self._last_row + 1)
        ended = self._ends[-1] if self._ends else NEVER
        slot_free = self._ends[-turns] + 1 if len(self._ends) >= turns else 0
        earliest = max(known, self._started + 1, slot_free)
        space = ended + array.rows
        missing = self._allocated + array.rows - self.core.accumulator_rows
        if missing > 0 and self._rows_matter:
            space = max(space, self._finished.start[missing - 1] + 1)
        start = now = self._first_turn(earliest, ended)
        blocked = 0
        # without stalls only the first and the last word can have to wait
        for word in range(words) if self._rows_matter else sorted({0, words - 1}):
            now = now if word == 0 else now + turns if self._rows_matter else now + (words - 1) * turns
            while True:
                taken = self._rows_matter and self._operands.free(now) > now
                if word < words - 1 or now >= space:
                    if not taken:
                        break
                    self._budget["weight_blocked" if self._weight.blocked(now, now) else "activation_blocked"] += 1
                    blocked += 1
                now = self._first_turn(now + 1, ended) if word == 0 else now + turns
            start = now if word == 0 else start
        self._started = start
        self._ends.append(now)
        self._budget["stream"] += words
        self._budget["wait_accumulator"] += now - waiting + 1 - words - blocked
        self._last_row = now
        self._results(now)
        return start

    def _first_turn(self, earliest: int, ended: int) -> int:
        """First cycle from `earliest` on in which the fold may start: its turn, or any once no other fold is open."""
        if self._started == NEVER or earliest > ended:
            return earliest
        turn = earliest + (self._started + 1 - earliest) % self._turns
        return min(turn, ended + 1)
