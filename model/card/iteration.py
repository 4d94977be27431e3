"""Time of one iteration of a language model on the devices of an instance: prompts and decoding sequences together.

Projections, feed-forward parts and head run on all tokens of the iteration at once (`Serving.blocks`); attention apart
(`model.card.attention`). Pipeline stages follow one another, each handing its rows on. Behind the devices' work comes
what the engine's host leaves them idle; work that is not replayed from a recorded graph takes at least the launches of
its kernels. Everything that depends on the number of tokens alone is kept, so a call costs a few additions.
"""

from dataclasses import replace
from math import ceil
from typing import Literal, NamedTuple, Self

from hw.base.error import InputError
from hw.spec.number import number_format
from model.card.attention import AttentionTime, attention_time
from model.card.device import Device, family
from model.card.engine import ENGINES, Engine
from model.card.layer_time import BOUNDS, Formats, LayerTime, Machine
from model.card.machine import NOMINAL, Extra, machine
from model.card.run import network_layers
from model.card.serving import compute_format
from model.card.spread import Spread
from model.energy.price import Interval
from model.network.attention_shape import AttentionShape
from model.network.layer import Layer, Network
from model.network.llm import LanguageModel
from model.network.serving import Serving
from model.network.split import Split
from model.projection.published.calibration import errors

TimeKind = Literal["decode", "prefill", "offline"]
"""Kinds of time `Iteration.factor` knows."""

RESERVED_BYTES = 1.2e9
"""What driver, libraries and communication buffers hold on each device before a model is loaded; assumed."""

FINE = 64
"""Rows up to which every number of them is timed by itself; above, sixteen numbers of each octave, and between two of
them in proportion."""


class Mixture(NamedTuple):
    """Sums over everything one iteration computes.

    `prefill_tokens` new tokens of `prefill_chunks` prompts, `prefill_pairs` of query and key under the causal mask
    (n before + n (n + 1) / 2 of a chunk of n), `prefill_keys` read for them (before + n); `decode_sequences` with
    `decode_keys` tokens in the cache together; `outputs` tokens that are sampled. The last three are the same for
    layers whose keys end at the model's window.
    """

    prefill_tokens: int = 0
    prefill_pairs: int = 0
    prefill_keys: int = 0
    prefill_chunks: int = 0
    decode_sequences: int = 0
    decode_keys: int = 0
    outputs: int = 0
    window_pairs: int = 0
    window_prefill_keys: int = 0
    window_decode_keys: int = 0


def prefill(tokens: int, chunks: int = 1, before: int = 0) -> Mixture:
    """`chunks` prompts' parts of `tokens` tokens each behind `before` that are in the cache, each giving a token."""
    pairs = tokens * before + tokens * (tokens + 1) // 2
    keys = chunks * (before + tokens)
    return Mixture(
        prefill_tokens=chunks * tokens,
        prefill_pairs=chunks * pairs,
        prefill_keys=keys,
        prefill_chunks=chunks,
        outputs=chunks,
        window_pairs=chunks * pairs,
        window_prefill_keys=keys,
    )


def decode(context: float, sequences: int) -> Mixture:
    """One token for each of `sequences` sequences of `context` tokens."""
    keys = round(context * sequences)
    return Mixture(decode_sequences=sequences, decode_keys=keys, outputs=sequences, window_decode_keys=keys)


def together(*parts: Mixture) -> Mixture:
    """Work of one iteration that does all of it."""
    return Mixture(*(sum(values) for values in zip(*parts, strict=True)))


