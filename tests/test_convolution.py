"""Convolution and pooling by the address generator: RTL = stepped model in every counter, memories = reference."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from hw.spec.command import OPCODE_CONV, Command, Copy, Geometry, output_word_bits
from hw.spec.core import CoreSpec
from hw.spec.dma import HOLDS
from hw.spec.npu_event import LABELS
from hw.spec.number import number_format
from model.cycle.npu.program.program import Program, step_program
from model.functional.npu import Memories, windows
from model.lowering.program import Placed
from model.number.codec import code_type, decode
from tb.npu.axi_cases import parameters_of
from tb.npu.memory_tests import Case
from tests.support.memory import CORES, counters_of

CORE = replace(CORES["square"], activation_words=512, weight_words=512, output_words=512, convolution=True)

FORMATS = {
    "int8": CORE,
    "fp8": replace(CORES["fp8"], activation_words=512, weight_words=512, output_words=512, convolution=True),
    # infinities, and largest values that are no codes of E4M3
    "bf16": replace(CORES["bf16"], activation_words=512, weight_words=512, output_words=512, convolution=True),
    "int4": replace(CORES["int4_pairs"], activation_words=512, weight_words=512, output_words=512, convolution=True),
}


def _extent(size: int, kernel: int, stride: int, dilation: int, before: int, after: int) -> int:
    return (size + before + after - (kernel - 1) * dilation - 1) // stride + 1


def _geometry(rng: np.random.Generator) -> Geometry | None:
    height, width = (int(x) for x in rng.integers(1, 9, 2))
    kernel_height, kernel_width = (int(x) for x in rng.integers(1, 4, 2))
    stride, dilation = (int(x) for x in rng.integers(1, 4, 2))
    pad_top, pad_left = int(rng.integers(0, kernel_height)), int(rng.integers(0, kernel_width))
    out_height = _extent(height, kernel_height, stride, dilation, pad_top, int(rng.integers(0, kernel_height)))
    out_width = _extent(width, kernel_width, stride, dilation, pad_left, int(rng.integers(0, kernel_width)))
    if out_height < 1 or out_width < 1:
        return None
    return Geometry(
        images=int(rng.integers(1, 4)),
        height=height,
        width=width,
        out_height=out_height,
        out_width=out_width,
        kernel_height=kernel_height,
        kernel_width=kernel_width,
        stride=stride,
        dilation=dilation,
        pad_top=pad_top,
        pad_left=pad_left,
        groups=int(rng.choice([1, 1, 2, 3])),
        group_blocks=int(rng.integers(1, 3)),
    )


def _case(core: CoreSpec, seed: int) -> Case:
    """One convolution; in half of the cases its outputs are pooled and multiplied by another matrix."""
    rng = np.random.default_rng(seed)
    while True:
        g = _geometry(rng)
        k_blocks = int(rng.integers(1, 3))
        if g is None:
            continue
        n_blocks = g.groups * g.group_blocks
        inputs, weights = g.groups * k_blocks * g.plane, n_blocks * k_blocks * g.taps * core.array.rows
        if inputs <= 256 and weights <= 512 and n_blocks * g.pixels <= 512:
            break
    command = Command(opcode=OPCODE_CONV, m=g.pixels, n_blocks=n_blocks, k_blocks=k_blocks)
    placed = Placed(command=command, activation=0, weight=600, parameter=1200, output=1500)
    program: Program = [
        g,
        Copy(target="external_to_weight", words=weights, other_address=600),
        Copy(target="external_to_parameter", words=n_blocks, other_address=1200),
        Copy(target="external_to_activation", words=inputs, other_address=0),
        command,
        Copy(target="output_to_external", words=n_blocks * g.pixels, other_address=1500),
    ]
    if seed % 2:
        size = int(rng.integers(1, 3))
        pool = Geometry(
            images=g.images,
            height=g.out_height,
            width=g.out_width,
            out_height=_extent(g.out_height, size, 2, 1, 1, 1),
            out_width=_extent(g.out_width, size, 2, 1, 0, 1),
            kernel_height=size,
            kernel_width=size,
            stride=2,
            pad_top=1,
            groups=n_blocks,
        )
        if min(pool.out_height, pool.out_width) > 0 and n_blocks * pool.pixels <= 250:
            follower = Command(m=pool.pixels, n_blocks=1, k_blocks=n_blocks, activation_address=256)
            program += [
                pool,
                Copy(target="output_to_activation_max", words=n_blocks * pool.pixels, other_address=256),
                follower,
                Copy(target="output_to_external", words=pool.pixels, other_address=2500),
            ]
            if n_blocks > k_blocks * g.taps * n_blocks:
                program = program[:6]
    held = {name: float(rng.choice([0.0, 0.1, 0.5])) for name in HOLDS} if seed % 3 == 1 else {}
    return Case(
        program=program,
        seed=seed,
        words=parameters_of(core, rng, [placed]),
        held=held,
        held_cycles=int(rng.integers(50, 1000)) if held else 0,
    )


@pytest.mark.rtl
@pytest.mark.parametrize(
    "name",
    ["int8", "fp8", pytest.param("bf16", marks=pytest.mark.volume), pytest.param("int4", marks=pytest.mark.volume)],
)
def test_convolutions_run_as_the_stepped_model_says(name: str) -> None:
    core = FORMATS[name]
    cases = [_case(core, 7000 + i) for i in range(60)]
    for case, counted in zip(cases, counters_of(core, cases), strict=True):
        timing = step_program(core, case.program, case.patterns())
        expected = {"busy": timing.cycles, **timing.budget, **timing.counts}
        assert counted == expected, (
            case.seed,
            {name: (counted[name], expected[name]) for name in counted if counted[name] != expected[name]},
        )
        assert sum(counted[label] for label in LABELS) == counted["busy"]


def test_the_reference_windows_are_a_convolution_written_out() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        g = _geometry(rng)
        if g is None:
            continue
        planes = rng.integers(-128, 128, (g.images, g.height, g.width, 3), dtype=np.int8)
        got = windows(planes, g, fill=7)
        for tap in range(g.taps):
            i, j = divmod(tap, g.kernel_width)
            for y in range(g.out_height):
                for x in range(g.out_width):
                    row, column = y * g.stride - g.pad_top + i * g.dilation, x * g.stride - g.pad_left + j * g.dilation
                    within = 0 <= row < g.height and 0 <= column < g.width
                    want = planes[:, row, column] if within else np.full((g.images, 3), 7)
                    np.testing.assert_array_equal(got[tap, :, y, x], want)


@pytest.mark.parametrize("name", ["fp16", "bf16", "fp8_e4m3", "fp8_e5m2", "fp32"])
def test_the_largest_of_a_window_is_ieee_maximum(name: str) -> None:
    fmt = number_format(name)
    core = replace(FORMATS["bf16" if fmt.bits >= 16 else "fp8"], output_format=name)
    if fmt.bits == 32:  # two results where four activations lie
        core = replace(core, array=replace(core.array, columns=2))
    nan = [
        code
        for code in (fmt.lowest_code + 1, (1 << fmt.bits) - 1, (1 << fmt.bits - 1) - 1)
        if np.isnan(decode(np.array(code, code_type(name)), name))
    ]
    assert nan
    special = [fmt.lowest_code, *nan, 0, 1 << fmt.bits - 1, 1, 1 << fmt.bits - 1 | 1]
    rng = np.random.default_rng(4)
    codes = np.concatenate(
        [
            np.array(list(itertools.product(special, repeat=2)), np.uint32),
            rng.integers(0, 1 << fmt.bits, (300, 2), dtype=np.uint32),
        ]
    ).astype(code_type(name))
    pool = Geometry(images=1, height=1, width=2, out_height=1, out_width=1, kernel_height=1, kernel_width=2)
    for first, second in codes:
        memories = Memories(core)
        lanes = memories.output.view(code_type(name))
        lanes[0], lanes[1] = first, second
        memories.run([pool, Copy(target="output_to_activation_max", words=1)])
        (x, y), got = decode(np.array([first, second]), name), memories.activation.view(code_type(name))[0]
        if np.isnan(x):
            want = first
        elif np.isnan(y) or y > x or (x == y == 0 and np.signbit(x) > np.signbit(y)):
            want = second
        else:
            want = first
        assert (got == want).all(), f"of {first:#x} and {second:#x} the larger is {want:#x}, not {got[0]:#x}"


def test_a_depthwise_convolution_takes_each_block_of_channels_by_itself() -> None:
    g = Geometry(images=1, height=3, width=3, out_height=3, out_width=3, groups=2)
    memories = Memories(CORE)
    rng = np.random.default_rng(3)
    memories.activation[:18] = rng.integers(0, 100, (18, 4))
    memories.weight[:8] = np.tile(np.eye(4, dtype=np.uint8), (2, 1))
    one = 1 << 30
    lane = one << 32
    word = sum(lane << (69 * c) for c in range(4)) | (0x7F80_00 << (69 * 4))
    for n in range(2):
        memories.parameter[n] = np.frombuffer(word.to_bytes(memories.parameter.shape[1], "little"), np.uint8)
    memories.run([g, Command(opcode=OPCODE_CONV, m=9, n_blocks=2, k_blocks=1)])
    half = np.rint(memories.activation[:18].astype(np.float64) / 2)  # ties to even
    np.testing.assert_array_equal(memories.output[:18], half)
    assert output_word_bits(CORE) == 32
