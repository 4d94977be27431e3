"""Sums modulo 2**16."""

import numpy as np

from hw.spec.chip import Chip
from model.count import Counts
from model.work.workload import Workload


def sums(rows: np.ndarray) -> np.ndarray:
    return rows.sum(axis=0) % (1 << 16)


def score(chip: Chip, workload: Workload, seed: int) -> tuple[dict[str, float], Counts]:
    return {}, Counts()
