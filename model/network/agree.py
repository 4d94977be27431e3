"""Do the shapes of a node fit together? What ONNX's own inference lets pass and a count would be wrong by.

Every rule returns what must hold, or None if it does: the caller names file and node.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

Shape = tuple[int, ...]

CONVOLUTIONS = frozenset({"Conv", "ConvInteger", "QLinearConv", "ConvTranspose", "DeformConv"})
MATRIX_PRODUCTS = frozenset({"MatMul", "MatMulInteger", "QLinearMatMul", "FusedMatMul"})
RECURRENT = {"LSTM": 4, "GRU": 3, "RNN": 1}
"""Operator -> its gates."""
_WINDOWED = CONVOLUTIONS | {"AveragePool", "LpPool", "MaxPool"}
_PADDINGS = ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")


def text(value: Any) -> str:
    """An attribute that may come as bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def complaint(operator: str, attributes: Mapping[str, Any], shapes: Sequence[Shape | None]) -> str | None:
    """What must hold of a node and does not, as "the channels must ..., not ..."; None if all is well.

    Parameters
    ----------
    operator : str
        Name in ONNX's domain.
    attributes : mapping
        Of the node, as ONNX gives them.
    shapes : sequence of shape or None
        Of its data, its right operand and what follows, as the plain operator takes them; None: not known.
    """
    left = shapes[0] if shapes else None
    right = shapes[1] if len(shapes) > 1 else None
    if operator in _WINDOWED:
        weights = right if operator in CONVOLUTIONS else None
        found = _window(attributes, left, weights)
        if not found and operator in CONVOLUTIONS:
            found = _convolution(operator, attributes, left, right)
        if found or operator == "ConvTranspose":
            return found
        return _fit(attributes, left, weights)
    if operator in MATRIX_PRODUCTS and left is not None and right is not None:
        return _matrix_product(left, right)
    if operator in ("MatMulNBits", "MatMulFpQ4") and left is not None:
        width = left[-1] if left else 0
        k, n = attributes.get("K", width), attributes.get("N", 1)
        if k != width or n < 1:
            return f"K must be the data's {width} values and N at least 1, not {k} and {n}"
    if operator in ("Gemm", "QGemm"):
        return _gemm(attributes, left, right, shapes[2] if len(shapes) > 2 else None)
    if operator in ("BatchNormalization", "InstanceNormalization") and left is not None and len(left) > 1:
        for shape in shapes[1:]:
            if shape is not None and shape != (left[1],):
                return f"every channel's constants must be {left[1]} as the channels, not of the shape {list(shape)}"
    if operator in RECURRENT and left is not None and right is not None:
        return _recurrent(RECURRENT[operator], attributes, left, right, shapes[2] if len(shapes) > 2 else None)
    return None


def _window(attributes: Mapping[str, Any], left: Shape | None, weights: Shape | None) -> str | None:
    padding = text(attributes.get("auto_pad", "NOTSET"))
    if padding not in _PADDINGS:
        return f"auto_pad must be one of {', '.join(_PADDINGS)}, not {padding!r}"
    if left is not None and len(left) < 3:
        return f"the data must have batch, channels and at least one axis of space, not the shape {list(left)}"
    axes = len(left) - 2 if left is not None else None
    kernel = attributes.get("kernel_shape")
    if kernel is not None and weights is not None and tuple(kernel) != weights[2:]:
        return f"kernel_shape must be that of the weights, {list(weights[2:])}, not {list(kernel)}"
    for name, times, least in (("kernel_shape", 1, 1), ("strides", 1, 1), ("dilations", 1, 1), ("pads", 2, None)):
        values = attributes.get(name)
        if values is None:
            continue
        if axes is not None and len(values) != times * axes:
            return f"{name} must have {times * axes} values for {axes} axes of space, not {len(values)}"
        if least is not None and min(values, default=least) < least:
            return f"{name} must be at least {least}, not {list(values)}"
    return None


def _fit(attributes: Mapping[str, Any], left: Shape | None, weights: Shape | None) -> str | None:
    """ONNX's own inference divides towards zero: a window that reaches less than a stride beyond its data leaves one
    position there instead of none."""
    kernel = attributes.get("kernel_shape") or (weights[2:] if weights else None)
    if left is None or kernel is None or not prod(left) or attributes.get("ceil_mode"):
        return None
    if text(attributes.get("auto_pad", "NOTSET")).startswith("SAME"):
        return None
    axes = len(left) - 2
    pads = attributes.get("pads") or (0,) * (2 * axes)
    for i, (size, length, dilation) in enumerate(
        zip(left[2:], kernel, attributes.get("dilations") or (1,) * axes, strict=True)
    ):
        padded, reach = size + pads[i] + pads[i + axes], dilation * (length - 1) + 1
        if reach > padded:
            return f"the window must fit into the data at least once, not reach over {reach} of {padded} padded values"
    return None


