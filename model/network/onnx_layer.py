"""One node of an ONNX graph to one layer, its shapes known."""

import re
from collections.abc import Callable, Set
from dataclasses import dataclass
from math import prod
from typing import Any

import onnx

from hw.base.error import InputError
from model.network import attention, onnx_contrib
from model.network.agree import complaint
from model.network.agree_operands import attribute_types, operand_complaint
from model.network.layer import Kind, Layer
from model.network.lower import products, right_operand, window
from model.network.operator import POOLING, REDUCTION, kind_of

_WEIGHT_SUFFIX = re.compile(r"[._]w(eight)?(_0)?$")
_NUMBER = re.compile(r"[A-Za-z]?_?\d+$")
_WINDOWED = POOLING | {"Conv", "ConvInteger", "QLinearConv", "ConvTranspose", "DeformConv"}
_PACKED = ("MatMulNBits", "MatMulFpQ4")

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeShapes:
    """What is known around a node.

    Parameters
    ----------
    shape : function of a tensor's name
        Its shape, or None if not every size is known.
    fixed : set of str
        Tensors known before the run.
    file : str
        What messages call the model.
    missed : list of str
        What is wrong with constants that could not be read: the likely cause of a shape that is not known.
    """

    shape: Callable[[str], Shape | None]
    fixed: Set[str]
    file: str
    missed: list[str]


def rule_of(node: onnx.NodeProto) -> str:
    """The name by which the products and checks of an operator are known: ONNX's own, or that of its like."""
    if node.domain in onnx_contrib.DOMAINS:
        return onnx_contrib.PLAIN.get(node.op_type, node.op_type)
    return node.op_type


def attributes_of(node: onnx.NodeProto) -> dict[str, Any]:
    """Attribute -> value."""
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


_CHANNELS_LAST = "com.ms.internal.nhwc"
_OPERANDS = {
    "QLinearConv": (0, 3, 8),
    "QLinearMatMul": (0, 3),
    "QGemm": (0, 3, 6),
    "ConvInteger": (0, 1),
    "MatMulInteger": (0, 1),
}
"""Quantised operator -> where among its inputs data, weights and bias are; the others are scales and zero points."""


def operands_of(node: onnx.NodeProto, shape: Callable[[str], Shape | None]) -> list[Shape | None]:
    """The shapes of data, weights and what follows, in the order of the plain operator that `rule_of` names."""
    shapes = [shape(name) if name else None for name in node.input]
    places = _OPERANDS.get(rule_of(node))
    if places is not None:
        return [shapes[place] if place < len(shapes) else None for place in places]
    if node.domain in onnx_contrib.DOMAINS:
        return onnx_contrib.plain_operands(node.op_type, attributes_of(node), shapes)
    return shapes


def node_complaint(node: onnx.NodeProto, shape: Callable[[str], Shape | None]) -> str | None:
    """What must hold of the node's attributes and of the shapes of its inputs, and does not."""
    if node.domain not in ("", "ai.onnx") and node.domain not in onnx_contrib.DOMAINS:
        return None
    rule, attributes = rule_of(node), attributes_of(node)
    wrong = attribute_types(attributes)
    if wrong is not None:
        return wrong
    if node.op_type == "QLinearConv" and (attributes.get("channels_last") or node.domain == _CHANNELS_LAST):
        return "its data must have the channels second, not last: save the model before ONNX Runtime lays it out anew"
    shapes = [shape(name) if name else None for name in node.input]
    if node.op_type in attention.OPERATORS:
        return attention.complaint(node.domain, node.op_type, attributes, shapes)
    if rule == "Einsum" and len(node.input) != 2:
        return (
            f"it must have two operands, not {len(node.input)}: write it as products of two, or as a sum or Transpose"
        )
    if kind_of(node.op_type, node.domain) == "gemm" and len(node.input) <= right_operand(rule):
        return f"it must have at least {right_operand(rule) + 1} inputs, not {len(node.input)}"
    found = complaint(rule, attributes, operands_of(node, shape))
    if found is not None:
        return found
    if rule == "MatMulNBits" or (rule == node.op_type and rule not in _OPERANDS):
        return operand_complaint(node.op_type, attributes, shapes)
    return operand_complaint(rule, attributes, operands_of(node, shape))


def plain_node(node: onnx.NodeProto) -> onnx.NodeProto | None:
    """ONNX Runtime's convolution or Gemm with an activation behind it as ONNX's own without; None for other nodes."""
    if node.domain not in onnx_contrib.DOMAINS or node.op_type not in ("FusedConv", "FusedGemm", "QLinearConv"):
        return None
    rule = rule_of(node)
    known = onnx.defs.get_schema(rule).attributes
    plain = onnx.helper.make_node(rule, list(node.input)[: 9 if rule == "QLinearConv" else 3], list(node.output)[:1])
    plain.attribute.extend(attribute for attribute in node.attribute if attribute.name in known)
    return plain


def name_of(node: onnx.NodeProto, index: int, fixed: Set[str]) -> str:
    """The node's name unless it is a mere number, else its weights' without suffix, else its first output's."""
    if node.name and not _NUMBER.match(node.name):
        return node.name
    if kind_of(node.op_type, node.domain) == "gemm" and node.op_type not in attention.OPERATORS:
        weights = node.input[right_operand(rule_of(node))]
        if weights in fixed:
            return _WEIGHT_SUFFIX.sub("", weights)
    if node.name:
        return node.name
    return node.output[0] if node.output and node.output[0] else f"{node.op_type}_{index}"


