"""A decoder from prompt to text as one program: embedding, layers, logits, the next token, again."""

from collections.abc import Sequence

from hw.base.integer import ceil_div
from hw.spec.system import Program, SystemSpec, Token, fits
from hw.spec.vector_micro import LANES
from model.language.config import DecoderConfig
from model.lowering.decoder.attention import Attention
from model.lowering.decoder.channels import Channels, SplitMatrix
from model.lowering.decoder.check import check, check_core
from model.lowering.decoder.crossbar import CrossbarPlace
from model.lowering.decoder.lowered import Lowered, Pim, Step, check_pim
from model.lowering.decoder.machine import Machine, stages
from model.lowering.decoder.places import LayerPlaces, Places
from model.lowering.decoder.shared import Region, SharedMemory, TensorPlace
from model.reference import vector
from model.reference.decoder import StoredWeights


def lower(
    spec: SystemSpec, config: DecoderConfig, weights: StoredWeights, prompt: list[int], count: int, pim: str
) -> Lowered:
    """The program that reads `prompt` and generates `count` tokens greedily.

    Raises `InputError` for a prompt that is empty or does not fit the context, sizes the vector unit cannot hold in
    words, a format the core was not built for, and what does not fit a memory.
    """
    return _Lowering(spec, config, weights, prompt, count, pim).lowered()


def _stage_words(spec: SystemSpec, config: DecoderConfig) -> int:
    """Words of a buffer of weights on their way: all buffers have the room of the core's activation memory, unless 16
    outputs of the widest matrix need more; half of that memory holds one."""
    widest = max(config.hidden_size, config.intermediate_size, config.query_size, config.max_position_embeddings)
    half, room = spec.core.activation_words // 2, spec.core.activation_words // stages(spec.channels)
    return min(half, max(room, LANES * ceil_div(widest, LANES)))


