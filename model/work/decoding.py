"""A decoder as work for a system: configuration, weights, prompt, how many tokens, who multiplies what."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hw.base.error import InputError
from hw.spec.dram import Timing
from hw.spec.system import SystemSpec
from hw.spec.vector import VectorSpec
from model.language import corpus
from model.language.bytepair import BytePair
from model.language.config import DecoderConfig, read_config
from model.lowering.decoder.checkpoint import read_weights

PROMPT = (
    "If the iterator is exhausted, the method raises an exception. The default value of this argument is used when "
    "the file is not"
)
"""The prompt of the small language model: 32 tokens."""
TOKENS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """What is generated.

    Parameters
    ----------
    config : DecoderConfig
        Sizes of the model.
    weights : dict
        FP32 tensors by their names in checkpoints.
    prompt : list of int
        Token numbers.
    count : int
        Tokens to generate, greedily.
    pieces : BytePair or None
        The text of tokens, if they have one.
    """

    config: DecoderConfig
    weights: dict[str, np.ndarray]
    prompt: list[int]
    count: int
    pieces: BytePair | None = None

    def text(self, tokens: list[int]) -> str:
        """The text of tokens, or their numbers."""
        return self.pieces.decode(tokens) if self.pieces else " ".join(map(str, tokens))


def small_llm(count: int = TOKENS, prompt: str = PROMPT) -> Decoding:
    """The committed model on a prompt."""
    folder = corpus.FOLDER / "weights"
    config = read_config(folder / "config.json")
    pieces = BytePair.stored()
    return Decoding(
        config=config,
        weights=read_weights(folder / "model.safetensors", config),
        prompt=pieces.encode(prompt),
        count=count,
        pieces=pieces,
    )


def tiny(count: int) -> Decoding:
    """Random weights in the configuration of tiny-NPU."""
    return random_decoding(np.random.default_rng(1), TINY_NPU, 8, min(count, 8))


def from_folder(folder: Path, count: int, text: str | None) -> Decoding:
    """A model with `config.json`, `model.safetensors` and, if tokens have texts, `merges.txt`.

    The prompt is text if there are merges, else numbers of tokens with commas between them.
    """
    config = read_config(folder / "config.json")
    merges = folder / "merges.txt"
    pieces = BytePair.stored(merges) if merges.is_file() else None
    if pieces is not None and pieces.vocabulary != config.vocab_size:
        raise InputError(
            f"{merges} must make the {config.vocab_size} tokens of config.json, not {pieces.vocabulary}; leave it out "
            "and give the prompt as numbers"
        )
    weights = read_weights(folder / "model.safetensors", config)
    if text is None:
        raise InputError("a model of your own needs a prompt; give it with --text")
    if pieces is not None:
        prompt = pieces.encode(text)
    else:
        try:
            prompt = [int(number) for number in text.split(",")]
        except ValueError as e:
            raise InputError(
                f"a prompt without merges.txt must be numbers of tokens with commas between them, not {text!r}"
            ) from e
    return Decoding(config=config, weights=weights, prompt=prompt, count=count, pieces=pieces)


def work_of(name: str, count: int, prompt: int | None = None, text: str | None = None) -> Decoding:
    """The work called `name`, or the model in the folder `name`, its prompt `text` cut to `prompt` tokens.

    Raises `InputError` listing the known ones.
    """
    if name == "small_llm":
        work = small_llm(count, PROMPT if text is None else text)
    elif name == "tiny_npu":
        work = tiny(count)
    elif (Path(name) / "config.json").is_file():
        work = from_folder(Path(name), count, text)
    else:
        raise InputError(
            f"a language model to run must be one of small_llm, tiny_npu or a folder with config.json and "
            f"model.safetensors, not {name!r}"
        )
    return work if prompt is None else replace(work, prompt=work.prompt[:prompt])


def random_decoding(rng: np.random.Generator, config: DecoderConfig, prompt: int, count: int) -> Decoding:
    """Random weights of ordinary size and a random prompt."""
    weights = {
        name: (rng.standard_normal(shape) * (shape[-1] ** -0.5 if len(shape) > 1 else 0.1) + (len(shape) == 1)).astype(
            np.float32
        )
        for name, shape in config.shapes().items()
    }
    tokens = [int(t) for t in rng.integers(0, config.vocab_size, prompt)]
    return Decoding(config=config, weights=weights, prompt=tokens, count=count)


TINY_NPU = DecoderConfig(
    hidden_size=64,
    intermediate_size=256,
    num_hidden_layers=4,
    num_attention_heads=4,
    num_key_value_heads=4,
    head_dim=16,
    vocab_size=256,
    max_position_embeddings=16,
)
"""The configuration of harishsg993010/tiny-NPU: 363,550 cycles a token there."""


def vector_spec(spec: SystemSpec) -> VectorSpec:
    """The vector unit of a system: its format, its shared memory."""
    return VectorSpec(memory_words=spec.shared_words, formats=(spec.pim.number,))


def timing_of(spec: SystemSpec) -> Timing:
    """The channel's rules at the system's clock."""
    return spec.pim.dram.resolve()
