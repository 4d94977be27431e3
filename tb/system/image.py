"""What lies in the memories of a system before a language model starts: program, weights, tables."""

import struct
from collections.abc import Iterator

import numpy as np

from model.lowering.decoder.lowered import Lowered

WORD_BITS = 256


def image(lowered: Lowered, *, whole: bool = False) -> Iterator[tuple[str, int, int]]:
    """(Path of the memory below the system, address, word) of all words that are not zero at the start.

    `whole`: also the zeros of rows that the model takes, for memories that start with anything. Crossbars have cells
    and not words: `tb.system.decoder_tests` loads those.
    """
    for address, word in enumerate(lowered.program.pack()):
        yield "program", address, word
    for unit, channel in lowered.channels.items():
        name = unit.replace("memory", "channel")  # the first channel's name is that of a system with one
        for (bank, row), columns in channel.bank_rows().items():
            # memories start with zeros, unless they are drawn
            for column in range(len(columns)) if whole else np.flatnonzero(columns.any(axis=1)):
                word = int.from_bytes(columns[column].astype("<u2").tobytes(), "little")
                yield f"{name}.banks.bank_{bank}.cells", row * channel.columns + int(column), word


def packed(lowered: Lowered, top: str) -> bytes:
    """`image` for a C++ program: of each word 128 bytes with the memory's scope and 32 with its name, both ended by
    zeros, its address, and eight parts of 32 bits, all little-endian."""
    found = []
    for path, address, word in image(lowered):
        scope, _, name = f"TOP.{top}.dut.{path}".rpartition(".")
        parts = [word >> 32 * i & 0xFFFFFFFF for i in range(WORD_BITS // 32)]
        found.append(struct.pack("<128s32s9I", scope.encode(), name.encode(), address, *parts))
    return b"".join(found)
