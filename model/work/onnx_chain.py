"""A chain of layers in an ONNX file with stored weights: fully connected, convolution, pooling, ReLU.

Batch normalisation goes into the layer before it. Mean values are convolutions of constant weights. Maxima are taken of
results on their way back to the activations, so pooling of anything else, or at the end, has a convolution beside it
that leaves values as they are.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hw.base.error import InputError
from model.work.onnx_kernel import averaging, convolution, largest, numbers, pointwise
from model.work.onnx_layer import Convolution, Dense, Layer, Pooling, Shape

RESHAPING = ("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Cast")
"""Operators that leave the values of each sample as they are."""
SUPPORTED = (
    "Gemm",
    "MatMul",
    "Add (of a bias)",
    "BatchNormalization",
    "Relu",
    "Clip (from 0)",
    "Conv and pooling (on images)",
    *RESHAPING,
)
_FLOATS = (1, 10, 11, 16)
"""ONNX's numbers of the types that a Cast may have here."""


def declared(path: Path) -> tuple[Shape | None, str]:
    """Sizes that one sample must have by the network in `path`, 0 where it leaves them open, None where it says
    nothing; and the name of its input."""
    from model.network.onnx_file import load

    graph = load(path).graph
    stored = {tensor.name for tensor in graph.initializer}
    given = next((value for value in graph.input if value.name not in stored), None)
    if given is None or not given.type.tensor_type.HasField("shape"):
        return None, "" if given is None else given.name
    return tuple(max(0, size.dim_value) for size in given.type.tensor_type.shape.dim[1:]), given.name


def layers(path: Path, shape: Shape) -> tuple[Layer, ...]:
    """The layers of the network in `path` for samples of `shape`.

    Raises
    ------
    InputError
        Naming node and operator of what the RTL lacks, or weights that are not there or do not fit.
    """
    from model.network.onnx_file import load
    from model.network.onnx_order import label, ordered
    from model.network.onnx_value import stored

    model = load(path)
    graph = model.graph
    constants = {t.name: t for t in graph.initializer}
    values: dict[str, np.ndarray] = {}
    given = [v.name for v in graph.input if v.name not in constants]
    if len(given) != 1:
        raise InputError(f"{path.name} must have one input to run on the RTL, not {len(given)}")

    def weight(name: str) -> np.ndarray | None:
        if name in constants and name not in values:
            values[name] = stored(constants[name], path.parent, path.name)
        return values.get(name)

    at, found = given[0], list[Layer]()
    for index, node in enumerate(ordered(graph, {*given, *constants}, path.name)):
        attributes = {a.name: a for a in node.attribute}
        if node.op_type == "Constant" and "value" in attributes:
            values[node.output[0]] = stored(attributes["value"].t, path.parent, path.name)
            continue
        where = f"node {label(node, index)} of {path.name}"
        if at not in node.input:
            raise InputError(
                f"{where} must follow the layer before it in one chain; the RTL runs no branches, cut the network there"
            )
        if node.op_type not in RESHAPING:
            shape = _take(node, where, attributes, at, weight, shape, found)
        elif node.op_type not in ("Identity", "Dropout", "Cast"):
            shape = (int(np.prod(shape)),)
        elif node.op_type == "Cast" and attributes["to"].i not in _FLOATS:
            raise InputError(f"{where} must keep numbers as they are, and not round them; leave it out")
        at = node.output[0]
    if [output.name for output in graph.output] != [at]:
        raise InputError(
            f"{path.name} must have the last of its chain, {at!r}, as its one output, not "
            f"{', '.join(repr(output.name) for output in graph.output) or 'none'}; the RTL runs no branches"
        )
    if not any(isinstance(layer, Dense | Convolution) for layer in found):
        raise InputError(f"{path.name} must hold a fully connected layer or a convolution; it has none")
    if isinstance(found[-1], Pooling):
        found.append(_as_it_is(found[-1].name, (*_channels(shape, found), *found[-1].window.out)))
    return tuple(found)


def _channels(shape: Shape, found: list[Layer]) -> Shape:
    """Channels that leave the last layer that is not pooling."""
    made = next((layer for layer in reversed(found) if isinstance(layer, Dense | Convolution)), None)
    return (shape[0] if made is None else made.outputs,)


