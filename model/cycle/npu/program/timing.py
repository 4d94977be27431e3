"""The result of a stepped program from what its run counted."""

from model.count import Counts
from model.cycle.npu.program.state import RunState
from model.cycle.npu.timing import TIMED_EVENTS, Timing


def counted(run: RunState) -> Timing:
    """Cycles, labels and events of `run`, which has ended."""
    array, dma, output, inputs = run.core.array, run.core.dma, run.output, run.inputs
    assert dma is not None  # or there would be no run
    beats = sum(channel.read for channel in inputs)
    events = dict.fromkeys(TIMED_EVENTS, 0) | {
        "mac_array.mac": run.macs * array.cells,
        "mac_array.weight_load": run.cells * array.columns,
        "mac_array.pass": run.swaps,
        "activation_memory.read": run.reads,
        "activation_memory.write": run.activation.written + output.moved + run.pool.written,
        "activation_memory.conflict": run.activation_conflicts,
        "weight_memory.read": run.tile_reads,
        "weight_memory.write": run.weight.written,
        "weight_memory.conflict": run.weight_conflicts,
        "accumulator.read": run.accumulator_reads,
        "accumulator.write": run.macs if array.dataflow == "ws" else run.out_rows,
        "accumulator.drain_read": run.out_rows,
        "parameter_memory.read": run.parameter_reads,
        "parameter_memory.write": run.parameter.written,
        "output_stage.requantise": run.out_rows * array.columns,
        "output_stage.drain_block": run.drain_block,
        "output_memory.write": run.out_rows,
        "output_memory.read": output.read + run.pool.read,
        "external_memory.read": beats,
        "external_memory.write": output.written,
        "external_memory.read_byte": beats * dma.bytes_per_cycle,
        "external_memory.write_byte": output.written * dma.bytes_per_cycle,
        "external_memory.read_wait": sum(channel.waits for channel in inputs),
        "external_memory.write_wait": output.waits,
        "command.accept": run.accepted,
        "command.refuse": run.refusals,
        "command.queue_empty": run.queue_empty,
    }
    return Timing(
        cycles=run.busy, budget=run.labels, counts=Counts(events), utilisation=run.macs / run.busy if run.busy else 0.0
    )
