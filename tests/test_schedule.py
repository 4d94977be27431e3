"""Batches: by themselves or queued, never beyond the memories, never before their operands."""

import pytest

from hw import chips
from hw.base.error import InputError
from model.lowering import lower
from model.lowering.schedule import schedule
from model.work.workload import Gemm

TINY = chips.load("tiny").core


def _gemms(*shapes):
    return [Gemm(name=f"g{i}", m=m, n=n, k=k) for i, (m, n, k) in enumerate(shapes)]


def test_by_default_every_gemm_is_a_batch_of_its_own():
    batches = schedule(TINY, _gemms((4, 4, 4), (5, 3, 2)))
    assert [[step.gemm for step in batch] for batch in batches] == [[0], [1]]


def test_queued_gemms_share_a_batch_without_sharing_words():
    (batch,) = schedule(TINY, _gemms((4, 4, 4), (5, 3, 9)), queued=True)
    first, second = (step.tile.command for step in batch)
    assert second.activation_address == lower.words_of(TINY, first)[0]
    assert second.output_address == lower.words_of(TINY, first)[3]


def test_a_gemm_that_reads_an_output_waits_for_it():
    batches = schedule(TINY, _gemms((4, 4, 4), (4, 4, 4), (4, 4, 4)), queued=True, sources=[None, 0, None])
    assert [[step.gemm for step in batch] for batch in batches] == [[0], [1, 2]]


def test_a_gemm_larger_than_the_memories_becomes_several_commands_that_cover_it_once():
    gemm = _gemms((TINY.output_words + 3, 9, 5))[0]
    batches = schedule(TINY, [gemm])
    tiles = [step.tile for batch in batches for step in batch]
    assert len(tiles) > 1
    assert sum(t.m * t.n for t in tiles) == gemm.m * gemm.n
    for batch in batches:
        used = [sum(words) for words in zip(*(lower.words_of(TINY, s.tile.command) for s in batch), strict=True)]
        limits = (TINY.activation_words, TINY.weight_words, TINY.parameter_words, TINY.output_words)
        assert all(u <= limit for u, limit in zip(used, limits, strict=True))


def test_a_k_beyond_the_memories_is_refused():
    with pytest.raises(InputError, match="must be at most"):
        schedule(TINY, _gemms((1, 1, 200_000)))


def test_a_k_beyond_the_accumulator_or_the_memories_is_refused_with_limit_and_formula():
    core = chips.load("tiny").core
    assert core is not None
    with pytest.raises(InputError, match=r"at most 131071 = 2\*\*31 / 2\*\*14 - 1 \(products of up to 2\*\*14"):
        lower.split(core, Gemm(name="deep", m=1, n=1, k=131_072))
    limit = core.weight_words
    with pytest.raises(InputError, match=rf"at most {limit} = weight_words / 4 \* 4 .* not {limit + 1}; split"):
        lower.split(core, Gemm(name="deep", m=1, n=1, k=limit + 1))
