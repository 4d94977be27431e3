"""Say what a language model needs on its cards: weights, key-value cache, largest batch, work per step.

examples:
  kcloud-cosim language llama31_8b --memory 48 --weights fp8_e4m3
  kcloud-cosim language path/to/config.json --cards 8 --context 4096 --memory 80 --json
"""

import argparse
import json

from hw.base.error import InputError
from hw.spec.number import FORMATS
from model.cli._network import MAXIMUM_BATCH, adapted
from model.network import llm
from model.network.serving import Serving


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The model and how it is served."""
    parser.add_argument("model", metavar="NAME|config.json", help=f"one of {', '.join(llm.names())}, or a file")
    parser.add_argument("--cards", type=int, default=1, help="tensor parallel over this many (default: 1)")
    parser.add_argument("--context", type=int, default=1024, help="tokens per sequence (default: 1024)")
    parser.add_argument("--batch", type=int, default=1, help="sequences decoded together (default: 1)")
    parser.add_argument("--weights", choices=list(FORMATS), help="format of weights (default: the file's, else fp16)")
    parser.add_argument("--cache", choices=list(FORMATS), default="fp16", help="format of the key-value cache")
    parser.add_argument("--memory", type=float, metavar="GB", help="memory of one card: also say the largest batch")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the lines")


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    given = arguments.model
    model = llm.read_config(given) if given.endswith(".json") else llm.load(given)
    if arguments.weights is not None and model.quantization is not None:
        raise InputError(
            f"--weights must be left out, the file of {model.name} states its own ({model.quantization.title}), or the "
            "file be without quantization_config"
        )
    if not 1 <= arguments.batch <= MAXIMUM_BATCH:
        raise InputError(f"a batch must be an integer of at least 1, at most {MAXIMUM_BATCH}, not {arguments.batch}")
    weights = arguments.weights or model.stored or "fp16"
    serving = Serving(model=model, cards=arguments.cards, weight_format=weights, cache_format=arguments.cache)
    if arguments.json:
        print(json.dumps(as_json(serving, arguments.context, arguments.batch, arguments.memory), indent=1))
    else:
        print(*describe(serving, arguments.context, arguments.batch, arguments.memory), sep="\n")
    return 0


def describe(serving: Serving, context: int, batch: int, memory_gb: float | None) -> list[str]:
    """One line per figure, each with its unit and what it is per."""
    model, cards = serving.model, serving.cards
    share = "" if cards == 1 else f" per card of {cards}"
    lines = [
        f"model            {model.name}: {model.parameters:,} parameters, {model.layers} layers, "
        f"{model.heads} heads, {model.kv_heads} of them with their own keys and values",
        f"weights          {adapted(serving.weight_bytes, 'B')}{share} in {serving.weights}",
        f"key-value cache  {adapted(serving.cache_bytes_per_token, 'B')}{share} per token in {serving.cache_format}, "
        f"{adapted(serving.sequence_bytes(context), 'B')} per sequence of {context} tokens",
    ]
    if memory_gb is not None:
        most = _largest_batch(serving, context, memory_gb)
        lines.append(f"largest batch    {most} sequences of {context} tokens in {memory_gb:g} GB")
    for title, network, tokens in (
        ("prefill", serving.prefill(context), context),
        ("decode", serving.decode(context, batch), batch),
    ):
        lines.append(
            f"{title:<16} {adapted(network.macs, 'MAC')}{share}, {adapted(network.macs / tokens, 'MAC')} per token "
            f"({'one prompt' if title == 'prefill' else f'batch {batch}'}, {context} tokens)"
        )
    return lines


def _largest_batch(serving: Serving, context: int, memory_gb: float) -> int:
    """Sequences of `context` tokens that a card of `memory_gb` GB holds beside the weights."""
    if not 0 < memory_gb < float("inf"):
        raise InputError(f"the memory of a card must be more than 0 GB, not {memory_gb:g}; leave it out or give it")
    return serving.largest_batch(context, memory_gb * 1e9)


def as_json(serving: Serving, context: int, batch: int, memory_gb: float | None) -> dict[str, object]:
    """What `describe` says, for scripts: bytes and MACs are those of one card."""
    model = serving.model
    prefill, decode = serving.prefill(context), serving.decode(context, batch)
    return {
        "model": model.name,
        "parameters": model.parameters,
        "layers": model.layers,
        "heads": model.heads,
        "kv_heads": model.kv_heads,
        "cards": serving.cards,
        "context": context,
        "batch": batch,
        "weight_format": serving.weight_format if model.quantization is None else model.quantization.method,
        "weights": serving.weights,
        "weight_bytes": serving.weight_bytes,
        "cache_format": serving.cache_format,
        "cache_bytes_per_token": serving.cache_bytes_per_token,
        "cache_bytes_per_sequence": serving.sequence_bytes(context),
        "largest_batch": None if memory_gb is None else _largest_batch(serving, context, memory_gb),
        "prefill_macs": prefill.macs,
        "decode_macs": decode.macs,
    }
