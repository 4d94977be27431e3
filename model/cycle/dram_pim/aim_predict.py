"""Cycles of a network on a GDDR6-AiM channel."""

from hw.spec.chip import Chip
from hw.spec.pim import PimSpec
from model.cycle.dram_pim.aim_kernels import gemv_requests
from model.cycle.dram_pim.network import predict_network
from model.cycle.dram_pim.result import PimResult
from model.cycle.dram_pim.run import Aim
from model.prediction import Prediction
from model.work.workload import Workload

AIM_ORDER = "batched"
"""Order of a layer's outputs: as many as there are accumulators share each switch of the banks' side."""


def layer_result(spec: PimSpec, outputs: int, inputs: int, batch: int) -> PimResult:
    """Cycles, causes and events of one layer for a batch of vectors on one channel."""
    return Aim(spec, channels=1).run(gemv_requests(spec, outputs, inputs, 1, AIM_ORDER, batch))


def predict(chip: Chip, workload: Workload) -> Prediction:
    """Cycles, events and layers of `workload`; `InputError` unless it has floating-point layers."""
    return predict_network(chip.machine_as(PimSpec, "this prediction"), chip, workload, layer_result)
