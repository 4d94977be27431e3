"""ONNX files to layers: shapes from ONNX's own inference, constants folded away."""

import re
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError

from hw.spec.error import InputError
from model.network.layer import Layer, Network
from model.network.lower import products, right_operand, window
from model.network.operator import POOLING, REDUCTION, kind_of

_WEIGHT_SUFFIX = re.compile(r"[._]w(eight)?(_0)?$")
_NUMBER = re.compile(r"[A-Za-z]?_?\d+$")
_WINDOWED = POOLING | {"Conv", "ConvInteger", "QLinearConv", "ConvTranspose"}


def read(path: Path | str, dimensions: Mapping[str, int] | None = None) -> Network:
    """The network in the ONNX file `path`.

    Parameters
    ----------
    path : Path
        Weights in external files are not read: shapes are all that is needed.
    dimensions : mapping of str to int
        Values of symbolic dimensions by name; a dimension without a name is "input.axis", e.g. "data.0".

    Raises
    ------
    InputError
        If the file is missing, truncated or no ONNX model, a dimension has no value, or a shape a layer
        depends on cannot be inferred.
    """
    path = Path(path)
    model = _load(path)
    _bind(model, dict(dimensions or {}), path.name)
    try:
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError):
        # operators ONNX does not know stop the strict mode; what cannot be inferred is found below
        try:
            inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
        except (onnx.shape_inference.InferenceError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"{path.name} must let its shapes be inferred, but {reason}; save it again") from None
    graph = inferred.graph
    constants = {t.name for t in graph.initializer} | {t.values.name for t in graph.sparse_initializer}
    shapes = _shapes(graph)
    layers = []
    for index, node in enumerate(graph.node):
        if all(not name or name in constants for name in node.input):
            constants.update(node.output)
            continue
        layers.append(_layer(node, _name(node, index, constants), shapes, constants, path.name))
    return Network(name=path.stem, source=path.name, layers=tuple(layers))


def _load(path: Path) -> onnx.ModelProto:
    try:
        model = onnx.load_model(str(path), format="protobuf", load_external_data=False)
    except FileNotFoundError:
        raise InputError(f"{path} must be an ONNX file; there is no such file, check the path") from None
    except OSError as error:
        raise InputError(f"{path} must be a readable ONNX file ({error.strerror}); check the path") from None
    except (DecodeError, ValueError):
        raise InputError(
            f"{path} must be a complete ONNX model; it is truncated or another kind of file, fetch it again"
        ) from None
    if not model.graph.node:
        raise InputError(f"{path} must hold an ONNX graph with nodes; it is empty or another kind of file")
    return model


def _name(node: onnx.NodeProto, index: int, constants: set[str]) -> str:
    """The node's name unless it is a mere number, else its weights' without suffix, else its first output's."""
    if node.name and not _NUMBER.match(node.name):
        return node.name
    if kind_of(node.op_type, node.domain) == "gemm":
        weights = node.input[right_operand(node.op_type)]
        if weights in constants:
            return _WEIGHT_SUFFIX.sub("", weights)
    if node.name:
        return node.name
    return node.output[0] if node.output and node.output[0] else f"{node.op_type}_{index}"


def _bind(model: onnx.ModelProto, dimensions: dict[str, int], file: str) -> None:
    """Give every symbolic dimension its value, in place."""
    graph = model.graph
    for name, value in dimensions.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"dimension {name!r} must be an integer of at least 1, not {value!r}")
    constants = {t.name for t in graph.initializer}
    used, missing = set(), []
    for value in (*graph.input, *graph.output, *graph.value_info):
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if dimension.HasField("dim_value") and dimension.dim_value > 0:
                continue
            name = dimension.dim_param or f"{value.name}.{axis}"
            if name in dimensions:
                used.add(name)
                dimension.dim_value = dimensions[name]
            elif value.name not in constants and any(value is i for i in graph.input):
                missing.append(name)
    missing = sorted(set(missing))
    if missing:
        values = " ".join(f"--dimension {name}=1" for name in missing)
        raise InputError(
            f"every dimension of {file} must have a value; {', '.join(missing)} has none, give it, e.g. {values}"
        )
    unknown = sorted(set(dimensions) - used)
    if unknown:
        raise InputError(f"{file} must have the given dimensions; it has no {', '.join(unknown)}, leave it out")


def _shapes(graph: onnx.GraphProto) -> dict[str, tuple[int, ...]]:
    """Shapes of all tensors whose every dimension is known."""
    shapes = {t.name: tuple(t.dims) for t in graph.initializer}
    for value in (*graph.input, *graph.output, *graph.value_info):
        tensor = value.type.tensor_type
        if tensor.HasField("shape") and all(d.HasField("dim_value") for d in tensor.shape.dim):
            shapes.setdefault(value.name, tuple(d.dim_value for d in tensor.shape.dim))
    return shapes


def _layer(
    node: onnx.NodeProto, name: str, shapes: Mapping[str, tuple[int, ...]], constants: set[str], file: str
) -> Layer:
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    operator = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    kind = kind_of(node.op_type, node.domain)

    def shape(tensor: str) -> tuple[int, ...]:
        if tensor not in shapes:
            raise InputError(
                f"{file} must let every shape be inferred; tensor {tensor!r} at node {name!r} ({operator}) has "
                "none, give dynamic dimensions values or save the model with its shapes"
            )
        return shapes[tensor]

    inputs = [i for i in node.input if i]
    outputs = [o for o in node.output if o]
    # data movement and unknown operators may stand on shapes nobody knows without hurting the count
    strict = kind in ("gemm", "vector")
    sizes = {
        t: prod(shape(t)) if strict and t == outputs[0] else prod(shapes.get(t, (0,))) for t in inputs + outputs
    }
    elements: dict[str, Any] = {
        "input_elements": sum(sizes[i] for i in inputs if i not in constants),
        "weight_elements": sum(sizes[i] for i in inputs if i in constants),
        "output_elements": sum(sizes[o] for o in outputs),
    }
    view = None
    if node.op_type in _WINDOWED and strict:
        right = shape(node.input[right_operand(node.op_type)]) if kind == "gemm" else None
        view = window(node.op_type, attributes, shape(node.input[0]), right, shape(outputs[0]))
    if kind == "gemm":
        right_name = node.input[right_operand(node.op_type)]
        gemms = products(
            name, node.op_type, attributes, shape(node.input[0]), shape(right_name), shape(outputs[0])
        )
        return Layer(
            name=name, operator=operator, kind=kind, gemms=gemms, operations=2 * sum(g.macs for g in gemms),
            stationary=right_name in constants, window=view, **elements,
        )
    if kind == "move":
        operations = 0
    elif node.op_type in REDUCTION:
        operations = elements["input_elements"]
    elif node.op_type == "LRN":
        operations = elements["output_elements"] * int(attributes["size"])
    else:
        operations = elements["output_elements"] * (prod(view.kernel) if view else 1)
    return Layer(name=name, operator=operator, kind=kind, operations=operations, window=view, **elements)
