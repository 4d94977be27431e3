"""What a cycle model says about a chain of GEMMs on one core."""

from collections.abc import Iterable
from dataclasses import dataclass

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.core import CoreSpec
from hw.spec.npu_event import EVENTS, VALUE_EVENTS
from model.count import Counts

Shape = tuple[int, int, int]
"""(m, n, k) of one GEMM: one command of the core."""

PREPARE_CYCLES = 3
"""From a command's acceptance to its first pass at the engines: queue, decoder, sequencer."""
OUTPUT_CYCLES = 6
"""From a row's sums leaving the array to the row leaving the core: accumulator write, drain read, bias,
multiply, round, output queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Cycles of a chain of commands.

    Parameters
    ----------
    cycles : int
        Busy cycles: from the one after the first command was accepted to the one in which the last output
        row left, both included, less cycles in between with no unfinished command.
    budget : dict of str to int
        Label -> cycles, every label of `hw.spec.npu_event.LABELS`; sums to `cycles`.
    counts : Counts
        Every event of `hw.spec.npu_event.EVENTS` but `VALUE_EVENTS`, which only operands decide
        (`model.functional.value_counts`).
    utilisation : float
        Useful multiply-accumulates (m * n * k, no padding) per cycle over what the cells can do: one each, two
        with INT4 pairs.
    """

    cycles: int
    budget: dict[str, int]
    counts: Counts
    utilisation: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """How one GEMM is cut: passes of `full_rows` rows, and of `rest_rows` rows (0: none), `tiles` of each block.

    Parameters
    ----------
    full_blocks : int
        Blocks of `full_rows` rows; 0 if there are fewer rows than that.
    n_blocks : int
        Blocks of N, each as wide as the array has columns, the last perhaps in part.
    k_blocks : int
        Blocks of K, each as many terms as a pass of the array adds, the last perhaps in part.
    """

    full_blocks: int
    full_rows: int
    rest_rows: int
    n_blocks: int
    k_blocks: int

    @property
    def passes(self) -> int:
        """Passes per block of rows."""
        return self.n_blocks * self.k_blocks

    def row_blocks(self) -> Iterable[int]:
        """Rows of each block of rows, in order."""
        yield from (self.full_rows for _ in range(self.full_blocks))
        if self.rest_rows:
            yield self.rest_rows


def cut(core: CoreSpec, shape: Shape) -> Blocks:
    """The blocks of one GEMM; raises `InputError` if a size is not an integer of at least 1."""
    m, n, k = shape
    if any(isinstance(size, bool) or not isinstance(size, int) or size < 1 for size in shape):
        raise InputError(f"m, n and k of a GEMM must be integers of at least 1, not {shape!r}")
    if k > core.largest_k:
        raise InputError(f"k must be at most {core.largest_k_rule}, not {k}; split the GEMM over k")
    full, rest = divmod(m, core.block_rows)
    return Blocks(
        full_blocks=full,
        full_rows=core.block_rows,
        rest_rows=rest,
        n_blocks=ceil_div(n, core.array.columns),
        k_blocks=ceil_div(k, core.array.k_per_block),
    )


TIMED_EVENTS = tuple(event for event in EVENTS if event not in VALUE_EVENTS)
"""What a cycle model counts."""


def event_counts(core: CoreSpec, jobs: Iterable[Shape]) -> Counts:
    """Every event of a chain of GEMMs that does not depend on timing; those that do, and host writes, are 0."""
    array = core.array
    stationary = array.dataflow == "ws"
    rows_issued = passes = out_rows = parameter_reads = commands = 0
    for shape in jobs:
        blocks = cut(core, shape)
        row_blocks = blocks.full_blocks + (blocks.rest_rows > 0)
        commands += 1
        if stationary:
            passes += row_blocks * blocks.passes
            rows_issued += shape[0] * blocks.passes
        else:
            passes += row_blocks * blocks.n_blocks
            rows_issued += row_blocks * blocks.passes
        out_rows += shape[0] * blocks.n_blocks
        parameter_reads += row_blocks * blocks.n_blocks
    counts = dict.fromkeys(TIMED_EVENTS, 0) | {
        "mac_array.mac": rows_issued * array.cells,
        # the thermometer: load step j writes j + 1 cells of each column
        "mac_array.weight_load": passes * array.columns * array.rows * (array.rows + 1) // 2 * stationary,
        "mac_array.pass": passes,
        "activation_memory.read": rows_issued,
        "weight_memory.read": passes * array.rows if stationary else rows_issued,
        "accumulator.read": rows_issued - out_rows if stationary else 0,
        "accumulator.write": rows_issued if stationary else out_rows,
        "accumulator.drain_read": out_rows,
        "parameter_memory.read": parameter_reads,
        "output_stage.requantise": out_rows * array.columns,
        "output_memory.write": out_rows,
        "command.accept": commands,
    }
    return Counts(counts)


def utilisation(core: CoreSpec, jobs: Iterable[Shape], cycles: int) -> float:
    """Useful multiply-accumulates per cycle over what the cells can do."""
    return sum(m * n * k for m, n, k in jobs) / (core.array.cells * core.array.terms_per_lane * cycles)
