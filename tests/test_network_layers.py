"""Layers of networks on random tensors: tensor arithmetic = memories = RTL in values, stepped model = RTL in counts.

Dense, grouped and depthwise convolution with stride, padding, dilation and batch, average and maximum pooling, the
residual sum; each alone, and the last two behind a convolution. The tensor reference knows no words and no commands.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from hw.base.error import InputError
from hw.spec.command import (
    OPCODE_CONV,
    Command,
    Copy,
    Geometry,
    activation_word_bits,
    parameter_word_bits,
    weight_word_bits,
)
from hw.spec.core import CoreSpec
from hw.spec.dma import HOLDS, DmaSpec
from hw.spec.mac_array import MacArraySpec
from model.cycle.npu.program.program import Program, step_program
from model.functional.npu import beats_of
from model.lowering import lower
from model.reference.npu import requantise
from model.work.workload import OutputStage
from tb.npu.memory_tests import Case
from tests.support.convolution import diagonals, lower_weights, pixel_words
from tests.support.memory import CORES, counters_of

PLAIN = replace(CORES["square"], activation_words=512, weight_words=512, output_words=512, convolution=True)
DEEP = CoreSpec(
    # two cycles per multiply-accumulate, a ring of accumulators that fills up, words of two beats, no banks
    array=MacArraySpec(rows=4, columns=4, mac_latency=2),
    activation_words=512,
    weight_words=512,
    accumulator_rows=16,
    output_words=512,
    parameter_words=16,
    command_entries=8,
    convolution=True,
    dma=DmaSpec(bytes_per_cycle=2, latency_cycles=3, external_beats=8192, banks=1),
)

KINDS = ("dense", "grouped", "depthwise", "average")
AFTER = ("nothing", "max_pool", "residual")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A convolution on tensors: weights (filters, height, width, channels per group)."""

    weights: np.ndarray
    groups: int
    stride: int
    dilation: int
    pads: tuple[int, int, int, int]
    """Top, left, bottom, right."""


def windows_of(x: np.ndarray, layer: Layer, fill: int) -> np.ndarray:
    """(images, out height, out width, kernel height, kernel width, channels), one window at a time."""
    _, kernel_height, kernel_width, _ = layer.weights.shape
    top, left, bottom, right = layer.pads
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill).astype(np.int64)
    reach = [(k - 1) * layer.dilation for k in (kernel_height, kernel_width)]
    rows = range(0, padded.shape[1] - reach[0], layer.stride)
    columns = range(0, padded.shape[2] - reach[1], layer.stride)
    return np.stack(
        [
            np.stack(
                [
                    padded[:, y : y + reach[0] + 1 : layer.dilation, c : c + reach[1] + 1 : layer.dilation]
                    for c in columns
                ],
                axis=1,
            )
            for y in rows
        ],
        axis=1,
    )


