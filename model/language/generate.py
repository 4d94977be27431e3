"""Text from the small language model in the formats of the hardware: greedy, or drawn among the likeliest with a seed.

python -m model.language.generate "The method returns" --tokens 40 --top-k 8 --seed 3
"""

import argparse
import sys

import numpy as np

from hw.base.error import InputError
from model.language import measure
from model.number.codec import decode
from model.reference.decoder import Decoder, store_weights
from model.work.decoding import small_llm


def choose(logits: np.ndarray, top_k: int, temperature: float, rng: np.random.Generator) -> int:
    """A token drawn among the `top_k` largest logits by their softmax at `temperature`; of one the first."""
    if not 1 <= top_k <= len(logits):
        raise InputError(f"top_k must be from 1 to {len(logits)}, not {top_k}")
    if not temperature > 0:
        raise InputError(f"temperature must be above 0, not {temperature}")
    order = np.argsort(-logits.astype(np.float64), kind="stable")[:top_k]
    if top_k == 1:
        return int(order[0])
    scaled = logits[order].astype(np.float64) / temperature
    chance = np.exp(scaled - scaled.max())
    return int(rng.choice(order, p=chance / chance.sum()))


def generate(
    prompt: str, count: int, *, fmt: str = "bf16_aim", top_k: int = 1, temperature: float = 1.0, seed: int = 1
) -> str:
    """`count` tokens behind `prompt`, computed as format `fmt` of `model.language.measure.FORMATS` computes."""
    if fmt not in measure.FORMATS:
        raise InputError(f"a format must be one of {', '.join(measure.FORMATS)}, not {fmt!r}")
    name, product = measure.FORMATS[fmt]
    work = small_llm(count, prompt)
    if not work.prompt:
        raise InputError("a prompt must have at least one token, not none")
    most = work.config.max_position_embeddings
    if len(work.prompt) + count > most:
        raise InputError(
            f"prompt and answer must fit the context of {most} tokens, not {len(work.prompt)} + {count}; shorten the "
            "prompt or generate fewer tokens"
        )
    decoder = Decoder(work.config, store_weights(work.config, work.weights, name), name)
    rng = np.random.default_rng(seed)
    tokens, reads = [], work.prompt
    for _ in range(count):
        logits = decode(decoder.read(reads, product, product)["logits", -1][0], name)
        tokens.append(choose(logits, top_k, temperature, rng))
        reads = tokens[-1:]
    return work.text(tokens)


def main(given: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="text from the small language model, as the hardware computes")
    parser.add_argument("prompt", help="printable ASCII")
    parser.add_argument("--tokens", type=int, default=40)
    parser.add_argument("--format", default="bf16_aim", help=f"{', '.join(measure.FORMATS)} (default %(default)s)")
    parser.add_argument("--top-k", type=int, default=1, help="1 is greedy (default)")
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args(given)
    try:
        print(
            a.prompt + generate(a.prompt, a.tokens, fmt=a.format, top_k=a.top_k, temperature=a.temperature, seed=a.seed)
        )
    except InputError as e:
        print(f"error: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
