"""An ONNX network with its weights and an input, quantised to INT8: a workload for the RTL.

What the core's RTL computes is a chain of fully connected layers with bias and ReLU, and on images convolutions and
pooling (`model.work.onnx_images`); everything else is refused by name of the operator. Quantised as
`model.network.quantised` does: activations per tensor, weights per output channel, the range of each activation being
what the given input causes in floating point.
"""

import hashlib
import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from hw.base.digest import digest
from hw.base.error import InputError
from model.network.quantised import QuantisedLayer, QuantisedNetwork, Scale, quantise_layer
from model.work.onnx_chain import layers
from model.work.onnx_layer import Convolution, Dense
from model.work.workload import Gemm, GemmJob

LARGEST_INPUT = 1 << 24
"""Values of an input."""


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
        return tuple(layer for layer in layers(self.path, (self.samples.shape[1],)) if isinstance(layer, Dense))

    @cached_property
    def quantised(self) -> tuple[QuantisedNetwork, Scale, Scale, np.ndarray]:
        """The layers as integers, the scales of input and output, and the result in floating point."""
        values = self.samples.astype(np.float64)
        first = source = Scale.covering(float(values.min()), float(values.max()))
        made = []
        for layer in self.layers:
            values = values @ layer.weights + layer.bias
            values = limited(values, layer)
            target = Scale.covering(float(values.min()), float(values.max()))
            made.append(quantise(layer, layer.weights, source, target, self.path.name))
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


def limited(values: np.ndarray, layer: Dense | Convolution) -> np.ndarray:
    """Results of a layer behind its ReLU or Clip."""
    return np.clip(values, 0, layer.most) if layer.relu else values


def quantise(
    layer: Dense | Convolution, weights: np.ndarray, source: Scale, target: Scale, network: str
) -> QuantisedLayer:
    """A layer as integers, `weights` (k, n) being its own; `InputError` naming it if they cannot be."""
    try:
        made = quantise_layer(weights, layer.bias, source, target, relu=layer.relu)
    except InputError as error:
        raise InputError(f"layer {layer.name!r} of {network}: {error}") from None
    stage = made.output
    high = min(stage.high, round(layer.most / target.step) + target.zero_point) if layer.most < math.inf else stage.high
    return replace(made, output=replace(stage, high=high))


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