def convolved(x: np.ndarray, layer: Layer) -> np.ndarray:
    """Sums (images, out height, out width, filters)."""
    seen = windows_of(x, layer, 0)
    filters, _, _, channels = layer.weights.shape
    each = filters // layer.groups
    return np.stack(
        [
            (seen[..., f // each * channels : (f // each + 1) * channels] * layer.weights[f].astype(np.int64)).sum(
                (3, 4, 5)
            )
            for f in range(filters)
        ],
        axis=-1,
    )


def random_stage(rng: np.random.Generator, n: int) -> OutputStage:
    return OutputStage(
        bias=rng.integers(-2000, 2000, n, dtype=np.int32),
        multiplier=rng.integers(1 << 30, (1 << 31) - 1, n, dtype=np.int32),
        shift=rng.integers(2, 9, n, dtype=np.int32),
        zero_point=int(rng.integers(-30, 30)),
        low=int(rng.integers(-128, -60)),
        high=int(rng.integers(60, 128)),
    )


def random_layer(rng: np.random.Generator, kind: str) -> tuple[np.ndarray, Layer]:
    """An input (images, height, width, channels) and a layer of `kind` on it, at least one output pixel."""
    while True:
        images, height, width = (int(v) for v in rng.integers(1, (4, 9, 9)))
        kernel = tuple(int(v) for v in rng.integers(1, 4, 2))
        stride, dilation = (int(v) for v in rng.integers(1, 4, 2))
        pads = tuple(int(rng.integers(0, k)) for k in (*kernel, *kernel))
        groups = {"dense": 1, "grouped": int(rng.integers(2, 5))}.get(kind, int(rng.integers(1, 11)))
        channels, each = (1, 1) if kind in ("depthwise", "average") else (int(v) for v in rng.integers(1, 7, 2))
        room = [size + pads[i] + pads[i + 2] - (kernel[i] - 1) * dilation for i, size in enumerate((height, width))]
        if min(room) < 1 or images * height * width * -(-groups * channels // 4) > 200:
            continue
        shape = (groups * each, *kernel, channels)
        weights = np.ones(shape, np.int8) if kind == "average" else rng.integers(-128, 128, shape, dtype=np.int8)
        x = rng.integers(-128, 128, (images, height, width, groups * channels), dtype=np.int8)
        return x, Layer(weights=weights, groups=groups, stride=stride, dilation=dilation, pads=pads)


def geometry_of(x_shape: tuple[int, ...], y_shape: tuple[int, ...], layer: Layer, groups: int, blocks: int) -> Geometry:
    return Geometry(
        images=x_shape[0],
        height=x_shape[1],
        width=x_shape[2],
        out_height=y_shape[1],
        out_width=y_shape[2],
        kernel_height=layer.weights.shape[1],
        kernel_width=layer.weights.shape[2],
        stride=layer.stride,
        dilation=layer.dilation,
        pad_top=layer.pads[0],
        pad_left=layer.pads[1],
        groups=groups,
        group_blocks=blocks,
    )


class Builder:
    """A program under construction: what lies outside, where the next things go, what must come out."""

    def __init__(self, core: CoreSpec) -> None:
        self.core = core
        self.program: Program = []
        self.outside: list[tuple[int, str]] = []
        self.beat = self.weight = self.parameter = 0
        self.results: list[tuple[int, np.ndarray]] = []

    def put(self, words: list[int], bits: int) -> int:
        beats = beats_of(self.core, words, bits)
        self.outside.append((self.beat, beats.tobytes().hex()))
        self.beat += len(beats)
        return self.beat - len(beats)

    def load(self, target: str, words: list[int], bits: int, address: int) -> None:
        self.program.append(Copy(target=target, words=len(words), address=address, other_address=self.put(words, bits)))

    def constants(self, weights: np.ndarray, stage: OutputStage) -> tuple[int, int]:
        """Load weight words and the parameters of one layer; their addresses."""
        at = self.weight, self.parameter
        words, parameters = lower.integers(weights), lower.parameter_words(self.core, stage)
        self.load("external_to_weight", words, weight_word_bits(self.core), self.weight)
        self.load("external_to_parameter", parameters, parameter_word_bits(self.core), self.parameter)
        self.weight, self.parameter = self.weight + len(words), self.parameter + len(parameters)
        return at

    def result(self, words: int, address: int, wanted: np.ndarray) -> None:
        """Copy output words out; `wanted` (images, height, width, channels)."""
        self.program.append(Copy(target="output_to_external", words=words, address=address, other_address=self.beat))
        self.results.append((self.beat, wanted))
        self.beat += words * self.core.dma.beats(8 * self.core.array.columns)


def max_pooled(y: np.ndarray, layer: Layer) -> np.ndarray:
    return windows_of(y, layer, -128).max(axis=(3, 4)).astype(np.int8)


def built(core: CoreSpec, seed: int) -> tuple[Case, list[tuple[int, np.ndarray]]] | None:
    """The case of a seed and its results as (first beat, tensor); None if it does not fit the memories."""
    rng = np.random.default_rng(seed)
    kind, after = KINDS[seed % 4], AFTER[seed // 4 % 3]
    x, layer = random_layer(rng, kind)
    b = Builder(core)
    lowered = lower_weights(core, layer.weights, layer.groups)
    stage = random_stage(rng, len(layer.weights))
    y = requantise(convolved(x, layer).reshape(-1, len(layer.weights)), stage)
    y = y.reshape(*convolved(x, layer).shape[:3], -1)
    pixels, n_blocks = int(np.prod(y.shape[:3])), lowered.groups * lowered.group_blocks
    weight, parameter = b.constants(lowered.words, stage)
    inputs = pixel_words(core, x)
    b.load("external_to_activation", lower.integers(inputs), activation_word_bits(core), 0)
    b.program += [
        geometry_of(x.shape, y.shape, layer, lowered.groups, lowered.group_blocks),
        Command(
            opcode=OPCODE_CONV,
            m=pixels,
            n_blocks=n_blocks,
            k_blocks=lowered.k_blocks,
            weight_address=weight,
            parameter_address=parameter,
        ),
    ]
    words = n_blocks * pixels
    b.result(words, 0, y)
    used = max(len(inputs), words)
    # lanes beyond the filters hold the requantised zero: what follows must see the tensor without them
    if after == "max_pool":
        size, stride = (int(v) for v in rng.integers(1, (4, 3)))
        pads = tuple(int(rng.integers(0, min(size, 2))) for _ in range(4))
        pool = Layer(
            weights=np.ones((1, size, size, 1)), groups=1, stride=stride, dilation=int(rng.integers(1, 3)), pads=pads
        )
        if min(s + pads[i] + pads[i + 2] - (size - 1) * pool.dilation for i, s in enumerate(y.shape[1:3])) < 1:
            return None
        z = max_pooled(y, pool)
        moved = n_blocks * int(np.prod(z.shape[:3]))
        used = len(inputs) + moved
        one = random_stage(rng, z.shape[3])
        weights = diagonals(np.full(z.shape[3], 90), np.zeros(z.shape[3]))[: z.shape[3]]
        at = b.constants(lower.weight_words(core, weights), one)
        b.program += [
            geometry_of(y.shape, z.shape, pool, n_blocks, 1),
            Copy(target="output_to_activation_max", words=moved, other_address=len(inputs)),
            Command(
                m=moved // n_blocks,
                n_blocks=n_blocks,
                k_blocks=n_blocks,
                activation_address=len(inputs),
                weight_address=at[0],
                parameter_address=at[1],
                output_address=words,
            ),
        ]
        sums = z.reshape(-1, z.shape[3]).astype(np.int64) * 90
        b.result(moved, words, requantise(sums, one).reshape(z.shape))
        words += moved
    elif after == "residual":
        other = rng.integers(-128, 128, y.shape, dtype=np.int8)
        scales = rng.integers(-128, 128, (2, y.shape[3]))
        one = random_stage(rng, y.shape[3])
        n = y.shape[3]
        both = np.zeros((2 * n_blocks * core.array.rows, n), np.int8)
        both[:n], both[n_blocks * core.array.rows :][:n] = np.diag(scales[0]), np.diag(scales[1])
        at = b.constants(lower.weight_words(core, both), one)
        start = len(inputs)
        used = start + 2 * words
        held = lower.integers(pixel_words(core, other))
        b.load("external_to_activation", held, activation_word_bits(core), start)
        b.program += [
            Copy(target="output_to_activation", words=words, other_address=start + words),
            Command(
                m=pixels,
                n_blocks=n_blocks,
                k_blocks=2 * n_blocks,
                activation_address=start,
                weight_address=at[0],
                parameter_address=at[1],
                output_address=words,
            ),
        ]
        sums = other.reshape(-1, n) * scales[0] + y.reshape(-1, n) * scales[1]
        b.result(words, words, requantise(sums, one).reshape(y.shape))
        words *= 2
    if max(used, words, b.weight) > 512 or b.parameter > 16 or b.beat > core.dma.external_beats:
        return None
    held = {name: float(rng.choice([0.0, 0.1, 0.5])) for name in HOLDS} if seed % 5 == 1 else {}
    case = Case(
        program=b.program, seed=seed, words=b.outside, held=held, held_cycles=int(rng.integers(50, 1000)) if held else 0
    )
    return case, b.results


def drawn(core: CoreSpec, first: int, count: int) -> list[tuple[Case, list[tuple[int, np.ndarray]]]]:
    """`count` cases that fit, kinds and what follows in turn."""
    found, seed = [], first
    while len(found) < count:
        while (item := built(core, seed)) is None:
            seed += 12  # the same kinds with other tensors
        found.append(item)
        seed = first + len(found) + 12 * (seed // 12 - first // 12)
    return found


def check_values(core: CoreSpec, case: Case, results: list[tuple[int, np.ndarray]]) -> None:
    """The memories after the program hold the tensors."""
    memories = case.memories(core)
    memories.run(case.program)
    width = core.dma.beats(8 * core.array.columns)
    for beat, wanted in results:
        pixels = int(np.prod(wanted.shape[:3]))
        blocks = -(-wanted.shape[3] // core.array.columns)
        words = memories.external[beat : beat + blocks * pixels * width].reshape(blocks * pixels, -1)
        lanes = words[:, : core.array.columns].view(np.int8).reshape(blocks, pixels, -1)
        got = lanes.transpose(1, 0, 2).reshape(pixels, -1)[:, : wanted.shape[3]]
        np.testing.assert_array_equal(got, wanted.reshape(pixels, -1), err_msg=f"seed {case.seed}")


@pytest.mark.parametrize("core", [PLAIN, DEEP], ids=["plain", "deep"])
def test_the_memories_hold_what_tensor_arithmetic_says(core: CoreSpec) -> None:
    for case, results in drawn(core, 1000, 240):
        check_values(core, case, results)


@pytest.mark.rtl
@pytest.mark.parametrize(
    ("core", "count"),
    [pytest.param(PLAIN, 96, id="plain"), pytest.param(DEEP, 48, id="deep", marks=pytest.mark.volume)],
)
def test_the_rtl_runs_every_layer_as_the_stepped_model_says(core: CoreSpec, count: int) -> None:
    items = drawn(core, 5000, count)
    for case, results in items:
        check_values(core, case, results)
    cases = [case for case, _ in items]
    for case, counted in zip(cases, counters_of(core, cases), strict=True):
        timing = step_program(core, case.program, case.patterns())
        expected = {"busy": timing.cycles, **timing.budget, **timing.counts}
        assert counted == expected, (
            case.seed,
            {name: (counted[name], expected[name]) for name in counted if counted[name] != expected[name]},
        )


def test_groups_are_put_together_until_they_fill_blocks() -> None:
    depthwise = lower_weights(PLAIN, np.ones((8, 3, 3, 1), np.int8), 8)
    assert (depthwise.groups, depthwise.group_blocks, depthwise.k_blocks) == (2, 1, 1)
    whole = lower_weights(PLAIN, np.ones((16, 1, 1, 4), np.int8), 2)
    assert (whole.groups, whole.group_blocks, whole.k_blocks) == (2, 2, 1)
    odd = lower_weights(PLAIN, np.ones((6, 1, 1, 3), np.int8), 3)
    assert (odd.groups, odd.group_blocks, odd.k_blocks) == (1, 2, 3)
    with pytest.raises(InputError, match="multiple of the groups, not 5 of 2"):
        lower_weights(PLAIN, np.ones((5, 1, 1, 1), np.int8), 2)
