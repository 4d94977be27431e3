"""A decoder from prompt to text as one program: embedding, layers, logits, the next token, again."""

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.number import number_format
from hw.spec.system import Program, SystemSpec, Token, fits
from hw.spec.vector import LANES
from model.language.config import DecoderConfig
from model.lowering.decoder.channel import Channel, MatrixPlace
from model.lowering.decoder.crossbar import CrossbarPlace, Crossbars
from model.lowering.decoder.machine import Machine
from model.lowering.decoder.shared import Region, SharedMemory, TensorPlace
from model.reference import vector
from model.reference.decoder import StoredWeights, rotary_tables

Pim = Literal["off", "weights", "attention", "both"]
"""What the channel multiplies while tokens are generated; the prompt is always read on the core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Tokens that go through the layers together.

    Parameters
    ----------
    first, tokens : int
        Position of the first, and how many.
    ended : Token
        All tensors of the step lie at their `places` when this has ended, and until the next step goes on.
    places : tuple of TensorPlace
    commands : int
        Descriptors of the program up to the end of the step.
    layers : tuple of Token
        What has ended when each layer has.
    """

    first: int
    tokens: int
    ended: Token
    places: tuple[TensorPlace, ...]
    commands: int
    layers: tuple[Token, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """A program, what must be in the memories before it runs, and where its tensors lie.

    Parameters
    ----------
    spec : SystemSpec
        The system it was made for.
    pim : Pim
        Which products of generated tokens the channel computes: none, those with weights, those of attention, or both.
    program : Program
        Descriptors of all units in the order of the stream.
    channel : Channel
        Its contents.
    crossbars : Crossbars or None
        What the crossbars hold, if the system has them.
    ids : int
        Word of the shared memory with the token of position 0 in lane 0; the prompt's must be there at the start, the
        generated ones follow.
    prompt : list of int
        Token numbers given, at least one.
    steps : list of Step
        In order of positions: the prompt in batches, then one generated token at a time.
    """

    spec: SystemSpec
    pim: Pim
    program: Program
    channel: Channel
    ids: int
    prompt: list[int]
    steps: list[Step]
    crossbars: Crossbars | None = None


@dataclass
class _Layer:
    """Places of a layer's matrices in channel or crossbars and of its tensors in the shared memory."""

    matrices: dict[str, MatrixPlace | CrossbarPlace]
    keys: list[MatrixPlace]
    values: list[MatrixPlace]
    gains: dict[str, int]
    tensors: dict[str, Region] = field(default_factory=dict)
    block: int = 0


def lower(
    spec: SystemSpec, config: DecoderConfig, weights: StoredWeights, prompt: list[int], count: int, pim: str
) -> Lowered:
    """The program that reads `prompt` and generates `count` tokens greedily.

    Raises `InputError` for a prompt that is empty or does not fit the context, sizes the vector unit cannot hold in
    words, a format the core was not built for, and what does not fit a memory.
    """
    return _Lowering(spec, config, weights, prompt, count, pim).lowered()


def channel_of(spec: SystemSpec) -> Channel:
    """The empty channel of a system, with its way to lay out matrices."""
    if spec.pim.align_bits:
        from model.lowering.decoder.aim import AimChannel

        return AimChannel(spec.pim, spec.rows)
    from model.lowering.decoder.hbm_pim import HbmPimChannel

    return HbmPimChannel(spec.pim, spec.rows)


def check(spec: SystemSpec, config: DecoderConfig, prompt: list[int], count: int, pim: str) -> None:
    """Raise `InputError` for what cannot be lowered whatever the memories hold."""
    if check_pim(pim) not in shares(spec):
        raise InputError(
            f"pim of a system with crossbars must be one of {', '.join(shares(spec))}, not {pim!r}: the crossbars "
            "multiply by the weights"
        )
    if not prompt:
        raise InputError("a prompt must have at least one token, not none")
    if count < 1:
        raise InputError(f"tokens to generate must be at least 1, not {count}")
    if len(prompt) + count > config.max_position_embeddings:
        raise InputError(
            f"prompt and answer must fit the context of {config.max_position_embeddings} tokens, not {len(prompt)} + "
            f"{count} = {len(prompt) + count}; shorten the prompt or generate fewer tokens"
        )
    if any(not 0 <= token < config.vocab_size for token in prompt):
        raise InputError(f"tokens of a prompt must be from 0 to {config.vocab_size - 1}")
    array = spec.core.array
    if not array.activation_format == array.weight_format == spec.core.output_format == spec.pim.number:
        raise InputError(
            f"the core of a system must compute in the channel's format {spec.pim.number} throughout, not "
            f"{array.activation_format} x {array.weight_format} to {spec.core.output_format}"
        )
    if number_format(spec.pim.number).bits != 16 or array.rows != LANES or array.dataflow != "ws":
        raise InputError(
            f"a decoder needs a weight-stationary core of {LANES} rows with 16-bit numbers, not "
            f"{array.rows} rows, {array.dataflow}, {array.activation_format}"
        )
    for what in ("hidden_size", "intermediate_size"):
        if getattr(config, what) % LANES:
            raise InputError(
                f"{what} must be a multiple of {LANES} lanes, not {getattr(config, what)}; pad the weights"
            )
    if config.head_dim not in (16, 32, 64, 128):
        raise InputError(f"head_dim must be 16, 32, 64 or 128 (1 to 8 words), not {config.head_dim}")


def shares(spec: SystemSpec) -> tuple[Pim, ...]:
    """What the channel of a system can be asked to multiply: weights that lie in crossbars it has not."""
    return get_args(Pim) if spec.crossbar is None else ("off", "attention")


def check_pim(pim: str) -> Pim:
    """`pim` as one of the four; raises `InputError` listing them."""
    for known in get_args(Pim):
        if known == pim:
            return known
    raise InputError(f"pim must be one of {', '.join(get_args(Pim))}, not {pim!r}")


class _Lowering:
    def __init__(
        self, spec: SystemSpec, config: DecoderConfig, weights: StoredWeights, prompt: list[int], count: int, pim: str
    ) -> None:
        check(spec, config, prompt, count, pim)
        self.spec, self.config, self.weights = spec, config, weights
        self.prompt, self.count = prompt, count
        self.pim: Pim = check_pim(pim)
        self.name = spec.pim.number
        self.channel = channel_of(spec)
        self.shared = SharedMemory(spec.shared_words)
        self.batch = min(spec.core.array.columns, len(prompt))
        self.words = ceil_div(config.max_position_embeddings, LANES)  # of a row of scores
        self.crossbars = None if spec.crossbar is None else Crossbars(spec.crossbar_unit)
        self.machine = Machine(
            spec,
            self.channel,
            self.shared,
            self.name,
            spec.core.activation_words // 2,
            Program(units=spec.units),
        )
        self._check_core()
        self._place_matrices()
        self._place_tensors()

    def _check_core(self) -> None:
        config, core = self.config, self.spec.core
        widest = max(config.hidden_size, config.intermediate_size, config.query_size)
        group = config.group * ceil_div(config.max_position_embeddings, LANES) * LANES
        needs = {
            "activation_words": 2 * LANES * ceil_div(widest, LANES),
            "weight_words": max(widest, group, config.group * config.head_dim),
            "output_words": max(
                group,
                config.group * config.head_dim,
                core.activation_words // 2 // ceil_div(min(config.hidden_size, config.query_size), LANES),
            ),
        }
        for what, least in needs.items():
            if getattr(core, what) < least:
                raise InputError(
                    f"{what} of the core must be at least {least} for this model (rows of {widest} numbers, "
                    f"{config.group} heads over {config.max_position_embeddings} positions), not "
                    f"{getattr(core, what)}"
                )

    # ---- places

    def _place_matrices(self) -> None:
        config, channel = self.config, self.channel
        self.layers: list[_Layer] = []
        constants: list[np.ndarray] = []

        def constant(codes: np.ndarray) -> int:
            first = sum(len(part) for part in constants)
            constants.append(codes.reshape(-1, LANES))
            return first

        for w in self.weights.layers:
            matrices = {}
            for what in ("qkv", "out", "gate_up", "down"):
                matrices[what] = self._matrix(what, w[what])
            gains = {what: constant(w[what]) for what in ("norm1", "norm2")}
            self.layers.append(_Layer(matrices=matrices, keys=[], values=[], gains=gains))
        self.embedding = channel.matrix("embedding", *self.weights.embedding.shape)
        channel.put_embedding(self.embedding, self.weights.embedding)
        self.head: MatrixPlace | CrossbarPlace = self.embedding
        if not config.tie_word_embeddings or self.crossbars is not None:
            self.head = self._matrix("output matrix", self.weights.head)
        for layer in self.layers:
            layer.keys = channel.caches(
                "keys", config.num_key_value_heads, config.max_position_embeddings, config.head_dim
            )
        for layer in self.layers:
            layer.values = channel.caches(
                "values", config.num_key_value_heads, config.head_dim, config.max_position_embeddings
            )
        gain = constant(self.weights.norm)
        cosine, sine = rotary_tables(config, self.name)
        table = constant(np.concatenate([cosine, sine], axis=1))
        words = np.concatenate(constants)
        base = self.shared.take("gains and rotary tables", len(words))
        # right behind, so that the prompt comes with them
        self.ids = self.shared.take("tokens", config.max_position_embeddings)
        prompt = np.zeros((len(self.prompt), LANES), np.uint16)
        prompt[:, 0] = self.prompt
        self.constants = self.channel.put_words("constants", np.concatenate([words, prompt])), len(words) + len(prompt)
        for layer in self.layers:
            layer.gains = {what: base + first for what, first in layer.gains.items()}
        self.gain, self.table, self.constants_at = base + gain, base + table, base

    def _matrix(self, what: str, codes: np.ndarray) -> MatrixPlace | CrossbarPlace:
        """Weights (outputs, inputs) in the crossbars, or in the channel of a system without."""
        if self.crossbars is not None:
            return self.crossbars.matrix(what, codes)
        place = self.channel.matrix(what, *codes.shape)
        self.channel.put(place, codes)
        return place

    def _place_tensors(self) -> None:
        config, shared, batch = self.config, self.shared, self.batch
        hidden, turned = config.hidden_size, config.query_size + config.kv_size
        positions = self.words * LANES
        sizes = {
            "norm1": (batch, hidden),
            "qkv": (batch, turned + config.kv_size),
            "rotated": (batch, turned),
            "scores": (batch * config.num_attention_heads, positions),
            "chances": (batch * config.num_attention_heads, positions),
            "context": (batch, config.query_size),
            "out": (batch, hidden),
            "residual1": (batch, hidden),
            "norm2": (batch, hidden),
            "gate_up": (batch, 2 * config.intermediate_size),
            "gated": (batch, config.intermediate_size),
            "down": (batch, hidden),
            "residual2": (batch, hidden),
        }
        self.embedded = shared.rows("embedding", batch, hidden)
        self.normed = shared.rows("norm", 1, hidden)
        self.logits = shared.rows("logits", 1, config.vocab_size)
        for layer in self.layers:
            layer.tensors = {what: shared.rows(what, *size) for what, size in sizes.items()}
            layer.block = shared.take("last values", LANES * (config.kv_size // LANES))
        self.turned_values = shared.take("values by feature", config.kv_size)
        widest = max(hidden, config.intermediate_size, config.query_size, config.num_attention_heads * positions)
        outputs = max(
            2 * config.intermediate_size,
            turned + config.kv_size,
            ceil_div(config.vocab_size, LANES) * LANES,
            config.num_attention_heads * positions,
        )
        self.machine.reserve(widest, outputs)

    # ---- steps

    def lowered(self) -> Lowered:
        """The whole program."""
        machine = self.machine
        loaded: Token | None = None
        for transfer in self.channel.fetch(self.constants[0], self.constants_at, self.constants[1]):
            loaded = machine.memory(transfer)
        assert loaded is not None
        steps, position, ended = [], 0, loaded
        while position < len(self.prompt):
            tokens = min(self.batch, len(self.prompt) - position)
            steps.append(self._step(position, tokens, [ended], generates=position + tokens == len(self.prompt)))
            position, ended = position + tokens, steps[-1].ended
        for _ in range(self.count - 1):
            steps.append(self._step(position, 1, [ended], generates=True))
            position, ended = position + 1, steps[-1].ended
        fits(self.spec, machine.program.pack())
        return Lowered(
            spec=self.spec,
            pim=self.pim,
            program=machine.program,
            channel=self.channel,
            ids=self.ids,
            prompt=self.prompt,
            steps=steps,
            crossbars=self.crossbars,
        )

    def _step(self, first: int, tokens: int, after: list[Token], *, generates: bool) -> Step:
        """`tokens` tokens from position `first` on through all layers."""
        machine, config = self.machine, self.config
        decode = first >= len(self.prompt)
        self.in_channel = {
            "weights": decode and self.pim in ("weights", "both"),
            "attention": decode and self.pim in ("attention", "both"),
        }
        read = after[0]
        for token in range(tokens):
            read = machine.memory(self.channel.embed(self.ids + first + token, self.embedded.row(token)), after)
        places = [self._kept("embedding", -1, self.embedded, tokens)]
        x, ready, layers = self.embedded, read, []
        for index, layer in enumerate(self.layers):
            x, ready = self._layer(index, layer, x, first, tokens, ready)
            places += self._places(index, layer, first, tokens)
            layers.append(ready)
        if generates:
            ready = self._norm(
                Region(base=x.row(tokens - 1), rows=1, length=x.length, stride=x.stride),
                self.normed,
                self.gain,
                1,
                ready,
            )
            ready = self._project(self.head, self.normed, self.logits, 1, ready)
            ready = machine.vector(
                "ARG_MAX", after=[ready], length=config.vocab_size, a=self.logits.base, d=self.ids + first + tokens
            )
            places += [
                self._kept("norm", -1, self.normed, 1),
                self._kept("logits", -1, self.logits, 1),
                TensorPlace(
                    name="token",
                    layer=-1,
                    head=-1,
                    region=Region(base=self.ids + first + tokens, rows=1, length=1, stride=1),
                ),
            ]
        return Step(
            first=first,
            tokens=tokens,
            ended=ready,
            places=tuple(places),
            commands=len(machine.program.commands),
            layers=tuple(layers),
        )

    def _kept(self, name: str, layer: int, region: Region, rows: int) -> TensorPlace:
        return TensorPlace(
            name=name,
            layer=layer,
            head=-1,
            region=Region(base=region.base, rows=rows, length=region.length, stride=region.stride),
        )

    def _places(self, index: int, layer: _Layer, first: int, tokens: int) -> list[TensorPlace]:
        found = []
        for name, region in layer.tensors.items():
            if name not in ("scores", "chances"):
                found.append(self._kept(name, index, region, tokens))
                continue
            for head in range(self.config.num_attention_heads):
                rows = Region(base=region.row(head * tokens), rows=tokens, length=first + tokens, stride=region.stride)
                found.append(TensorPlace(name=name, layer=index, head=head, region=rows))
        return found

    # ---- parts of a layer

    def _layer(
        self, index: int, layer: _Layer, x: Region, first: int, tokens: int, ready: Token
    ) -> tuple[Region, Token]:
        machine, config, t = self.machine, self.config, layer.tensors
        ready = self._norm(x, t["norm1"], layer.gains["norm1"], tokens, ready)
        ready = self._project(layer.matrices["qkv"], t["norm1"], t["qkv"], tokens, ready)
        ready = self._cache(layer, first, tokens, ready)
        ready = self._attend(layer, first, tokens, ready)
        ready = self._project(layer.matrices["out"], t["context"], t["out"], tokens, ready)
        ready = self._add(x, t["out"], t["residual1"], tokens, ready)
        ready = self._norm(t["residual1"], t["norm2"], layer.gains["norm2"], tokens, ready)
        ready = self._project(layer.matrices["gate_up"], t["norm2"], t["gate_up"], tokens, ready)
        region, inner = t["gate_up"], config.intermediate_size
        ready = machine.vector(
            "GATE",
            after=[ready],
            rows=tokens,
            length=inner,
            a=region.base,
            b=region.base + inner // LANES,
            d=t["gated"].base,
            a_stride=region.stride,
            b_stride=region.stride,
            d_stride=t["gated"].stride,
            scale=vector.silu_scale(),
        )
        ready = self._project(layer.matrices["down"], t["gated"], t["down"], tokens, ready)
        return t["residual2"], self._add(t["residual1"], t["down"], t["residual2"], tokens, ready)

    def _norm(self, x: Region, out: Region, gain: int, rows: int, ready: Token) -> Token:
        return self.machine.vector(
            "RMS_NORM",
            after=[ready],
            rows=rows,
            length=x.length,
            a=x.base,
            b=gain,
            d=out.base,
            a_stride=x.stride,
            d_stride=out.stride,
            scale=vector.fp32_code(1 / x.length),
            epsilon=vector.epsilon_code(self.config.rms_norm_eps),
        )

    def _add(self, a: Region, b: Region, out: Region, rows: int, ready: Token) -> Token:
        return self.machine.vector(
            "ADD",
            after=[ready],
            rows=rows,
            length=a.length,
            a=a.base,
            b=b.base,
            d=out.base,
            a_stride=a.stride,
            b_stride=b.stride,
            d_stride=out.stride,
        )

    def _project(self, place: MatrixPlace | CrossbarPlace, x: Region, out: Region, tokens: int, ready: Token) -> Token:
        """Rows of `x` times a matrix of weights."""
        machine = self.machine
        if isinstance(place, CrossbarPlace):
            first = ready
            for token in range(tokens):
                ready = machine.crossbar(place, x.row(token), out.row(token), [first])
            return ready
        if self.in_channel["weights"]:
            return machine.gemv(place, x.base, out.base, [ready])
        spread = machine.vector(
            "SPREAD",
            after=[ready],
            rows=tokens,
            length=x.length,
            a=x.base,
            a_stride=x.stride,
            d=machine.spread,
            d_stride=LANES,
        )
        ended = machine.core_product(
            place,
            1,
            outputs=place.outputs,
            inputs=place.inputs,
            operand=machine.spread,
            result=machine.results,
            ready=[spread],
        )
        return machine.vector(
            "GATHER",
            after=[ended],
            rows=tokens,
            length=place.outputs,
            a=machine.results,
            a_stride=LANES,
            d=out.base,
            d_stride=out.stride,
        )

    def _cache(self, layer: _Layer, first: int, tokens: int, ready: Token) -> Token:
        """Rotate queries and keys, and write keys and values into the channel."""
        machine, config, t = self.machine, self.config, layer.tensors
        head_words = config.head_dim // LANES
        turned = (config.query_size + config.kv_size) // LANES
        qkv, rotated = t["qkv"], t["rotated"]
        last = ready
        for token in range(tokens):
            last = machine.vector(
                "ROTARY",
                after=[ready],
                rows=config.num_attention_heads + config.num_key_value_heads,
                length=config.head_dim,
                a=qkv.row(token),
                b=self.table + (first + token) * 2 * head_words,
                d=rotated.row(token),
                a_stride=head_words,
                d_stride=head_words,
                period=head_words,
            )
        for token in range(tokens):
            for head, place in enumerate(layer.keys):
                key = rotated.row(token) + config.query_size // LANES + head * head_words
                machine.memory(self.channel.append_key(place, first + token, key), [last])
        value_words = config.kv_size // LANES
        machine.vector(
            "SCALE",
            rows=tokens,
            length=config.kv_size,
            a=qkv.base + turned,
            a_stride=qkv.stride,
            d=layer.block + first % LANES * value_words,
            d_stride=value_words,
            scale=0x3F800000,
        )
        written = machine.vector(
            "SPREAD",
            rows=LANES,
            length=config.kv_size,
            a=layer.block,
            a_stride=value_words,
            d=self.turned_values,
            d_stride=LANES,
        )
        last = written
        for head, place in enumerate(layer.values):
            source = self.turned_values + head * config.head_dim
            last = machine.memory(self.channel.append_values(place, first, source), [written])
        return last

    def _attend(self, layer: _Layer, first: int, tokens: int, ready: Token) -> Token:
        """Scores, softmax and context."""
        config, t = self.config, layer.tensors
        seen = first + tokens
        scale = vector.softmax_scale(config.head_dim**-0.5)
        scores, chances = t["scores"], t["chances"]
        ready = (self._scores_in_channel if self.in_channel["attention"] else self._scores_on_core)(
            layer, tokens, seen, ready
        )
        rows = config.num_attention_heads if tokens == 1 else tokens
        for head in range(0, config.num_attention_heads, rows if tokens == 1 else 1):
            ready = self.machine.vector(
                "SOFTMAX",
                after=[ready],
                rows=rows,
                length=first + 1,
                length_step=int(tokens > 1),
                a=scores.row(head * tokens),
                a_stride=scores.stride,
                d=chances.row(head * tokens),
                d_stride=chances.stride,
                scale=scale,
            )
        return (self._context_in_channel if self.in_channel["attention"] else self._context_on_core)(
            layer, tokens, seen, ready
        )

    def _scores_in_channel(self, layer: _Layer, tokens: int, seen: int, ready: Token) -> Token:
        t, head_words = layer.tensors, self.config.head_dim // LANES
        for head in range(self.config.num_attention_heads):
            place = layer.keys[head // self.config.group]
            ready = self.machine.gemv(
                place, t["rotated"].base + head * head_words, t["scores"].row(head), [ready], outputs=seen
            )
        return ready

    def _context_in_channel(self, layer: _Layer, tokens: int, seen: int, ready: Token) -> Token:
        t, head_words = layer.tensors, self.config.head_dim // LANES
        for head in range(self.config.num_attention_heads):
            place = layer.values[head // self.config.group]
            ready = self.machine.gemv(
                place, t["chances"].row(head), t["context"].base + head * head_words, [ready], inputs=seen
            )
        return ready

    def _scores_on_core(self, layer: _Layer, tokens: int, seen: int, ready: Token) -> Token:
        machine, config, t = self.machine, self.config, layer.tensors
        rotated, scores = t["rotated"], t["scores"]
        positions = ceil_div(seen, LANES) * LANES
        spread = machine.vector(
            "SPREAD",
            after=[ready],
            rows=tokens,
            length=config.query_size,
            a=rotated.base,
            a_stride=rotated.stride,
            d=machine.spread,
            d_stride=LANES,
        )
        ended = ready
        for shared, place in enumerate(layer.keys):
            ended = machine.core_product(
                place,
                config.group,
                outputs=positions,
                inputs=config.head_dim,
                operand=machine.spread + shared * config.group * config.head_dim,
                result=machine.results + shared * config.group * positions,
                ready=[spread],
            )
        for head in range(config.num_attention_heads):
            ready = machine.vector(
                "GATHER",
                after=[ended],
                rows=tokens,
                length=positions,
                a=machine.results + head * positions,
                a_stride=LANES,
                d=scores.row(head * tokens),
                d_stride=scores.stride,
            )
        return ready

    def _context_on_core(self, layer: _Layer, tokens: int, seen: int, ready: Token) -> Token:
        machine, config, t = self.machine, self.config, layer.tensors
        chances, context = t["chances"], t["context"]
        positions = ceil_div(seen, LANES) * LANES
        for head in range(config.num_attention_heads):
            ready = machine.vector(
                "SPREAD",
                after=[ready],
                rows=tokens,
                length=positions,
                a=chances.row(head * tokens),
                a_stride=chances.stride,
                d=machine.spread + head * positions,
                d_stride=LANES,
            )
        ended = ready
        for shared, place in enumerate(layer.values):
            ended = machine.core_product(
                place,
                config.group,
                outputs=config.head_dim,
                inputs=positions,
                operand=machine.spread + shared * config.group * positions,
                result=machine.results + shared * config.group * config.head_dim,
                ready=[ready],
            )
        return machine.vector(
            "GATHER",
            after=[ended],
            rows=tokens,
            length=config.query_size,
            a=machine.results,
            a_stride=LANES,
            d=context.base,
            d_stride=context.stride,
        )
