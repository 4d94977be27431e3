"""Operators that ONNX Runtime and its quantisers add to ONNX: what they multiply and the shapes they leave.

Ref: ONNX Runtime, docs/ContribOperators.md (domain com.microsoft). What is missing here is reported as unsupported.
"""

from collections.abc import Mapping
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
    "SparseToDenseMatMul": "MatMul",
}
"""Operator of the domain -> the rule of products that fits it (`model.network.lower`)."""


def kind_of(operator: str) -> Kind:
    """The kind of work of an operator of `DOMAINS`."""
    if operator in PLAIN:
        return "gemm"
    if operator in _SAME:
        return "vector"
    return "move" if operator in _MOVE else "unsupported"


def output_shape(operator: str, attributes: Mapping[str, Any], shapes: list[Shape | None]) -> Shape | None:
    """The shape of the first output where a short rule gives it, else None."""
    left = shapes[0] if shapes else None
    if left is None:
        return None
    rule = PLAIN.get(operator)
    if operator in _SAME:
        return left
    if rule == "MatMulNBits":
        width = attributes.get("N")
        return (*left[:-1], int(width)) if width is not None else None
    right = shapes[1] if len(shapes) > 1 else None
    if right is None or rule not in ("MatMul", "FusedMatMul") or len(left) < 2 or len(right) < 2:
        return None
    m = left[-1] if attributes.get("transA") else left[-2]
    n = right[-2] if attributes.get("transB") else right[-1]
    rank = max(len(left), len(right)) - 2
    a = (1,) * (rank + 2 - len(left)) + left[:-2]
    b = (1,) * (rank + 2 - len(right)) + right[:-2]
    return (*(max(x, y) for x, y in zip(a, b, strict=True)), m, n)


def estimated_operations(output_elements: int, width: int, weights: list[Shape]) -> int:
    """Operations of an operator nobody described: a product with its weights if it has a matrix of them.

    A matrix of W weights that leaves rows of `width` values is taken for W / width terms each, 2 operations a term;
    without one there is one operation per output element. An estimate, good for a share of the work only.
    """
    matrices = sum(prod(shape) for shape in weights if len(shape) > 1)
    rows = output_elements // max(1, width)
    return max(output_elements, 2 * rows * matrices)
