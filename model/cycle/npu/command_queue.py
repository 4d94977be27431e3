"""When the last command of a chain leaves the queue: what the counter of queue-empty cycles needs, in closed form.

All commands offered from cycle 0, no port blocked. The sequencer hands out pass j in cycle

    E(j) = 3 + j, from j = 4 (`PASS_ENTRIES`) on max(3 + j, pop(j - 4) + 1)

since the queues of passes hold four, and pop(j), the cycle of the last word of pass j, grows from pass to pass. It
takes a command when the last pass of the one before is out, and the decoder takes the command behind it then: the last
of n commands leaves the queue in cycle n (n = 1, 2) or E(last pass of the third last command). Until then the queue is
never empty, afterwards always.
"""

from collections.abc import Sequence

from hw.spec.core import PASS_ENTRIES, CoreSpec
from model.cycle.npu.timing import PREPARE_CYCLES, Shape, cut

Runs = Sequence[tuple[Shape, int]]
"""A chain of GEMMs as (shape, how often in a row)."""


def last_decoded(core: CoreSpec, runs: Runs) -> int:
    """Cycle in which the last command leaves the queue; cycle 0 is the first one's acceptance."""
    commands = sum(times for _, times in runs)
    if commands <= 2:
        return commands
    last, left = -1, commands - 2
    for shape, times in runs:
        taken = min(times, left)
        last += taken * sum(count for _, _, count in _passes(core, shape))
        left -= taken
    if last < PASS_ENTRIES:
        return PREPARE_CYCLES + last
    return max(PREPARE_CYCLES + last, _pop(core, runs, last - PASS_ENTRIES) + 1)


def _passes(core: CoreSpec, shape: Shape) -> list[tuple[int, int, int]]:
    """Passes, or folds, of one command: (words, words and the gap behind, of a fold the one before it, how many)."""
    array, blocks = core.array, cut(core, shape)
    if array.dataflow == "os":
        gap = max(0, array.rows - blocks.k_blocks) if array.fold_overlap else array.fold_delay - 1
        folds = blocks.n_blocks * (blocks.full_blocks + (blocks.rest_rows > 0))
        return [(blocks.k_blocks, blocks.k_blocks + gap, folds)]
    kinds = (blocks.full_rows, blocks.full_blocks), (blocks.rest_rows, 1)
    return [(rows, rows + array.pass_gap(rows), count * blocks.passes) for rows, count in kinds if rows and count]


def _pop(core: CoreSpec, runs: Runs, index: int) -> int:
    """Cycle of the last word of pass `index` of all."""
    stationary = core.array.dataflow == "ws"
    words, interval, _ = _passes(core, runs[0][0])[0]
    # the cycle before the first word; no gap precedes the first fold
    begin = PREPARE_CYCLES + (core.array.rows if stationary else words - interval)
    for shape, times in runs:
        passes = _passes(core, shape)
        whole = min(times, index // sum(count for _, _, count in passes))
        begin += whole * sum(interval * count for _, interval, count in passes)
        index -= whole * sum(count for _, _, count in passes)
        if whole == times:
            continue
        for words, interval, count in passes:
            if index < count:
                return begin + index * interval + (words if stationary else interval)
            begin += count * interval
            index -= count
    raise AssertionError("there is no such pass")
