"""Operators that ONNX Runtime and its quantisers add to ONNX: what they multiply and the shapes they leave.

Ref: ONNX Runtime, docs/ContribOperators.md (domain com.microsoft). What is missing here is reported as unsupported.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from model.network.layer import Kind

Shape = tuple[int, ...]

DOMAINS = ("com.microsoft", "com.ms.internal.nhwc")
_ROWS = """
BiasAdd BiasGelu BiasSoftmax BiasSplitGelu FastGelu FusedGelu Gelu GroupNorm Inverse QLinearAdd QLinearLeakyRelu
QLinearMul QLinearSigmoid QLinearSoftmax QuickGelu QuantizeLinear DequantizeLinear RotaryEmbedding
SimplifiedLayerNormalization SkipGroupNorm SkipLayerNormalization SkipSimplifiedLayerNormalization
"""
_MOVE = frozenset({"ExpandDims", "GatherND", "Pad", "Unique", "TorchEmbedding"})
_SAME = frozenset(_ROWS.split())
ROUTED = ("MoE", "QMoE")
"""Mixtures of experts: each row goes through `k` of them (not described, their share is estimated)."""
PLAIN = {
    "FusedConv": "Conv",
    "FusedGemm": "Gemm",
    "QGemm": "QGemm",
    "FusedMatMul": "FusedMatMul",
    "TransposeMatMul": "FusedMatMul",
    "FusedMatMulActivation": "FusedMatMul",
    "MatMulInteger16": "MatMul",
    "DynamicQuantizeMatMul": "MatMul",
    "MatMulIntegerToFloat": "MatMul",
    "GemmFastGelu": "MatMul",
    "QLinearConv": "QLinearConv",
    "MatMulNBits": "MatMulNBits",
    "MatMulBnb4": "MatMulNBits",
    "MatMulFpQ4": "MatMulFpQ4",
    "DynamicQuantizeLSTM": "LSTM",
    "SparseToDenseMatMul": "FusedMatMul",
}
"""Operator of the domain -> the rule of products that fits it (`model.network.lower`)."""


def kind_of(operator: str) -> Kind:
    """The kind of work of an operator of `DOMAINS`."""
    if operator in PLAIN:
        return "gemm"
    if operator in _SAME:
        return "vector"
    return "move" if operator in _MOVE else "unsupported"


def plain_operands(operator: str, attributes: Mapping[str, Any], shapes: Sequence[Shape | None]) -> list[Shape | None]:
    """The operands' shapes as the plain operator in `PLAIN` takes them: what the node turns is turned."""
    if operator == "DynamicQuantizeLSTM":  # its weights lie turned
        return [shapes[0], *(shape and _turned(shape) for shape in shapes[1:3]), *shapes[3:8]]
    if PLAIN.get(operator) == "FusedMatMul" and len(shapes) > 1:
        return [_fused(shape, attributes, side) for shape, side in zip(shapes[:2], "AB", strict=True)]
    return list(shapes)


def _turned(shape: Shape) -> Shape:
    return (*shape[:-2], shape[-1], shape[-2]) if len(shape) > 1 else shape


def _fused(shape: Shape | None, attributes: Mapping[str, Any], side: str) -> Shape | None:
    if shape is None:
        return None
    if attributes.get(f"transBatch{side}") and len(shape) > 2:  # the first axis goes behind the leading ones
        shape = (*shape[1:-1], shape[0], shape[-1])
    return _turned(shape) if attributes.get(f"trans{side}") else shape


def output_shape(operator: str, attributes: Mapping[str, Any], shapes: Sequence[Shape | None]) -> Shape | None:
    """The shape of the first output where a short rule gives it, else None."""
    left = shapes[0] if shapes else None
    if left is None:
        return None
    rule = PLAIN.get(operator)
    if operator in _SAME or operator in ROUTED:
        return left
    if rule == "MatMulNBits":
        width = attributes.get("N")
        return (*left[:-1], int(width)) if width is not None else None
    if rule == "QGemm":
        right = shapes[3] if len(shapes) > 3 else None
        if right is None or len(left) != 2 or len(right) != 2:
            return None
        return left[1 if attributes.get("transA") else 0], right[0 if attributes.get("transB") else 1]
    if rule == "LSTM":
        right = shapes[1] if len(shapes) > 1 else None
        fits = right is not None and len(left) == len(right) == 3
        return (left[0], right[0], left[1], right[2] // 4) if fits and right is not None else None
    if rule not in ("MatMul", "FusedMatMul"):
        return None
    left, right = [*plain_operands(operator, attributes, shapes), None][:2]
    if left is None or right is None or len(left) < 2 or len(right) < 2:
        return None
    rank = max(len(left), len(right)) - 2
    a = (1,) * (rank + 2 - len(left)) + left[:-2]
    b = (1,) * (rank + 2 - len(right)) + right[:-2]
    return (*(max(x, y) for x, y in zip(a, b, strict=True)), left[-2], right[-1])


def estimated_operations(output_elements: int, width: int, weights: list[Shape]) -> int:
    """Operations of an operator nobody described: a product with its weights if it has a matrix of them.

    A matrix of W weights that leaves rows of `width` values is taken for W / width terms each, 2 operations a term;
    without one there is one operation per output element. An estimate, good for a share of the work only.
    """
    matrices = sum(prod(shape) for shape in weights if len(shape) > 1)
    rows = output_elements // max(1, width)
    return max(output_elements, 2 * rows * matrices)
