"""Do a node's further operands fit its data? Biases, scales, states, packed weights, heads; types of attributes.

None of them changes how often is multiplied, but a file in which they do not fit is damaged, its count worth nothing.
Every rule returns what must hold, or None if it does: the caller names file and node.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from hw.base.integer import ceil_div

Shape = tuple[int, ...]
Shapes = Sequence[Shape | None]
Attributes = Mapping[str, Any]
Rule = Callable[[Attributes, Shape, Shapes], str | None]
"""From attributes, the data's shape and the shapes of the operands behind it (None: not known) to what must hold."""

_LISTS = ("kernel_shape", "strides", "dilations", "pads", "output_padding", "output_shape", "perm", "qkv_hidden_sizes")
_NUMBERS = (
    *("K", "N", "axis", "bits", "block_size", "blocksize", "group", "hidden_size", "layout", "local_window_size"),
    *("kv_num_heads", "num_groups", "num_heads", "offset_group", "q_num_heads", "size"),
    *("transA", "transB", "transBatchA", "transBatchB"),
)
_TEXTS = ("auto_pad", "direction", "equation")


def attribute_types(attributes: Attributes) -> str | None:
    """What is wrong with the type of an attribute that shapes and counts are read from."""
    for name, value in attributes.items():
        if name in _LISTS and not (isinstance(value, list | tuple) and all(isinstance(v, int) for v in value)):
            return f"{name} must be a list of integers, not {_shown(value)}"
        if name in _NUMBERS and not isinstance(value, int):
            return f"{name} must be an integer, not {_shown(value)}"
        if name in _TEXTS and not isinstance(value, bytes | str):
            return f"{name} must be a text, not {_shown(value)}"
    return None


def _shown(value: Any) -> str:
    return repr(value.decode(errors="replace") if isinstance(value, bytes) else value)[:40]


def operand_complaint(operator: str, attributes: Attributes, shapes: Shapes) -> str | None:
    """What must hold of the operands beside the data and does not; None if all is well.

    Parameters
    ----------
    operator : str
        Name in ONNX's domain, or in ONNX Runtime's where only that has it.
    attributes : mapping
        Of the node, their types checked.
    shapes : sequence of shape or None
        Of its inputs in order; None: not known or left out.
    """
    rule = _RULES.get(operator)
    data, *beside = [*shapes, *[None] * 12]
    return rule(attributes, data, beside) if rule is not None and data is not None else None


def spreads(shape: Shape, over: Shape) -> bool:
    """Whether `shape` broadcasts to `over` without making it larger."""
    padded = (1,) * (len(over) - len(shape)) + shape
    return len(shape) <= len(over) and all(a in (1, b) for a, b in zip(padded, over, strict=True))


def _spread(data: Shape, what: Mapping[str, Shape | None]) -> str | None:
    for name, shape in what.items():
        if shape is not None and not spreads(shape, data):
            return f"the {name} must spread over the data {list(data)}, not have the shape {list(shape)}"
    return None


def _equal(what: str, shape: Shape | None, wanted: Shape) -> str | None:
    if shape is None or shape == wanted:
        return None
    return f"the {what} must have the shape {list(wanted)}, not {list(shape)}"


def _first(*complaints: str | None) -> str | None:
    return next((complaint for complaint in complaints if complaint is not None), None)


def _conv(attributes: Attributes, data: Shape, beside: Shapes) -> str | None:
    weights = beside[0]
    return _equal("bias", beside[1], weights[:1]) if weights else None


def _conv_transpose(attributes: Attributes, data: Shape, beside: Shapes) -> str | None:
    weights = beside[0]
    if weights is None or len(weights) < 2:
        return None
    return _equal("bias", beside[1], (weights[1] * attributes.get("group", 1),))


def _deform(attributes: Attributes, data: Shape, beside: Shapes) -> str | None:
    weights, offset, bias = beside[:3]
    if weights is None or len(weights) < 3:
        return None
    channels = len(weights[2:]) * prod(weights[2:]) * attributes.get("offset_group", 1)
    if offset is not None and (len(offset) != len(weights) or offset[1] != channels):
        return f"the offsets must have {channels} channels, not the shape {list(offset)}"
    return _equal("bias", bias, weights[:1])


def _recurrent(gates: int) -> Rule:
    def rule(attributes: Attributes, data: Shape, beside: Shapes) -> str | None:
        weights, _, bias, lengths, state, cell = beside[:6]
        if weights is None or len(data) != 3 or len(weights) != 3:
            return None
        directions, hidden = weights[0], weights[1] // gates
        first = attributes.get("layout", 0) == 1
        batch = data[0] if first else data[1]
        kept = (batch, directions, hidden) if first else (directions, batch, hidden)
        return _first(
            _equal("bias", bias, (directions, 2 * gates * hidden)),
            _equal("sequences' lengths", lengths, (batch,)),
            _equal("first state", state, kept),
            _equal("first cell", cell, kept) if gates == 4 else None,
        )

    return rule