class Iteration:
    """Iterations of `model` on the devices of one instance.

    Parameters
    ----------
    device : Device
    model : LanguageModel
    split : Split
        Of one instance over devices; a card of several devices counts as so many.
    weights, cache : str
        Formats of weights and of the key-value cache.
    engine : Engine
    extra : Extra
    tokens : int or None
        Most tokens of an iteration, which activations are kept for; None: the engine's.
    sequences : int or None
        Most running sequences, which logits are kept for; None: the engine's.
    streaming : bool
        Every token is sent to its client at once.

    Raises
    ------
    InputError
        If heads or feed-forward width do not divide, or the chip multiplies none of the formats.
    """

    def __init__(
        self,
        device: Device,
        model: LanguageModel,
        *,
        split: Split | None = None,
        weights: str = "fp16",
        cache: str = "fp16",
        engine: Engine = ENGINES["none"],
        extra: Extra = NOMINAL,
        tokens: int | None = None,
        sequences: int | None = None,
        streaming: bool = False,
    ) -> None:
        self.streaming = streaming
        self.device, self.model, self.engine, self.extra = device, model, engine, extra
        self.split = split or Split()
        self.weights, self.cache = weights, cache
        self.serving = Serving(
            model=model, cards=self.split.tensor, weight_format=weights, cache_format=cache, split=self.split
        )
        self.tokens = tokens or engine.tokens
        self.sequences = sequences or engine.sequences
        products = compute_format(device, weights)
        activation = "fp16" if number_format(products).bits <= 16 else products
        self._formats = Formats.of(weights, activation, cache)
        together_on = self.split.tensor * self.split.data
        wait = engine.wait.nominal if extra.engine_wait is None else extra.engine_wait
        self._machine = _waiting(machine(device, products, cards=together_on, extra=extra), wait)
        sixteen = next((f for f in ("fp16", "bf16") if family(f) in device.peaks), products)
        self._sixteen = _waiting(machine(device, sixteen, cards=together_on, extra=extra), wait)
        self._resident = self.serving.held_bytes <= self._machine.sram / 2
        self._linear: dict[int, tuple[float, int, dict[str, float]]] = {}
        self._heads: dict[int, tuple[float, dict[str, float]]] = {}
        self._attentions: tuple[tuple[int, bool, AttentionTime], ...] = tuple(
            (times, shape.window, attention_time(self._sixteen, shape, self._formats.cache, extra.cache_read))
            for times, shape in self.serving.attentions
        )
        self._step = engine.step.nominal if extra.engine_step is None else extra.engine_step
        self._per_sequence = (
            engine.per_sequence.nominal if extra.engine_per_sequence is None else extra.engine_per_sequence
        )
        self._factors: dict[TimeKind, tuple[float, float]] = {}
        self._host = engine.host.nominal if extra.engine_host is None else extra.engine_host
        stream = engine.stream.nominal if extra.engine_stream is None else extra.engine_stream
        self._stream = stream if streaming else 0.0

    @property
    def weight_bytes(self) -> float:
        """Bytes of weights on the fullest device."""
        return self.serving.held_bytes

    @property
    def cache_bytes_per_token(self) -> float:
        """Bytes of cache on a device for one token of one sequence."""
        return self.serving.held_cache_bytes

    @property
    def cache_tokens(self) -> int:
        """Tokens of all sequences together whose cache fits while no window is full; `InputError` if not even the
        weights do."""
        return int(self.cache_room // self.cache_bytes_per_token) if self.cache_bytes_per_token else 1 << 40

    @property
    def cache_room(self) -> float:
        """Bytes of the fullest device for the cache of all sequences; `InputError` if not even the weights fit."""
        usable, model = self.device.dram_usable.nominal, self.model
        widest = 2 * model.intermediate * model.experts_per_token / self.split.tensor + 4 * model.hidden
        activations = self.tokens * widest * self._formats.activation + self._logit_bytes
        share = self.engine.memory_share.nominal if self.extra.memory_share is None else self.extra.memory_share
        taken = self.weight_bytes + activations + RESERVED_BYTES
        room = share * (usable - taken) if self.engine.share_of == "free" else share * usable - taken
        if room <= 0:
            raise InputError(
                f"{model.name} in {self.weights} must fit {self.device.title}: a device needs {taken / 1e9:.1f} GB for "
                f"weights, activations and software, of {usable / 1e9:.1f} GB; use more cards"
            )
        return room

    @property
    def _logit_bytes(self) -> float:
        """Logits of all running sequences in 32 bits, and the copy that is sorted or sampled."""
        return 2 * 4.0 * min(self.sequences, self.tokens) * self.model.vocabulary

    def seconds(self, mixture: Mixture) -> float:
        """Until the tokens of the iteration are out; without prompts linear in `decode_keys` above `floor`."""
        work, kernels = self._device(mixture)
        stages = self.split.pipeline
        if stages > 1:
            work += (stages - 1) * self._hand_on(mixture)
        if mixture.prefill_tokens or not self.engine.graphs:
            work = max(work, kernels * self.engine.launch.nominal * (self.engine.step.nominal > 0))
        if mixture.prefill_tokens:
            work = max(work, self.model.layers * self.engine.eager.nominal)
        return max(work + self._step + self._per_sequence * _sequences(mixture), self.floor(mixture))

    def floor(self, mixture: Mixture) -> float:
        """What the host needs for the iteration beside the devices: `seconds` are never fewer."""
        return self._host + self._stream * _sequences(mixture)

    def interval(self, mixture: Mixture) -> float:
        """Until the next micro-batch may start: the longest pipeline stage and the host's part."""
        stages = self.split.pipeline
        if stages == 1:
            return self.seconds(mixture)
        layers = self.model.layers
        head = self._head(mixture.outputs)[0]
        work = (self._device(mixture)[0] - head) * ceil(layers / stages) / layers + head
        if mixture.prefill_tokens:
            work = max(work, ceil(layers / stages) * self.engine.eager.nominal)
        host = (self._step + self._per_sequence * _sequences(mixture)) / stages
        return max(max(work, self._hand_on(mixture)) + host, self.floor(mixture) / stages)

    def span(self, mixture: Mixture) -> Interval:
        """5 %, middle and 95 % of `seconds`: open inputs and the model's own error."""
        kind: TimeKind = "prefill" if mixture.prefill_tokens > mixture.decode_sequences else "decode"
        low, high = self.factor(kind)
        nominal = self.seconds(mixture)
        return Interval(low=low * nominal, nominal=nominal, high=high * nominal)

    def factor(self, kind: TimeKind) -> tuple[float, float]:
        """(5 %, 95 %) of a mean time over its prediction: of decode steps, of prompts, of requests at the highest rate.

        What the open inputs leave of a typical iteration, with the model's own error of that kind of question
        (`calibration`); 1 lies between the two.
        """
        if kind not in self._factors:
            mixture = {
                "decode": decode(1024, 16),
                "prefill": prefill(2048),
                "offline": together(decode(1024, 128), prefill(1024)),
            }[kind]
            inputs = Spread(self).interval(lambda i: i.seconds(mixture))
            several = "several cards" if self.split.devices > 1 else "one card"
            error = errors()[f"requests, {several}" if kind == "offline" else "decode"]
            low, _, high = error.span(1.0, inputs.low / inputs.nominal, inputs.high / inputs.nominal)
            if kind == "offline":  # learnt from rates
                low, high = 1 / high, 1 / low
            self._factors[kind] = min(low, 1.0), max(high, 1.0)
        return self._factors[kind]

    def at(self, device: Device, extra: Extra) -> Self:
        """The same under another reading of the facts."""
        return type(self)(
            device,
            self.model,
            split=self.split,
            weights=self.weights,
            cache=self.cache,
            engine=self.engine,
            extra=replace(extra),
            tokens=self.tokens,
            sequences=self.sequences,
            streaming=self.streaming,
        )

    def parts(self, mixture: Mixture) -> dict[str, float]:
        """Seconds by what bounds them; "host" is the engine's."""
        found = {name: 0.0 for name in BOUNDS}
        rows = mixture.prefill_tokens + mixture.decode_sequences
        for source in (self._blocks(rows)[2], self._head(mixture.outputs)[1]):
            for name, value in source.items():
                found[name] += value
        pairs, read = self._attention(mixture)
        found["compute"] += pairs
        found["memory"] += read
        found["link"] += (self.split.pipeline - 1) * self._hand_on(mixture)
        found["host"] += self.seconds(mixture) - sum(found.values())
        return found

    def transfer(self, tokens: int) -> float:
        """Seconds to move the cache of `tokens` tokens from each device to one of another instance."""
        return self._machine.links.send(tokens * self.cache_bytes_per_token)

    def layer_times(self, layers: tuple[Layer, ...]) -> list[LayerTime]:
        """Times of layers on a device; those whose weights stay in 16 bits at the rate of 16-bit products."""
        return self._times(layers)

    @property
    def attention_layers(self) -> tuple[tuple[int, AttentionShape, AttentionTime], ...]:
        """(how many layers, shape on a device, its times)."""
        shapes = self.serving.attentions
        return tuple((n, s, t) for (n, s), (_, _, t) in zip(shapes, self._attentions, strict=True))

    def _device(self, mixture: Mixture) -> tuple[float, int]:
        """(seconds of all stages, kernels)."""
        blocks, kernels, _ = self._blocks(mixture.prefill_tokens + mixture.decode_sequences)
        total = blocks + (self._head(mixture.outputs)[0] if mixture.outputs else 0.0)
        for times, window, time in self._attentions:
            if window:
                total += times * (
                    time.decode(mixture.window_decode_keys)
                    + time.prefill(mixture.window_pairs, mixture.window_prefill_keys)
                )
            else:
                total += times * (
                    time.decode(mixture.decode_keys) + time.prefill(mixture.prefill_pairs, mixture.prefill_keys)
                )
        return total, kernels

    def _attention(self, mixture: Mixture) -> tuple[float, float]:
        """(prompts', decoding sequences') seconds of attention."""
        pairs = read = 0.0
        for times, window, time in self._attentions:
            m = mixture
            read += times * time.decode(m.window_decode_keys if window else m.decode_keys)
            pairs += times * time.prefill(
                m.window_pairs if window else m.prefill_pairs, m.window_prefill_keys if window else m.prefill_keys
            )
        return pairs, read

    def _hand_on(self, mixture: Mixture) -> float:
        rows = mixture.prefill_tokens + mixture.decode_sequences
        return (
            self._machine.links.send(rows * self.model.hidden * self._formats.activation)
            if self.split.pipeline > 1
            else 0.0
        )

    def _blocks(self, rows: int) -> tuple[float, int, dict[str, float]]:
        """(seconds, kernels, seconds by bound) of all layers' projections and feed-forward parts on `rows` tokens."""
        if rows > FINE and rows not in self._linear:
            step = 1 << (rows.bit_length() - 5)
            low = rows // step * step
            if low != rows:
                (one, kernels, first), (other, _, second) = self._blocks(low), self._blocks(low + step)
                share = (rows - low) / step
                bound = {name: first[name] + share * (second[name] - first[name]) for name in BOUNDS}
                self._linear[rows] = one + share * (other - one), kernels, bound
        if rows not in self._linear:
            total, kernels, bound = 0.0, 0, {name: 0.0 for name in BOUNDS}
            for times, layers in self.serving.blocks(rows, 1)[:-1] if rows else ():
                for layer in self._times(layers):
                    total += times * layer.time
                    kernels += times
                    bound[layer.bound] += times * layer.time
            self._linear[rows] = total, kernels, bound
        return self._linear[rows]

    def _head(self, outputs: int) -> tuple[float, dict[str, float]]:
        if outputs not in self._heads:
            bound, total = {name: 0.0 for name in BOUNDS}, 0.0
            for layer in self._times(self.serving.blocks(1, outputs)[-1][1]) if outputs else ():
                total += layer.time
                bound[layer.bound] += layer.time
            self._heads[outputs] = total, bound
        return self._heads[outputs]

    def _times(self, layers: tuple) -> list:
        """Times of the layers, those whose weights stay in 16 bits at the rate of 16-bit products."""
        found = []
        for layer in layers:
            wide = layer.weight_bits is not None and layer.weight_bits >= 16
            group = self._sixteen if wide else self._machine
            found += network_layers(
                Network(name="step", source="step", layers=(layer,)), group, self._formats, resident=self._resident
            )
        return found


def _waiting(plain: Machine, wait: float) -> Machine:
    """The machine with links whose collectives wait so many seconds for the software of all devices."""
    return replace(plain, links=replace(plain.links, wait=wait))


def _sequences(mixture: Mixture) -> int:
    return mixture.decode_sequences + mixture.prefill_chunks
