"""The vector unit's operations on whole rows: the machine of micro-operations against plain arithmetic."""

import numpy as np
import pytest

from hw.spec.vector import VectorCommand, VectorSpec
from hw.spec.vector_micro import LANES
from model.functional.vector_unit import VectorMachine
from model.number.codec import decode, encode
from model.reference import vector
from model.work.random_vector import random_words

SPEC = VectorSpec(memory_words=512)
FORMATS = ["bf16", "fp16"]


def numbers(name: str, *shape: int, seed: int = 1, size: float = 1.0) -> np.ndarray:
    return encode((np.random.default_rng(seed).standard_normal(shape) * size).astype(np.float32), name)


def run(
    name: str,
    operation: str,
    a: np.ndarray,
    b: np.ndarray | None = None,
    *,
    b_stride: int | None = None,
    **settings: int,
) -> np.ndarray:
    """Rows (rows, n) through the machine: a at word 0, b at 200, the result at 400 with a's stride."""
    memory = random_words(np.random.default_rng(7), SPEC.memory_words)
    rows, n = a.shape
    words = -(-n // LANES)

    def put(first: int, rows_of: np.ndarray) -> int:
        width = -(-rows_of.shape[1] // LANES)
        for i, row in enumerate(rows_of):
            memory[first + i * width : first + (i + 1) * width] = np.resize(
                np.pad(row, (0, -len(row) % LANES)), (width, LANES)
            )
        return width

    put(0, a)
    stride = put(200, b) if b is not None else 0
    command = VectorCommand(
        operation=operation,
        rows=rows,
        length=n,
        a=0,
        b=200,
        d=400,
        a_stride=words,
        d_stride=words,
        b_stride=stride if b_stride is None else b_stride,
        input_format=name,
        output_format=name,
        **settings,
    )  # pyright: ignore[reportArgumentType]
    assert not VectorMachine(SPEC, memory).run(command.pack()).refused
    found = memory[400 : 400 + rows * words].reshape(rows, -1)
    assert operation == "ARG_MAX" or not found[:, n:].any()
    return found[:, :n]


@pytest.mark.parametrize("name", FORMATS)
def test_residual_gate_norm_and_rotation(name: str) -> None:
    a, b = numbers(name, 3, 70), numbers(name, 3, 70, seed=2)
    assert np.array_equal(run(name, "ADD", a, b), vector.add(a, b, name))
    scale = vector.silu_scale()
    assert np.array_equal(run(name, "GATE", a, b, scale=scale), vector.gate(a, b, name, scale))
    gain, epsilon = numbers(name, 1, 70, seed=3), vector.epsilon_code(1e-5)
    found = run(name, "RMS_NORM", a, gain, b_stride=0, scale=vector.fp32_code(1 / 70), epsilon=epsilon)
    assert np.array_equal(found, vector.rms_norm(a, gain[0], name, epsilon))
    q, tables = numbers(name, 3, 64, seed=4), numbers(name, 1, 64, seed=5)
    found = run(name, "ROTARY", q, tables, b_stride=0, period=2)
    cosine, sine = np.tile(tables[0, :32], 2), np.tile(tables[0, 32:], 2)
    assert np.array_equal(found, vector.rotate(q, np.tile(cosine, (3, 1)), np.tile(sine, (3, 1)), name))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("length", [1, 15, 16, 17, 64, 93])
def test_softmax_is_right_and_near_the_truth(name: str, length: int) -> None:
    a = numbers(name, 1, length, size=3)
    scale = vector.softmax_scale(32**-0.5)
    found = run(name, "SOFTMAX", a, scale=scale)
    assert np.array_equal(found[0], vector.softmax(a[0], name, scale))
    x = decode(a[0], name).astype(np.float64) * 32**-0.5
    true = np.exp(x - x.max()) / np.exp(x - x.max()).sum()
    assert np.abs(decode(found[0], name) / true - 1).max() < 2.0 ** (-8 if name == "bf16" else -10.5)


@pytest.mark.parametrize("name", FORMATS)
def test_norms_and_gelu_are_near_the_truth(name: str) -> None:
    a, gain = numbers(name, 2, 64, size=2), numbers(name, 1, 64, seed=3)
    x, g = decode(a, name).astype(np.float64), decode(gain, name).astype(np.float64)
    close = 2.0 ** (-7.5 if name == "bf16" else -10)
    settings = {"scale": vector.fp32_code(1 / 64), "epsilon": vector.epsilon_code(1e-5)}
    found = decode(run(name, "RMS_NORM", a, gain, b_stride=0, **settings), name)
    assert np.allclose(found, x / np.sqrt((x * x).mean(1, keepdims=True) + 1e-5) * g, rtol=close)
    found = decode(run(name, "LAYER_NORM", a, gain, b_stride=0, **settings), name)
    centred = x - x.mean(1, keepdims=True)
    true = centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5) * g
    assert np.allclose(found, true, rtol=close, atol=1e-6)
    found = decode(run(name, "ACTIVATE", a, scale=vector.fp32_code(-1.702 * vector.LOG2E)), name)
    assert np.allclose(found, x / (1 + np.exp(-1.702 * x)), rtol=close)


def test_largest_place_of_equals_is_the_first() -> None:
    a = numbers("bf16", 1, 90)
    a[0, [20, 37, 85]] = encode(np.array([9], np.float32), "bf16")
    assert run("bf16", "ARG_MAX", a)[0, 0] == 20 == vector.arg_max(a[0], "bf16")


def test_transpositions_and_lane_sums() -> None:
    rng = np.random.default_rng(2)
    memory = random_words(rng, SPEC.memory_words)
    rows = numbers("fp16", 4, 64)
    memory[:16] = rows.reshape(16, LANES)
    machine = VectorMachine(SPEC, memory)
    machine.run(VectorCommand(operation="SPREAD", rows=4, length=64, a=0, a_stride=4, d=100, d_stride=16).pack())
    assert np.array_equal(memory[100:164, :4], rows.T)
    assert not memory[100:164, 4:].any()
    machine.run(VectorCommand(operation="GATHER", rows=4, length=64, a=100, a_stride=16, d=300, d_stride=4).pack())
    assert np.array_equal(memory[300:316].reshape(4, 64), rows)
    sums = numbers("fp16", 32, 16)
    memory[200:232] = sums
    machine.run(
        VectorCommand(
            operation="SUM_LANES",
            rows=1,
            length=32,
            a=200,
            a_stride=16,
            d=50,
            d_stride=1,
            input_format="fp16",
            output_format="fp16",
        ).pack()
    )
    assert np.array_equal(memory[50:52].reshape(-1), vector.sum_lanes(sums, "fp16"))
