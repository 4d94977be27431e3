"""A chain of layers in an ONNX file with stored weights: fully connected, convolution, max pooling, ReLU."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div

RESHAPING = ("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Cast")
"""Operators that leave the values of each sample as they are."""
SUPPORTED = ("Gemm", "MatMul", "Add (of a bias)", "Relu", "Conv and MaxPool (on images)", *RESHAPING)
Shape = tuple[int, ...]
"""Of one sample: (values,), or (channels, height, width) of an image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How a kernel moves over an image.

    Parameters
    ----------
    kernel : (int, int)
        Positions down and across.
    stride, dilation : int
        The same in both directions.
    pads : (int, int)
        Lines above and columns left of the image that count as padding.
    out : (int, int)
        Height and width of the result; padding below and to the right is what they imply.
    """

    kernel: tuple[int, int]
    stride: int = 1
    dilation: int = 1
    pads: tuple[int, int] = (0, 0)
    out: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """One layer in floating point.

    Parameters
    ----------
    name : str
        Of the node in the file, of its output if it has none.
    weights : float64 array (k, n)
        Scaled by the node's alpha.
    bias : float64 array (n,)
        Zeros if the layer adds none.
    relu : bool
        ReLU follows.
    """

    name: str
    weights: np.ndarray
    bias: np.ndarray
    relu: bool = False

    @property
    def outputs(self) -> int:
        """Values of a sample that leave."""
        return self.weights.shape[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """One convolution in floating point.

    Parameters
    ----------
    name : str
        As of `Dense`.
    weights : float64 array (n, channels, kernel height, kernel width)
        Of all channels: those of other groups are zeros.
    bias : float64 array (n,)
        Zeros if the layer adds none.
    window : Window
        Of its kernel.
    padded : bool
        Part of a window lies outside the image somewhere.
    relu : bool
        ReLU follows.
    """

    name: str
    weights: np.ndarray
    bias: np.ndarray
    window: Window
    padded: bool
    relu: bool = False

    @property
    def outputs(self) -> int:
        """Channels that leave."""
        return len(self.weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooling:
    """The largest of each window; what lies outside the image is not looked at.

    Parameters
    ----------
    name : str
        As of `Dense`.
    window : Window
        Where it looks.
    """

    name: str
    window: Window


Layer = Dense | Convolution | Pooling


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
            raise InputError(f"{where} must follow the layer before it in one chain; the RTL runs no branches")
        if node.op_type not in RESHAPING:
            shape = _take(node, where, attributes, at, weight, shape, found)
        elif node.op_type not in ("Identity", "Dropout", "Cast"):
            shape = (int(np.prod(shape)),)
        at = node.output[0]
    if not any(isinstance(layer, Dense | Convolution) for layer in found):
        raise InputError(f"{path.name} must hold a fully connected layer or a convolution; it has none")
    return tuple(found)


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
        made = _convolution(node, where, attributes, weight, shape)
        found.append(made)
        return (made.outputs, *made.window.out)
    if standard and node.op_type == "MaxPool":
        if not isinstance(last, Convolution) or len(shape) != 3:
            raise InputError(
                f"{where} must follow a convolution; the core takes maxima of results alone, on their way back"
            )
        if len(node.output) > 1 and node.output[1]:
            raise InputError(f"{where} must give values alone; the core keeps no places of maxima")
        window = _window(where, attributes, shape, _numbers(attributes, "kernel_shape"))
        found.append(Pooling(name=node.name or node.output[0], window=window))
        return (shape[0], *window.out)
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
    if node.op_type == "Relu" and last is not None:
        if isinstance(last, Pooling):  # the largest of rectified values is the rectified largest
            found[-2] = replace(found[-2], relu=True)  # type: ignore[type-var]  # a pooling follows a convolution
        else:
            found[-1] = replace(last, relu=True)
        return shape
    raise InputError(
        f"{where} must be an operator of the core's RTL, {', '.join(SUPPORTED)}; leave {node.op_type} to the "
        "host or predict the network without --input"
    )


def _along(shape: Shape, over: Shape) -> bool:
    """Whether a bias of `shape` lies along the channels of `over`, ones before and behind left out."""
    padded = (1,) * (len(over) - len(shape)) + shape
    return padded == over or (len(over) == 1 and padded[-1] == over[-1])


def _numbers(attributes: Mapping[str, Any], name: str) -> list[int]:
    return list(attributes[name].ints) if name in attributes else []


def _window(where: str, attributes: Mapping[str, Any], shape: Shape, kernel: list[int]) -> Window:
    """The window of a Conv or MaxPool on images of `shape`."""
    strides, dilations = (_numbers(attributes, name) or [1, 1] for name in ("strides", "dilations"))
    if len(kernel) != 2 or len(strides) != 2 or len(dilations) != 2 or min(*kernel, *strides, *dilations) < 1:
        raise InputError(f"{where} must have a kernel of two axes of at least 1, as its strides and dilations")
    if strides[0] != strides[1] or dilations[0] != dilations[1]:
        raise InputError(
            f"{where} must have one stride and one dilation for both directions, not {strides} and {dilations}; the "
            "core has no other"
        )
    auto = attributes["auto_pad"].s.decode() if "auto_pad" in attributes else "NOTSET"
    pads = _numbers(attributes, "pads") or [0, 0, 0, 0]
    if auto not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER") or len(pads) != 4 or min(pads) < 0:
        raise InputError(f"{where} must have four pads of at least 0, or a known auto_pad, not {auto} and {pads}")
    up = bool("ceil_mode" in attributes and attributes["ceil_mode"].i)
    begin, out = [], []
    for axis in range(2):
        reach = (kernel[axis] - 1) * dilations[axis] + 1
        size, stride = shape[1 + axis], strides[axis]
        if auto.startswith("SAME"):
            length = ceil_div(size, stride)
            total = max(0, (length - 1) * stride + reach - size)
            begin.append(total // 2 if auto == "SAME_UPPER" else total - total // 2)
        else:
            before, behind = (0, 0) if auto == "VALID" else (pads[axis], pads[2 + axis])
            room = size + before + behind - reach
            length = (ceil_div(room, stride) if up else room // stride) + 1
            if up and (length - 1) * stride >= size + before:  # a window that begins behind the image counts nothing
                length -= 1
            begin.append(before)
        if length < 1:
            raise InputError(f"{where} must have a kernel that fits its image, not {kernel} on {list(shape[1:])}")
        out.append(length)
    return Window(
        kernel=(kernel[0], kernel[1]),
        stride=strides[0],
        dilation=dilations[0],
        pads=(begin[0], begin[1]),
        out=(out[0], out[1]),
    )


def _convolution(
    node: Any,
    where: str,
    attributes: Mapping[str, Any],
    weight: Callable[[str], np.ndarray | None],
    shape: Shape,
) -> Convolution:
    """The layer of a Conv node with stored weights; groups become zeros in the weights of all channels."""
    if len(shape) != 3:
        raise InputError(f"{where} must take images of channels, height and width, not samples of {list(shape)}")
    weights = weight(node.input[1]) if len(node.input) > 1 else None
    if weights is None or weights.ndim != 4 or not weights.size:
        raise InputError(f"{where} must have stored weights of four axes; the RTL keeps weights, not activations")
    weights = weights.astype(np.float64)
    groups = attributes["group"].i if "group" in attributes else 1
    n, inside = weights.shape[:2]
    if groups < 1 or n % groups or inside * groups != shape[0]:
        raise InputError(
            f"{where} must take the {shape[0]} channels of its image in groups of {inside}, {groups} of them for {n} "
            "results; check the input"
        )
    kernel = _numbers(attributes, "kernel_shape") or list(weights.shape[2:])
    if kernel != list(weights.shape[2:]):
        raise InputError(f"{where} must have a kernel_shape as its weights, {list(weights.shape[2:])}, not {kernel}")
    window = _window(where, attributes, shape, kernel)
    bias = np.zeros(n)
    if len(node.input) > 2 and node.input[2]:
        stored_bias = weight(node.input[2])
        if stored_bias is None or stored_bias.size != n:
            raise InputError(f"{where} must add a stored bias of {n} values")
        bias = stored_bias.reshape(-1).astype(np.float64)
    if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
        raise InputError(f"{where} must have finite weights, not NaN or infinity")
    whole = np.zeros((n, shape[0], *weights.shape[2:]))
    for group in range(groups):
        rows = slice(group * n // groups, (group + 1) * n // groups)
        whole[rows, group * inside : (group + 1) * inside] = weights[rows]
    ends = [
        window.pads[axis] > 0
        or (window.out[axis] - 1) * window.stride + (kernel[axis] - 1) * window.dilation + 1 > shape[1 + axis]
        for axis in range(2)
    ]
    return Convolution(name=node.name or node.output[0], weights=whole, bias=bias, window=window, padded=any(ends))


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
