"""NPU and PIM together: sequences decode in the memory while the card runs prompts.

The memory is one with processing in it (`model.card.pim`, times from the PIM cycle model), of the card's bandwidth at
its pins and of its own capacity. In a step each product with weights, and attention's reads of the cache, is done where
it is faster. In an iteration with prompts the memory decodes while the card's arrays work on the prompts; what the card
reads of its weights then goes through the same pins and is added to the memory's time:

    seconds = max(prompts on the card, decoding in the memory + the weights' way through the pins)

Attention in the memory: the matrices of keys and of values of each key-value head lie in one channel, all channels work
together, so n tokens in the caches of all sequences take n / channels times what a token adds to one channel's product.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hw.base.integer import ceil_div
from model.card.iteration import Iteration, Mixture
from model.card.pim import PimMemory
from model.energy.price import Interval
from model.network.attention_shape import AttentionShape
from model.network.layer import Layer
from model.work.workload import Gemm

NOTHING = Interval(low=0.0, nominal=0.0, high=0.0)

KEYS = 2048
"""Tokens in a cache for which the time that a token adds is taken."""


@dataclass
class PimMachine:
    """An instance of `iteration`'s cards whose memories are `memory`, one set on each device.

    Parameters
    ----------
    iteration : Iteration
        Of the card with the memory's bandwidth and capacity.
    memory : PimMemory
    """

    iteration: Iteration
    memory: PimMemory
    _saved: dict[int, float] = field(default_factory=dict)
    _priced: dict[int, tuple[Interval, float]] = field(default_factory=dict)

    def seconds(self, mixture: Any) -> float:
        """Seconds of an iteration."""
        if not mixture.decode_sequences:
            return self.iteration.seconds(mixture)
        decode = Mixture(
            decode_sequences=mixture.decode_sequences,
            decode_keys=mixture.decode_keys,
            outputs=mixture.decode_sequences,
            window_decode_keys=mixture.window_decode_keys,
        )
        step = self._decode(decode)
        if not mixture.prefill_tokens:
            return step
        prompts = mixture._replace(
            decode_sequences=0,
            decode_keys=0,
            outputs=mixture.outputs - mixture.decode_sequences,
            window_decode_keys=0,
        )
        return max(self.iteration.seconds(prompts), step + self._weights_pass)

    def floor(self, mixture: Any) -> float:
        """The host's part of a decode step."""
        floor = getattr(self.iteration, "floor", None)
        return floor(mixture) if floor is not None else 0.0

    def _decode(self, mixture: Mixture) -> float:
        rows = mixture.decode_sequences
        if rows not in self._saved:
            self._saved[rows] = self._saving(rows)
        keys, windowed = self.key_savings
        plain = self.iteration.seconds(mixture)
        saved = self._saved[rows] + keys * mixture.decode_keys + windowed * mixture.window_decode_keys
        return max(plain - saved, self.floor(mixture))

    def _saving(self, rows: int) -> float:
        """Seconds a step of `rows` sequences is shorter because products with weights are done in the memory."""
        return sum(times * max(0.0, card - memory) for times, _, card, memory in self._products(rows))

    @cached_property
    def key_savings(self) -> tuple[float, float]:
        """Seconds saved for each token in the caches, of layers that see all and of layers with a window."""
        found = [0.0, 0.0]
        for times, shape, card in self.iteration.attention_layers:
            rows = ceil_div(shape.heads, shape.kv_heads)
            added = sum(
                self.memory.layer_time(_one_channel(rows, *long)) - self.memory.layer_time(_one_channel(rows, *short))
                for long, short in _grown(shape)
            )
            each = added / KEYS * shape.kv_heads / self.memory.channels
            found[shape.window] += times * max(0.0, max(card.key, card.decode_pair) - each)
        return found[0], found[1]

    def energy(self, steps_of: dict[int, int], keys: int, window_keys: int, prefills: int, seconds: float) -> Interval:
        """Joules of a device's memory over a run of `seconds`: what the cycle model counts of the products done in it,
        plain reads of the others and of the weights of `prefills` iterations with prompts, and its background while
        neither goes on. `steps_of` decode steps by the number of sequences, which read `keys` and `window_keys` tokens
        of cache.

        Raises
        ------
        InputError
            If nobody prices the memory's events.
        """
        total, busy = NOTHING, 0.0
        for rows, steps in steps_of.items():
            joules, took = self._step_energy(rows)
            total, busy = total + joules * steps, busy + took * steps
        for tokens, (joules, took) in zip((keys, window_keys), self._key_energy, strict=True):
            total, busy = total + joules * tokens, busy + took * tokens
        moved = prefills * self.iteration.weight_bytes
        passed = moved / self.memory.bandwidth
        total = total + self.memory.moved_energy(moved, passed)
        return total + self.memory.idle_energy(max(0.0, seconds - busy - passed))

    def share(self, rows: int) -> float:
        """Part of the time of a decode step's products with weights that the memory, not the card, works."""
        here = there = 0.0
        for times, _, card, memory in self._products(rows):
            here, there = here + times * card * (card <= memory), there + times * memory * (memory < card)
        return there / (here + there) if there else 0.0

    def _products(self, rows: int) -> Iterator[tuple[int, Layer, float, float]]:
        """(how many such layers, layer, seconds on the card, seconds in the memory) of products with weights."""
        for times, layers in self.iteration.serving.blocks(rows, rows):
            for layer in layers:
                if layer.kind == "gemm" and layer.stationary:
                    card = sum(t.time for t in self.iteration.layer_times((layer,)))
                    yield times, layer, card, self.memory.layer_time(layer)

    def _step_energy(self, rows: int) -> tuple[Interval, float]:
        """(joules, seconds) of the memory for the products with weights of a step of `rows` sequences."""
        if rows not in self._priced:
            total, busy = NOTHING, 0.0
            for times, layer, card, memory in self._products(rows):
                if memory < card:
                    total, busy = total + self.memory.layer_energy(layer) * times, busy + times * memory
                else:
                    moved = sum(t.bytes for t in self.iteration.layer_times((layer,)))
                    total = total + self.memory.moved_energy(moved, card) * times
                    busy += times * card
            self._priced[rows] = total, busy
        return self._priced[rows]

    @cached_property
    def _key_energy(self) -> tuple[tuple[Interval, float], tuple[Interval, float]]:
        """(joules, seconds of all channels) for each token in the caches, of layers that see all and of those with a
        window: the slope over `KEYS` tokens where the memory is faster, else a plain read."""
        found = [(NOTHING, 0.0), (NOTHING, 0.0)]
        for times, shape, card in self.iteration.attention_layers:
            rows = ceil_div(shape.heads, shape.kv_heads)
            joules, took = NOTHING, 0.0
            for long, short in _grown(shape):
                one, other = (self.memory.layer_energy(_one_channel(rows, *size)) for size in (long, short))
                joules = joules + Interval(
                    low=one.low - other.low, nominal=one.nominal - other.nominal, high=one.high - other.high
                )
                took += self.memory.layer_time(_one_channel(rows, *long))
                took -= self.memory.layer_time(_one_channel(rows, *short))
            joules, each = joules * (shape.kv_heads / KEYS), took / KEYS * shape.kv_heads / self.memory.channels
            plain = max(card.key, card.decode_pair)
            if each >= plain:
                each, moved = plain, card.key * self.memory.bandwidth
                joules = self.memory.moved_energy(moved, plain)
            before = found[shape.window]
            found[shape.window] = before[0] + joules * times, before[1] + each * times
        return found[0], found[1]

    @cached_property
    def _weights_pass(self) -> float:
        """Seconds that the weights of a device take through the pins."""
        return self.iteration.weight_bytes / self.memory.bandwidth


def _grown(shape: AttentionShape) -> tuple[tuple[tuple[int, int], tuple[int, int]], ...]:
    """(outputs, inputs) of scores and of sums of values at twice `KEYS` tokens and at `KEYS`."""
    return (
        ((2 * KEYS, shape.key_size), (KEYS, shape.key_size)),
        ((shape.value_size, 2 * KEYS), (shape.value_size, KEYS)),
    )


def _one_channel(rows: int, n: int, k: int) -> Layer:
    gemm = Gemm(name="cache", m=rows, n=n, k=k)
    return Layer(name="cache", operator="MatMul", kind="gemm", gemms=(gemm,), stationary=False)
