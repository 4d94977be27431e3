"""Attention as one operator: the products inside it, from the shapes of its operands.

Ref: ONNX opset 23 (Attention) and ONNX Runtime's ContribOperators.md (com.microsoft). Scores: one product of
(queries x width) by (width x keys) per sequence and head; then (queries x keys) by (keys x width of the values).
Masks are not taken off: a causal product is counted whole, as a dense engine computes it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from model.work.workload import Gemm

Shape = tuple[int, ...]

OPERATORS = frozenset({"Attention", "MultiHeadAttention", "GroupQueryAttention"})


def attention(
    name: str, domain: str, operator: str, attributes: Mapping[str, Any], shapes: Sequence[Shape | None]
) -> tuple[Gemm, ...] | None:
    """The products of an attention node; None where its shapes do not tell them.

    `shapes` are those of all inputs in order, None for one that is left out or not known.
    """
    given = [*shapes, *[None] * 12]
    if domain not in ("", "ai.onnx"):
        if operator == "Attention":
            return _with_projection(name, attributes, given)
        past = given[6] if operator == "MultiHeadAttention" else given[3]
        heads, groups = attributes.get("num_heads"), attributes.get("kv_num_heads", attributes.get("num_heads"))
    else:
        past = given[4]
        heads, groups = attributes.get("q_num_heads"), attributes.get("kv_num_heads")
    query, key, value = given[:3]
    if query is None or len(query) not in (3, 4):
        return None
    if len(query) == 4:  # batch, heads, tokens, width of a head
        if key is None or value is None or len(key) != 4 or len(value) != 4:
            return None
        batch, heads, queries, width = query
        keys, value_width = key[2], value[3]
    else:
        if not heads or not groups:
            return None
        batch, queries, hidden = query
        if key is None:  # queries, keys and values side by side
            width = hidden // (heads + 2 * groups)
            keys, value_width = queries, width
        else:
            width = hidden // heads
            keys = key[1] if len(key) == 3 else key[2]
            value_width = value[2] // groups if value is not None and len(value) == 3 else width
    if past is not None and len(past) == 4:
        keys += past[2]
    if min(batch, heads, queries, keys, width, value_width) < 1:
        return None
    window = attributes.get("local_window_size", -1)
    keys = min(keys, window) if window > 0 and queries == 1 else keys
    return (
        Gemm(name=f"{name} scores", m=queries, n=keys, k=width, count=batch * heads),
        Gemm(name=f"{name} values", m=queries, n=value_width, k=keys, count=batch * heads),
    )


def _with_projection(
    name: str, attributes: Mapping[str, Any], given: Sequence[Shape | None]
) -> tuple[Gemm, ...] | None:
    """com.microsoft's Attention: its weights make queries, keys and values first."""
    data, weights, past = given[0], given[1], given[4]
    heads = attributes.get("num_heads")
    if data is None or weights is None or len(data) != 3 or len(weights) != 2 or not heads:
        return None
    batch, tokens, hidden = data
    split = attributes.get("qkv_hidden_sizes") or (weights[1] // 3,) * 3
    keys = tokens + (past[3] if past is not None and len(past) == 5 else 0)
    return (
        Gemm(name=f"{name} projection", m=batch * tokens, n=weights[1], k=hidden),
        Gemm(name=f"{name} scores", m=tokens, n=keys, k=max(1, split[0] // heads), count=batch * heads),
        Gemm(name=f"{name} values", m=tokens, n=max(1, split[2] // heads), k=keys, count=batch * heads),
    )


def output_shape(operator: str, attributes: Mapping[str, Any], shapes: Sequence[Shape | None]) -> Shape | None:
    """The shape of the result, where it is that of the queries; None where it is another."""
    query, key, value = [*shapes, None, None, None][:3]
    if query is None or len(query) != 3:
        return query if operator != "Attention" else None
    if operator == "Attention":
        sizes = attributes.get("qkv_hidden_sizes")
        width = sizes[2] if sizes else (key[1] // 3 if key is not None and len(key) == 2 else None)
        return (*query[:2], width) if width is not None else None
    if key is None:
        heads = attributes.get("num_heads", 1)
        groups = attributes.get("kv_num_heads", heads)
        if heads < 1 or groups < 1:
            return None
        return (*query[:2], heads * (query[2] // (heads + 2 * groups)))
    if operator == "MultiHeadAttention" and value is not None and len(value) == 3:
        return (*query[:2], value[2])
    return query
