"""GEMM workloads whose operands and output-stage parameters are drawn from a seed."""

from dataclasses import dataclass

import numpy as np

from hw.spec.digest import digest
from model.workload import Gemm, GemmJob, OutputStage

_PRODUCT_SPREAD = (256**2 - 1) / 12
"""Standard deviation of the product of two INT8 values drawn evenly: each has variance (256**2 - 1) / 12."""


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
    """

    title: str
    shapes: tuple[Gemm, ...]
    queued: bool = False

    @property
    def digest(self) -> str:
        """Digest of the shapes and their order of work; the operands follow from them and the seed."""
        return digest([self.shapes, self.queued])

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
        return [random_job(gemm, generator) for gemm in self.shapes for _ in range(gemm.count)]

    def score(self, outputs: list[np.ndarray]) -> dict[str, float]:
        """No task, no figures."""
        return {}


def random_job(gemm: Gemm, generator: np.random.Generator) -> GemmJob:
    """One job of shape `gemm` with INT8 operands over the whole range and `random_output_stage`."""
    return GemmJob(
        gemm=Gemm(name=gemm.name, m=gemm.m, n=gemm.n, k=gemm.k),
        activations=generator.integers(-128, 128, (gemm.m, gemm.k), dtype=np.int8),
        weights=generator.integers(-128, 128, (gemm.k, gemm.n), dtype=np.int8),
        output=random_output_stage(gemm.n, gemm.k, generator),
    )


def random_output_stage(n: int, k: int, generator: np.random.Generator) -> OutputStage:
    """Output-stage parameters for `n` channels of `k` terms.

    Three channels in four are scaled so that their outputs spread over INT8; one in four has any shift
    from 0 to 31 and any bias for which the sum stays inside 32 bits, so that saturation, rounding to zero
    and ties occur. Multipliers cover [2**30, 2**31). The zero point is any INT8 value; in half of the jobs
    the clamp is all of INT8, else two values in order.
    """
    spread = _PRODUCT_SPREAD * np.sqrt(k)
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


def square(size: int) -> RandomGemms:
    """One GEMM with M = N = K = `size`."""
    name = f"gemm_{size}"
    return RandomGemms(
        title=f"{size} x {size} x {size} INT8 GEMM",
        shapes=(Gemm(name=name, m=size, n=size, k=size),),
    )
