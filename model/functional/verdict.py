"""What the decoder says about a descriptor: 0, or the code of `hw.spec.command.REFUSALS` under which it is refused."""

from hw.base.integer import ceil_div
from hw.spec.command import (
    COMMAND_FIELDS,
    CONFIG_FIELDS,
    COPY_FIELDS,
    COPY_TARGETS,
    OPCODE_CONFIG,
    OPCODE_CONV,
    OPCODE_COPY,
    OPCODE_FENCE,
    OPCODE_GEMM,
    Geometry,
    activation_word_bits,
    output_word_bits,
    parameter_word_bits,
    unpack,
    weight_word_bits,
)
from hw.spec.core import CoreSpec
from hw.spec.number import OPERAND_CODES

NO_GEOMETRY = Geometry(
    images=0, height=0, width=0, out_height=0, out_width=0, kernel_height=0, kernel_width=0, groups=0, group_blocks=0
)
"""Before the first CONFIG: no CONV and no pooling fits it."""


def verdict(core: CoreSpec, descriptor: int, geometry: Geometry = NO_GEOMETRY) -> int:
    """The code for `descriptor` (`command_bits()` bits) while `geometry` is the last CONFIG; first rule that holds."""
    fields = unpack(COMMAND_FIELDS, descriptor)
    opcode = fields["opcode"]
    if opcode == OPCODE_COPY:
        return _copy(core, unpack(COPY_FIELDS, descriptor), geometry)
    if opcode == OPCODE_FENCE:
        return 0
    if opcode == OPCODE_CONFIG and core.convolution:
        config = unpack(CONFIG_FIELDS, descriptor)
        return 11 * any(value == 0 for name, value in config.items() if name not in ("pad_top", "pad_left"))
    conv = opcode == OPCODE_CONV and core.convolution
    if not conv and opcode != OPCODE_GEMM:
        return 1
    return _compute(core, fields, geometry if conv else None)


def _compute(core: CoreSpec, f: dict[str, int], conv: Geometry | None) -> int:
    array = core.array
    m, n_blocks, k_blocks = f["m"], f["n_blocks"], f["k_blocks"]
    if any(
        f[f"{operand}_format"] not in (0, OPERAND_CODES[getattr(array, f"{operand}_format")])
        for operand in ("activation", "weight")
    ):
        return 12
    if not (m and n_blocks and k_blocks):
        return 2
    if conv is not None and (m != conv.pixels or n_blocks != conv.groups * conv.group_blocks):
        return 11
    taps = 1 if conv is None else conv.taps
    if k_blocks * taps > ceil_div(core.largest_k, array.k_per_block):
        return 3
    activations = array.activation_words(m) if conv is None else conv.groups * conv.plane
    if f["activation_address"] + activations * k_blocks > core.activation_words:
        return 4
    if f["weight_address"] + n_blocks * k_blocks * taps * array.tile_words > core.weight_words:
        return 5
    if f["parameter_address"] + n_blocks > core.parameter_words:
        return 6
    return 7 * (f["output_address"] + m * n_blocks > core.output_words)


def _copy(core: CoreSpec, f: dict[str, int], g: Geometry) -> int:
    dma = core.dma
    if dma is None:
        return 8
    words, here, there = f["words"], f["address"], f["other_address"]
    onto_chip = there + words > core.activation_words
    square = activation_word_bits(core) == output_word_bits(core)
    name = {code: name for name, code in COPY_TARGETS.items()}.get(f["target"])
    if name == "output_to_activation_max" and square and core.convolution:
        if words != g.pixels * g.groups:
            return 11
        if words == 0:
            return 2
        if here + g.plane * g.groups > core.output_words:
            return 7
        return 4 * onto_chip
    depth, bits, code = {
        "external_to_activation": (core.activation_words, activation_word_bits(core), 4),
        "external_to_weight": (core.weight_words, weight_word_bits(core), 5),
        "external_to_parameter": (core.parameter_words, parameter_word_bits(core), 6),
        "output_to_external": (core.output_words, output_word_bits(core), 7),
        "output_to_activation": (core.output_words, None, 7),
    }.get(name or "", (0, 0, 9))
    if code == 9 or (bits is None and not square):
        return 9
    if words == 0:
        return 2
    if here + words > depth:
        return code
    if bits is None:
        return 4 * onto_chip
    return 10 * (there + words * dma.beats(bits) > dma.external_beats)
