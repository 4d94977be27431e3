"""An ONNX network with its weights and an input, quantised to INT8: a workload for the RTL.

What the core's RTL computes is a chain of fully connected layers with bias and ReLU; everything else is refused by name
of the operator. Quantised as `model.network.quantised` does: activations per tensor, weights per output channel, the
range of each activation being what the given input causes in floating point.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hw.base.digest import digest
from hw.base.error import InputError
from model.network.quantised import QuantisedNetwork, Scale, quantise_layer
from model.work.workload import Gemm, GemmJob

RESHAPING = ("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Cast")
"""Operators that leave the values of each sample as they are."""
SUPPORTED = ("Gemm", "MatMul", "Add (of a bias)", "Relu", *RESHAPING)
LARGEST_INPUT = 1 << 24
"""Values of an input."""


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


@dataclass(frozen=True, kw_only=True)
class OnnxRun:
    """The network in `path` on the samples in `input` (a .npy of floats, samples first).

    Raises `InputError`, when the layers are asked for, for an operator that the RTL lacks, by node and operator.

    Parameters
    ----------
    queued : bool
        See `model.work.workload.Workload`; the layers depend on one another, so it is False.
    """

    path: Path
    input: Path
    queued: bool = False

    @property
    def title(self) -> str:
        """One line for people."""
        return f"{self.path.name} on {self.input.name}, {len(self.samples)} samples, INT8"

    @property
    def digest(self) -> str:
        """Digest of both files."""
        return digest([hashlib.sha256(path.read_bytes()).hexdigest() for path in (self.path, self.input)])

    @property
    def work(self) -> dict[str, float]:
        """The samples."""
        return {"samples": len(self.samples)}

    @cached_property
    def samples(self) -> np.ndarray:
        """The input as floats (samples, values of each)."""
        values = read_input(self.input)
        return values.reshape(len(values), -1)

    @cached_property
    def layers(self) -> tuple[Dense, ...]:
        """The layers in floating point."""
        return dense_layers(self.path, self.samples.shape[1])

    @cached_property
    def quantised(self) -> tuple[QuantisedNetwork, Scale, Scale, np.ndarray]:
        """The layers as integers, the scales of input and output, and the result in floating point."""
        values = self.samples.astype(np.float64)
        first = source = Scale.covering(float(values.min()), float(values.max()))
        made = []
        for layer in self.layers:
            values = values @ layer.weights + layer.bias
            values = np.maximum(values, 0) if layer.relu else values
            target = Scale.covering(float(values.min()), float(values.max()))
            try:
                made.append(quantise_layer(layer.weights, layer.bias, source, target, relu=layer.relu))
            except InputError as error:
                raise InputError(f"layer {layer.name!r} of {self.path.name}: {error}") from None
            source = target
        return QuantisedNetwork(layers=tuple(made)), first, source, values

    def gemms(self) -> list[Gemm]:
        """One GEMM per layer: samples x outputs x inputs."""
        return [
            Gemm(name=layer.name, m=len(self.samples), n=layer.weights.shape[1], k=layer.weights.shape[0])
            for layer in self.layers
        ]

    def jobs(self, seed: int) -> list[GemmJob]:
        """One job per layer; the seed changes nothing, operands are data."""
        network, first, _, _ = self.quantised
        activations = np.clip(np.rint(self.samples / first.step) + first.zero_point, -128, 127).astype(np.int8)
        return [
            GemmJob(
                gemm=gemm,
                weights=layer.weights,
                output=layer.output,
                activations=activations if i == 0 else None,
                source=None if i == 0 else i - 1,
            )
            for i, (gemm, layer) in enumerate(zip(self.gemms(), network.layers, strict=True))
        ]

    def score(self, outputs: list[np.ndarray]) -> dict[str, float]:
        """How near INT8 is to floating point: the largest error over the output's range, and equal largest outputs."""
        _, _, last, wanted = self.quantised
        found = (np.asarray(outputs[-1], np.float64) - last.zero_point) * last.step
        span = float(wanted.max() - wanted.min()) or 1.0
        equal = int((found.argmax(axis=1) == wanted.argmax(axis=1)).sum())
        return {
            "samples": len(found),
            "same_largest_output": equal,
            "largest_error_of_range": float(f"{np.abs(found - wanted).max() / span:.6g}"),
        }


def read_input(path: Path) -> np.ndarray:
    """The samples in a .npy file, as float64; `InputError` if they are none."""
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise InputError(f"the input {path} must be a readable .npy file ({error.strerror or error})") from None
    except (ValueError, EOFError, OverflowError, MemoryError):
        raise InputError(f"the input {path} must be a .npy file of numbers; save it with numpy.save") from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiub" or not values.ndim or not values.size:
        raise InputError(f"the input {path} must be an array of numbers, samples first; save it with numpy.save")
    if values.size > LARGEST_INPUT:
        raise InputError(f"the input {path} must have at most {LARGEST_INPUT} values, not {values.size}; take fewer")
    values = np.asarray(values, np.float64)
    if not np.isfinite(values).all():
        raise InputError(f"the input {path} must hold finite numbers, not NaN or infinity; clean it")
    return values


def dense_layers(path: Path, width: int) -> tuple[Dense, ...]:
    """The fully connected layers of the network in `path` for samples of `width` values.

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

    at, layers = given[0], list[Dense]()
    for index, node in enumerate(ordered(graph, {*given, *constants}, path.name)):
        attributes = {a.name: a for a in node.attribute}
        if node.op_type == "Constant" and "value" in attributes:
            values[node.output[0]] = stored(attributes["value"].t, path.parent, path.name)
            continue
        where = f"node {label(node, index)} of {path.name}"
        if at not in node.input:
            raise InputError(f"{where} must follow the layer before it in one chain; the RTL runs no branches")
        other = [name for name in node.input if name not in ("", at)]
        if node.op_type in ("Gemm", "MatMul") and node.domain in ("", "ai.onnx"):
            layers.append(_dense(node, where, attributes, at, weight, width))
            width = layers[-1].weights.shape[1]
        elif node.op_type == "Add" and layers and len(other) == 1 and (bias := weight(other[0])) is not None:
            if layers[-1].relu or bias.size not in (1, width):
                raise InputError(f"{where} must add a bias of {width} values before a ReLU; the RTL adds nothing else")
            added = layers[-1].bias + np.broadcast_to(bias.reshape(-1).astype(np.float64), (width,))
            layers[-1] = Dense(name=layers[-1].name, weights=layers[-1].weights, bias=added)
        elif node.op_type == "Relu" and layers:
            last = layers[-1]
            layers[-1] = Dense(name=last.name, weights=last.weights, bias=last.bias, relu=True)
        elif node.op_type not in RESHAPING:
            raise InputError(
                f"{where} must be an operator of the core's RTL, {', '.join(SUPPORTED)}; leave {node.op_type} to the "
                "host or predict the network without --input"
            )
        at = node.output[0]
    if not layers:
        raise InputError(f"{path.name} must hold a fully connected layer; it has none")
    return tuple(layers)


def _dense(node: Any, where: str, attributes: dict[str, Any], at: str, weight: Any, width: int) -> Dense:
    """The layer of a Gemm or MatMul node whose right operand is stored."""
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
