"""Programs for a core with copy channels: GEMMs whose operands start, and whose results end, outside."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hw.base.error import InputError
from hw.spec.command import Command, Copy, Fence, Geometry, output_word_bits, parameter_word_bits
from hw.spec.command import activation_word_bits as activation_bits
from hw.spec.command import weight_word_bits as weight_bits
from hw.spec.core import CoreSpec
from model.lowering import lower

Program = list[Command | Copy | Fence | Geometry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One GEMM with its place in the memories and outside.

    Parameters
    ----------
    command : Command
        Its addresses are those of the core's own memories, in words.
    activation, weight, parameter : int
        First beat of each operand in the external memory.
    output : int
        First beat of the results in the external memory.
    """

    command: Command
    activation: int
    weight: int
    parameter: int
    output: int


def place(core: CoreSpec, commands: Sequence[Command], first_beat: int = 0) -> list[Placed]:
    """Places for `commands`, one after the other outside from `first_beat` on; inside in turn in halves of each memory.

    A single command may fill the memories.

    Raises
    ------
    InputError
        If the core has no copy channels, a command does not fit its half, or the external memory is too small.
    """
    dma = core.dma
    if dma is None:
        raise InputError("a program with copies needs a core with copy channels; set dma of the core")
    parts = 1 if len(commands) == 1 else 2
    limits = [
        words // parts for words in (core.activation_words, core.weight_words, core.parameter_words, core.output_words)
    ]
    bits = (activation_bits(core), weight_bits(core), parameter_word_bits(core), output_word_bits(core))
    placed, beat = [], first_beat
    for index, command in enumerate(commands):
        need = lower.words_of(core, command)
        if any(n > limit for n, limit in zip(need, limits, strict=True)):
            raise InputError(
                f"GEMM {index} needs {need} words of the activation, weight, parameter and output memory, a part "
                f"of them holds {tuple(limits)}; split it"
            )
        inside = [limit * (index % parts) for limit in limits]
        outside = []
        for words, width in zip(need, bits, strict=True):
            outside.append(beat)
            beat += words * dma.beats(width)
        placed.append(
            Placed(
                command=replace(
                    command,
                    activation_address=inside[0],
                    weight_address=inside[1],
                    parameter_address=inside[2],
                    output_address=inside[3],
                ),
                activation=outside[0],
                weight=outside[1],
                parameter=outside[2],
                output=outside[3],
            )
        )
    if beat > dma.external_beats:
        raise InputError(f"the operands need {beat} beats outside, the external memory has {dma.external_beats}")
    return placed


def streamed(core: CoreSpec, placed: Sequence[Placed]) -> Program:
    """Copies in, GEMM, copy out for each; operands of the next GEMM come while one runs.

    The copies of a GEMM's operands may overlap the GEMM before it, which uses the other half.
    """
    program: Program = []
    for index, item in enumerate(placed):
        activations, weights, parameters, outputs = lower.words_of(core, item.command)
        overlap = min(index, 1)
        program += [
            Copy(
                target="external_to_weight",
                words=weights,
                address=item.command.weight_address,
                other_address=item.weight,
                overlap=overlap,
            ),
            Copy(
                target="external_to_activation",
                words=activations,
                address=item.command.activation_address,
                other_address=item.activation,
                overlap=overlap,
            ),
            Copy(
                target="external_to_parameter",
                words=parameters,
                address=item.command.parameter_address,
                other_address=item.parameter,
                overlap=overlap,
            ),
            item.command,
            Copy(
                target="output_to_external",
                words=outputs,
                address=item.command.output_address,
                other_address=item.output,
            ),
        ]
    return program
