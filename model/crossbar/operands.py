"""Operands of the error sweep: reproducible matrices and vectors of 8 bits, uniform or like those of a network."""

from typing import Literal, get_args

import numpy as np

from hw.base.error import InputError

Data = Literal["uniform", "dnn"]


def draw(data: Data, seed: int, rows: int, columns: int, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Signed weights (columns, rows) and unsigned inputs (batch, rows) of 8 bits.

    uniform: weights -127 to 127, inputs 0 to 255. dnn: weights round(normal(0, 32)) within +-127, inputs
    round(max(normal(0, 64), 0)) up to 255. Generator `numpy.random.default_rng(1000 + seed)`, weights (columns, rows)
    first, then inputs (rows, batch): the order of the CrossSim sweep of 2026 this is compared with.
    """
    if data not in get_args(Data):
        raise InputError(f"data must be one of {', '.join(get_args(Data))}, not {data!r}; choose one")
    rng = np.random.default_rng(1000 + seed)
    if data == "uniform":
        weights, inputs = rng.integers(-127, 128, (columns, rows)), rng.integers(0, 256, (rows, batch))
    else:
        weights = np.clip(np.rint(rng.normal(0, 32, (columns, rows))), -127, 127).astype(np.int64)
        inputs = np.clip(np.rint(np.maximum(rng.normal(0, 64, (rows, batch)), 0)), 0, 255).astype(np.int64)
    return weights, inputs.T.copy()
