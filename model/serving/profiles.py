"""Latencies of a language model's operators by shape, in the files that other serving simulators load.

LLMServingSim reads dense.csv, per_sequence.csv and attention.csv of a folder HARDWARE/MODEL/VARIANT/tpN (microseconds;
its documentation of the profiler's output bundle, 2026); Vidur reads mlp.csv and attention.csv of a folder DEVICE/MODEL
(milliseconds; vidur.execution_time_predictor, 2026). Times are those of this project's card model, with a PIM memory
the shorter of the card's and of the memory's played commands. A model repeats exactly: the statistics of Vidur's
columns are equal, their deviation 0.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import yaml

from hw.base.error import InputError
from model.card.iteration import Iteration, prefill
from model.card.pim import PimMemory
from model.network.layer import Layer
from model.serving.pim import PimMachine

TOKENS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
"""Tokens of an iteration, and up to 256 of them sequences that decode."""
CHUNKS = (0, *(1 << n for n in range(4, 12)))
SEQUENCES = (0, *(1 << n for n in range(9)))
KEYS = (0, *(1 << n for n in range(4, 15)))
"""Grid of attention: tokens of a prompt's part, decoding sequences, tokens in the cache before."""

DENSE = {
    "layernorm": ("norm_1",), "qkv_proj": ("query", "key_value"), "rotary_emb": ("rotary",),
    "o_proj": ("attention_output",), "gate_up_proj": ("up",), "act_fn": ("activation",), "down_proj": ("down",),
}  # fmt: skip
"""Layer of LLMServingSim's catalogue for Llama -> this project's layers of a block."""

MLP = {
    "input_layernorm": ("norm_1",), "attn_pre_proj": ("query", "key_value"), "attn_rope": ("rotary",),
    "attn_post_proj": ("attention_output",), "post_attention_layernorm": ("norm_2",), "mlp_up_proj": ("up",),
    "mlp_act": ("activation",), "mlp_down_proj": ("down",),
}  # fmt: skip
"""Operator of Vidur's mlp.csv -> the same."""

STATISTICS = ("min", "max", "mean", "median", "std")
BLOCK = 16
"""Tokens of a cache block in Vidur's rows."""


@dataclass(frozen=True)
class Operators:
    """Seconds of the operators of one device of `iteration`'s instance.

    Parameters
    ----------
    iteration : Iteration
        Of a dense model whose blocks are alike; tensor parallel at most.
    memory : PimMemory or None
        The memory with processing in it, if there is one.
    """

    iteration: Iteration
    memory: PimMemory | None = None

    def __post_init__(self) -> None:
        model = self.iteration.model
        if model.experts > 1 or len(self.iteration.serving.blocks(1, 1)) != 2:
            raise InputError(
                f"a profile must be of a dense model with one kind of block, not of {model.name}; choose another"
            )

    @lru_cache(maxsize=256)  # noqa: B019 (lives as long as one profile)
    def _block(self, rows: int) -> Mapping[str, Layer]:
        (_, layers), (_, head) = self.iteration.serving.blocks(rows, rows)
        return {layer.name.partition("_")[2] or layer.name: layer for layer in (*layers, *head)}

    def layer(self, rows: int, names: Sequence[str]) -> float:
        """Of these layers of a block together, on `rows` tokens."""
        return sum(self._time(self._block(rows)[name]) for name in names)

    def embedding(self, rows: int) -> float:
        """Of reading a row of the table for each token: a vector layer that moves as much as a norm."""
        return self._time(replace(self._block(rows)["norm"], name="embedding", operator="Gather"))

    def _time(self, layer: Layer) -> float:
        card = sum(time.time for time in self.iteration.layer_times((layer,)))
        if self.memory is not None and layer.kind == "gemm" and layer.stationary:
            return min(card, self.memory.layer_time(layer))
        return card

    @cached_property
    def _saved(self) -> float:
        """Seconds of one layer saved for each key that is read, the keys lying in a PIM memory."""
        if self.memory is None:
            return 0.0
        return PimMachine(self.iteration, self.memory).key_savings[0] / self.iteration.model.layers

    def attention(self, chunk: int, before: int, sequences: int, keys: int) -> float:
        """Of one layer: a prompt's part of `chunk` tokens behind `before`, and `sequences` of `keys` tokens each."""
        _, _, time = self.iteration.attention_layers[0]
        found = time.decode(sequences * keys) - self._saved * sequences * keys
        if chunk:
            work = prefill(chunk, before=before)
            found += time.prefill(work.prefill_pairs, work.prefill_keys)
        return found


