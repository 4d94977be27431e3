"""A network of fully connected layers on a PIM channel in values alone: the device's sums, the host's part between."""

from typing import Protocol

import numpy as np

from hw.spec.pim import PimSpec
from model.number.codec import decode
from model.work.float_digits import FloatDigits


class Numerics(Protocol):
    """What a kind of PIM device does to the values of one layer; a module of this package."""

    def layer_sums(self, spec: PimSpec, weights: np.ndarray, bias: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """What one layer leaves in the device, by the documented rounding order."""
        ...

    def host_after(self, spec: PimSpec, sums: np.ndarray, bias: np.ndarray, last: bool) -> np.ndarray:
        """What the host makes of it: codes (batch, out) of the next layer's vectors."""
        ...


def network_score(numerics: Numerics, spec: PimSpec, task: FloatDigits) -> dict[str, float]:
    """The task's score with every layer computed as the device rounds."""
    vectors = task.vectors(spec.number)
    parameters = task.parameters(spec.number)
    for i, (weights, bias) in enumerate(parameters):
        sums = numerics.layer_sums(spec, weights, bias, vectors)
        vectors = numerics.host_after(spec, sums, bias, i == len(parameters) - 1)
    return task.score([decode(vectors, spec.number)])