def layer_of(node: onnx.NodeProto, index: int, known: NodeShapes, *, controls: bool) -> Layer:
    """The layer of a node; with `controls` it holds graphs of its own, whose work only the run decides.

    Raises
    ------
    InputError
        If a matrix product's shapes are not known.
    """
    name = name_of(node, index, known.fixed)
    operator = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    kind = kind_of(node.op_type, node.domain)
    inputs = [i for i in node.input if i]
    outputs = [o for o in node.output if o]
    if controls:
        return _unknown(name, operator, inputs, outputs, known, "the run decides what is done inside")
    if kind == "unsupported":
        return _unknown(name, operator, inputs, outputs, known, "operator not described")
    if kind == "gemm":
        return _product(node, name, operator, inputs, outputs, known)
    open_shapes = [t for t in (inputs[:1] + outputs[:1]) if known.shape(t) is None]
    if kind == "vector" and open_shapes:
        return _unknown(name, operator, inputs, outputs, known, f"the shape of {open_shapes[0]!r} is not known")
    elements = _elements(inputs, outputs, known)
    view = None
    if kind == "vector" and node.op_type in _WINDOWED:
        data, result = known.shape(node.input[0]), known.shape(outputs[0])
        if data is not None and result is not None and len(data) > 2:
            view = window(node.op_type, attributes_of(node), data, None, result)
    if kind == "move":
        operations = 0
    elif node.op_type in REDUCTION:
        operations = elements["input_elements"]
    elif node.op_type == "LRN":
        operations = elements["output_elements"] * int(attributes_of(node)["size"])
    else:
        operations = elements["output_elements"] * (prod(view.kernel) if view else 1)
    return Layer(name=name, operator=operator, kind=kind, operations=operations, window=view, **elements)


def _elements(inputs: list[str], outputs: list[str], known: NodeShapes) -> dict[str, Any]:
    """Elements read and written; tensors of unknown shape count nothing."""
    size = {t: prod(shape) if (shape := known.shape(t)) is not None else 0 for t in inputs + outputs}
    return {
        "input_elements": sum(size[i] for i in inputs if i not in known.fixed),
        "weight_elements": sum(size[i] for i in inputs if i in known.fixed),
        "output_elements": sum(size[o] for o in outputs),
    }


def _product(
    node: onnx.NodeProto, name: str, operator: str, inputs: list[str], outputs: list[str], known: NodeShapes
) -> Layer:
    rule, attributes = rule_of(node), attributes_of(node)

    def shape(tensor: str) -> Shape:
        found = known.shape(tensor)
        if found is None:
            if known.missed:
                raise InputError(known.missed[0])
            raise InputError(
                f"{known.file} must let every shape be inferred; tensor {tensor!r} at node {name!r} ({operator}) has "
                f"none, give dynamic dimensions values (--dimension {tensor}.0=...) or save the model with its shapes"
            )
        return found

    elements = _elements(inputs, outputs, known)
    if node.op_type in attention.OPERATORS:
        shapes = [known.shape(t) if t else None for t in node.input]
        gemms = attention.attention(name, node.domain, node.op_type, attributes, shapes)
        if gemms is None:
            return _unknown(name, operator, inputs, outputs, known, "its shapes do not tell heads and widths")
        return Layer(
            name=name,
            operator=operator,
            kind="gemm",
            gemms=gemms,
            stationary=False,
            operations=2 * sum(g.macs for g in gemms),
            **elements,
        )
    right_name = node.input[right_operand(rule)]
    result = shape(outputs[0])
    left, right = operands_of(node, lambda t: shape(t) if t in (node.input[0], right_name) else None)[:2]
    assert left is not None, "`shape` refuses what is not known"
    assert right is not None
    gemms = products(name, rule, attributes, left, right, result)
    view = window(rule, attributes, left, right, result) if rule in _WINDOWED else None
    if rule in _PACKED:  # several weights share a stored byte
        elements["weight_elements"] = gemms[0].n * gemms[0].k
    return Layer(
        name=name,
        operator=operator,
        kind="gemm",
        gemms=gemms,
        operations=2 * sum(g.macs for g in gemms),
        stationary=right_name in known.fixed,
        window=view,
        **elements,
    )


def _unknown(name: str, operator: str, inputs: list[str], outputs: list[str], known: NodeShapes, reason: str) -> Layer:
    """A layer whose work is not known, with an estimate good for its share; where not even its result's shape is
    known, its data stands for it."""
    elements = _elements(inputs, outputs, known)
    of_result = known.shape(outputs[0]) if outputs else None
    of_data = next((shape for i in inputs if i not in known.fixed and (shape := known.shape(i)) is not None), None)
    first = of_result if of_result is not None else of_data
    weights = [shape for i in inputs if i in known.fixed and (shape := known.shape(i)) is not None]
    kind: Kind = "unsupported"
    rows = elements["output_elements"] if of_result is not None else prod(of_data or (0,))
    return Layer(
        name=name,
        operator=operator,
        kind=kind,
        reason=reason,
        operations=onnx_contrib.estimated_operations(rows, first[-1] if first else 1, weights),
        **elements,
    )
