"""Events of programs with copies, from the closed form."""

from hw.base.integer import ceil_div
from model.count import Counts
from model.cycle.npu.program.external_memory_weight_stationary import SCRATCHPADS, WeightStationaryForm
from model.cycle.npu.timing import TIMED_EVENTS
from model.lowering import lower


def counted(form: WeightStationaryForm) -> Counts:
    """Every event of the program `form` has gone through."""
    core, array = form.core, form.array
    total: dict[str, int] = dict.fromkeys((*SCRATCHPADS, "output"), 0)
    passes = first = 0
    stationary = array.dataflow == "ws"
    parameters = 0
    for item in form.placed:
        command = item.command
        for name, words in zip(total, lower.words_of(core, command), strict=True):
            total[name] += words
        blocks = ceil_div(command.m, core.block_rows)
        passes += blocks * command.n_blocks * (command.k_blocks if stationary else 1)
        parameters += blocks * command.n_blocks
        first += command.m * command.n_blocks
    rows = form.labels["stream"]
    beats = form.beats
    read, written = sum(total[name] * beats[name] for name in beats), total["output"] * form.output_beats
    return Counts(
        dict.fromkeys(TIMED_EVENTS, 0)
        | {
            "mac_array.mac": rows * array.cells,
            "mac_array.weight_load": passes * array.columns * array.rows * (array.rows + 1) // 2 * stationary,
            "mac_array.pass": passes,
            "activation_memory.read": rows,
            "activation_memory.write": total["activation"],
            "activation_memory.conflict": form.conflicts["activation"],
            "weight_memory.read": passes * array.rows if stationary else rows,
            "weight_memory.write": total["weight"],
            "weight_memory.conflict": form.conflicts["weight"],
            "accumulator.read": (rows - first) * stationary,
            "accumulator.write": rows if stationary else first,
            "accumulator.drain_read": first,
            "parameter_memory.read": parameters,
            "parameter_memory.write": total["parameter"],
            "output_stage.requantise": first * array.columns,
            "output_memory.write": first,
            "output_memory.read": total["output"],
            "external_memory.read": read,
            "external_memory.write": written,
            "external_memory.read_byte": read * form.dma.bytes_per_cycle,
            "external_memory.write_byte": written * form.dma.bytes_per_cycle,
            "external_memory.read_wait": form.waits,
            "output_stage.drain_block": sum(last - first + 1 for first, last in form.refused),
            "command.accept": 5 * len(form.placed),
            # the queue holds something from cycle 1 on until its last descriptor leaves it
            "command.queue_empty": sum(form.labels.values()) - form.popped,
        }
    )
