"""The passes of one command, in the order of the sequencer: blocks of rows, then of columns, then of K."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hw.base.integer import ceil_div
from hw.spec.command import OPCODE_CONV, Command, Geometry
from hw.spec.core import CoreSpec

PADDED = -1
"""Address of a row in the padding."""


@dataclass(slots=True)
class Pass:
    """One pass: `rows` activation rows, words `activation` or PADDED; ascending by one if `regular`.

    Parameters
    ----------
    source : Passes
        All passes of its command.
    index : int
        Its number among them, from 0 on.
    first, last : bool
        The first block of K, whose sums start anew, and the last one, whose sums are the results. A fold, which has
        all of K, sets neither.
    ends_command : bool
        It is the last of its command.
    weight : int
        First word of its tile in the weight memory.
    output : int
        Word of the output memory for the result of its first row; those of the others follow.
    parameter : int
        Word of the parameter memory for its columns.
    """

    source: "Passes"
    index: int
    activation: Sequence[int]
    regular: bool
    rows: int
    first: bool
    last: bool
    ends_command: bool
    weight: int
    output: int
    parameter: int


def _taps(g: Geometry) -> list[np.ndarray]:
    """For each kernel tap the word of every output pixel, from the plane's first on; PADDED outside."""
    image, row, column = np.meshgrid(
        np.arange(g.images), np.arange(g.out_height), np.arange(g.out_width), indexing="ij"
    )
    taps = []
    for i in range(g.kernel_height):
        for j in range(g.kernel_width):
            y, x = row * g.stride - g.pad_top + i * g.dilation, column * g.stride - g.pad_left + j * g.dilation
            within = (y >= 0) & (y < g.height) & (x >= 0) & (x < g.width)
            taps.append(np.where(within, (image * g.height + y) * g.width + x, PADDED).ravel())
    return taps


class Passes:
    """The passes of one command, by number; K blocks of a CONV are channel block, then kernel tap."""

    def __init__(self, core: CoreSpec, command: Command, geometry: Geometry | None) -> None:
        conv = command.opcode == OPCODE_CONV
        assert geometry is not None or not conv
        self._geometry = geometry if conv else None
        self._command, self._block, self._rows = command, core.block_rows, core.array.rows
        self._taps = _taps(self._geometry) if self._geometry else []
        self.k_blocks = command.k_blocks * max(len(self._taps), 1)
        self.n_blocks = command.n_blocks
        self.count = ceil_div(command.m, self._block) * self.n_blocks * self.k_blocks

    def __getitem__(self, index: int) -> Pass:
        command = self._command
        block, k = divmod(index, self.k_blocks)
        block, n = divmod(block, self.n_blocks)
        start = block * self._block
        rows = min(self._block, command.m - start)
        if self._geometry is not None:
            channel, tap = divmod(k, len(self._taps))
            channel += n // self._geometry.group_blocks * command.k_blocks
            words = self._taps[tap][start : start + rows]
            base = command.activation_address + channel * self._geometry.plane
            activation: Sequence[int] = np.where(words == PADDED, PADDED, words + base).tolist()
        else:
            base = command.activation_address + k * command.m + start
            activation = range(base, base + rows)
        return Pass(
            source=self,
            index=index,
            activation=activation,
            regular=self._geometry is None,
            rows=rows,
            first=k == 0,
            last=k == self.k_blocks - 1,
            ends_command=index == self.count - 1,
            weight=command.weight_address + (n * self.k_blocks + k) * self._rows,
            output=command.output_address + n * command.m + start,
            parameter=command.parameter_address + n,
        )
