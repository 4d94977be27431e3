"""Nodes of an ONNX file that move a window over images: convolution, maxima and mean values, as layers of the core."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from model.work.onnx_layer import Convolution, Pooling, Shape, Window


def numbers(attributes: Mapping[str, Any], name: str) -> list[int]:
    return list(attributes[name].ints) if name in attributes else []


def window(where: str, attributes: Mapping[str, Any], shape: Shape, kernel: list[int]) -> Window:
    """The window of a Conv or MaxPool on images of `shape`."""
    strides, dilations = (numbers(attributes, name) or [1, 1] for name in ("strides", "dilations"))
    if len(kernel) != 2 or len(strides) != 2 or len(dilations) != 2 or min(*kernel, *strides, *dilations) < 1:
        raise InputError(f"{where} must have a kernel of two axes of at least 1, as its strides and dilations")
    if strides[0] != strides[1] or dilations[0] != dilations[1]:
        raise InputError(
            f"{where} must have one stride and one dilation for both directions, not {strides} and {dilations}; the "
            "core has no other"
        )
    auto = attributes["auto_pad"].s.decode() if "auto_pad" in attributes else "NOTSET"
    pads = numbers(attributes, "pads") or [0, 0, 0, 0]
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


def convolution(
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
    kernel = numbers(attributes, "kernel_shape") or list(weights.shape[2:])
    if kernel != list(weights.shape[2:]):
        raise InputError(f"{where} must have a kernel_shape as its weights, {list(weights.shape[2:])}, not {kernel}")
    moved = window(where, attributes, shape, kernel)
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
    return Convolution(
        name=node.name or node.output[0], weights=whole, bias=bias, window=moved, padded=_padded(moved, shape)
    )


def _padded(moved: Window, shape: Shape) -> bool:
    """Whether part of a window lies outside the image somewhere."""
    return any(
        moved.pads[axis] > 0
        or (moved.out[axis] - 1) * moved.stride + (moved.kernel[axis] - 1) * moved.dilation + 1 > shape[1 + axis]
        for axis in range(2)
    )


def pointwise(name: str, factors: np.ndarray, shape: Shape) -> Convolution:
    """Every channel of images of `shape` times its factor: a kernel of one position. Factors of 1 leave all as it is,
    which gives pooling the results it takes maxima of."""
    channels = len(factors)
    weights = np.zeros((channels, channels, 1, 1))
    weights[range(channels), range(channels), 0, 0] = factors
    return Convolution(
        name=name,
        weights=weights,
        bias=np.zeros(channels),
        window=Window(kernel=(1, 1), out=(shape[1], shape[2])),
        padded=False,
    )


def averaging(node: Any, where: str, attributes: Mapping[str, Any], shape: Shape) -> Convolution:
    """Mean values of windows, or of whole images, as a convolution of each channel with one weight everywhere."""
    channels = shape[0]
    if node.op_type == "AveragePool":
        moved = window(where, attributes, shape, numbers(attributes, "kernel_shape"))
        counted = bool("count_include_pad" in attributes and attributes["count_include_pad"].i)
        up = bool("ceil_mode" in attributes and attributes["ceil_mode"].i)
        if _padded(moved, shape) and (up or not counted):
            raise InputError(
                f"{where} must divide by the same number everywhere: where it pads, with count_include_pad and without "
                "ceil_mode; export it so, or leave it to the host"
            )
    else:
        moved = Window(kernel=(shape[1], shape[2]), out=(1, 1))
    weights = np.zeros((channels, channels, *moved.kernel))
    weights[range(channels), range(channels)] = 1 / (moved.kernel[0] * moved.kernel[1])
    return Convolution(
        name=node.name or node.output[0],
        weights=weights,
        bias=np.zeros(channels),
        window=moved,
        padded=_padded(moved, shape),
    )


def largest(node: Any, where: str, attributes: Mapping[str, Any], shape: Shape) -> Pooling:
    """The layer of a MaxPool or GlobalMaxPool node."""
    if len(node.output) > 1 and node.output[1]:
        raise InputError(f"{where} must give values alone; the core keeps no places of maxima")
    if node.op_type == "GlobalMaxPool":
        moved = Window(kernel=(shape[1], shape[2]), out=(1, 1))
    else:
        moved = window(where, attributes, shape, numbers(attributes, "kernel_shape"))
    return Pooling(name=node.name or node.output[0], window=moved)
