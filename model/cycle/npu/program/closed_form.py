"""Cycles of GEMMs between external memories without stepping, by the core's dataflow."""

from collections.abc import Sequence

from hw.spec.core import CoreSpec
from model.cycle.npu.program.counts import counted
from model.cycle.npu.program.external_memory_output_stationary import OutputStationaryForm
from model.cycle.npu.program.external_memory_weight_stationary import WeightStationaryForm
from model.cycle.npu.timing import Timing
from model.lowering.program import Placed


def program_form(core: CoreSpec, placed: Sequence[Placed]) -> Timing:
    """Cycles, labels and events of `model.lowering.program.streamed(core, placed)`, external memory never held.

    Exact for every core with copy channels: any format, switches, bandwidth, latency and banks,
    any number of GEMMs, whatever bounds them. Programs with fences, copies on chip, CONV or pooling, and stalls from
    outside, are for the stepped model.
    """
    form = (OutputStationaryForm if core.array.dataflow == "os" else WeightStationaryForm)(core, placed)
    cycles = form.run()
    form.labels["prepare"] += 2
    return Timing(cycles=cycles, budget=form.labels, counts=counted(form), utilisation=form.labels["stream"] / cycles)
