"""GEMM workloads whose operands and output-stage parameters are drawn from a seed."""

from dataclasses import dataclass

import numpy as np

from hw.base.digest import digest
from hw.spec.number import number_format
from model.number.codec import encode
from model.work.workload import Gemm, GemmJob, OutputStage


def _spread(activation_format: str, weight_format: str) -> float:
    """Standard deviation of the product of two integers drawn evenly: each has variance (4**bits - 1) / 12."""
    variances = [(4 ** number_format(name).bits - 1) / 12 for name in (activation_format, weight_format)]
    return float(np.sqrt(variances[0] * variances[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomGemms:
    """GEMMs run one after the other, each on its own operands.

    Parameters
    ----------
    title : str
        One line for people.
    shapes : tuple of Gemm
        In order; names must differ.
    queued : bool
        All that fits the memories is queued back to back; otherwise each GEMM starts on an idle core.
    activation_format, weight_format : str
        Formats of the operands.
    """

    title: str
    shapes: tuple[Gemm, ...]
    queued: bool = False
    activation_format: str = "int8"
    weight_format: str = "int8"

    @property
    def digest(self) -> str:
        """Digest of the shapes, their order of work and the formats; the operands follow from them and the seed."""
        formats = [self.activation_format, self.weight_format]
        return digest([self.shapes, self.queued, *([] if formats == ["int8", "int8"] else formats)])

    @property
    def work(self) -> dict[str, float]:
        """{}: GEMMs are all there is."""
        return {}

    def gemms(self) -> list[Gemm]:
        """The shapes, in order."""
        return list(self.shapes)

    def jobs(self, seed: int) -> list[GemmJob]:
        """One job per GEMM and repetition; equal seeds give equal jobs."""
        generator = np.random.default_rng(seed)
        formats = self.activation_format, self.weight_format
        return [random_job(gemm, generator, formats) for gemm in self.shapes for _ in range(gemm.count)]

    def score(self, outputs: list[np.ndarray]) -> dict[str, float]:
        """No task, no figures."""
        return {}


def random_job(gemm: Gemm, generator: np.random.Generator, formats: tuple[str, str] = ("int8", "int8")) -> GemmJob:
    """One job of shape `gemm`: `random_operand`s and, for integers, `random_output_stage`."""
    activations = random_operand((gemm.m, gemm.k), formats[0], generator)
    weights = random_operand((gemm.k, gemm.n), formats[1], generator)
    if number_format(formats[0]).is_integer:
        output = random_output_stage(gemm.n, gemm.k, generator, formats)
    else:
        none = np.zeros(gemm.n, np.int32)
        output = OutputStage(bias=none, multiplier=none, shift=none)
    return GemmJob(
        gemm=Gemm(name=gemm.name, m=gemm.m, n=gemm.n, k=gemm.k),
        activations=activations,
        weights=weights,
        output=output,
        activation_format=formats[0],
        weight_format=formats[1],
    )


def random_operand(shape: tuple[int, int], format_name: str, generator: np.random.Generator) -> np.ndarray:
    """Integers over their whole range as int8; floating point as codes of unit normals."""
    fmt = number_format(format_name)
    if fmt.is_integer:
        return generator.integers(fmt.minimum, fmt.maximum + 1, shape, dtype=np.int8)
    return encode(generator.standard_normal(shape, dtype=np.float32), format_name)


def random_output_stage(
    n: int, k: int, generator: np.random.Generator, formats: tuple[str, str] = ("int8", "int8")
) -> OutputStage:
    """Output-stage parameters for `n` channels of `k` terms.

    Three channels in four are scaled so that their outputs spread over INT8; one in four has any shift
    from 0 to 31 and any bias for which the sum stays inside 32 bits, so that saturation, rounding to zero
    and ties occur. Multipliers cover [2**30, 2**31). The zero point is any INT8 value; in half of the jobs
    the clamp is all of INT8, else two values in order.
    """
    spread = _spread(*formats) * np.sqrt(k)
    multiplier = generator.integers(1 << 30, 1 << 31, n)
    # an output of spread * 2**-shift * (0.5 to 1) between about 16 and 64 leaves a few percent saturated
    shift = np.clip(np.round(np.log2(spread) - generator.uniform(4.5, 5.5, n)), 0, 31).astype(np.int64)
    bias = np.round(generator.normal(0, spread, n)).astype(np.int64)
    extreme = generator.random(n) < 0.25
    limit = (1 << 31) - 1 - (k << 14)
    shift = np.where(extreme, generator.integers(0, 32, n), shift)
    bias = np.where(extreme, generator.integers(-limit, limit + 1, n), np.clip(bias, -limit, limit))
    low, high = -128, 127
    if generator.random() < 0.5:
        low, high = sorted(int(v) for v in generator.integers(-128, 128, 2))
    return OutputStage(
        bias=bias.astype(np.int32),
        multiplier=multiplier.astype(np.int32),
        shift=shift.astype(np.int32),
        zero_point=int(generator.integers(-128, 128)),
        low=low,
        high=high,
    )


def square(size: int, activation_format: str = "int8", weight_format: str | None = None) -> RandomGemms:
    """One GEMM with M = N = K = `size`; weights in the format of the activations if none is given."""
    weight_format = activation_format if weight_format is None else weight_format
    name = f"gemm_{size}" if activation_format == weight_format == "int8" else f"gemm_{size}_{activation_format}"
    formats = activation_format if activation_format == weight_format else f"{activation_format} x {weight_format}"
    return RandomGemms(  # INT8 goes without saying: on a core of other formats its shapes alone are counted
        title=f"{size} x {size} x {size} GEMM" + ("" if formats == "int8" else f" in {formats.upper()}"),
        shapes=(Gemm(name=name, m=size, n=size, k=size),),
        activation_format=activation_format,
        weight_format=weight_format,
    )