def llmservingsim(operators: Operators) -> dict[str, str]:
    """File of a folder tpN -> its text."""
    dense = [
        (name, tokens, operators.layer(tokens, names)) for name, names in DENSE.items() for tokens in TOKENS
    ]  # fmt: skip
    dense += [("embedding", tokens, operators.embedding(tokens)) for tokens in TOKENS]
    dense += [("final_layernorm", tokens, operators.layer(tokens, ("norm",))) for tokens in TOKENS]
    heads = [
        (name, count, operators.layer(count, (ours,)))
        for name, ours in (("lm_head", "output"), ("sampler", "sample"))
        for count in TOKENS
        if count <= SEQUENCES[-1]
    ]
    attention = [
        ("attention", chunk, _plain(before + chunk / 2 if chunk else 0), sequences, keys, 1,
         operators.attention(chunk, before, sequences, keys))
        for chunk, before, sequences, keys in _grid()
    ]  # fmt: skip
    return {
        "dense.csv": _csv(("layer", "tokens", "time_us"), sorted(dense)),
        "per_sequence.csv": _csv(("layer", "sequences", "time_us"), sorted(heads)),
        "attention.csv": _csv(
            ("layer", "prefill_chunk", "prefill_key", "n_decode", "kv_decode", "decode_q_len", "time_us"),
            sorted(attention),
        ),
    }


def _grid() -> Iterator[tuple[int, int, int, int]]:
    for chunk in CHUNKS:
        for before in KEYS if chunk else (0,):
            for sequences in SEQUENCES:
                for keys in KEYS[1:] if sequences else (0,):
                    if chunk or sequences:
                        yield chunk, before, sequences, keys


def vidur(operators: Operators) -> dict[str, str]:
    """File of a folder DEVICE/MODEL -> its text; one number of tensor parallel workers."""
    model, workers = operators.iteration.model, operators.iteration.split.tensor
    names = ("emb", *MLP, "add")
    shape = (model.heads, model.kv_heads, model.hidden, model.intermediate, model.vocabulary, model.gated)
    rows = []
    for tokens in TOKENS:
        times = {name: operators.layer(tokens, ours) for name, ours in MLP.items()}
        times |= {"emb": operators.embedding(tokens), "add": 0.0}
        rows.append((*(v for name in names for v in _statistics(times[name])), *shape, tokens, workers))
    attention = []
    for chunk, before, sequences, keys in _grid():
        if chunk and sequences:
            continue
        seconds = operators.attention(chunk, before, sequences, keys)
        blank = ("",) * len(STATISTICS)
        attention.append((
            *_statistics(0.0), *_statistics(0.0),
            *(_statistics(seconds) if chunk else blank), *(blank if chunk else _statistics(seconds)),
            *_statistics(0.0), model.hidden, model.heads, model.kv_heads, BLOCK, workers, KEYS[-1] + CHUNKS[-1],
            sequences or 1, chunk, before if chunk else keys, bool(chunk), "kcloud-cosim",
        ))  # fmt: skip
    kinds = ("attn_input_reshape", "attn_kv_cache_save", "attn_prefill", "attn_decode", "attn_output_reshape")
    return {
        "mlp.csv": _csv(
            (*_columns(names), "n_head", "n_kv_head", "n_embd", "n_expanded_embd", "vocab_size", "use_gated_mlp",
             "num_tokens", "num_tensor_parallel_workers"),
            rows,
        ),
        "attention.csv": _csv(
            (*_columns(kinds), "n_embd", "n_q_head", "n_kv_head", "block_size", "num_tensor_parallel_workers",
             "max_model_len", "batch_size", "prefill_chunk_size", "kv_cache_size", "is_prefill", "attention_backend"),
            attention,
        ),
    }  # fmt: skip


def origin(operators: Operators, about: Mapping[str, Any]) -> str:
    """Where the times come from, as YAML that both programs leave alone."""
    low, high = operators.iteration.factor("decode")
    memory = operators.memory
    return yaml.safe_dump(
        {
            **about,
            "made_by": "kcloud-cosim profiles",
            "measured": False,
            "times": "predicted by the card model of kcloud-cosim from published facts of the chip "
            "(kcloud-cosim device lists them, each with its source)",
            "range_of_a_time_over_its_prediction": [round(low, 3), round(high, 3)],
            "memory": None
            if memory is None
            else f"{memory.packages} packages of {memory.name}: commands played on a cycle model that equals its RTL; "
            "products with weights and attention over the cache take the shorter of the card's and the memory's time",
            "embedding": "timed as a vector layer that moves one row a token",
            "residual_additions_cache_writes_and_reshapes": "0: part of the operator before them in this model",
        },
        sort_keys=False,
        width=100,
    )


def _columns(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"time_stats.{name}.{statistic}" for name in names for statistic in STATISTICS)


def _statistics(seconds: float) -> tuple[str, ...]:
    """Milliseconds of Vidur's five statistics."""
    return (*[f"{1e3 * seconds:.6g}"] * 4, "0")


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    micro = header[-1] == "time_us"
    writer.writerows((*row[:-1], f"{1e6 * row[-1]:.6g}") if micro else row for row in rows)
    return text.getvalue()
