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


def complaint(domain: str, operator: str, attributes: Mapping[str, Any], shapes: Sequence[Shape | None]) -> str | None:
    """What must hold of an attention node's shapes and does not; None if all is well or they do not tell."""
    query, key, value = [*shapes, None, None, None][:3]
    own = domain in ("", "ai.onnx")
    if not own and operator == "Attention":
        return _projection_complaint(attributes, query, key)
    heads = attributes.get("q_num_heads" if own else "num_heads")
    groups = attributes.get("kv_num_heads", heads)
    for name, count in (("heads", heads), ("key-value heads", groups)):
        if count is not None and count < 1:
            return f"there must be at least 1 of its {name}, not {count}"
    if query is not None and len(query) == 4 and own:
        heads, groups = query[1], key[1] if key is not None and len(key) == 4 else None
    if heads is not None and groups is not None and heads % groups:
        return f"the {heads} heads must share the {groups} key-value heads evenly"
    if query is None or key is None or len(query) != len(key):
        parts = None if heads is None or groups is None or key is not None else heads + 2 * groups
        if parts is not None and query is not None and len(query) == 3 and query[2] % parts:
            return f"the {query[2]} values must be {parts} heads of one width: queries, keys and values side by side"
        return None
    if query[0] != key[0]:
        return f"queries and keys must be of as many sequences, not of {query[0]} and {key[0]}"
    if value is not None and len(value) == len(key) and value[:-1] != key[:-1]:
        return f"there must be a value for each key {list(key)}, the values are {list(value)}"
    if len(query) == 4:
        return None if query[3] == key[3] else f"queries and keys must be as wide, not {query[3]} and {key[3]}"
    if len(query) != 3 or heads is None or groups is None:
        return None
    if query[2] % heads:
        return f"the {query[2]} values of a query must be {heads} heads of one width"
    if key[2] != query[2] // heads * groups:
        return f"a key must be {groups} heads of {query[2] // heads} values as the queries' are, not {key[2]} values"
    if value is not None and len(value) == 3 and value[2] % groups:
        return f"the {value[2]} values of a value must be {groups} heads of one width"
    return None


def _projection_complaint(attributes: Mapping[str, Any], data: Shape | None, weights: Shape | None) -> str | None:
    """The same of com.microsoft's Attention, whose weights make queries, keys and values first."""
    heads, sizes = attributes.get("num_heads", 1), attributes.get("qkv_hidden_sizes")
    if heads < 1:
        return f"there must be at least 1 of its heads, not {heads}"
    if data is None or weights is None or len(data) != 3 or len(weights) != 2:
        return None
    if data[2] != weights[0]:
        return f"the weights must take the data's {data[2]} values, not {weights[0]}"
    if sizes and (len(sizes) != 3 or sum(sizes) != weights[1]):
        return f"the widths of queries, keys and values {list(sizes)} must be three and sum to {weights[1]}"
    widths = sizes or (weights[1] / 3,) * 3
    if any(width % heads for width in widths):
        return f"queries, keys and values of the {weights[1]} values must each be {heads} heads of one width"
    return None


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
