"""Random GEMM workloads: shapes, reproducibility, parameter ranges."""

import numpy as np
import pytest

from hw.base.error import InputError
from model import workloads
from model.work.random_gemm import random_output_stage
from model.work.workload import Gemm

SHAPES_WITH_JOBS = ["gemm_16", "gemm_64", "gemm_256", "gemm_ragged", "gemm_queue", "gemm_sweep"]


@pytest.mark.parametrize("name", SHAPES_WITH_JOBS)
def test_jobs_have_the_announced_shapes(name: str) -> None:
    workload = workloads.load(name)
    jobs = workload.jobs(seed=3)
    assert len(jobs) == len(workload.gemms())
    for gemm, job in zip(workload.gemms(), jobs, strict=True):
        assert job.gemm == gemm
        assert job.activations is not None
        assert job.activations.shape == (gemm.m, gemm.k)
        assert job.weights.shape == (gemm.k, gemm.n)
        assert job.activations.dtype == job.weights.dtype == np.int8
        assert job.output.bias.shape == job.output.multiplier.shape == job.output.shift.shape == (gemm.n,)


def test_equal_seeds_give_equal_jobs_and_other_seeds_other_ones() -> None:
    workload = workloads.load("gemm_queue")
    first, again, other = workload.jobs(1)[0], workload.jobs(1)[0], workload.jobs(2)[0]
    assert np.array_equal(first.weights, again.weights)
    assert np.array_equal(first.output.bias, again.output.bias)
    assert not np.array_equal(first.weights, other.weights)


def test_digests_differ_between_workloads() -> None:
    digests = [workloads.load(name).digest for name in SHAPES_WITH_JOBS]
    assert len(set(digests)) == len(digests)


def test_output_stage_parameters_cover_their_ranges_and_keep_the_sum_in_32_bits() -> None:
    k = 256
    stage = random_output_stage(4096, k, np.random.default_rng(7))
    assert stage.multiplier.min() >= 1 << 30
    assert set(stage.shift) == set(range(32))
    largest = np.abs(stage.bias.astype(np.int64)).max() + (k << 14)
    assert 1 << 30 < largest < 1 << 31
    assert -128 <= stage.low <= stage.high <= 127


def test_most_outputs_are_neither_saturated_nor_constant() -> None:
    job = workloads.load("gemm_128").jobs(seed=5)[0]
    assert job.activations is not None
    sums = job.activations.astype(np.int64) @ job.weights.astype(np.int64) + job.output.bias
    scaled = sums * job.output.multiplier / 2.0 ** (31 + job.output.shift)
    assert 0.4 < np.mean((np.abs(scaled) < 128) & (np.abs(scaled) > 1)) < 0.95


def test_a_size_of_zero_is_refused() -> None:
    with pytest.raises(InputError, match=r"^m of GEMM 'x' must be an integer of at least 1, not 0$"):
        Gemm(name="x", m=0, n=1, k=1)


def test_an_unknown_workload_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"did you mean 'gemm_256'\?"):
        workloads.load("gem_256")
