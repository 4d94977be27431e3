"""Error of a crossbar's product with real cells and converters, vectorised over slices, planes and vectors."""

from dataclasses import dataclass

import numpy as np

from hw.base.error import InputError
from hw.spec.crossbar import CrossbarSpec
from model.crossbar.cells import CellErrors, conductance, programmed, read
from model.crossbar.converter import Policy, convert, span
from model.crossbar.operands import Data, draw
from model.reference.crossbar import input_planes, plane_weights, slice_levels, unit_level


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductError:
    """Error of products against the exact ones.

    Parameters
    ----------
    rmse : float
        Root of the mean squared error over outputs, vectors and seeds.
    bias : float
        Mean error.
    largest : float
        Largest absolute error.
    deviation : float
        Standard deviation of the exact outputs, mean over the seeds.
    """

    rmse: float
    bias: float
    largest: float
    deviation: float

    @property
    def rmse_over_std(self) -> float:
        """`rmse` over `deviation`."""
        return self.rmse / self.deviation


def noisy_product(
    spec: CrossbarSpec,
    weights: np.ndarray,
    inputs: np.ndarray,
    errors: CellErrors,
    policy: Policy,
    rng: np.random.RandomState | np.random.Generator,
    *,
    droop: float = 0.0,
) -> np.ndarray:
    """Real outputs (B, N) of integer `inputs` (B, K) and `weights` (N, K) through cells with `errors`.

    Arrays are programmed slice by slice, least significant first, in the differential scheme the positive before the
    negative one; read noise is drawn once per array. `droop`: see `model.crossbar.droop`; the current of a column
    falls by that share of G_max per active cell.
    """
    top, n = (1 << spec.cell_bits) - 1, len(weights)
    levels = slice_levels(spec, weights)
    # one product per plane, (N, K) by (K, B): with ties at half a code the order of additions decides
    by_plane = [np.ascontiguousarray(plane.T, np.float64) for plane in input_planes(spec, inputs)]
    driven = np.concatenate(by_plane, axis=1)
    signed = spec.signed_codes
    counts = plane_weights(spec)

    def array(wanted: np.ndarray) -> np.ndarray:
        return read(programmed(conductance(wanted, spec.cell_bits, errors), errors, rng), errors, rng)

    def current(cells: np.ndarray) -> np.ndarray:
        found = np.concatenate([cells @ plane for plane in by_plane], axis=1)
        if droop:
            found = found * (1 - droop * found)
        return found

    def codes_of(found: np.ndarray, ideal: np.ndarray) -> np.ndarray:
        limits = span(
            policy,
            spec.adc_bits,
            signed=signed,
            rows=inputs.shape[1],
            top=top,
            lossless_bits=spec.lossless_bits,
            ideal_sums=ideal,
        )
        if limits is not None:
            codes = 1 << spec.adc_bits
            found = convert(found, *limits, codes)
        planes = found.reshape(len(found), spec.planes, -1) * top
        return np.matmul(counts, planes)

    outputs = np.zeros((n, len(inputs)))
    offset = errors.smallest * driven.sum(axis=0) if errors.smallest and not signed else None
    for number, shift in enumerate(spec.slice_shifts):
        wanted = levels[number]
        ideal = wanted @ driven if policy == "pct" else np.zeros(0)
        if signed:
            positive = array(np.where(wanted >= 0, wanted, 0))
            negative = array(np.where(wanted < 0, -wanted, 0))
            found = current(positive) - current(negative) if droop else current(positive - negative)
        else:
            found = current(array(wanted))
        if offset is not None:
            found = found - offset
        if errors.smallest:
            found = found / (1 - errors.smallest)
        part = codes_of(found, ideal) * 2.0**shift
        outputs += -part if spec.scheme == "twos_complement" and number == spec.slices - 1 else part
    if spec.unit_columns:
        level, shift = unit_level(spec)
        wanted = np.full((1, inputs.shape[1]), level)
        found = current(array(wanted))
        if offset is not None:
            found = (found - offset) / (1 - errors.smallest)
        outputs -= codes_of(found, wanted @ driven) * 2.0**shift
    elif spec.scheme == "offset":
        outputs -= float(1 << (spec.weight_bits - 1)) * inputs.sum(axis=1)
    return outputs.T


def sweep_generator(spec: CrossbarSpec, errors: CellErrors, seed: int) -> np.random.RandomState:
    """The generator of the CrossSim sweep for `seed`: legacy, 2000 + seed, one normal number drawn before the first
    cell for every array (that simulator tries each device on one number when it makes it)."""
    rng = np.random.RandomState(2000 + seed)
    if errors.programming:
        for _ in range(spec.slices * spec.cells_per_column):
            rng.normal(size=1)
    return rng


def product_error(
    spec: CrossbarSpec,
    errors: CellErrors,
    policy: Policy,
    data: Data,
    seeds: list[int],
    batch: int = 64,
    droop: float = 0.0,
) -> ProductError:
    """Error of one tile's product over `seeds` of operands and cells.

    Raises
    ------
    InputError
        If there is no seed, the operands are not of 8 bits, or the converter is narrower than lossless with policy
        "unit".
    """
    if not seeds:
        raise InputError("an error needs at least one seed, not none; give --seed")
    if (spec.weight_bits, spec.input_bits) != (8, 8):
        raise InputError(
            f"the sweep's operands have 8 bits, not weights of {spec.weight_bits} and inputs of "
            f"{spec.input_bits}; leave both at 8"
        )
    if policy == "unit" and spec.adc_bits < spec.lossless_bits:
        raise InputError(
            f"a lossless converter of {spec.rows} rows needs {spec.lossless_bits} bits, not "
            f"{spec.adc_bits}; use {spec.lossless_bits} or another range policy"
        )
    squares, biases, largest, deviations = [], [], 0.0, []
    for seed in seeds:
        weights, inputs = draw(data, seed, spec.rows, spec.columns, batch)
        exact = (inputs @ weights.T).astype(np.float64)
        found = noisy_product(spec, weights, inputs, errors, policy, sweep_generator(spec, errors, seed), droop=droop)
        error = found - exact
        squares.append(float((error**2).mean()))
        biases.append(float(error.mean()))
        largest = max(largest, float(np.abs(error).max()))
        deviations.append(float(exact.std()))
    return ProductError(
        rmse=float(np.sqrt(np.mean(squares))),
        bias=float(np.mean(biases)),
        largest=largest,
        deviation=float(np.mean(deviations)),
    )
