"""The core's closed form with the labels other simulators use: load and skew apart from waits and output stage.

`mac_array.closed_form` counts; this module only renames. With R rows, C columns, MAC latency L, P passes or folds:

    ws  load    R: the first tile; without overlap of folds R in every pass
        fill    L*R + C: operand memory and skew; without overlap in every pass
        bubble  what passes wait for the distance of two weight tiles
        drain   6: accumulator, requantise, output queue
    os  fill    R + C - 1 (v + C - 1 in a last fold of v rows drained by links): skew to the farthest cell; L more for
                floating point
        drain   R rows down the columns, or 1 by links, then the same 6
        bubble  what a fold waits for the results of the fold before
"""

from collections.abc import Mapping

from hw.spec.core import CoreSpec
from model.cycle import mac_array
from model.cycle.budget import Budget
from model.cycle.timing import OUTPUT_CYCLES, Shape


def core_budget(core: CoreSpec, shape: Shape, count: int = 1) -> Budget:
    """`count` equal GEMMs queued together, from the first command to the last output row, no port blocked.

    Every GEMM after the first adds the same, so two of them say what any number takes. Raises `InputError` as the
    closed form does.
    """
    labels = mac_array.closed_form(core, [shape]).budget
    if core.array.interleaved_folds > 1:
        labels = mac_array.closed_form(core, [shape] * count).budget
    elif count > 1:
        two = mac_array.closed_form(core, [shape, shape]).budget
        labels = {name: cycles + (count - 1) * (two[name] - cycles) for name, cycles in labels.items()}
    return (_output_stationary if core.array.dataflow == "os" else _weight_stationary)(core, labels)


def _weight_stationary(core: CoreSpec, given: Mapping[str, int]) -> Budget:
    array = core.array
    waits = given["wait_weight"] - array.rows
    skew = given["drain"] - OUTPUT_CYCLES
    loads = 1
    if not array.fold_overlap:
        loads += waits // array.pass_gap(0)
        waits = 0
    return Budget(prepare=given["prepare"], load=loads * array.rows, fill=loads * skew, stream=given["stream"],
                  bubble=waits, drain=OUTPUT_CYCLES)


def _output_stationary(core: CoreSpec, given: Mapping[str, int]) -> Budget:
    array = core.array
    shift = array.rows if array.drain == "columns" else 1
    fill, drain, waits = given["drain"] - OUTPUT_CYCLES - shift, shift, given["wait_accumulator"]
    if not array.fold_overlap:
        folds = waits // (array.fold_delay - 1)
        fill += waits - folds * shift
        drain += folds * shift
        waits = 0
    return Budget(prepare=given["prepare"], fill=fill, stream=given["stream"], bubble=waits,
                  drain=drain + OUTPUT_CYCLES)
