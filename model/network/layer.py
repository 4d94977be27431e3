"""A network as a list of layers: matrix products, vector work and data movement."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from hw.base.error import InputError
from model.work.workload import Gemm

Kind = Literal["gemm", "vector", "move", "unsupported"]
"""gemm: matrix products; vector: element-wise, pooling, normalisation; move: data movement without
arithmetic; unsupported: an operator whose work is not modelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The window of a convolution or pooling: one entry per spatial axis.

    `pads` holds the (before, after) pair of each axis; `size` is the input's spatial size.

    Parameters
    ----------
    kernel : tuple of int
        Positions that the window covers.
    strides : tuple of int
        Input positions from one window to the next.
    dilations : tuple of int
        Input positions from one position of the kernel to the next; 1: side by side.
    groups : int
        Equal parts of the channels that are convolved each for itself; 1: all together.
    """

    size: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    groups: int = 1

    def __str__(self) -> str:
        text = f"{_times(self.kernel)} / {_times(self.strides)} pad {','.join(str(v) for p in self.pads for v in p)}"
        if any(d != 1 for d in self.dilations):
            text += f" dilation {_times(self.dilations)}"
        return text + (f" groups {self.groups}" if self.groups > 1 else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxChoice:
    """How a detector's definition chooses among its boxes, of all inputs of a run together.

    Parameters
    ----------
    scores : int
        Boxes times classes.
    sorted_scores : int
        Scores that are sorted: all of them, or what a threshold and a selection leave.
    lists : int
        Lists that are sorted and whose boxes are compared with one another, each for itself.
    candidates : int
        Most boxes of one list that are compared.
    kept : int
        Most boxes of one input in the answer.
    """

    scores: int
    sorted_scores: int
    lists: int
    candidates: int
    kept: int

    def times(self, batch: int) -> "BoxChoice":
        """Of `batch` times as many inputs: more lists of the same length."""
        return dataclasses.replace(
            self,
            scores=self.scores * batch,
            sorted_scores=self.sorted_scores * batch,
            lists=self.lists * batch,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One node of the network.

    Parameters
    ----------
    name, operator : str
        The node's name and its operator as the file calls it.
    kind : Kind
    gemms : tuple of Gemm
        The matrix products it is lowered to; () unless `kind` is "gemm".
    operations : int
        2 per multiply-accumulate; otherwise one per output element and window position. Of an unsupported layer
        an estimate: a product with the matrices among its constants, else one per output element.
    input_elements, weight_elements, output_elements : int
        Elements read and written once each; weights are operands known before the run.
    stationary : bool
        True if the right operand of the products is known before the run (weights, not activations).
    window : Window or None
        Of a convolution or pooling.
    weight_bits : float or None
        Of a stored weight, its share of scales included; None: as the run's format says.
    reason : str
        Why the work of an "unsupported" layer is not known; "" for the others.
    choice : BoxChoice or None
        Of a detector's choice of boxes, its counts.
    """

    name: str
    operator: str
    kind: Kind
    gemms: tuple[Gemm, ...] = ()
    operations: int = 0
    input_elements: int = 0
    weight_elements: int = 0
    output_elements: int = 0
    stationary: bool = True
    window: Window | None = None
    weight_bits: float | None = None
    reason: str = ""
    choice: BoxChoice | None = None

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return sum(g.macs for g in self.gemms)

    def batched(self, batch: int) -> "Layer":
        """The same layer on `batch` times as much input; weights are shared, other right operands are not."""
        if self.stationary:
            gemms = tuple(dataclasses.replace(g, m=g.m * batch) for g in self.gemms)
        else:
            gemms = tuple(dataclasses.replace(g, count=g.count * batch) for g in self.gemms)
        return dataclasses.replace(
            self,
            gemms=gemms,
            operations=self.operations * batch,
            input_elements=self.input_elements * batch,
            output_elements=self.output_elements * batch,
            choice=None if self.choice is None else self.choice.times(batch),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """`layers` in the order of the file; `source` says where it comes from.

    Parameters
    ----------
    name : str
        What records and messages call it.
    """

    name: str
    source: str
    layers: tuple[Layer, ...]
    _batched: "dict[int, Network]" = dataclasses.field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all layers."""
        return sum(layer.macs for layer in self.layers)

    @property
    def detects(self) -> bool:
        """It ends with a choice of boxes."""
        return any(layer.choice is not None for layer in self.layers)

    @property
    def weights(self) -> int:
        """Weights of all layers that are matrix products."""
        return sum(layer.weight_elements for layer in self.layers if layer.kind == "gemm")

    def gemms(self) -> list[Gemm]:
        """All matrix products, in order."""
        return [gemm for layer in self.layers for gemm in layer.gemms]

    def batched(self, batch: int) -> "Network":
        """The network on `batch` times as many inputs; made once, so that its layers are the same objects."""
        if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
            raise InputError(f"a batch must be an integer of at least 1, not {batch!r}")
        if batch == 1:
            return self
        if batch not in self._batched:
            self._batched[batch] = dataclasses.replace(self, layers=tuple(x.batched(batch) for x in self.layers))
        return self._batched[batch]

    def unsupported(self) -> dict[str, tuple[int, float]]:
        """Operators that are not modelled: how many nodes, and their share of all operations (0 to 1)."""
        total = sum(layer.operations for layer in self.layers) or 1
        found: dict[str, tuple[int, float]] = {}
        for layer in self.layers:
            if layer.kind == "unsupported":
                nodes, share = found.get(layer.operator, (0, 0.0))
                found[layer.operator] = nodes + 1, share + layer.operations / total
        return found

    def unpadded_macs(self) -> int:
        """Multiply-accumulates of the same layers in a list that leaves padding out.

        Each window then has ceil((size - kernel + stride) / stride) positions on its own input size: fewer
        where it was padded, and one more per axis where the stride does not divide what is left.
        """
        total = 0
        for layer in self.layers:
            shrink = 1, 1
            if layer.window is not None:
                shrink = _positions(layer.window, padded=False), _positions(layer.window, padded=True)
            total += sum(gemm.macs // shrink[1] * shrink[0] for gemm in layer.gemms)
        return total


def _positions(window: Window, *, padded: bool) -> int:
    """Output positions of a window."""
    count = 1
    axes = zip(window.size, window.kernel, window.strides, window.dilations, window.pads, strict=True)
    for size, kernel, stride, dilation, pads in axes:
        reach = dilation * (kernel - 1) + 1
        if padded:
            count *= (size + sum(pads) - reach) // stride + 1
        else:
            count *= -((reach - stride - size) // stride)
    return count


def _times(values: Iterable[int]) -> str:
    return "x".join(str(v) for v in values)