def _as_it_is(name: str, shape: Shape) -> Convolution:
    """A convolution that leaves images of `shape` as they are, for the pooling called `name`."""
    return pointwise(f"{name}_values", np.ones(shape[0]), shape)


def _take(
    node: Any,
    where: str,
    attributes: Mapping[str, Any],
    at: str,
    weight: Callable[[str], np.ndarray | None],
    shape: Shape,
    found: list[Layer],
) -> Shape:
    """Add what the node does to the layers; the shape that leaves it."""
    last = found[-1] if found else None
    standard = node.domain in ("", "ai.onnx")
    if standard and node.op_type in ("Gemm", "MatMul"):
        dense = _dense(node, where, attributes, at, weight, shape)
        found.append(dense)
        return (dense.outputs,)
    if standard and node.op_type == "Conv":
        made = convolution(node, where, attributes, weight, shape)
        found.append(made)
        return (made.outputs, *made.window.out)
    if standard and node.op_type in _POOLING:
        return _pool(node, where, attributes, weight, shape, found)
    if standard and node.op_type == "BatchNormalization":
        _normalise(node, where, attributes, weight, shape, found)
        return shape
    other = [name for name in node.input if name not in ("", at)]
    if node.op_type == "Add" and isinstance(last, Dense | Convolution) and len(other) == 1:
        bias = weight(other[0])
        if bias is not None:
            width = last.outputs
            over = (1, width, 1, 1) if isinstance(last, Convolution) else (width,)
            if last.relu or bias.size not in (1, width) or (bias.size > 1 and not _along(bias.shape, over)):
                raise InputError(f"{where} must add a bias of {width} values before a ReLU; the RTL adds nothing else")
            added = last.bias + np.broadcast_to(bias.reshape(-1).astype(np.float64), (width,))
            found[-1] = replace(last, bias=added)
            return shape
        raise InputError(
            f"{where} must add a stored bias; the RTL's output stage adds no second activation (residual), cut the "
            "network there or predict it without --input"
        )
    if standard and node.op_type in ("Relu", "Clip") and last is not None:
        # the largest of rectified values is the rectified largest
        at_layer = -2 if isinstance(last, Pooling) else -1
        limit = min(found[at_layer].most, _most(node, where, attributes, weight))  # type: ignore[union-attr]
        found[at_layer] = replace(found[at_layer], relu=True, most=limit)  # type: ignore[type-var]
        return shape
    raise InputError(
        f"{where} must be an operator of the core's RTL, {', '.join(SUPPORTED)}; leave {node.op_type} to the "
        "host or predict the network without --input"
    )


def _along(shape: Shape, over: Shape) -> bool:
    """Whether a bias of `shape` lies along the channels of `over`, ones before and behind left out."""
    padded = (1,) * (len(over) - len(shape)) + shape
    return padded == over or (len(over) == 1 and padded[-1] == over[-1])


_POOLING = ("MaxPool", "GlobalMaxPool", "AveragePool", "GlobalAveragePool", "ReduceMean")


def _pool(
    node: Any,
    where: str,
    attributes: Mapping[str, Any],
    weight: Callable[[str], np.ndarray | None],
    shape: Shape,
    found: list[Layer],
) -> Shape:
    """Add maxima or mean values; the shape that leaves."""
    if len(shape) != 3:
        raise InputError(f"{where} must take images of channels, height and width, not samples of {list(shape)}")
    if node.op_type in ("MaxPool", "GlobalMaxPool"):
        made = largest(node, where, attributes, shape)
        if not (found and isinstance(found[-1], Convolution)):
            found.append(_as_it_is(made.name, shape))
        found.append(made)
        return (shape[0], *made.window.out)
    keeps = True
    if node.op_type == "ReduceMean":
        axes = numbers(attributes, "axes")
        given = weight(node.input[1]) if len(node.input) > 1 and node.input[1] else None
        axes = axes if given is None else [int(axis) for axis in given.reshape(-1)]
        if sorted(axis % 4 for axis in axes if -4 <= axis < 4) != [2, 3]:
            raise InputError(f"{where} must take the mean of height and width, axes 2 and 3, not of {axes}")
        keeps = not ("keepdims" in attributes and not attributes["keepdims"].i)
    mean = averaging(node, where, attributes, shape)
    found.append(mean)
    return (shape[0], *mean.window.out) if keeps else (shape[0],)


