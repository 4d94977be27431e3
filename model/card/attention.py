"""Attention of one layer in one pass: scores stay on the chip, pairs behind the causal mask are left out.

A key is read from the cache once for each sequence that decodes and once for each chunk of a prompt. Each pair of query
and key costs its multiply-accumulates on the arrays, in 16 bits, and then the steps of a softmax on the vector engines;
queries of heads that share keys are rows of one product, an instruction's 16 rows at least on a GPU. What is longer,
pairs or reads, is the time: so it is linear in the keys of the sequences that decode.
"""

from dataclasses import dataclass
from functools import lru_cache

from hw.base.integer import ceil_div
from model.card.layer_time import Machine
from model.card.mapper import best
from model.card.rules import VECTOR_STEPS
from model.network.attention_shape import AttentionShape

INSTRUCTION_ROWS = 16
"""Rows of the smallest tensor-core instruction (PTX mma shapes m16n8k16)."""

CHUNK = (1024, 512, 8)
"""Keys, queries of a chunk and sequences together for which an array's time of one pair is taken."""
_KEYS, _QUERIES, _SEQUENCES = CHUNK


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionTime:
    """Seconds of one layer on one device: `start` for each of the two kinds of work that occurs, `key` for each key
    read, `decode_pair` and `prefill_pair` for each pair on the arrays and vector engines."""

    start: float
    key: float
    decode_pair: float
    prefill_pair: float

    def decode(self, keys: float) -> float:
        """Of sequences with `keys` tokens together, one query each."""
        return self.start + max(self.key, self.decode_pair) * keys if keys else 0.0

    def prefill(self, pairs: float, keys: float) -> float:
        """Of chunks with `pairs` pairs of query and key."""
        return self.start + max(self.prefill_pair * pairs, self.key * keys) if pairs else 0.0


@lru_cache(maxsize=4096)
def attention_time(machine: Machine, shape: AttentionShape, cache_bytes: float, cache_read: float) -> AttentionTime:
    """Times of `shape` on `machine`, whose rate is that of 16-bit products; the cache's elements are of `cache_bytes`,
    read at `cache_read` of a plain stream."""
    group = ceil_div(shape.heads, shape.kv_heads)
    prompt = shape.prompt or shape
    together = ceil_div(prompt.heads, prompt.kv_heads)
    softmax = shape.heads * VECTOR_STEPS["Softmax"] / machine.vector
    return AttentionTime(
        start=machine.start + machine.hop,
        key=shape.cache_elements * cache_bytes / (machine.dram * cache_read),
        decode_pair=_pair(machine, shape, group, 1, _SEQUENCES) + softmax,
        prefill_pair=_pair(machine, prompt, together, _QUERIES, 1) + softmax,
    )


def _pair(machine: Machine, shape: AttentionShape, group: int, queries: int, sequences: int) -> float:
    """Seconds of all heads for one pair on the arrays alone."""
    rows, per_key = group * queries, shape.key_size + shape.value_size
    core = machine.core
    if core is None:
        padded = ceil_div(rows, INSTRUCTION_ROWS) * INSTRUCTION_ROWS if machine.units else rows
        return padded * shape.kv_heads * per_key / machine.rate / queries
    many = shape.kv_heads * sequences
    scores, sums = (
        best(
            core,
            machine.cores,
            rows,
            n,
            k,
            many,
            (),
            machine.fetch,
            machine.reuse,
            machine.by_row,
            machine.dataflows,
        )
        for n, k in ((_KEYS, shape.key_size), (shape.value_size, _KEYS))
    )
    return (scores.cycles + sums.cycles) / (machine.clock * machine.format_scale) / (_KEYS * queries * sequences)
