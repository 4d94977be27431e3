"""A language model on cards: what fits, and the layers of one prefill or one decode step on each card.

Tensor parallel over `cards`: heads, feed-forward columns and vocabulary are divided, key-value heads are
divided or, if there are fewer than cards, copied; partial sums are added over all cards twice per layer.
"""

from dataclasses import dataclass
from math import ceil

from hw.base.error import InputError
from hw.spec.number import number_format
from model.network.build import Builder
from model.network.layer import Layer, Network
from model.network.llm import LanguageModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """`model` on `cards` equal cards.

    Parameters
    ----------
    model : LanguageModel
    cards : int
        Divides the heads and the feed-forward width.
    weight_format, cache_format : str
        Of weights and of the key-value cache, names of `hw.spec.number.FORMATS`.
    """

    model: LanguageModel
    cards: int = 1
    weight_format: str = "fp16"
    cache_format: str = "fp16"

    def __post_init__(self) -> None:
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
            self._attention(builder, f"layer{index}", rows, queries, context, batch)
            self._feed_forward(builder, f"layer{index}", rows)
        builder.vector("norm", "RMSNormalization", rows * model.hidden, weights=model.hidden)
        # only the last position of each sequence is turned into a token
        builder.product("output", batch, ceil(model.vocabulary / self.cards), model.hidden)
        return builder.network()

    def _attention(self, builder: Builder, name: str, rows: int, queries: int, context: int, batch: int) -> None:
        model, cards = self.model, self.cards
        heads, size, group = model.heads // cards, model.head_size, model.heads // model.kv_heads
        # heads that share keys are stacked as rows of one product
        group = min(group, heads)
        builder.vector(f"{name}_norm_1", "RMSNormalization", rows * model.hidden, weights=model.hidden)
        builder.product(f"{name}_query", rows, heads * size, model.hidden)
        builder.product(f"{name}_key_value", rows, 2 * self.kv_heads * size, model.hidden)
        builder.vector(f"{name}_rotary", "RotaryEmbedding", rows * (heads + self.kv_heads) * size)
        many = batch * heads // group
        builder.product(f"{name}_scores", group * queries, context, size, count=many, stationary=False)
        builder.vector(f"{name}_softmax", "Softmax", batch * heads * queries * context)
        builder.product(f"{name}_context", group * queries, size, context, count=many, stationary=False)
        builder.product(f"{name}_attention_output", rows, model.hidden, heads * size)
        self._all_reduce(builder, f"{name}_sum_1", rows)
        builder.vector(f"{name}_add_1", "Add", rows * model.hidden, inputs=2)

    def _feed_forward(self, builder: Builder, name: str, rows: int) -> None:
        model = self.model
        width, experts, each = model.intermediate // self.cards, 1, rows
        if model.gated:
            builder.vector(f"{name}_norm_2", "RMSNormalization", rows * model.hidden, weights=model.hidden)
        if model.experts > 1:
            builder.product(f"{name}_router", rows, model.experts, model.hidden)
            experts = self.active_experts(rows)
            each = ceil(rows * model.experts_per_token / experts)
        columns = 2 * width if model.gated else width
        builder.product(f"{name}_up", each, columns, model.hidden, count=experts)
        builder.vector(f"{name}_activation", "Swish" if model.gated else "Gelu", each * width * experts)
        builder.product(f"{name}_down", each, model.hidden, width, count=experts)
        self._all_reduce(builder, f"{name}_sum_2", rows)
        builder.vector(f"{name}_add_2", "Add", rows * model.hidden, inputs=2)

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
