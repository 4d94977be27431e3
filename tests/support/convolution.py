"""A convolution on tensors as the core takes it: weights by column block, channel block and tap; pixels by block.

A core reads the channel blocks of one group for each column block. Groups that do not fill whole blocks are put
together, as few as do, with zeros where a channel does not belong to a filter; depthwise is the case of one channel
and one filter per group. If no number of groups fills whole blocks all of them are put together.
"""

from dataclasses import dataclass
from math import lcm

import numpy as np

from hw.base.error import InputError
from hw.spec.core import CoreSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """`words` : int8 (weight words, columns); `groups`, `group_blocks` of the geometry; `k_blocks` of the command."""

    words: np.ndarray
    groups: int
    group_blocks: int
    k_blocks: int


def lower_weights(core: CoreSpec, weights: np.ndarray, groups: int = 1) -> Lowered:
    """Weights int8 (filters, kernel height, kernel width, channels per group) of `groups` groups.

    Raises
    ------
    InputError
        If the filters are not a multiple of `groups`.
    """
    filters, height, width, channels = weights.shape
    if groups < 1 or filters % groups:
        raise InputError(f"the filters must be a multiple of the groups, not {filters} of {groups}; pad them")
    rows, columns = core.array.rows, core.array.columns
    each = filters // groups
    together = lcm(rows // np.gcd(rows, channels), columns // np.gcd(columns, each))
    if together == 0 or groups % together:
        together = groups
    k_blocks, group_blocks = -(-together * channels // rows), -(-together * each // columns)
    count = groups // together
    dense = np.zeros((count, group_blocks * columns, height, width, k_blocks * rows), np.int8)
    for filter_ in range(filters):
        part, inside = divmod(filter_, each * together)
        first = inside // each * channels
        dense[part, inside, :, :, first : first + channels] = weights[filter_]
    # (part, column block, column, i, j, channel block, row) -> part, column block, channel block, i, j, row, column
    blocks = dense.reshape(count, group_blocks, columns, height, width, k_blocks, rows)
    return Lowered(
        words=np.ascontiguousarray(blocks.transpose(0, 1, 5, 3, 4, 6, 2)).reshape(-1, columns),
        groups=count,
        group_blocks=group_blocks,
        k_blocks=k_blocks,
    )


def pixel_words(core: CoreSpec, pixels: np.ndarray) -> np.ndarray:
    """Activation words int8 (words, rows), [block][image][row][pixel], of pixels (images, height, width, channels)."""
    rows = core.array.rows
    blocks = -(-pixels.shape[3] // rows)
    padded = np.zeros((*pixels.shape[:3], blocks * rows), np.int8)
    padded[..., : pixels.shape[3]] = pixels
    return np.ascontiguousarray(padded.reshape(-1, blocks, rows).transpose(1, 0, 2)).reshape(-1, rows)


def diagonals(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Weights int8 (2 * channels, channels) of a residual sum: first[c] times one operand plus second[c] the other."""
    return np.concatenate([np.diag(first), np.diag(second)]).astype(np.int8)
