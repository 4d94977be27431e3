"""Values of a network on an AiM channel: results in BF16 that hold the bias."""

import sys

import numpy as np

from hw.spec.chip import Chip
from hw.spec.pim import PimSpec
from model.count import Counts
from model.functional.dram_pim_numerics import aim_gemv
from model.functional.dram_pim_score import network_score
from model.number.half import fp16_relu
from model.work.float_digits import float_workload
from model.work.workload import Workload


def layer_sums(spec: PimSpec, weights: np.ndarray, bias: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """BF16 results (batch, out), the bias included."""
    return aim_gemv(spec, weights, vectors, bias)


def host_after(spec: PimSpec, sums: np.ndarray, bias: np.ndarray, last: bool) -> np.ndarray:
    """ReLU but for the last layer: codes (batch, out)."""
    return sums if last else fp16_relu(sums)  # clears by the sign bit, which BF16 has in the same place


def score(chip: Chip, workload: Workload, seed: int) -> tuple[dict[str, float], Counts]:
    """Figures of the task; no event is decided by operands. The seed changes nothing: the operands are stored."""
    spec = chip.machine_as(PimSpec, "this score")
    return network_score(sys.modules[__name__], spec, float_workload(spec.title, workload)), Counts()  # type: ignore[arg-type]