def _packed(attributes: Attributes, data: Shape, beside: Shapes) -> str | None:
    """ONNX Runtime's MatMulNBits: weights [N, blocks of K, bytes of a block], a scale each block."""
    weights, scales = beside[:2]
    bits, block = attributes.get("bits", 4), attributes.get("block_size", 128)
    n, k = attributes.get("N"), attributes.get("K")
    if not 1 <= bits <= 8:
        return f"bits must be 1 to 8, not {bits}"
    if block < 16 or block & (block - 1):
        return f"block_size must be a power of two of at least 16, not {block}"
    if n is None or k is None or n < 1 or k < 1:
        return None
    blocks = ceil_div(k, block)
    held = n * blocks * ceil_div(block * bits, 8)
    if weights is not None and prod(weights) != held:
        return (
            f"the weights must hold {held} bytes, N {n} x {blocks} blocks of {block} values in {bits} bits, "
            f"not have the shape {list(weights)}"
        )
    if scales is not None and prod(scales) != n * blocks:
        return f"the scales must be {n * blocks}, one a block of {block}, not have the shape {list(scales)}"
    return None


def _layer_norm(attributes: Attributes, data: Shape, beside: Shapes) -> str | None:
    return _spread(data, {"scale": beside[0], "bias": beside[1]})


def _skip_norm(attributes: Attributes, data: Shape, beside: Shapes) -> str | None:
    return _spread(data, {"tensor added": beside[0], "scale": beside[1], "shift": beside[2], "bias": beside[3]})


def _group_norm(attributes: Attributes, data: Shape, beside: Shapes) -> str | None:
    groups = attributes.get("num_groups", 1)
    if len(data) < 2:
        return None
    if groups < 1 or data[1] % groups:
        return f"the {data[1]} channels must fall into {groups} equal groups"
    for name, shape in (("scale", beside[0]), ("bias", beside[1])):
        if shape is not None and shape not in ((groups,), (data[1],)):
            return (
                f"the {name} must be one a channel or a group, {data[1]} or {groups}, not have the shape {list(shape)}"
            )
    return None


def _rms_norm(attributes: Attributes, data: Shape, beside: Shapes) -> str | None:
    return _spread(data, {"scale": beside[0]})


def _slope(attributes: Attributes, data: Shape, beside: Shapes) -> str | None:
    per_channel = beside[0] is not None and beside[0] == data[1:2]  # as the first opsets have it
    return None if per_channel else _spread(data, {"slope": beside[0]})


def _scale(attributes: Attributes, data: Shape, beside: Shapes) -> str | None:
    """Quantisation: one scale for all, one for each entry of an axis, or one a block."""
    scale, zero = beside[:2]
    if scale is None:
        return None
    axis, block = attributes.get("axis", 1), attributes.get("block_size", 0)
    if prod(scale) > 1:
        if not -len(data) <= axis < len(data):
            return f"axis must be one of the data's {len(data)}, not {axis}"
        if len(scale) == 1 and block == 0 and scale[0] != data[axis]:
            return f"the scales must be {data[axis]} as the data's axis {axis}, not {scale[0]}"
        if block > 0 and len(scale) == len(data):
            blocks = ceil_div(data[axis], block)
            if scale[axis] != blocks:
                return f"the scales must be {blocks} along axis {axis}, one a block of {block}, not {scale[axis]}"
    return _equal("zero points", zero, scale) if zero is not None and prod(zero) * prod(scale) != 1 else None


def _depth(attributes: Attributes, data: Shape, beside: Shapes) -> str | None:
    block = attributes.get("blocksize", 1)
    if block < 1:
        return f"blocksize must be at least 1, not {block}"
    if len(data) == 4 and data[1] % block**2:
        return f"the {data[1]} channels must be a multiple of blocksize {block} squared"
    return None


def _space(attributes: Attributes, data: Shape, beside: Shapes) -> str | None:
    block = attributes.get("blocksize", 1)
    if block < 1:
        return f"blocksize must be at least 1, not {block}"
    if len(data) == 4 and (data[2] % block or data[3] % block):
        return f"height and width must be multiples of blocksize {block}, not {data[2]} and {data[3]}"
    return None


def _clip(attributes: Attributes, data: Shape, beside: Shapes) -> str | None:
    for name, shape in (("lower", beside[0]), ("upper", beside[1])):
        if shape is not None and prod(shape) != 1:
            return f"the {name} bound must be one value, not have the shape {list(shape)}"
    return None


def _scatter(attributes: Attributes, data: Shape, beside: Shapes) -> str | None:
    indices, updates = beside[:2]
    if not indices:
        return None
    return _equal("updates", updates, (*indices[:-1], *data[indices[-1] :]))


def _local_response(attributes: Attributes, data: Shape, beside: Shapes) -> str | None:
    size = attributes.get("size", 1)
    return f"size must be at least 1, not {size}" if size < 1 else None


_RULES: Mapping[str, Rule] = {
    "Clip": _clip,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "DeformConv": _deform,
    "DepthToSpace": _depth,
    "DequantizeLinear": _scale,
    "GRU": _recurrent(3),
    "GroupNormalization": _group_norm,
    "LRN": _local_response,
    "LSTM": _recurrent(4),
    "LayerNormalization": _layer_norm,
    "MatMulNBits": _packed,
    "PRelu": _slope,
    "QLinearConv": _conv,
    "QuantizeLinear": _scale,
    "RMSNormalization": _rms_norm,
    "RNN": _recurrent(1),
    "ScatterND": _scatter,
    "SimplifiedLayerNormalization": _rms_norm,
    "SkipLayerNormalization": _skip_norm,
    "SkipSimplifiedLayerNormalization": _skip_norm,
    "SpaceToDepth": _space,
}
