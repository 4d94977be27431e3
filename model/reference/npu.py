"""Reference arithmetic of the NPU core: what every output element must be, bit for bit."""

import numpy as np

from hw.base.error import InputError
from hw.spec.core import CoreSpec, RoundingMode
from model.number.codec import encode
from model.number.fused import matmul
from model.work.workload import GemmJob, OutputStage

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1


def gemm_sums(activations: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`activations` (m, k) times `weights` (k, n), exact, as int64 (m, n).

    Raises
    ------
    InputError
        If an operand is not INT8, the shapes do not fit, or a sum leaves 32 bits.
    """
    for name, operand in (("activations", activations), ("weights", weights)):
        if operand.dtype != np.int8 or operand.ndim != 2:
            raise InputError(f"{name} must be a two-dimensional int8 array, not {operand.dtype}{operand.shape}")
    if activations.shape[1] != weights.shape[0]:
        raise InputError(
            f"activations {activations.shape} and weights {weights.shape} must agree in k; "
            "the second size of the first is the first size of the second"
        )
    # Every partial sum is an integer below 2**53, so binary64 products and sums are exact in any order
    sums = (activations.astype(np.float64) @ weights.astype(np.float64)).astype(np.int64)
    if sums.size and (sums.min() < INT32_MIN or sums.max() > INT32_MAX):
        raise InputError("a sum leaves the 32-bit accumulator; k must be at most 131071")
    return sums


def requantise(sums: np.ndarray, output: OutputStage, mode: RoundingMode = "exact_rne") -> np.ndarray:
    """INT8 (m, n) from integer `sums` (m, n): `scaled`, then clamped to low and high."""
    return np.minimum(np.maximum(scaled(sums, output, mode), output.low), output.high).astype(np.int8)


def scaled(sums: np.ndarray, output: OutputStage, mode: RoundingMode = "exact_rne") -> np.ndarray:
    """round((sum + bias) * scale) + zero_point of integer `sums` (m, n), before the clamp.

    scale = multiplier / 2**(31 + shift), per column. Modes:

    exact_rne
        One exact product, ties to even.
    tflite_single
        One exact product, ties towards plus infinity (TFLite's single-rounding build).
    gemmlowp
        Saturating rounding doubling high multiplication, then rounding division by 2**shift with ties away
        from zero; sum + bias saturates to 32 bits first.
    float32
        (sum + bias) and scale each rounded to binary32, multiplied in binary32, ties to even.
    """
    biased = sums.astype(np.int64) + output.bias.astype(np.int64)
    multiplier, shift = output.multiplier.astype(np.int64), output.shift.astype(np.int64)
    if shift.size and not (shift.min() >= 0 and shift.max() <= 31):
        raise InputError(f"shift must be 0 to 31, not {shift.min()} to {shift.max()}")
    if mode == "float32":
        scale = np.ldexp(multiplier.astype(np.float64), -31 - shift).astype(np.float32)
        rounded = np.rint(biased.astype(np.float32) * scale).astype(np.float64)
        rounded = np.clip(rounded, INT32_MIN, INT32_MAX).astype(np.int64)
    elif mode == "gemmlowp":
        high = (np.clip(biased, INT32_MIN, INT32_MAX) * multiplier + (1 << 30)) >> 31
        rounded = _round_shift(np.minimum(high, INT32_MAX), shift, "away")
    elif mode in ("exact_rne", "tflite_single"):
        if biased.size and np.abs(biased).max() > INT32_MAX:
            # 33 bits x 32 bits need more than int64: Python integers
            biased, multiplier = biased.astype(object), multiplier.astype(object)
        rounded = _round_shift(biased * multiplier, shift + 31, "even" if mode == "exact_rne" else "up")
    else:
        raise InputError(f"rounding mode must be exact_rne, tflite_single, gemmlowp or float32, not {mode!r}")
    return rounded + output.zero_point


def _round_shift(value: np.ndarray, shift: np.ndarray, ties: str) -> np.ndarray:
    """`value` / 2**`shift` to the nearest integer; `ties` "even", "up" or "away" (from zero)."""
    floor = value >> shift
    twice_rest = (value - (floor << shift)) * 2
    one = np.left_shift(1, shift)
    if ties == "even":
        up_on_tie = floor & 1
    elif ties == "up":
        up_on_tie = np.ones_like(floor)
    else:
        up_on_tie = (value >= 0) * np.ones_like(floor)
    return floor + np.where((twice_rest > one) | ((twice_rest == one) & (up_on_tie == 1)), 1, 0)


def gemm(
    activations: np.ndarray, weights: np.ndarray, output: OutputStage, mode: RoundingMode = "exact_rne"
) -> np.ndarray:
    """The INT8 output (m, n) of one GEMM."""
    return requantise(gemm_sums(activations, weights), output, mode)


def product(core: CoreSpec, activations: np.ndarray, weights: np.ndarray, output: OutputStage) -> np.ndarray:
    """The output (m, n) of one GEMM on `core`: INT8, or codes of its output format.

    Floating-point sums are added in the order of the array: blocks of `rows` terms on a weight-stationary one, all
    terms in one chain on an output-stationary one.
    """
    array = core.array
    if not array.is_floating_point:
        return gemm(activations, weights, output, core.rounding_mode)
    rows = chain(core, weights.shape[0])
    sums = matmul(activations, weights, array.activation_format, array.weight_format, rows=rows)
    if core.output_format == "fp32":
        return sums
    return encode(sums.view(np.float32), core.output_format, saturate=core.saturate)


def chain(core: CoreSpec, k: int) -> int:
    """Terms of `k` that are added one after the other before a sum is added to the one before."""
    return core.array.chain(k)


def run(jobs: list[GemmJob], core: CoreSpec | None = None) -> list[np.ndarray]:
    """Outputs of `jobs` in order on `core`, or INT8 rounded by exact_rne; a job with a `source` reads that output."""
    outputs: list[np.ndarray] = []
    for job in jobs:
        activations = activations_of(job, outputs)
        outputs.append(
            gemm(activations, job.weights, job.output)
            if core is None
            else product(core, activations, job.weights, job.output)
        )
    return outputs


def activations_of(job: GemmJob, outputs: list[np.ndarray]) -> np.ndarray:
    """The activations of `job`, given the outputs of the jobs before it."""
    if job.activations is not None:
        return job.activations
    if job.source is None or not 0 <= job.source < len(outputs):
        raise InputError(
            f"GEMM {job.gemm.name!r} needs activations or the index of an earlier job, not source {job.source!r}"
        )
    return outputs[job.source]
