"""A language model on cards: what fits, and the layers of one prefill or one decode step on each card.

Tensor parallel over `cards`: heads, feed-forward columns and vocabulary are divided; a card holds whole key-value
heads, all that its query heads read, so heads are copied where cards cut their groups; partial sums are added over
all cards
twice per layer. The work of the busiest card is counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

from hw.base.error import InputError
from hw.spec.number import number_format
from model.network.attention_shape import AttentionShape
from model.network.build import Builder
from model.network.language import Attention, Block, LanguageModel
from model.network.language_layers import HEAD_BITS, LanguageLayers, active_experts, held_heads
from model.network.layer import Layer, Network
from model.network.split import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """`model` on `cards` equal cards.

    Parameters
    ----------
    model : LanguageModel
    cards : int
        Divides the heads and the feed-forward width.
    split : Split or None
        Beyond tensor parallelism; its `tensor` must be `cards`. None: tensor parallel alone.
    weight_format, cache_format : str
        Of weights and of the key-value cache, names of `hw.spec.number.FORMATS`. A file that states its own format
        keeps it.
    """

    model: LanguageModel
    cards: int = 1
    weight_format: str = "fp16"
    cache_format: str = "fp16"
    split: Split | None = None

    def __post_init__(self) -> None:
        if self.split is not None and self.split.tensor != self.cards:
            raise InputError(f"cards must be the split's tensor parallelism, {self.split.tensor}, not {self.cards}")
        number_format(self.weight_format)
        number_format(self.cache_format)
        model, cards = self.model, self.cards
        if isinstance(cards, bool) or not isinstance(cards, int) or cards < 1:
            raise InputError(f"cards must be an integer of at least 1, not {cards!r}")
        whole = self.split is not None and self.split.expert > 1
        for block, _ in model.groups:
            a, f = block.attention, block.feed
            if a is not None and a.heads % cards:
                raise InputError(f"cards must divide the {a.heads} heads of {model.name}, not {cards}")
            if f is not None and f.width % cards and not (whole and f.experts > 1):
                raise InputError(f"cards must divide the {f.width} feed-forward width of {model.name}, not {cards}")

    @property
    def weights(self) -> str:
        """How the weights are held, for people."""
        return self.model.held_in(self.weight_format)

    @property
    def kv_heads(self) -> int:
        """Key-value heads on each card, of the typical layer."""
        attention = self.model.typical.attention
        return held_heads(attention, self.cards) if attention is not None else 0

    @property
    def weight_bytes(self) -> float:
        """Bytes of weights on each card: an equal share of all, copied key-value heads on top."""
        model = self.model
        copied = 0.0
        for block, count in model.groups:
            a = block.attention
            if a is not None and not a.latent and not a.shares_cache:
                more = held_heads(a, self.cards) * self.cards - a.kv_heads
                copied += count * more * model.hidden * (a.head_size + a.values)
        wide = number_format(self.weight_format).bits
        return (model.weight_bytes(self.weight_format) + copied * wide / 8) / self.cards

    @property
    def pipeline(self) -> int:
        """Groups of devices that hold consecutive layers."""
        return 1 if self.split is None else self.split.pipeline

    @property
    def held_bytes(self) -> float:
        """Bytes of weights on the fullest device: the layers of a pipeline stage, experts spread or cut, embeddings and
        output matrix in 16 bits."""
        model = self.model
        bits = number_format(self.weight_format).bits
        *groups, head = self.blocks(1, 1, whole=True)
        weights = sum(
            ceil(times / self.pipeline) * layer.weight_elements * (layer.weight_bits or bits) / 8
            for times, block in groups
            for layer in block
        )
        weights += sum(layer.weight_elements * (layer.weight_bits or bits) / 8 for layer in head[1])
        tables = (0 if model.tied else model.hidden) + model.embeddings_per_layer
        return weights + model.vocabulary * tables / self.cards * self._head_bits / 8

    @property
    def held_cache_bytes(self) -> float:
        """Bytes of key-value cache on each device per token, while no window is full: of a pipeline stage's layers."""
        bits = number_format(self.cache_format).bits
        return sum(ceil(n / self.pipeline) * s.cache_elements for n, s in self.attentions if s.stored) * bits / 8

    @property
    def state_bytes(self) -> float:
        """Bytes of state of a sequence on each device, whatever its length, in 16 bits."""
        return sum(
            ceil(count / self.pipeline) * block.state.elements * 2 / self.cards
            for block, count in self.model.groups
            if block.state is not None
        )

    @property
    def _head_bits(self) -> int:
        return max(HEAD_BITS, number_format(self.weight_format).bits)

    @property
    def attentions(self) -> tuple[tuple[int, AttentionShape], ...]:
        """(how many layers, the attention of one on a device)."""
        found: dict[AttentionShape, int] = {}
        for block, count in self.model.groups:
            if block.attention is not None:
                shape = self._shape(block.attention)
                found[shape] = found.get(shape, 0) + count
        return tuple((count, shape) for shape, count in found.items())

    def _shape(self, a: Attention) -> AttentionShape:
        heads = a.heads // self.cards
        if a.latent:  # decoding reads the latent vector as the one key and value of all heads
            prompt = AttentionShape(
                heads=heads, kv_heads=heads, key_size=a.head_size, value_size=a.values, cache_elements=a.cache_elements
            )
            return AttentionShape(
                heads=heads,
                kv_heads=1,
                key_size=a.latent + a.rotary,
                value_size=a.latent,
                cache_elements=a.cache_elements,
                prompt=prompt,
            )
        held = held_heads(a, self.cards)
        return AttentionShape(
            heads=heads,
            kv_heads=held,
            key_size=a.head_size,
            value_size=a.values,
            cache_elements=held * (a.head_size + a.values),
            window=a.window is not None,
            stored=not a.shares_cache,
        )

    def blocks(self, rows: int, outputs: int, *, whole: bool = False) -> tuple[tuple[int, tuple[Layer, ...]], ...]:
        """(how many such layers, their layers on one device) for `rows` tokens of which `outputs` become the next one;
        the last entry is the head.

        Without scores and their sums, which are `attentions`. `whole`: all experts of a device, as in memory.
        """
        found = []
        for index, (block, count) in enumerate(self._kinds()):
            builder = Builder("block", "block")
            self._layers.block(builder, f"layer{index}", block, rows, whole=whole)
            found.append((count, tuple(builder.layers)))
        head = Builder("head", "head")
        self._layers.head(head, outputs)
        return (*found, (1, tuple(head.layers)))

    def _kinds(self) -> Iterator[tuple[Block, int]]:
        """Layers that differ in more than their window."""
        found: dict[Block, int] = {}
        for block, count in self.model.groups:
            a = block.attention
            same = block if a is None else replace(block, attention=replace(a, window=None))
            found[same] = found.get(same, 0) + count
        yield from found.items()

    @property
    def cache_bytes_per_token(self) -> float:
        """Bytes of key-value cache on each card per token of one sequence, while no window is full."""
        elements = sum(count * shape.cache_elements for count, shape in self.attentions if shape.stored)
        return elements * number_format(self.cache_format).bits / 8

    def sequence_bytes(self, context: int) -> float:
        """Bytes of cache on each card of one sequence of `context` tokens: windows hold no more than their size."""
        window = self.model.window or context
        elements = sum(
            count * shape.cache_elements * (min(context, window) if shape.window else context)
            for count, shape in self.attentions
            if shape.stored
        )
        return elements * number_format(self.cache_format).bits / 8 + self.state_bytes

    def largest_batch(self, context: int, memory_bytes: float) -> int:
        """Sequences of `context` tokens whose cache fits beside the weights in `memory_bytes` of one card.

        Raises
        ------
        InputError
            If not even the weights and one sequence fit.
        """
        self._check_context(context)
        each = self.sequence_bytes(context)
        batch = int((memory_bytes - self.weight_bytes) // each) if each else 1 << 20
        if batch < 1:
            need = self.weight_bytes + each
            raise InputError(
                f"{self.model.name} in {self.weights} with {context} tokens must fit the card: it needs "
                f"{_gigabytes(need)} GB on each of {self.cards}, the card has {_gigabytes(memory_bytes)} GB; use more "
                "cards"
            )
        return batch

    def prefill(self, tokens: int, batch: int = 1) -> Network:
        """Layers of one card for `batch` prompts of `tokens` each; scores above the causal mask are counted too."""
        return self._step("prefill", queries=tokens, context=tokens, batch=batch)

    def decode(self, context: int, batch: int) -> Network:
        """Layers of one card for one new token in each of `batch` sequences that then hold `context` tokens."""
        return self._step("decode", queries=1, context=context, batch=batch)

    def active_experts(self, tokens: int) -> int:
        """Experts of a layer that `tokens` tokens reach (`model.network.language_layers.active_experts`)."""
        return active_experts(self.model.feed, tokens)

    @property
    def _layers(self) -> LanguageLayers:
        return LanguageLayers(
            model=self.model,
            cards=self.cards,
            split=self.split or Split(tensor=self.cards),
            weight_format=self.weight_format,
            head_bits=self._head_bits,
        )

    def _check_context(self, context: int) -> None:
        if isinstance(context, bool) or not isinstance(context, int) or not 1 <= context <= self.model.positions:
            raise InputError(
                f"context of {self.model.name} must be an integer from 1 to {self.model.positions}, not {context!r}"
            )

    def _step(self, phase: str, *, queries: int, context: int, batch: int) -> Network:
        self._check_context(context)
        if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
            raise InputError(f"a batch must be an integer of at least 1, not {batch!r}")
        builder = Builder(
            f"{self.model.name}_{phase}",
            f"{self.model.name}: {phase}, batch {batch}, {context} tokens of context, {self.cards} cards",
        )
        index = 0
        for block, count in self.model.groups:
            for _ in range(count):
                self._layers.block(builder, f"layer{index}", block, queries * batch, scores=(queries, context, batch))
                index += 1
        self._layers.head(builder, batch)
        return builder.network()


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.1f}" if count >= 1e8 else f"{count / 1e9:.3g}"
