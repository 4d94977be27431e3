"""One GEMM on one weight-stationary core, split as `model.lowering` splits it, counted without making its commands.

Commands come in at most four sizes: full and rest rows by full and rest columns. Runs of equal commands fill batches by
division, and column groups repeat, so that a product of thousands of commands takes some microseconds. Equal to
`model.predict` in cycles and events (`tests/test_sweep_chain.py`).
"""

from functools import lru_cache
from typing import NamedTuple

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.core import CoreSpec
from model.cycle.npu.timing import OUTPUT_CYCLES, PREPARE_CYCLES


class Chain(NamedTuple):
    """Cycles and counts of one GEMM.

    `cycles`; `commands`; `passes`: tiles times row blocks; `rows`: activation words streamed into the array;
    `out_rows`: words of outputs; `parameter_reads`: words of parameters read; `activation_words`, `weight_words`,
    `output_words`: words that the host moves into and out of the memories.
    """

    cycles: int
    commands: int
    passes: int
    rows: int
    out_rows: int
    parameter_reads: int
    activation_words: int
    weight_words: int
    output_words: int


class _Kind(NamedTuple):
    height: int
    group: int
    need: tuple[int, int, int, int]


@lru_cache(maxsize=1 << 17)
def chain(core: CoreSpec, m: int, n: int, k: int) -> Chain:
    """The counts; operands lie in the scratchpads whenever a batch of commands runs.

    Raises
    ------
    InputError
        If the core is not weight-stationary, or K does not fit its memories; longer sums are the caller's to cut.
    """
    array = core.array
    if array.rows_per_word > 1:
        raise InputError(f"a chain must be of a weight-stationary core, not of dataflow {array.dataflow!r}")
    tile, block = array.tile_words, array.k_per_block
    k_blocks, n_blocks = ceil_div(k, block), ceil_div(n, array.columns)
    if k > most_terms(core):
        raise InputError(f"k must be at most {most_terms(core)} on this core, not {k}; cut the sum")
    group = min(n_blocks, core.weight_words // (k_blocks * tile), core.parameter_words, core.output_words)
    height = min(m, core.activation_words // k_blocks, core.output_words // group)

    def kind(rows: int, columns: int) -> _Kind:
        return _Kind(rows, columns, (rows * k_blocks, columns * k_blocks * tile, columns, rows * columns))

    whole, rest = divmod(m, height)
    groups, last = divmod(n_blocks, group)
    sequences = [(groups, [(whole, kind(height, group))] + ([(1, kind(rest, group))] if rest else []))]
    if last:
        sequences.append((1, [(whole, kind(height, last))] + ([(1, kind(rest, last))] if rest else [])))
    batches = _Batches((core.activation_words, core.weight_words, core.parameter_words, core.output_words))
    totals = [0] * 8
    for times, sequence in sequences:
        batches.repeat(times, sequence)
        for count, one in sequence:
            _add(totals, core, one, k_blocks, count * times)
    stream_and_short, commands, passes, rows, out_rows, parameter_reads, _, _ = totals
    ends = batches.ends()
    fixed = PREPARE_CYCLES + array.rows + array.rows * array.mac_latency + array.columns + OUTPUT_CYCLES
    cycles = stream_and_short + sum(ends.values()) * fixed
    for one, count in ends.items():
        cycles -= count * array.pass_gap(one.height % core.block_rows or core.block_rows)
    moved = [0, 0, 0]
    for times, sequence in sequences:
        for count, one in sequence:
            for index, place in enumerate((0, 1, 3)):
                moved[index] += one.need[place] * count * times
    return Chain(cycles, commands, passes, rows, out_rows, parameter_reads, *moved)


def most_terms(core: CoreSpec) -> int:
    """Longest sum of one command: what the accumulator, both operand memories and a descriptor allow."""
    block = core.array.k_per_block
    held = min(core.weight_words // core.array.tile_words, core.activation_words, (1 << 16) - 1) * block
    return min(core.largest_k, held)


def _add(totals: list[int], core: CoreSpec, one: _Kind, k_blocks: int, count: int) -> None:
    """Sums of `count` equal commands, as the closed form of a chain has them."""
    array = core.array
    tiles = one.group * k_blocks
    full, rest = divmod(one.height, core.block_rows)
    row_blocks = full + (rest > 0)
    busy = one.height * tiles + full * tiles * array.pass_gap(core.block_rows)
    if rest:
        busy += tiles * array.pass_gap(rest)
    for index, value in enumerate(
        (busy, 1, row_blocks * tiles, one.height * tiles, one.height * one.group, row_blocks * one.group)
    ):
        totals[index] += value * count


class _Batches:
    """Which command ends each batch when commands are placed one after the other until a memory is full."""

    def __init__(self, limits: tuple[int, int, int, int]) -> None:
        self.limits = limits
        self.free = (0, 0, 0, 0)  # words taken of each memory
        self.current: _Kind | None = None
        self.closed: dict[_Kind, int] = {}

    def repeat(self, times: int, sequence: list[tuple[int, _Kind]]) -> None:
        """`sequence` placed `times` times; stretches that begin alike are taken at once."""
        seen: dict[tuple[object, object], tuple[int, dict[_Kind, int]]] = {}
        done = 0
        while done < times:
            for count, one in sequence:
                self._place(count, one)
            done += 1
            state = (self.free, self.current)
            if state in seen:
                before, closed = seen[state]
                period = done - before
                rounds = (times - done) // period
                for one, count in list(self.closed.items()):
                    self.closed[one] = count + rounds * (count - closed.get(one, 0))
                done += rounds * period
                seen.clear()
            else:
                seen[state] = (done, dict(self.closed))

    def ends(self) -> dict[_Kind, int]:
        """Batches by the command that ends them, the open one included."""
        found = dict(self.closed)
        if self.current is not None:
            found[self.current] = found.get(self.current, 0) + 1
        return found

    def _place(self, count: int, one: _Kind) -> None:
        fits = min((limit - taken) // need for limit, taken, need in zip(self.limits, self.free, one.need, strict=True))
        if fits < count and self.current is not None:
            if fits > 0:
                count -= fits
                self.current = one
            self._close(self.current, 1)
            self.free = (0, 0, 0, 0)
            each = min(limit // need for limit, need in zip(self.limits, one.need, strict=True))
            batches = (count - 1) // each
            if batches:
                self._close(one, batches)
                count -= batches * each
        elif fits < count:
            batches = (count - 1) // fits
            if batches:
                self._close(one, batches)
                count -= batches * fits
        taken = [taken + count * need for taken, need in zip(self.free, one.need, strict=True)]
        self.free = (taken[0], taken[1], taken[2], taken[3])
        self.current = one

    def _close(self, one: _Kind, count: int) -> None:
        self.closed[one] = self.closed.get(one, 0) + count
