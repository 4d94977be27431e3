"""What cannot be lowered is refused in a sentence before anything is placed."""

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.number import number_format
from hw.spec.system import SystemSpec
from hw.spec.vector_micro import LANES
from model.language.config import DecoderConfig
from model.lowering.decoder.lowered import check_pim, shares


def check(spec: SystemSpec, config: DecoderConfig, prompt: list[int], count: int, pim: str) -> None:
    """Raise `InputError` for what cannot be lowered whatever the memories hold."""
    if check_pim(pim) not in shares(spec):
        raise InputError(
            f"pim of a system with crossbars must be one of {', '.join(shares(spec))}, not {pim!r}: the crossbars "
            "multiply by the weights"
        )
    if not prompt:
        raise InputError("a prompt must have at least one token, not none")
    if count < 1:
        raise InputError(f"tokens to generate must be at least 1, not {count}")
    if len(prompt) + count > config.max_position_embeddings:
        raise InputError(
            f"prompt and answer must fit the context of {config.max_position_embeddings} tokens, not {len(prompt)} + "
            f"{count} = {len(prompt) + count}; shorten the prompt or generate fewer tokens"
        )
    if any(not 0 <= token < config.vocab_size for token in prompt):
        raise InputError(f"tokens of a prompt must be from 0 to {config.vocab_size - 1}")
    array = spec.core.array
    if not array.activation_format == array.weight_format == spec.core.output_format == spec.pim.number:
        raise InputError(
            f"the core of a system must compute in the channel's format {spec.pim.number} throughout, not "
            f"{array.activation_format} x {array.weight_format} to {spec.core.output_format}"
        )
    if number_format(spec.pim.number).bits != 16 or array.rows != LANES or array.dataflow != "ws":
        raise InputError(
            f"a decoder needs a weight-stationary core of {LANES} rows with 16-bit numbers, not "
            f"{array.rows} rows, {array.dataflow}, {array.activation_format}"
        )
    for what in ("hidden_size", "intermediate_size"):
        if getattr(config, what) % LANES:
            raise InputError(
                f"{what} must be a multiple of {LANES} lanes, not {getattr(config, what)}; pad the weights"
            )
    if config.head_dim not in (16, 32, 64, 128):
        raise InputError(f"head_dim must be 16, 32, 64 or 128 (1 to 8 words), not {config.head_dim}")


def check_core(spec: SystemSpec, config: DecoderConfig) -> None:
    """Raise `InputError` if a memory of the core is too small for a row of the model."""
    core = spec.core
    widest = max(config.hidden_size, config.intermediate_size, config.query_size)
    group = config.group * ceil_div(config.max_position_embeddings, LANES) * LANES
    needs = {
        "activation_words": 2 * LANES * ceil_div(widest, LANES),
        "weight_words": max(widest, group, config.group * config.head_dim),
        "output_words": max(
            group,
            config.group * config.head_dim,
            core.activation_words // 2 // ceil_div(min(config.hidden_size, config.query_size), LANES),
        ),
    }
    for what, least in needs.items():
        if getattr(core, what) < least:
            raise InputError(
                f"{what} of the core must be at least {least} for this model (rows of {widest} numbers, "
                f"{config.group} heads over {config.max_position_embeddings} positions), not "
                f"{getattr(core, what)}"
            )
