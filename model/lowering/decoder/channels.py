"""All channels of a system: matrices of weights lie in every one by outputs, the cache of a head in one or in copies.

What is found by a number that only the run knows (the embedding's rows) and what is read once (constants, prompt) lies
in the first channel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hw.base.integer import ceil_div
from hw.spec.memory_controller import Transfer
from hw.spec.system import SystemSpec
from model.lowering.decoder.channel import LANES, Channel, MatrixPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Successive outputs of a matrix in one channel.

    Parameters
    ----------
    unit : str
        Controller of the channel.
    place : MatrixPlace
        Where they lie in it.
    first : int
        Number of the first of them in the whole matrix, a multiple of 16.
    sums : int
        Word of the results' buffer at which their lane sums begin: no other part that is multiplied at that time
        has words there.
    """

    unit: str
    place: MatrixPlace
    first: int = 0
    sums: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitMatrix:
    """A matrix (outputs, inputs) in one or more channels.

    Parameters
    ----------
    outputs, inputs : int
        Size in numbers of 16 bits.
    parts : tuple of Part
        By their first outputs; each channel has one at most.
    """

    outputs: int
    inputs: int
    parts: tuple[Part, ...]


class Channels:
    """The empty channels of a system.

    Attributes
    ----------
    by_unit : dict of str to Channel
        Controller -> contents of its channel.
    """

    def __init__(self, spec: SystemSpec) -> None:
        self.by_unit = {unit: _channel_of(spec) for unit in spec.memory_units}
        self.first = self.by_unit["memory"]

    def __len__(self) -> int:
        return len(self.by_unit)

    def matrix(self, what: str, codes: np.ndarray) -> SplitMatrix:
        """Store weights (outputs, inputs): each channel has as many outputs as any other, but for one step."""
        outputs, inputs = codes.shape
        step = self.first.split_step
        parts = []
        for unit, (first, end) in zip(self.by_unit, _ranges(ceil_div(outputs, step), len(self)), strict=True):
            rows = codes[first * step : end * step]
            if len(rows):
                place = self.by_unit[unit].matrix(what, len(rows), inputs)
                self.by_unit[unit].put(place, rows)
                parts.append(Part(unit=unit, place=place, first=first * step, sums=first * step))
        return SplitMatrix(outputs=outputs, inputs=inputs, parts=tuple(parts))

    def embedding(self, codes: np.ndarray) -> SplitMatrix | None:
        """Store the embedding (tokens, hidden) for `embed` in the first channel; with one channel its place, as an
        output matrix may be the same, with several None: an output matrix is split."""
        if len(self) > 1:
            self.first.put_embedding(codes)
            return None
        place = self.first.matrix("embedding", *codes.shape)
        self.first.put_embedding(codes, place)
        outputs, inputs = codes.shape
        return SplitMatrix(outputs=outputs, inputs=inputs, parts=(Part(unit="memory", place=place),))

    def caches(self, what: str, heads: int, group: int, outputs: int, inputs: int) -> list[list[SplitMatrix]]:
        """Room for matrices that grow: keys (positions, head_dim) or values (head_dim, positions) of each head.

        If there are channels enough, a head has a copy for each of several of them, so that the `group` query heads
        that share it are multiplied beside each other.
        """
        copies = max(1, min(group, len(self) // heads))
        found: list[list[SplitMatrix]] = [[] for _ in range(heads)]
        places: dict[str, list[MatrixPlace]] = {}
        for number, unit in enumerate(self.by_unit):
            mine = len(range(number, heads * copies, len(self)))
            places[unit] = self.by_unit[unit].caches(what, mine, outputs, inputs)
        for number in range(heads * copies):
            unit = list(self.by_unit)[number % len(self)]
            sums = number % len(self) * ceil_div(outputs, LANES) * LANES
            part = Part(unit=unit, place=places[unit][number // len(self)], sums=sums)
            found[number % heads].append(SplitMatrix(outputs=outputs, inputs=inputs, parts=(part,)))
        return found

    def append_key(self, place: SplitMatrix, position: int, shared: int) -> tuple[str, Transfer]:
        """Unit, and how it writes the key of a position."""
        part = place.parts[0]
        return part.unit, self.by_unit[part.unit].append_key(part.place, position, shared)

    def append_values(self, place: SplitMatrix, position: int, shared: int) -> tuple[str, Transfer]:
        """Unit, and how it writes the word of every output of a head's values that has `position`."""
        part = place.parts[0]
        return part.unit, self.by_unit[part.unit].append_values(part.place, position, shared)


def in_turn(places: Sequence[SplitMatrix]) -> list[int]:
    """Numbers of heads by turns of their channels, so that none waits behind those of another channel."""
    seen: dict[str, int] = {}
    turns = []
    for head, place in enumerate(places):
        unit = place.parts[0].unit
        seen[unit] = seen.get(unit, 0) + 1
        turns.append((seen[unit], head))
    return [head for _, head in sorted(turns)]


def _ranges(count: int, parts: int) -> list[tuple[int, int]]:
    """`count` things over so many parts: first and end of each, the longer ones first."""
    size, longer = divmod(count, parts)
    ends = [size * (i + 1) + min(i + 1, longer) for i in range(parts)]
    return list(zip([0, *ends], ends, strict=False))


def _channel_of(spec: SystemSpec) -> Channel:
    """An empty channel of a system, with its way to lay out matrices."""
    if spec.pim.align_bits:
        from model.lowering.decoder.aim import AimChannel

        return AimChannel(spec.pim, spec.rows)
    from model.lowering.decoder.hbm_pim import HbmPimChannel

    return HbmPimChannel(spec.pim, spec.rows)
