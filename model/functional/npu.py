"""What a program of GEMMs, convolutions and copies leaves in the memories: one command after the other, values only."""

from collections.abc import Sequence

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.command import (
    COMMON_FIELDS,
    LANE_FIELDS,
    OPCODE_CONV,
    Command,
    Copy,
    Descriptor,
    Fence,
    Geometry,
    activation_word_bits,
    output_word_bits,
    parameter_word_bits,
    weight_word_bits,
)
from hw.spec.core import CoreSpec
from hw.spec.number import number_format
from model.count import Counts
from model.functional.value_counts import value_counts
from model.functional.verdict import NO_GEOMETRY, verdict
from model.lowering import lower
from model.number.codec import code_type, decode
from model.reference import npu as reference
from model.work.workload import OutputStage, PlacedProgram


def beats_of(core: CoreSpec, words: Sequence[int], bits: int) -> np.ndarray:
    """Memory words of `bits` bits as beats of the external memory: uint8 (beats, bytes_per_cycle)."""
    assert core.dma is not None
    size = core.dma.beats(bits) * core.dma.bytes_per_cycle
    data = b"".join(word.to_bytes(size, "little") for word in words)
    return np.frombuffer(data, np.uint8).reshape(-1, core.dma.bytes_per_cycle)


class Memories:
    """The memories of a core with copy channels, as bytes; `run` executes commands in order.

    Attributes
    ----------
    activation, weight, parameter, output : uint8 arrays (words, bytes per word)
    external : uint8 array (beats, bytes_per_cycle)
    refused, error : int
        Commands refused so far, code of the last.
    values : Counts
        Events of `hw.spec.npu_event.VALUE_EVENTS` so far.
    """

    def __init__(self, core: CoreSpec) -> None:
        if core.dma is None:
            raise InputError("programs are executed for cores with copy channels; set dma of the core")
        self.core, self.dma = core, core.dma
        self.activation, self.weight, self.parameter, self.output = (
            np.zeros((words, ceil_div(bits, 8)), np.uint8)
            for words, bits in (
                (core.activation_words, activation_word_bits(core)),
                (core.weight_words, weight_word_bits(core)),
                (core.parameter_words, parameter_word_bits(core)),
                (core.output_words, output_word_bits(core)),
            )
        )
        self.external = np.zeros((core.dma.external_beats, core.dma.bytes_per_cycle), np.uint8)
        self.refused = self.error = 0
        self.values = Counts()

    def run(self, program: Sequence[Command | Copy | Fence | Geometry | Descriptor]) -> None:
        """Execute `program`; what is refused changes nothing."""
        geometry = NO_GEOMETRY
        for item in program:
            code = verdict(self.core, item.pack(), geometry)
            if code:
                self.refused, self.error = self.refused + 1, code
            elif isinstance(item, Geometry):
                geometry = item
            elif isinstance(item, Command):
                self._compute(item, geometry)
            elif isinstance(item, Copy) and item.target == "output_to_activation_max":
                self._pool(item, geometry)
            elif isinstance(item, Copy):
                self._copy(item)

    def _pool(self, copy: Copy, g: Geometry) -> None:
        fmt = number_format(self.core.output_format)
        taken = self.output[copy.address : copy.address + g.groups * g.plane]
        codes = taken.view(np.int8 if fmt.is_integer else code_type(fmt.name))
        planes = codes.reshape(g.groups * g.images, g.height, g.width, -1)
        lowest = fmt.minimum if fmt.is_integer else fmt.lowest_code
        taps = windows(planes, g, fill=lowest)
        # of equal ones the first
        chosen = np.argmax(taps if fmt.is_integer else _rank(decode(taps, fmt.name)), axis=0)
        best = np.take_along_axis(taps, chosen[None], axis=0)[0]
        self.activation[copy.other_address : copy.other_address + copy.words] = best.reshape(copy.words, -1).view(
            np.uint8
        )

    def _copy(self, copy: Copy) -> None:
        words, here, there = copy.words, copy.address, copy.other_address
        if copy.target == "output_to_activation":
            self.activation[there : there + words] = self.output[here : here + words]
            return
        if copy.target == "output_to_external":
            width = self.output.shape[1]
            beats = self.dma.beats(8 * width)
            padded = np.zeros((words, beats * self.dma.bytes_per_cycle), np.uint8)
            padded[:, :width] = self.output[here : here + words]
            self.external[there : there + words * beats] = padded.reshape(words * beats, -1)
            return
        memory = {
            "external_to_activation": self.activation,
            "external_to_weight": self.weight,
            "external_to_parameter": self.parameter,
        }[copy.target]
        width = memory.shape[1]
        beats = self.dma.beats(8 * width)
        memory[here : here + words] = self.external[there : there + words * beats].reshape(words, -1)[:, :width]

    def _compute(self, command: Command, g: Geometry) -> None:
        core, array = self.core, self.core.array
        columns, terms = array.columns, array.k_per_block
        m, k_blocks, n_blocks = command.m, command.k_blocks, command.n_blocks
        start = command.activation_address
        conv = command.opcode == OPCODE_CONV
        groups = g.groups if conv else 1
        words = groups * g.plane if conv else array.activation_words(m)
        taken = lower.operands(core, "activation", self.activation[start : start + words * k_blocks])
        if conv:
            # [group, channel block, image, row, pixel, lane] -> per group [tap, channel block, output pixel, lane]
            planes = taken.reshape(groups * k_blocks * g.images, g.height, g.width, terms)
            taps = windows(planes, g, fill=0).reshape(g.taps, groups, k_blocks, m, terms)
            matrices = taps.transpose(1, 3, 2, 0, 4).reshape(groups, m, -1)
            k_blocks *= g.taps
        elif array.rows_per_word > 1:
            # [row block, k, lane, term] -> [row, k and term]
            lanes = taken.reshape(words, k_blocks, array.rows, terms).transpose(0, 2, 1, 3)
            matrices = lanes.reshape(1, -1, k_blocks * terms)
            self._count_padding(matrices[0, m:], n_blocks)
            matrices = matrices[:, :m]
        else:
            matrices = taken.reshape(k_blocks, m, terms).transpose(1, 0, 2).reshape(1, m, k_blocks * terms)
        start = command.weight_address
        w = lower.operands(core, "weight", self.weight[start : start + n_blocks * k_blocks * array.tile_words])
        w = w.reshape(n_blocks, k_blocks * terms, columns)
        for n in range(n_blocks):
            stage = unpack_parameters(core, self.parameter[command.parameter_address + n])
            a = np.ascontiguousarray(matrices[n // g.group_blocks if conv else 0])
            block = np.ascontiguousarray(w[n])
            out = reference.product(core, a, block, stage)
            self.values += value_counts(core, a, block, stage)
            first = command.output_address + n * m
            self.output[first : first + m] = np.ascontiguousarray(out).view(np.uint8)

    def _count_padding(self, lanes: np.ndarray, times: int) -> None:
        """Special operands in lanes below the last row, which an output-stationary array reads too."""
        if self.core.array.is_floating_point:
            values = decode(lanes, self.core.array.activation_format)
            self.values += {
                "mac_array.nan_in": times * int(np.isnan(values).sum()),
                "mac_array.infinity_in": times * int(np.isinf(values).sum()),
            }


def program_counts(core: CoreSpec, work: PlacedProgram) -> Counts:
    """Events of `hw.spec.npu_event.VALUE_EVENTS` of a whole program."""
    memories = Memories(core)
    for beat, beats in work.external:
        memories.external[beat : beat + len(beats)] = beats
    memories.run(work.program)
    return memories.values


def _rank(values: np.ndarray) -> np.ndarray:
    """Numbers in the order of IEEE 754-2019 `maximum` of `values`: -0 below +0, NaN above all."""
    with np.errstate(invalid="ignore"):  # signalling NaN
        values = values.astype(np.float64)
    zeros = np.copysign(np.finfo(np.float64).tiny, values)  # below every number of a format that is stored
    ordered = np.clip(np.where(values == 0, zeros, values), -1e300, 1e300)
    return np.where(np.isnan(values), np.inf, ordered)


def windows(planes: np.ndarray, g: Geometry, *, fill: int) -> np.ndarray:
    """(taps, planes, out_height, out_width, lanes) from (planes, height, width, lanes); `fill` outside."""
    rows = (g.out_height - 1) * g.stride + (g.kernel_height - 1) * g.dilation + 1
    columns = (g.out_width - 1) * g.stride + (g.kernel_width - 1) * g.dilation + 1
    padded = np.full(
        (planes.shape[0], max(rows, g.pad_top + g.height), max(columns, g.pad_left + g.width), planes.shape[3]),
        fill,
        planes.dtype,
    )
    padded[:, g.pad_top : g.pad_top + g.height, g.pad_left : g.pad_left + g.width] = planes
    return np.stack(
        [
            padded[:, i * g.dilation :, j * g.dilation :][
                :, : (g.out_height - 1) * g.stride + 1 : g.stride, : (g.out_width - 1) * g.stride + 1 : g.stride
            ]
            for i in range(g.kernel_height)
            for j in range(g.kernel_width)
        ]
    )


def unpack_parameters(core: CoreSpec, word: np.ndarray) -> OutputStage:
    """The output-stage parameters of one block of columns from the bytes of its word."""
    bits = int.from_bytes(word.tobytes(), "little")
    lanes: dict[str, list[int]] = {name: [] for name in LANE_FIELDS}
    for _ in range(core.array.columns):
        for name, width in LANE_FIELDS.items():
            value = bits & ((1 << width) - 1)
            bits >>= width
            lanes[name].append(value if name == "shift" else value - (value >> (width - 1) << width))
    common = {}
    for name, width in COMMON_FIELDS.items():
        value = bits & ((1 << width) - 1)
        bits >>= width
        common[name] = value - (value >> (width - 1) << width)
    return OutputStage(**{name: np.array(values, np.int32) for name, values in lanes.items()}, **common)
