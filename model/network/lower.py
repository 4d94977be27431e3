"""One ONNX node to matrix products: shapes in, `Gemm`s out.

Convolutions by im2col: M = batch x output positions, N = output channels, K = input channels x kernel, once
per group. Transposed convolutions run backwards: M = batch x input positions, N = output channels x kernel,
K = input channels. Recurrent layers: one product per time step and direction, inputs and state side by side;
`layout` 1 puts the batch before the time.
"""

from collections.abc import Mapping
from math import prod
from typing import Any

from hw.base.error import InputError
from model.network.agree import MATRIX_PRODUCTS, RECURRENT, text
from model.network.layer import Window
from model.work.workload import Gemm

Shape = tuple[int, ...]


def right_operand(operator: str) -> int:
    """Index of the node's input that is the right operand (the weights, if it is a constant)."""
    return 3 if operator in ("QLinearConv", "QLinearMatMul", "QGemm") else 1


def products(
    name: str, operator: str, attributes: Mapping[str, Any], left: Shape, right: Shape, output: Shape
) -> tuple[Gemm, ...]:
    """The matrix products of one node from the shapes of its operands, as the plain operator takes them, and its first
    output."""
    if operator in ("Conv", "ConvInteger", "QLinearConv", "DeformConv"):
        groups = int(attributes.get("group", 1))
        return (Gemm(name=name, m=output[0] * prod(output[2:]), n=right[0] // groups, k=prod(right[1:]), count=groups),)
    if operator == "ConvTranspose":
        groups = int(attributes.get("group", 1))
        return (Gemm(name=name, m=left[0] * prod(left[2:]), n=prod(right[1:]), k=left[1] // groups, count=groups),)
    if operator in ("Gemm", "QGemm"):
        m, k = reversed(left) if attributes.get("transA") else left
        n = right[0] if attributes.get("transB") else right[1]
        return (Gemm(name=name, m=m, n=n, k=k),)
    if operator in MATRIX_PRODUCTS:
        return (_matmul(name, left, right),)
    if operator in ("MatMulNBits", "MatMulFpQ4"):  # weights are packed: their sizes stand in the attributes
        n, k = int(attributes.get("N", output[-1])), int(attributes.get("K", left[-1]))
        return (Gemm(name=name, m=prod(left[:-1]), n=n, k=k),)
    if operator == "Einsum":
        return (_einsum(name, attributes["equation"], left, right),)
    if operator in RECURRENT:
        batch_first = attributes.get("layout", 0) == 1
        batch, steps = (left[0], left[1]) if batch_first else (left[1], left[0])
        directions, rows, width = right
        hidden = int(attributes.get("hidden_size", rows // RECURRENT[operator]))
        return (Gemm(name=name, m=batch, n=RECURRENT[operator] * hidden, k=width + hidden, count=steps * directions),)
    raise InputError(f"operator {operator!r} of node {name!r} must be a matrix product; lower it as vector work")


def _matmul(name: str, left: Shape, right: Shape) -> Gemm:
    """NumPy's matmul: leading axes broadcast; a right operand of two axes is shared by all of them."""
    left = (1, *left) if len(left) == 1 else left
    right = (*right, 1) if len(right) == 1 else right
    m, k, n = left[-2], left[-1], right[-1]
    if prod(right[:-2]) == 1:
        return Gemm(name=name, m=prod(left[:-1]), n=n, k=k)
    axes = max(len(left), len(right)) - 2
    a = (1,) * (axes + 2 - len(left)) + left[:-2]
    b = (1,) * (axes + 2 - len(right)) + right[:-2]
    return Gemm(name=name, m=m, n=n, k=k, count=prod(max(x, y) for x, y in zip(a, b, strict=True)))


def _einsum(name: str, equation: str | bytes, left: Shape, right: Shape) -> Gemm:
    """A two-operand product: letters in both and the result repeat, only-in-both are summed."""
    written = text(equation).replace(" ", "")
    operands, arrow, result = written.partition("->")
    terms = operands.split(",")
    fits = len(terms) == 2 and (len(terms[0]), len(terms[1])) == (len(left), len(right))
    if not arrow or not fits or "." in written or any(len(set(term)) != len(term) for term in terms):
        raise InputError(
            f"Einsum {name!r} must have two operands of named axes and an explicit result, not {written!r}; "
            "rewrite it as MatMul"
        )
    size: dict[str, int] = {}
    for axis, extent in zip(terms[0] + terms[1], left + right, strict=True):
        if size.setdefault(axis, extent) != extent:
            raise InputError(
                f"axis {axis!r} of Einsum {name!r} must have one size, not {size[axis]} and {extent}; "
                "correct the shapes"
            )
    both = set(terms[0]) & set(terms[1])
    return Gemm(
        name=name,
        m=prod(size[c] for c in set(terms[0]) - both),
        n=prod(size[c] for c in set(terms[1]) - both),
        k=prod(size[c] for c in both - set(result)),
        count=prod(size[c] for c in both & set(result)),
    )


def window(operator: str, attributes: Mapping[str, Any], left: Shape, right: Shape | None, output: Shape) -> Window:
    """The window of a convolution or pooling with its padding as (before, after) pairs.

    `right` is the shape of a convolution's weights. With `auto_pad` the pairs follow from the sizes, the odd
    element after (SAME_UPPER) or before (SAME_LOWER).
    """
    size = left[2:]
    axes = len(size)
    kernel = attributes.get("kernel_shape") or (right[2:] if right else size)
    strides = attributes.get("strides") or (1,) * axes
    dilations = attributes.get("dilations") or (1,) * axes
    automatic = text(attributes.get("auto_pad", "NOTSET"))
    if automatic.startswith("SAME") and operator != "ConvTranspose":
        pads = []
        for i in range(axes):
            total = max(0, (output[2 + i] - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1 - size[i])
            small, large = total // 2, total - total // 2
            pads.append((small, large) if automatic == "SAME_UPPER" else (large, small))
    else:
        flat = attributes.get("pads") or (0,) * (2 * axes)
        pads = [(int(flat[i]), int(flat[i + axes])) for i in range(axes)]
    return Window(
        size=tuple(size),
        kernel=tuple(int(v) for v in kernel),
        strides=tuple(int(v) for v in strides),
        dilations=tuple(int(v) for v in dilations),
        pads=tuple(pads),
        groups=int(attributes.get("group", 1)),
    )