class _Lowering:
    def __init__(
        self, spec: SystemSpec, config: DecoderConfig, weights: StoredWeights, prompt: list[int], count: int, pim: str
    ) -> None:
        check(spec, config, prompt, count, pim)
        check_core(spec, config)
        self.spec, self.config, self.prompt, self.count = spec, config, prompt, count
        self.pim: Pim = check_pim(pim)
        self.machine = Machine(
            spec,
            Channels(spec),
            SharedMemory(spec.shared_words),
            spec.pim.number,
            _stage_words(spec, config),
            Program(units=spec.units),
        )
        self.places = Places(self.machine, config, weights, prompt)
        self.attention = Attention(self.machine, config, self.places)

    def lowered(self) -> Lowered:
        """The whole program."""
        machine, places = self.machine, self.places
        loaded: Token | None = None
        for transfer in machine.channels.first.fetch(places.constants[0], places.constants_at, places.constants[1]):
            loaded = machine.memory(transfer)
        assert loaded is not None
        steps, position, ended = [], 0, loaded
        while position < len(self.prompt):
            tokens = min(places.batch, len(self.prompt) - position)
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
            channels=machine.channels.by_unit,
            ids=places.ids,
            prompt=self.prompt,
            steps=steps,
            crossbars=places.crossbars,
        )

    def _step(self, first: int, tokens: int, after: list[Token], *, generates: bool) -> Step:
        """`tokens` tokens from position `first` on through all layers."""
        machine, places = self.machine, self.places
        decode = first >= len(self.prompt)
        self.in_channel = {
            "weights": decode and self.pim in ("weights", "both"),
            "attention": decode and self.pim in ("attention", "both"),
        }
        read = after[0]
        for token in range(tokens):
            row = machine.channels.first.embed(places.ids + first + token, places.embedded.row(token))
            read = machine.memory(row, after)
        tensors = [self._kept("embedding", -1, places.embedded, tokens)]
        x, ready, layers = places.embedded, read, []
        for index, layer in enumerate(places.layers):
            x, ready = self._layer(index, layer, x, first, tokens, ready)
            tensors += self._tensors(index, layer, first, tokens)
            layers.append(ready)
        if generates:
            ready = self._norm(
                Region(base=x.row(tokens - 1), rows=1, length=x.length, stride=x.stride),
                places.normed,
                places.gain,
                1,
                ready,
            )
            logits = self._project(places.head, places.normed, places.logits, 1, [ready])
            ready = machine.vector(
                "ARG_MAX",
                after=logits,
                length=self.config.vocab_size,
                a=places.logits.base,
                d=places.ids + first + tokens,
            )
            tensors += [
                self._kept("norm", -1, places.normed, 1),
                self._kept("logits", -1, places.logits, 1),
                TensorPlace(
                    name="token",
                    layer=-1,
                    head=-1,
                    region=Region(base=places.ids + first + tokens, rows=1, length=1, stride=1),
                ),
            ]
        return Step(
            first=first,
            tokens=tokens,
            ended=ready,
            places=tuple(tensors),
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

    def _tensors(self, index: int, layer: LayerPlaces, first: int, tokens: int) -> list[TensorPlace]:
        found = []
        for name, region in layer.tensors.items():
            if name not in ("scores", "chances"):
                found.append(self._kept(name, index, region, tokens))
                continue
            for head in range(self.config.num_attention_heads):
                rows = Region(base=region.row(head * tokens), rows=tokens, length=first + tokens, stride=region.stride)
                found.append(TensorPlace(name=name, layer=index, head=head, region=rows))
        return found

    def _layer(
        self, index: int, layer: LayerPlaces, x: Region, first: int, tokens: int, ready: Token
    ) -> tuple[Region, Token]:
        machine, config, t = self.machine, self.config, layer.tensors
        ready = self._norm(x, t["norm1"], layer.gains["norm1"], tokens, ready)
        ended = self._project(layer.matrices["qkv"], t["norm1"], t["qkv"], tokens, [ready])
        ended = self.attention.cache(layer, first, tokens, ended)
        ended = self.attention.attend(layer, first, tokens, ended, in_channel=self.in_channel["attention"])
        ended = self._project(layer.matrices["out"], t["context"], t["out"], tokens, ended)
        ready = self._add(x, t["out"], t["residual1"], tokens, ended)
        ready = self._norm(t["residual1"], t["norm2"], layer.gains["norm2"], tokens, ready)
        products = self._project(layer.matrices["gate_up"], t["norm2"], t["gate_up"], tokens, [ready])
        region, inner = t["gate_up"], config.intermediate_size
        ready = machine.vector(
            "GATE",
            after=products,
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
        products = self._project(layer.matrices["down"], t["gated"], t["down"], tokens, [ready])
        return t["residual2"], self._add(t["residual1"], t["down"], t["residual2"], tokens, products)

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

    def _add(self, a: Region, b: Region, out: Region, rows: int, ready: Sequence[Token]) -> Token:
        return self.machine.vector(
            "ADD",
            after=ready,
            rows=rows,
            length=a.length,
            a=a.base,
            b=b.base,
            d=out.base,
            a_stride=a.stride,
            b_stride=b.stride,
            d_stride=out.stride,
        )

    def _project(
        self, place: SplitMatrix | CrossbarPlace, x: Region, out: Region, tokens: int, ready: Sequence[Token]
    ) -> Sequence[Token]:
        """Rows of `x` times a matrix of weights; what has ended when all results are there."""
        machine = self.machine
        if isinstance(place, CrossbarPlace):
            return [machine.crossbar(place, x.row(token), out.row(token), ready) for token in range(tokens)][-1:]
        if self.in_channel["weights"]:
            return machine.gemv(place, x.base, out.base, ready)
        spread = machine.vector(
            "SPREAD",
            after=ready,
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
        gathered = machine.vector(
            "GATHER",
            after=[ended],
            rows=tokens,
            length=place.outputs,
            a=machine.results,
            a_stride=LANES,
            d=out.base,
            d_stride=out.stride,
        )
        return [gathered]