def _normalise(
    node: Any,
    where: str,
    attributes: Mapping[str, Any],
    weight: Callable[[str], np.ndarray | None],
    shape: Shape,
    found: list[Layer],
) -> None:
    """Batch normalisation: into the layer before it if nothing lies between, on images else as a layer of its own."""
    stored = [weight(name) for name in node.input[1:5]]
    if len(stored) != 4 or any(value is None or value.shape != shape[:1] for value in stored):
        raise InputError(f"{where} must have a stored scale, bias, mean and variance for each of {shape[0]} channels")
    if "training_mode" in attributes and attributes["training_mode"].i:
        raise InputError(f"{where} must be that of a trained network, not training_mode; export it for inference")
    scale, bias, mean, variance = (np.asarray(value, np.float64) for value in stored)
    epsilon = attributes["epsilon"].f if "epsilon" in attributes else 1e-5
    if not all(np.isfinite(value).all() for value in (scale, bias, mean, variance)) or (variance + epsilon <= 0).any():
        raise InputError(f"{where} must have finite numbers and variances above 0; check the training")
    factor = scale / np.sqrt(variance + epsilon)
    last = found[-1] if found else None
    if isinstance(last, Dense | Convolution) and not last.relu and last.outputs == len(factor):
        over = factor if isinstance(last, Dense) else factor[:, None, None, None]
        found[-1] = replace(last, weights=last.weights * over, bias=(last.bias - mean) * factor + bias)
    elif len(shape) == 3:
        own = pointwise(node.name or node.output[0], factor, shape)
        found.append(replace(own, bias=bias - mean * factor))
    else:
        raise InputError(
            f"{where} must follow a layer before its ReLU; fold it into the next layer, or leave it to the host"
        )


def _most(node: Any, where: str, attributes: Mapping[str, Any], weight: Callable[[str], np.ndarray | None]) -> float:
    """What a Relu or Clip makes of larger values: infinity or Clip's limit, as inputs or, in old files, attributes."""
    if node.op_type == "Relu":
        return math.inf
    limits = [-math.inf, math.inf]
    for i, name in enumerate(("min", "max")):
        if len(node.input) > 1 + i and node.input[1 + i]:
            value = weight(node.input[1 + i])
            limits[i] = math.nan if value is None or value.size != 1 else float(value.reshape(-1)[0])
        elif name in attributes:
            limits[i] = attributes[name].f
    if limits[0] != 0 or not limits[1] > 0:
        raise InputError(
            f"{where} must limit values from 0 on to a stored number above it, as ReLU6 does, not {limits[0]:g} to "
            f"{limits[1]:g}; leave it to the host"
        )
    return limits[1]


def _dense(
    node: Any,
    where: str,
    attributes: Mapping[str, Any],
    at: str,
    weight: Callable[[str], np.ndarray | None],
    shape: Shape,
) -> Dense:
    """The layer of a Gemm or MatMul node whose right operand is stored."""
    width = int(np.prod(shape))
    if node.input[0] != at or len(node.input) < 2 or (weights := weight(node.input[1])) is None or weights.ndim != 2:
        raise InputError(f"{where} must multiply by stored weights of two axes; the RTL keeps weights, not activations")
    if "transA" in attributes and attributes["transA"].i:
        raise InputError(f"{where} must take its data as it comes, not transposed")
    weights = weights.astype(np.float64)
    weights = weights.T if "transB" in attributes and attributes["transB"].i else weights
    alpha = attributes["alpha"].f if "alpha" in attributes else 1.0
    beta = attributes["beta"].f if "beta" in attributes else 1.0
    if weights.shape[0] != width:
        raise InputError(
            f"{where} must take the {width} values of each sample, not {weights.shape[0]}; check the input"
        )
    bias = np.zeros(weights.shape[1])
    if len(node.input) > 2 and node.input[2]:
        stored_bias = weight(node.input[2])
        if stored_bias is None or stored_bias.size not in (1, weights.shape[1]):
            raise InputError(f"{where} must add a stored bias of {weights.shape[1]} values")
        bias = beta * np.broadcast_to(stored_bias.reshape(-1).astype(np.float64), bias.shape)
    if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
        raise InputError(f"{where} must have finite weights, not NaN or infinity")
    return Dense(name=node.name or node.output[0], weights=alpha * weights, bias=bias)
