"""Places in the shared memory, and which tensor lies where when a step has ended."""

from dataclasses import dataclass

from hw.base.error import InputError
from hw.base.integer import ceil_div


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """`rows` rows of `length` elements from word `base` on, `stride` words apart."""

    base: int
    rows: int
    length: int
    stride: int

    def row(self, index: int) -> int:
        """First word of a row."""
        return self.base + index * self.stride


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorPlace:
    """A tensor of a step, by the names of the reference.

    Parameters
    ----------
    name : str
        As in `model.reference.decoder.Tensors`, e.g. "scores".
    layer : int
        Number of the layer from 0 on; -1 outside of layers (embedding, last norm, logits, token).
    head : int
        Number of the attention head for scores and chances, -1 for every other tensor.
    region : Region
        Its words in the shared memory, a row for each token of the step that it has values of.
    """

    name: str
    layer: int
    head: int
    region: Region


class SharedMemory:
    """Hands out words from 0 on."""

    def __init__(self, words: int) -> None:
        self.words, self.used = words, 0
        self._parts: list[tuple[str, int]] = []

    def take(self, what: str, words: int) -> int:
        """First of `words` words."""
        first = self.used
        self.used += words
        self._parts.append((what, words))
        if self.used > self.words:
            largest = sorted(self._parts, key=lambda part: -part[1])[:4]
            named = ", ".join(f"{name} {size}" for name, size in largest)
            raise InputError(
                f"the tensors of a step must fit the shared memory of {self.words} words of 32 bytes: with {what} they "
                f"need at least {self.used} (largest: {named}); take a smaller model or a larger shared memory"
            )
        return first

    def rows(self, what: str, rows: int, length: int) -> Region:
        """Rows of whole words, one behind the other."""
        stride = ceil_div(length, 16)
        return Region(base=self.take(what, rows * stride), rows=rows, length=length, stride=stride)
