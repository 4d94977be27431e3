"""Random programs of the vector unit, and words with all kinds of numbers."""

import numpy as np

from hw.spec.vector import DESCRIPTOR_BITS, VectorCommand, VectorSpec
from hw.spec.vector_micro import LANES
from hw.spec.vector_program import BLOCK_OPERATIONS, PROGRAMS


def random_words(rng: np.random.Generator, words: int) -> np.ndarray:
    """uint16 codes (words, 16): moderate numbers of both formats, zeros, subnormals, infinities, NaN, any bits."""
    shape = (words, LANES)
    moderate = (rng.standard_normal(shape) * np.exp(rng.uniform(-4, 4, shape))).astype(np.float32)
    bf16 = (moderate.view(np.uint32) >> 16).astype(np.uint16)
    fp16 = moderate.astype(np.float16).view(np.uint16)
    codes = np.where(rng.random(shape) < 0.5, bf16, fp16)
    special = rng.choice(
        np.array([0, 0x8000, 1, 0x8001, 0x7C00, 0xFC00, 0x7F80, 0xFF80, 0x7FC0, 0x3F80, 0x3C00], np.uint16), shape
    )
    wild = rng.integers(0, 1 << 16, shape, dtype=np.uint16)
    kind = rng.random((words, 1)) * np.ones(shape)
    codes = np.where((kind < 0.2) & (rng.random(shape) < 0.2), special, codes)
    return np.where(kind < 0.05, wild, codes).astype(np.uint16)


def random_program(rng: np.random.Generator, spec: VectorSpec, count: int) -> list[int]:
    """`count` packed descriptors: most are carried out, some reach beyond the memory, some are any bits."""
    program = []
    for _ in range(count):
        if rng.random() < 0.06:
            program.append(int.from_bytes(rng.bytes(DESCRIPTOR_BITS // 8), "little"))
        else:
            program.append(random_command(rng, spec).pack())
    return program


def random_command(rng: np.random.Generator, spec: VectorSpec) -> VectorCommand:
    """One operation with random sizes, places and constants; one in ten reaches too far or is empty."""
    name = str(rng.choice(list(PROGRAMS)))
    careless = rng.random() < 0.1
    most = spec.memory_words if careless else spec.memory_words // 4
    rows = int(rng.integers(0 if careless else 1, 20 if careless else 6))
    if name in BLOCK_OPERATIONS and rng.random() < 0.3:
        rows = LANES
    strides = rng.integers(0, 80 if careless else 14, 3)
    scale = np.float32(rng.choice([1, 0.1768, -1.4427, 0.0078125, rng.standard_normal()]))
    formats = rng.choice(["bf16", "fp16"], 2)
    return VectorCommand(
        operation=name,
        rows=rows,
        length=int(rng.integers(0 if careless else 1, 90)),
        length_step=int(rng.integers(0, 2)),
        a=int(rng.integers(most)),
        b=int(rng.integers(most)),
        d=int(rng.integers(most)),
        a_stride=int(strides[0]),
        b_stride=int(strides[1]),
        d_stride=int(strides[2]),
        period=int(rng.choice([1, 2, 4, 8])),
        scale=int(scale.view(np.uint32)),
        epsilon=int(rng.choice([0x3727, 0x0000, 0x3F80])),
        input_format=str(formats[0]),
        output_format=str(formats[1]),
    )
