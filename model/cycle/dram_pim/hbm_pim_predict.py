"""Cycles of a network on an HBM-PIM channel."""

from hw.spec.chip import Chip
from hw.spec.pim import PimSpec
from model.cycle.dram_pim.network import predict_network
from model.cycle.dram_pim.result import PimResult
from model.cycle.dram_pim.run import HbmPim
from model.prediction import Prediction
from model.work.workload import Workload


def layer_result(spec: PimSpec, outputs: int, inputs: int, batch: int) -> PimResult:
    """Cycles, causes and events of one layer for a batch of vectors on one channel, with refresh."""
    return HbmPim(spec, channels=1).run("gemv", outputs=outputs, inputs=inputs, batch=batch)


def predict(chip: Chip, workload: Workload) -> Prediction:
    """Cycles, events and layers of `workload`; `InputError` unless it has floating-point layers."""
    return predict_network(chip.machine_as(PimSpec, "this prediction"), chip, workload, layer_result)
