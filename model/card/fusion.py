"""What of a network is done together with a product, and what that costs.

Directly behind a product its output stage does normalisation, bias and simple activations at no cost. A function with
exponentials takes its steps on the vector engines while the arrays go on. An addition of equally many elements, as of a
residual, reads its second operand where the product's results come out. These are the fusions that a compiler for GPUs
documents (NVIDIA TensorRT, "Layer Fusion Catalog": convolution and element-wise sum, activation, scale) and that an
open accelerator's output stage has (NVDLA, single-point data processor: per-element operand of its X and Y stages).

The scores of attention stay on the chip between their product, the softmax and the product with the values (Dao et al.,
FlashAttention, NeurIPS 2022).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from model.card.rules import FUSED, VECTOR_STEPS
from model.network.layer import Layer

ADDITIONS = ("Add", "Sum")

GATES = ("Sigmoid", "HardSigmoid")
"""Behind one of these a product of equally many elements makes a Swish of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fusion:
    """How one layer runs.

    Parameters
    ----------
    fused : bool
        Together with the product, or the element-wise operator, before it: no time of its own.
    beside : int
        Of a product: elements of further operands that its output stage reads.
    work : int
        Of a product: operations of the vector engines on its results.
    kept : int
        Elements of its inputs and outputs that never leave the chip.
    inner : bool
        Not the first of several layers that run as one: it needs no start of its own.
    """

    fused: bool = False
    beside: int = 0
    work: int = 0
    kept: int = 0
    inner: bool = False

    def times(self, batch: int) -> "Fusion":
        """For `batch` inputs together."""
        if batch == 1 or not (self.beside or self.work or self.kept):
            return self
        return replace(self, beside=self.beside * batch, work=self.work * batch, kept=self.kept * batch)


APART = Fusion()


def fusions(layers: Sequence[Layer], *, additions: bool = True, functions: str = "beside") -> list[Fusion]:
    """How each layer runs, in order.

    Parameters
    ----------
    additions : bool
        An addition behind a product is fused.
    functions : "beside", "free" or "apart"
        Functions with exponentials behind a product take the vector engines while the arrays go on, cost nothing, or
        are a pass of their own.
    """
    found = [APART] * len(layers)
    host = gate = None  # product whose output stage is open; a fused gate behind it
    added = follows = False
    for index, layer in enumerate(layers):
        if layer.kind == "gemm":
            host, gate, added, follows = index, None, False, True
            continue
        if layer.kind == "move":
            continue
        steps = VECTOR_STEPS.get(layer.operator, 1)
        behind = host is not None and layer.output_elements == layers[host].output_elements
        if follows and layer.operator in FUSED and not (steps > 1 and functions == "apart"):
            found[index] = Fusion(fused=True)
            if host is not None and steps > 1 and functions == "beside":
                found[host] = replace(found[host], work=found[host].work + layer.operations * steps)
            gate = index if layer.operator in GATES else None
        elif behind and gate is not None and layer.operator == "Mul":
            found[index], gate = Fusion(fused=True), None
        elif behind and host is not None and layer.operator in ADDITIONS and additions and not added:
            more = max(0, layer.input_elements - layer.output_elements)
            found[index], added = Fusion(fused=True), True
            found[host] = replace(found[host], beside=found[host].beside + more)
        else:
            host, gate, follows = None, None, layer.kind == "vector" and layer.operator in ADDITIONS
    _attention(layers, found)
    return found


def _attention(layers: Sequence[Layer], found: list[Fusion]) -> None:
    """Mark scores, softmax and context where they follow one another."""
    first: int | None = None
    softmax = False
    for index, layer in enumerate(layers):
        if layer.kind == "gemm":
            if first is not None and softmax and not layer.stationary:
                scores = layers[first].output_elements
                found[first] = replace(found[first], kept=scores)
                for between in range(first + 1, index):
                    if not found[between].fused and layers[between].kind == "vector":
                        moved = layers[between].input_elements + layers[between].output_elements
                        found[between] = Fusion(kept=moved, inner=True)
                found[index] = replace(found[index], kept=scores, inner=True)
            first, softmax = (None if layer.stationary else index), False
        elif layer.kind == "vector" and first is not None:
            if layer.output_elements != layers[first].output_elements:
                first = None
            softmax = softmax or layer.operator == "Softmax"
