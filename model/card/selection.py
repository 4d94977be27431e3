"""Time of a detector's choice of boxes: scores, sorting, overlaps.

The steps are those of the reference models' definitions, the counts those of `network.layer.BoxChoice`:

1. Scores: out of the heads, gathered into one list of boxes and classes, through their function, against the threshold,
   in 32 bits: `SCORE_TRAFFIC` bytes of external memory a score, less what the heads were counted to write. Open: from
   all of these fused to one copy more.
2. Sorting, by radix: pairs of score and index are written, read by the first pass and written by the last in external
   memory; in between `RADIX_PASSES` passes read a list twice and write it once where its length fits, the second-level
   cache of a GPU or the scratchpads (there as element operations of the vector engines).
3. Overlaps: each box of a list with all behind it, `OVERLAP_STEPS` operations a pair. A list is passed box by box,
   since the next may be dropped by this: `CHOICE_STEP` cycles a box at least, all lists side by side as far as there
   are multiprocessors with room or cores. Open: from boxes in registers to three reads of memory, one after the other.

Sorting and overlaps run on the device; open: on the host beside the next run. Where a submission's code does it all on
the host (a fact of the chip), scores cross the link as they are: hidden offline, HOST_SCORE each in a single query.
"""

from hw.base.integer import ceil_div
from model.card.layer_time import Formats, LayerTime, Machine, spilled
from model.card.rules import VECTOR_STEPS
from model.network.layer import BoxChoice, Layer

PAIR_BYTES = 8
"""A score and the index of its box, 32 bits each (NVIDIA/TensorRT, plugin/common/kernels/sortScoresPerClass.cu)."""

RADIX_PASSES = 4
"""Passes of a radix sort of 32 bits, 8 bits each; a pass reads keys for its histogram, then moves pairs (NVIDIA
CUB)."""

OVERLAP_STEPS = 12
"""Operations of one pair of boxes: four corners, two sides and their limits, product, sum of areas, quotient, test."""

WARPS = 64
"""Warps on one multiprocessor at a time (CUDA programming guide, technical specifications)."""

LANES = 32
"""Boxes of a list that one warp compares (CUDA programming guide: threads of a warp)."""

KERNELS = 4
"""Steps that start on their own: scores, preparation, sort, overlaps."""


def selection_time(machine: Machine, layer: Layer, choice: BoxChoice, formats: Formats, room: float) -> LayerTime:
    """Time of the choice of boxes `layer` with `room` bytes of scratchpad for activations."""
    written = layer.input_elements * formats.activation
    scores = spilled(max(0.0, choice.scores * machine.score_traffic - written), room)
    pairs = 0.0
    passes = chain = 0.0
    overlap = 0.0
    if machine.chosen == "here":
        pairs = spilled(3 * choice.sorted_scores * PAIR_BYTES, room)
        passes = _passes(machine, choice)
        overlap = choice.lists * choice.candidates**2 / 2 * OVERLAP_STEPS / machine.vector
        chain = _rounds(machine, choice) * choice.candidates * machine.choice_step / machine.clock
    memory = (scores + pairs) / (machine.dram * machine.mixed)
    function = choice.scores * VECTOR_STEPS[layer.operator] / machine.vector
    vector = max(0.0, function - memory) + passes + max(overlap, chain)
    start = KERNELS * machine.start
    return LayerTime(
        name=layer.name,
        operator=layer.operator,
        macs=0,
        time=memory + vector + start,
        bound="fill" if start > memory + vector else "memory" if memory >= vector else "vector",
        least=max(function, spilled(written, machine.sram) / machine.dram),
        memory=memory,
        fill=start,
        vector=vector,
        bytes=scores + pairs,
    )


def _passes(machine: Machine, choice: BoxChoice) -> float:
    """Seconds of the sort's passes on the chip: keys for the histogram, pairs in, pairs out."""
    if machine.units:
        moved = choice.sorted_scores * RADIX_PASSES * 2.5 * PAIR_BYTES
        return moved / (machine.units * machine.port)
    return choice.sorted_scores * RADIX_PASSES * 2 / machine.vector


def _rounds(machine: Machine, choice: BoxChoice) -> int:
    """How many times as many lists as fit side by side there are."""
    beside = machine.units * max(1, WARPS // ceil_div(choice.candidates, LANES)) if machine.units else machine.cores
    return ceil_div(choice.lists, beside)
