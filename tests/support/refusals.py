"""Malformed descriptors for a core: drawn at random, each under a wanted refusal code."""

import numpy as np

from hw.spec.command import (
    COMMAND_FIELDS,
    CONFIG_FIELDS,
    COPY_FIELDS,
    OPCODE_CONFIG,
    OPCODE_CONV,
    OPCODE_COPY,
    OPCODE_GEMM,
    Geometry,
    pack,
)
from hw.spec.core import CoreSpec
from model.functional.verdict import verdict

KINDS = {
    OPCODE_GEMM: COMMAND_FIELDS,
    OPCODE_CONV: COMMAND_FIELDS,
    OPCODE_COPY: COPY_FIELDS,
    OPCODE_CONFIG: CONFIG_FIELDS,
}
TRIES = 20_000


def codes(core: CoreSpec) -> list[int]:
    """The refusal codes `core` can give."""
    able = [1, 2, 4, 5, 6, 7, 12]
    if -(-core.largest_k // core.array.k_per_block) < (1 << COMMAND_FIELDS["k_blocks"]) - 1:
        able.append(3)
    able += [8] if core.dma is None else [9, 10]
    return sorted(able + [11] * core.convolution)


def malformed(core: CoreSpec, geometry: Geometry, wanted: int, rng: np.random.Generator) -> int:
    """A descriptor that `core` refuses under the code `wanted` while `geometry` is configured.

    It starts as a small good one; then one or two fields become zero, just too large, or anything.
    """
    edges = (
        core.activation_words,
        core.weight_words,
        core.output_words,
        core.parameter_words,
        -(-core.largest_k // core.array.k_per_block),
        0 if core.dma is None else core.dma.external_beats,
    )
    for _ in range(TRIES):
        opcode = int(rng.choice(list(KINDS)))
        fields = KINDS[opcode]
        values = dict.fromkeys(fields, 0) | {"opcode": opcode}
        sizes = [
            name
            for name in fields
            if name not in ("opcode", "target") and "address" not in name and "format" not in name
        ]
        values |= {name: int(rng.integers(1, 4)) for name in sizes}
        if opcode == OPCODE_COPY:
            values["target"] = int(rng.integers(0, 6))
            if rng.random() < 0.3:
                values["words"] = geometry.pixels * geometry.groups
        if opcode == OPCODE_CONV and rng.random() < 0.8:
            values |= {"m": geometry.pixels, "n_blocks": geometry.groups * geometry.group_blocks}
        for name in rng.choice(list(fields), int(rng.integers(1, 3)), replace=False):
            limit = 1 << fields[name]
            near = int(rng.choice(edges)) + int(rng.integers(-3, 3))
            values[name] = int(rng.choice([0, near, int(rng.integers(limit))])) % limit
        word = pack(fields, values)
        if verdict(core, word, geometry) == wanted:
            return word
    raise AssertionError(f"no descriptor under code {wanted} was found")