def _convolution(operator: str, attributes: Mapping[str, Any], left: Shape | None, right: Shape | None) -> str | None:
    groups = attributes.get("group", 1)
    if groups < 1:
        return f"group must be at least 1, not {groups}"
    if left is None or right is None:
        return None
    if len(left) != len(right):
        return f"the weights must have as many axes as the data, {len(left)}, not the shape {list(right)}"
    if operator == "ConvTranspose":
        if left[1] != right[0] or left[1] % groups:
            return f"the weights must have the data's {left[1]} channels in whole groups, not {right[0]} in {groups}"
        return None
    if left[1] != right[1] * groups:
        return (
            f"the data's {left[1]} channels must be the weights' {right[1]} times {groups} "
            f"group{'s' if groups > 1 else ''}, not another number"
        )
    if right[0] % groups:
        return f"the {right[0]} output channels must fall into {groups} equal groups"
    return None


def _matrix_product(left: Shape, right: Shape) -> str | None:
    if not left or not right:
        return f"both operands must have at least one axis, not the shapes {list(left)} and {list(right)}"
    k_left, k_right = left[len(left) - 1], right[max(0, len(right) - 2)]
    if k_left != k_right:
        return f"the terms of both operands must be as many, not {k_left} and {k_right}"
    for a, b in zip(reversed(left[:-2]), reversed(right[:-2]), strict=False):
        if a != b and 1 not in (a, b):
            return f"the leading axes must be equal or 1, not those of {list(left)} and {list(right)}"
    return None


def _gemm(attributes: Mapping[str, Any], left: Shape | None, right: Shape | None, bias: Shape | None) -> str | None:
    if left is None or right is None:
        return None
    if len(left) != 2 or len(right) != 2:
        return f"both operands must have two axes, not the shapes {list(left)} and {list(right)}"
    m, k = reversed(left) if attributes.get("transA") else left
    k_right, n = reversed(right) if attributes.get("transB") else right
    if k != k_right:
        return f"the terms of both operands must be as many, not {k} and {k_right}"
    if bias is not None:
        padded = (1,) * (2 - len(bias)) + bias
        if len(bias) > 2 or padded[0] not in (1, m) or padded[1] not in (1, n):
            return f"what is added must spread over the result [{m}, {n}], not have the shape {list(bias)}"
    return None


def _recurrent(
    gates: int, attributes: Mapping[str, Any], data: Shape, weights: Shape, state: Shape | None
) -> str | None:
    if len(data) != 3 or len(weights) != 3:
        return f"data and weights must have three axes, not the shapes {list(data)} and {list(weights)}"
    layout = attributes.get("layout", 0)
    if layout not in (0, 1):
        return f"layout must be 0 or 1, not {layout}"
    directions = 2 if text(attributes.get("direction", "forward")) == "bidirectional" else 1
    if weights[0] != directions:
        return f"the weights must be those of {directions} direction(s), not of {weights[0]}"
    hidden = attributes.get("hidden_size", weights[1] // gates)
    if weights[1] != gates * hidden:
        return f"the weights must have {gates} x hidden_size {hidden} = {gates * hidden} rows, not {weights[1]}"
    if weights[2] != data[2]:
        return f"the weights must take the data's {data[2]} values, not {weights[2]}"
    if state is not None and tuple(state) != (directions, gates * hidden, hidden):
        return f"the state's weights must have the shape {[directions, gates * hidden, hidden]}, not {list(state)}"
    return None


def recount(operator: str, data: Shape | None, result: Shape | None) -> str | None:
    """What is wrong if an operator that only renames axes changes how many elements there are, or a window does not
    fit once into its data."""
    if operator in _WINDOWED and data is not None and result is not None and prod(data) and min(result, default=1) < 1:
        return f"the window must fit into the data at least once, not leave {list(result)}"
    if operator not in ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose") or data is None or result is None:
        return None
    if prod(data) != prod(result):
        return f"the {prod(data)} elements must stay as many, not become {prod(result)} as {list(result)}"
    return None


def unequal_declaration(declared: Sequence[int | None], computed: Shape) -> bool:
    """Whether a shape written in the file (None: open) contradicts the one that follows from the inputs."""
    if len(declared) != len(computed):
        return True
    return any(d is not None and d != c for d, c in zip(declared, computed, strict=True))
