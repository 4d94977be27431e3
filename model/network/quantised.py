"""Fully connected layers in INT8: quantised from floating point, stored as one .npz file.

Activations are asymmetric per tensor, weights symmetric per output channel:
real activation = scale * (q - zero_point), real weight[k, n] = weight_scale[n] * q. The sum of the integer
products then needs a correction of -zero_point * sum_k(q_weight) per channel, which is folded into the bias.
"""

import io
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw.base.error import InputError
from hw.base.file import write_atomically
from model.work.workload import OutputStage

_LAYER_ARRAYS = {
    "weights": np.int8,
    "bias": np.int32,
    "multiplier": np.int32,
    "shift": np.int32,
    "range": np.int16,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantisedLayer:
    """`weights` : int8 array (k, n); `output` : what turns its sums into INT8."""

    weights: np.ndarray
    output: OutputStage


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantisedNetwork:
    """Layers run one after the other, each on the INT8 output of the one before it.

    Parameters
    ----------
    layers : tuple of QuantisedLayer
        In the order they run.
    """

    layers: tuple[QuantisedLayer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Real value of an INT8 activation: `step` * (q - `zero_point`)."""

    step: float
    zero_point: int

    @staticmethod
    def covering(low: float, high: float) -> "Scale":
        """The scale whose INT8 range covers [low, high] and holds zero exactly."""
        low, high = min(low, 0.0), max(high, 0.0)
        step = (high - low) / 255 or 1.0
        return Scale(step=step, zero_point=round(-128 - low / step))


def quantise_layer(
    weights: np.ndarray, bias: np.ndarray, source: Scale, target: Scale, *, relu: bool
) -> QuantisedLayer:
    """One layer as integers.

    Parameters
    ----------
    weights, bias : float arrays (k, n) and (n)
    source, target : Scale
        Of the activations that enter and leave.
    relu : bool
        Clamp at the target's zero point.
    """
    largest = np.abs(weights).max(axis=0)
    # a channel that training switched off has weights of almost nothing: a step of its own would be noise
    weight_step = np.maximum(largest, largest.max() * 2.0**-12 or 1.0) / 127
    q_weights = np.rint(weights / weight_step).astype(np.int8)
    correction = source.zero_point * q_weights.astype(np.int64).sum(axis=0)
    q_bias = np.rint(bias / (source.step * weight_step)).astype(np.int64) - correction
    limit = (1 << 31) - 1 - (len(weights) << 14)
    if np.abs(q_bias).max() > limit:
        raise InputError(
            f"a bias must be at most {limit} steps so that the sum stays in 32 bits, "
            f"not {np.abs(q_bias).max()}; rescale the layer"
        )
    scaled = [_multiplier_and_shift(r) for r in source.step * weight_step / target.step]
    return QuantisedLayer(
        weights=q_weights,
        output=OutputStage(
            bias=q_bias.astype(np.int32),
            multiplier=np.array([m for m, _ in scaled], np.int32),
            shift=np.array([s for _, s in scaled], np.int32),
            zero_point=target.zero_point,
            low=target.zero_point if relu else -128,
            high=127,
        ),
    )


def _multiplier_and_shift(ratio: float) -> tuple[int, int]:
    """(multiplier, shift) with `ratio` = multiplier / 2**(31 + shift), multiplier in [2**30, 2**31)."""
    fraction, exponent = math.frexp(ratio)
    multiplier = round(fraction * (1 << 31))
    if multiplier == 1 << 31:
        multiplier, exponent = 1 << 30, exponent + 1
    if not 0 <= -exponent <= 31:
        raise InputError(f"a requantisation ratio must be from 2**-32 to below 1, not {ratio:g}; rescale the layer")
    return multiplier, -exponent


def save(network: QuantisedNetwork, path: Path) -> None:
    """Write all layers to `path`; equal networks give equal bytes."""
    arrays: dict[str, np.ndarray] = {}
    for i, layer in enumerate(network.layers):
        stage = layer.output
        arrays[f"weights_{i}"] = layer.weights
        arrays[f"bias_{i}"], arrays[f"multiplier_{i}"] = stage.bias, stage.multiplier
        arrays[f"shift_{i}"] = stage.shift
        arrays[f"range_{i}"] = np.array([stage.zero_point, stage.low, stage.high], np.int16)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_atomically(path, buffer.getvalue())


def read(path: Path) -> QuantisedNetwork:
    """The network stored in `path`; raises `InputError` if the file is missing, damaged or foreign."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        raise InputError(f"{path} must exist; make it with `kcloud-cosim train {path.stem}`") from None
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise InputError(f"{path} must be a readable .npz of layers ({error}); make it again") from None
    layers: list[QuantisedLayer] = []
    while f"weights_{len(layers)}" in arrays:
        part = {}
        for kind, dtype in _LAYER_ARRAYS.items():
            array = arrays.get(f"{kind}_{len(layers)}")
            if array is None or array.dtype != dtype:
                raise InputError(f"{path} must hold {kind}_{len(layers)} as {np.dtype(dtype)}; make it again")
            part[kind] = array
        zero_point, low, high = (int(v) for v in part["range"])
        output = OutputStage(
            bias=part["bias"],
            multiplier=part["multiplier"],
            shift=part["shift"],
            zero_point=zero_point,
            low=low,
            high=high,
        )
        layers.append(QuantisedLayer(weights=part["weights"], output=output))
    if not layers:
        raise InputError(f"{path} must hold the layers of a quantised network; it holds none")
    return QuantisedNetwork(layers=tuple(layers))
