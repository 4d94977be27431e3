"""Steady state of an instance with a constant number of requests in flight, and the split and number that give most.

Requests of `prompt` and `answer` tokens, a new one for each that ends: of `answer` iterations each of them needs one
more for its prompt, so per iteration `requests` x `prompt` / `answer` tokens of prompts are computed beside the
decoding ones. Whole prompts are taken together: iterations with one prompt more and one less are weighed so that their
mean is that number. How many requests fit: each keeps room for its whole prompt and answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hw.base.error import InputError
from model.card.iteration import Iteration, Mixture, decode, prefill, together
from model.network.llm import LanguageModel
from model.network.split import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """`requests` in flight on one instance; `per_second` answer tokens of it, `token` seconds between two tokens of one
    answer, `request` seconds of one request; `mixtures` what its iterations compute and how often."""

    requests: int
    per_second: float
    token: float
    request: float
    mixtures: tuple[tuple[float, Mixture], ...]


def steady(iteration: Iteration, prompt: int, answer: int, requests: int, beams: int = 1) -> Steady:
    """The steady state; each of `beams` beams is a sequence of its own in the iterations, one of them the answer."""
    stages = iteration.split.pipeline
    here = requests / stages
    mixtures = mixed(prompt, answer, here, beams)
    time = sum(share * iteration.interval(m) for share, m in mixtures) * stages
    if requests < stages:
        time = sum(share * iteration.seconds(m) for share, m in mixed(prompt, answer, requests, beams))
    return Steady(
        requests=requests,
        per_second=requests / time,
        token=time,
        request=(answer - 1) * time + iteration.seconds(prefill(prompt)),
        mixtures=mixtures,
    )


def mixed(prompt: int, answer: int, requests: float, beams: int = 1) -> tuple[tuple[float, Mixture], ...]:
    """(share, what it computes) of the iterations of one micro-batch of `requests`."""
    running = decode(prompt + answer / 2, max(1, round(requests * beams)))
    prompts = requests / answer
    few = int(prompts)
    return tuple(
        (share, together(running, prefill(prompt, chunks)) if chunks else running)
        for share, chunks in ((1 - (prompts - few), few), (prompts - few, few + 1))
        if share > 0
    )


def most_requests(iteration: Iteration, prompt: int, answer: int, beams: int = 1) -> int:
    """Requests in flight that the cache, the engine's sequences and its tokens of an iteration allow; `InputError` if
    not one."""
    each = prompt + answer * beams  # beams share the blocks of their prompt
    room = iteration.cache_tokens // each
    if room < 1:
        raise InputError(
            f"the key-value cache must hold the {each} tokens of one request of {beams} beams, not "
            f"{iteration.cache_tokens}; use more cards"
        )
    tokens = iteration.tokens / (beams + prompt / answer)
    return max(1, min(room, iteration.engine.sequences // beams, int(tokens * iteration.split.pipeline)))


def best_steady(iteration: Iteration, prompt: int, answer: int, beams: int = 1, longest: float | None = None) -> Steady:
    """The steady state at a power of two of requests, or the most that fit, that gives most tokens; with `longest`, of
    those whose requests take at most so many seconds.

    Raises
    ------
    InputError
        If not one request fits, or none ends in time.
    """
    most = most_requests(iteration, prompt, answer, beams)
    numbers = sorted({1 << i for i in range(most.bit_length())} | {most})
    found = [steady(iteration, prompt, answer, n, beams) for n in numbers]
    kept = [s for s in found if longest is None or s.request <= longest]
    if not kept:
        raise InputError(
            f"a request must end within {longest:g} s; one of {prompt} + {answer} tokens alone takes "
            f"{found[0].request:.3g} s on {iteration.device.title}"
        )
    return max(kept, key=lambda s: s.per_second)


def splits(model: LanguageModel, devices: int) -> Iterator[tuple[Split, int]]:
    """(split of one instance, instances) of every way to use `devices` devices: tensor, pipeline and whole copies, and
    for mixtures of experts whole experts spread over the tensor-parallel devices."""
    for instance in (d for d in range(1, devices + 1) if devices % d == 0):
        for tensor in (t for t in range(1, instance + 1) if instance % t == 0):
            if model.heads % tensor or model.intermediate % tensor or instance // tensor > model.layers:
                continue
            for expert in {1, tensor} if model.experts > 1 and model.experts % tensor == 0 else {1}:
                yield Split(tensor=tensor, pipeline=instance // tensor, expert=expert), devices // instance
