"""The core's closed forms with the labels other simulators use: load and skew apart from waits and output stage.

`mac_array.closed_form` and `memory_form.program_form` count; this module only renames. With R rows, C columns, MAC
latency L, P passes or folds, operands in the scratchpads:

    ws  load    R: the first tile; without overlap of folds R in every pass
        fill    L*R + C: operand memory and skew; without overlap in every pass
        bubble  what passes wait for the distance of two weight tiles
        drain   6: accumulator, requantise, output queue
    os  fill    R + C - 1 (v + C - 1 in a last fold of v rows drained by links): skew to the farthest cell; L more for
                floating point
        drain   R rows down the columns, or 1 by links, then the same 6
        bubble  what a fold waits for the results of the fold before

With copy channels the words a port had to wait for are `stall`; the labels of the core say which port.
"""

from collections.abc import Mapping

from hw.base.error import InputError
from hw.spec.command import Command
from hw.spec.core import CoreSpec
from model.cycle.budget import Budget
from model.cycle.npu import core as mac_array
from model.cycle.npu.program.closed_form import program_form
from model.cycle.npu.timing import OUTPUT_CYCLES, Shape, cut
from model.lowering.program import place

STALLS = ("weight_missing", "weight_blocked", "activation_missing", "activation_blocked", "output_blocked", "copy")


def core_labels(core: CoreSpec, shape: Shape, count: int = 1) -> dict[str, int]:
    """Cycles by the core's labels of `count` equal GEMMs queued together, operands in the scratchpads.

    Every GEMM after the first adds the same, so two of them say what any number takes. Raises `InputError` as the
    closed form does.
    """
    labels = mac_array.closed_form(core, [shape]).budget
    if core.array.interleaved_folds > 1:
        labels = mac_array.closed_form(core, [shape] * count).budget
    elif count > 1:
        two = mac_array.closed_form(core, [shape, shape]).budget
        labels = {name: cycles + (count - 1) * (two[name] - cycles) for name, cycles in labels.items()}
    return dict(labels)


def memory_labels(core: CoreSpec, shape: Shape, count: int = 1) -> dict[str, int] | None:
    """The same from external memory to external memory, one GEMM after the other; None if one does not fit inside."""
    blocks = cut(core, shape)
    try:
        placed = place(core, [Command(m=shape[0], n_blocks=blocks.n_blocks, k_blocks=blocks.k_blocks)])
    except InputError:
        return None
    return {name: cycles * count for name, cycles in program_form(core, placed).budget.items()}


def budget_of(core: CoreSpec, labels: Mapping[str, int]) -> Budget:
    """`labels` of the core, one run or several, under the common names; the same sum."""
    if any(labels[name] for name in STALLS):
        return _with_memory(core, labels)
    return (_output_stationary if core.array.dataflow == "os" else _weight_stationary)(core, labels)


def _weight_stationary(core: CoreSpec, given: Mapping[str, int]) -> Budget:
    array = core.array
    waits = given["wait_weight"] - array.rows
    skew = given["drain"] - OUTPUT_CYCLES
    loads = 1
    if not array.fold_overlap:
        loads += waits // array.pass_gap(0)
        waits = 0
    return Budget(
        prepare=given["prepare"],
        load=loads * array.rows,
        fill=loads * skew,
        stream=given["stream"],
        bubble=waits,
        drain=OUTPUT_CYCLES,
    )


def _output_stationary(core: CoreSpec, given: Mapping[str, int]) -> Budget:
    array = core.array
    shift = array.rows if array.drain == "columns" else 1
    fill, drain, waits = given["drain"] - OUTPUT_CYCLES - shift, shift, given["wait_accumulator"]
    if not array.fold_overlap:
        folds = waits // (array.fold_delay - 1)
        fill += waits - folds * shift
        drain += folds * shift
        waits = 0
    return Budget(
        prepare=given["prepare"], fill=fill, stream=given["stream"], bubble=waits, drain=drain + OUTPUT_CYCLES
    )


def _with_memory(core: CoreSpec, given: Mapping[str, int]) -> Budget:
    """One run: what it waits for weights beyond the first tile, or for accumulators, is the array's own bubble."""
    load = min(given["wait_weight"], core.array.rows)
    drain = min(given["drain"], OUTPUT_CYCLES)
    return Budget(
        prepare=given["prepare"],
        load=load,
        fill=given["drain"] - drain,
        stream=given["stream"],
        drain=drain,
        bubble=given["wait_weight"] - load + given["wait_accumulator"],
        stall=sum(given[name] for name in STALLS),
    )
