"""A language model on cards: what fits, and the layers of one prefill or one decode step on each card.

Tensor parallel over `cards`: heads, feed-forward columns and vocabulary are divided, key-value heads are
divided or, if there are fewer than cards, copied; partial sums are added over all cards twice per layer.
"""

from dataclasses import dataclass
from math import ceil

from hw.base.error import InputError
from hw.spec.number import number_format
from model.network.attention_shape import AttentionShape
from model.network.build import Builder
from model.network.layer import Layer, Network
from model.network.llm import LanguageModel
from model.network.split import Split

HEAD_BITS = 16
"""Embeddings and output matrix of a model whose weights are of 8 bits or fewer: what quantisers leave as it was (the
`lm_head` of llm-compressor and of TensorRT Model Optimizer's defaults, `embed_tokens` in both)."""


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
        Of weights and of the key-value cache, names of `hw.spec.number.FORMATS`.
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
        for what, size in (("heads", model.heads), ("feed-forward width", model.intermediate)):
            if size % cards:
                raise InputError(f"cards must divide the {size} {what} of {model.name}, not {cards}")

    @property
    def kv_heads(self) -> int:
        """Key-value heads on each card."""
        return ceil(self.model.kv_heads / self.cards)

    @property
    def weight_bytes(self) -> float:
        """Bytes of weights on each card: an equal share of all parameters, copied key-value heads on top."""
        model = self.model
        copied = self.kv_heads * self.cards - model.kv_heads
        elements = model.parameters + model.layers * 2 * model.hidden * model.head_size * copied
        return elements / self.cards * number_format(self.weight_format).bits / 8

    @property
    def pipeline(self) -> int:
        """Groups of devices that hold consecutive layers."""
        return 1 if self.split is None else self.split.pipeline

    @property
    def held_bytes(self) -> float:
        """Bytes of weights on the fullest device: the layers of a pipeline stage, experts spread or cut, embeddings and
        output matrix in 16 bits."""
        model = self.model
        layers = ceil(model.layers / self.pipeline)
        weights = sum(
            layer.weight_elements * (layer.weight_bits or number_format(self.weight_format).bits) / 8
            for times, block in self.blocks(1, 1, whole=True)
            for layer in block * (layers if times > 1 else 1)
        )
        embeddings = model.vocabulary * model.hidden / self.cards * self._head_bits / 8
        return weights + (0 if model.tied else embeddings)

    @property
    def held_cache_bytes(self) -> float:
        """Bytes of key-value cache on each device per token: of the layers of a pipeline stage."""
        bits = number_format(self.cache_format).bits
        return sum(ceil(times / self.pipeline) * shape.cache_elements for times, shape in self.attentions) * bits / 8

    @property
    def _head_bits(self) -> int:
        return max(HEAD_BITS, number_format(self.weight_format).bits)

    @property
    def attentions(self) -> tuple[tuple[int, AttentionShape], ...]:
        """(how many layers, the attention of one on a device)."""
        model = self.model
        shape = AttentionShape(
            heads=model.heads // self.cards,
            kv_heads=self.kv_heads,
            key_size=model.head_size,
            value_size=model.head_size,
            cache_elements=2 * self.kv_heads * model.head_size,
        )
        return ((model.layers, shape),)

    def blocks(self, rows: int, outputs: int, *, whole: bool = False) -> tuple[tuple[int, tuple[Layer, ...]], ...]:
        """(how many such layers, their layers on one device) for `rows` tokens of which `outputs` become the next one.

        Without scores and their sums, which are `attentions`. `whole`: all experts of a device, as in memory.
        """
        builder = Builder("block", "block")
        self._attention(builder, "layer0", rows)
        self._feed_forward(builder, "layer0", rows, whole=whole)
        head = Builder("head", "head")
        self._head(head, outputs)
        return (self.model.layers, tuple(builder.layers)), (1, tuple(head.layers))

    @property
    def cache_bytes_per_token(self) -> float:
        """Bytes of key-value cache on each card per token of one sequence."""
        elements = 2 * self.model.layers * self.kv_heads * self.model.head_size
        return elements * number_format(self.cache_format).bits / 8

    def largest_batch(self, context: int, memory_bytes: float) -> int:
        """Sequences of `context` tokens whose cache fits beside the weights in `memory_bytes` of one card.

        Raises
        ------
        InputError
            If not even the weights and one sequence fit.
        """
        self._check_context(context)
        room = memory_bytes - self.weight_bytes
        batch = int(room // (self.cache_bytes_per_token * context))
        if batch < 1:
            need = self.weight_bytes + self.cache_bytes_per_token * context
            raise InputError(
                f"{self.model.name} in {self.weight_format} with {context} tokens must fit the card: it needs "
                f"{need / 1e9:.1f} GB on each of {self.cards}, the card has {memory_bytes / 1e9:.1f} GB; use more cards"
            )
        return batch

    def prefill(self, tokens: int, batch: int = 1) -> Network:
        """Layers of one card for `batch` prompts of `tokens` each; scores above the causal mask are counted too."""
        return self._step("prefill", queries=tokens, context=tokens, batch=batch)

    def decode(self, context: int, batch: int) -> Network:
        """Layers of one card for one new token in each of `batch` sequences that then hold `context` tokens."""
        return self._step("decode", queries=1, context=context, batch=batch)

    def active_experts(self, tokens: int) -> int:
        """Experts of a layer that `tokens` tokens reach, if each picks its experts evenly and independently.

        Expected value E (1 - (1 - k/E)**tokens), rounded, at least k.
        """
        e, k = self.model.experts, self.model.experts_per_token
        return max(k, min(e, round(e * (1 - (1 - k / e) ** tokens))))

    def _check_context(self, context: int) -> None:
        if isinstance(context, bool) or not isinstance(context, int) or not 1 <= context <= self.model.positions:
            raise InputError(
                f"context of {self.model.name} must be an integer from 1 to {self.model.positions}, not {context!r}"
            )

    def _step(self, phase: str, *, queries: int, context: int, batch: int) -> Network:
        self._check_context(context)
        if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
            raise InputError(f"a batch must be an integer of at least 1, not {batch!r}")
        model = self.model
        builder = Builder(
            f"{model.name}_{phase}",
            f"{model.name}: {phase}, batch {batch}, {context} tokens of context, {self.cards} cards",
        )
        rows = queries * batch
        for index in range(model.layers):
            self._attention(builder, f"layer{index}", rows, (queries, context, batch))
            self._feed_forward(builder, f"layer{index}", rows)
        self._head(builder, batch)
        return builder.network()

    def _head(self, builder: Builder, outputs: int) -> None:
        """Only the last position of each sequence is turned into a token."""
        model = self.model
        builder.vector("norm", "RMSNormalization", outputs * model.hidden, weights=model.hidden)
        builder.product(
            "output", outputs, ceil(model.vocabulary / self.cards), model.hidden, weight_bits=self._head_bits
        )
        if self.cards > 1:
            builder.layers.append(
                Layer(
                    name="logits",
                    operator="AllGather",
                    kind="move",
                    input_elements=outputs * model.vocabulary // self.cards,
                    output_elements=outputs * model.vocabulary,
                )
            )
        builder.vector("sample", "Softmax", outputs * model.vocabulary)

    def _attention(self, builder: Builder, name: str, rows: int, scores: tuple[int, int, int] | None = None) -> None:
        """Projections; with `scores`, (queries, context, batch), also the products of queries, keys and values."""
        model, cards = self.model, self.cards
        heads, size, group = model.heads // cards, model.head_size, model.heads // model.kv_heads
        builder.vector(f"{name}_norm_1", "RMSNormalization", rows * model.hidden, inputs=2, weights=model.hidden)
        builder.product(f"{name}_query", rows, heads * size, model.hidden)
        builder.product(f"{name}_key_value", rows, 2 * self.kv_heads * size, model.hidden)
        builder.vector(f"{name}_rotary", "RotaryEmbedding", rows * (heads + self.kv_heads) * size)
        if scores is not None:
            queries, context, batch = scores
            # heads that share keys are stacked as rows of one product
            group = min(group, heads)
            many = batch * heads // group
            builder.product(f"{name}_scores", group * queries, context, size, count=many, stationary=False)
            builder.vector(f"{name}_softmax", "Softmax", batch * heads * queries * context)
            builder.product(f"{name}_context", group * queries, size, context, count=many, stationary=False)
        builder.product(f"{name}_attention_output", rows, model.hidden, heads * size)
        self._all_reduce(builder, f"{name}_sum_1", rows)

    def _feed_forward(self, builder: Builder, name: str, rows: int, *, whole: bool = False) -> None:
        model, split = self.model, self.split or Split(tensor=self.cards)
        if model.gated:
            builder.vector(f"{name}_norm_2", "RMSNormalization", rows * model.hidden, inputs=2, weights=model.hidden)
        width, experts, each = model.intermediate // self.cards, 1, rows
        if model.experts > 1:
            builder.product(f"{name}_router", rows, model.experts, model.hidden, weight_bits=HEAD_BITS)
            everyone = rows * split.data
            active = model.experts if whole else self.active_experts(everyone)
            each = ceil(everyone * model.experts_per_token / active)
            experts = ceil(active / split.expert)
            width = model.intermediate * split.expert // (self.cards * split.data)
            if split.expert > 1:
                self._all_to_all(builder, f"{name}_dispatch", rows)
        columns = 2 * width if model.gated else width
        builder.product(f"{name}_up", each, columns, model.hidden, count=experts)
        builder.vector(
            f"{name}_activation",
            "SwishMultiply" if model.gated else "Gelu",
            each * width * experts,
            inputs=2 if model.gated else 1,
        )
        builder.product(f"{name}_down", each, model.hidden, width, count=experts)
        if model.experts > 1 and split.expert > 1:
            self._all_to_all(builder, f"{name}_combine", rows)
        else:
            self._all_reduce(builder, f"{name}_sum_2", rows)

    def _all_to_all(self, builder: Builder, name: str, rows: int) -> None:
        """Tokens to their experts, or results back: of a device's equal share of the rows."""
        elements = ceil(rows / self.cards) * self.model.hidden * self.model.experts_per_token
        builder.layers.append(
            Layer(name=name, operator="AllToAll", kind="move", input_elements=elements, output_elements=elements)
        )

    def _all_reduce(self, builder: Builder, name: str, rows: int) -> None:
        """Partial sums over all cards; nothing on one card."""
        if self.cards > 1:
            elements = rows * self.model.hidden
            builder.layers.append(
                Layer(
                    name=name,
                    operator="AllReduce",
                    kind="move",
                    input_elements=elements,
                    output_elements=elements,
                )
            )
