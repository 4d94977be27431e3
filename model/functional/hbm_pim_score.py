"""Values of a network on an HBM-PIM channel: sums of lanes in FP16, added up and biased by the host."""

import sys

import numpy as np

from hw.spec.chip import Chip
from hw.spec.pim import PimSpec
from model.count import Counts
from model.functional.dram_pim_numerics import hbm_pim_lane_sums, sum_lanes
from model.functional.dram_pim_score import network_score
from model.number.half import fp16_add, fp16_relu
from model.work.float_digits import float_workload
from model.work.workload import Workload


def layer_sums(spec: PimSpec, weights: np.ndarray, bias: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Lane sums (batch, out, lanes) in FP16; the bias is the host's."""
    return hbm_pim_lane_sums(weights, vectors)


def host_after(spec: PimSpec, sums: np.ndarray, bias: np.ndarray, last: bool) -> np.ndarray:
    """Lanes added left to right in FP16, then the bias, then ReLU but for the last layer: codes (batch, out)."""
    biased = fp16_add(sum_lanes(sums), bias[None, :])
    return biased if last else fp16_relu(biased)


def score(chip: Chip, workload: Workload, seed: int) -> tuple[dict[str, float], Counts]:
    """Figures of the task; no event is decided by operands. The seed changes nothing: the operands are stored."""
    spec = chip.machine_as(PimSpec, "this score")
    return network_score(sys.modules[__name__], spec, float_workload(spec.title, workload)), Counts()  # type: ignore[arg-type]
