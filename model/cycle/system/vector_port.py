"""The vector unit among other units."""

from typing import Protocol

import numpy as np


class VectorPort(Protocol):
    """When a vector unit ends a descriptor, and what it leaves in the shared memory."""

    def run(self, word: int, taken: int) -> tuple[int, int]:
        """Of a descriptor taken in cycle `taken`: the cycle in which it ends or is refused, and its code or 0."""
        ...

    def execute(self, word: int, shared: np.ndarray) -> None:
        """Carry it out on `shared`, uint16 (words, lanes)."""
        ...
