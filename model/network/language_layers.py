"""Layers of a language model on one of the cards that share it: products, vector work, transfers between cards.

The work of the busiest card is counted. Weights of a file that states its own bits keep them.
"""

from collections import Counter
from dataclasses import dataclass
from math import ceil

from model.network.build import Builder
from model.network.language import Attention, Block, FeedForward, LanguageModel, Matrix, State
from model.network.layer import Layer
from model.network.split import Split
from model.work.workload import Gemm

HEAD_BITS = 16
"""Embeddings and output matrix of a model whose weights are of 8 bits or fewer: what quantisers leave as it was (the
`lm_head` of llm-compressor and of TensorRT Model Optimizer's defaults, `embed_tokens` in both)."""

SCAN = 256
"""Tokens of a prompt that a state passes at once: rows beyond so many are of prompts, not of sequences of their own
(chunks of Mamba 2 and of the gated delta rule in their reference kernels)."""


def held_heads(attention: Attention, cards: int) -> int:
    """Whole key-value heads on the card that holds most: all that its query heads read."""
    each, group = attention.heads // cards, attention.heads // attention.kv_heads
    starts = range(0, attention.heads, each)
    return max((start + each - 1) // group - start // group + 1 for start in starts)


def active_experts(feed: FeedForward, tokens: int) -> int:
    """Experts of a layer that `tokens` tokens reach, if each picks its experts evenly and independently.

    Expected value E (1 - (1 - k/E)**tokens), rounded, at least k.
    """
    e, k = feed.experts, feed.per_token
    return max(k, min(e, round(e * (1 - (1 - k / e) ** tokens))))


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageLayers:
    """Writes layers into a `Builder`.

    Parameters
    ----------
    model : LanguageModel
        Whose layers are written.
    cards : int
        Tensor parallelism.
    split : Split
        Read for `expert` and `data`: where experts lie, and whose tokens reach them.
    weight_format : str
        Number format of the weights whose bits the model's file does not state.
    head_bits : int
        Of a weight of the output matrix, unless the file states it.
    """

    model: LanguageModel
    cards: int
    split: Split
    weight_format: str
    head_bits: int

    def block(
        self,
        builder: Builder,
        name: str,
        block: Block,
        rows: int,
        *,
        scores: tuple[int, int, int] | None = None,
        whole: bool = False,
    ) -> None:
        """One layer of the model; with `scores`, (queries, context, batch), attention's own products too."""
        hidden = self.model.hidden
        mixes = block.attention is not None or block.state is not None
        for number in range(1, block.norms + 1 - (block.feed is not None and mixes and block.norms > 1)):
            builder.vector(f"{name}_norm_{number}", "RMSNormalization", rows * hidden, inputs=2, weights=hidden)
        if block.attention is not None:
            self._attention(builder, name, block.attention, rows, scores)
        if block.state is not None:
            self._state(builder, name, block.state, rows)
        if mixes:
            self._all_reduce(builder, f"{name}_sum_1", rows)
        if block.feed is not None:
            if mixes and block.norms > 1:
                last = f"{name}_norm_{block.norms}"
                builder.vector(last, "RMSNormalization", rows * hidden, inputs=2, weights=hidden)
            self._feed_forward(builder, name, block.feed, rows, whole=whole)

    def head(self, builder: Builder, outputs: int) -> None:
        """Only the last position of each sequence is turned into a token."""
        model = self.model
        bits: float = self.head_bits
        if model.quantization is not None:
            head = Matrix(path="lm_head", columns=model.vocabulary, rows=model.hidden)
            bits = HEAD_BITS if model.tied else model.matrix_bits(head, self.weight_format)
        builder.vector("norm", "RMSNormalization", outputs * model.hidden, weights=model.hidden)
        builder.product("output", outputs, ceil(model.vocabulary / self.cards), model.hidden, weight_bits=bits)
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

    def _matrix(self, builder: Builder, name: str, rows: int, matrices: list[Matrix], attention: Attention) -> None:
        """One product of matrices that read the same input."""
        columns = 0
        inner = matrices[0].rows
        for m in matrices:
            if m.cut == "keys":
                columns += m.columns // attention.kv_heads * held_heads(attention, self.cards)
            elif m.cut == "columns":
                columns += ceil(m.columns / self.cards)
            else:
                columns += m.columns
            if m.cut == "rows":
                inner = ceil(m.rows / self.cards)
        builder.product(name, rows, columns, inner, weight_bits=self._bits(matrices[0]))

    def _bits(self, matrix: Matrix) -> float | None:
        """Bits of a weight where the file states them; None: of the run's format."""
        if self.model.quantization is None:
            return None
        return self.model.matrix_bits(matrix, self.weight_format)

    def _attention(
        self, builder: Builder, name: str, a: Attention, rows: int, scores: tuple[int, int, int] | None
    ) -> None:
        matrices = {m.path.rpartition(".")[2]: m for m in a.matrices(self.model.hidden)}
        if a.latent:
            for key, label in (
                ("q_a_proj", "query_down"), ("q_b_proj", "query"), ("q_proj", "query"),
                ("kv_a_proj_with_mqa", "key_value_down"), ("kv_b_proj", "key_value"),
            ):  # fmt: skip
                if key in matrices:
                    self._matrix(builder, f"{name}_{label}", rows, [matrices[key]], a)
        else:
            self._matrix(builder, f"{name}_query", rows, [matrices["q_proj"]], a)
            if not a.shares_cache:
                self._matrix(builder, f"{name}_key_value", rows, [matrices["k_proj"], matrices["v_proj"]], a)
        heads = a.heads // self.cards
        turned = (a.rotary or a.head_size) * heads + (a.rotary or a.head_size * held_heads(a, self.cards))
        builder.vector(f"{name}_rotary", "RotaryEmbedding", rows * turned)
        if scores is not None:
            self._scores(builder, name, a, scores)
        self._matrix(builder, f"{name}_attention_output", rows, [matrices["o_proj"]], a)

    def _scores(self, builder: Builder, name: str, a: Attention, scores: tuple[int, int, int]) -> None:
        """Queries with keys, and their weights with values: heads that share keys are rows of one product."""
        queries, context, batch = scores
        if a.window is not None:
            context = min(context, a.window)
        heads, group = a.heads // self.cards, a.heads // a.kv_heads
        start = max(range(0, a.heads, heads), key=lambda s: ((s + heads - 1) // group - s // group, -s))
        # (query heads that read one key-value head) -> how many such
        shares = Counter(Counter(h // group for h in range(start, start + heads)).values())
        latent = a.latent and queries == 1
        if latent:
            shares = Counter({heads: 1})
        key, value = (a.latent + a.rotary, a.latent) if latent else (a.head_size, a.values)
        for label, n, k in (("scores", context, key), ("context", value, context)):
            if label == "context":
                builder.vector(f"{name}_softmax", "Softmax", batch * heads * queries * context)
            gemms = tuple(
                Gemm(name=f"{name}_{label}", m=share * queries, n=n, k=k, count=batch * many)
                for share, many in sorted(shares.items(), reverse=True)
            )
            builder.layers.append(
                Layer(
                    name=f"{name}_{label}",
                    operator="MatMul",
                    kind="gemm",
                    gemms=gemms,
                    operations=2 * sum(g.macs for g in gemms),
                    input_elements=sum((g.m * g.k + g.n * g.k) * g.count for g in gemms),
                    output_elements=sum(g.m * g.n * g.count for g in gemms),
                    stationary=False,
                )
            )

    def _state(self, builder: Builder, name: str, state: State, rows: int) -> None:
        """Projections, and the update of the state on the vector engines; each sequence's state is read and written."""
        for index, m in enumerate(state.projections):
            columns = m.columns if m.cut in ("copied", "rows") else ceil(m.columns / self.cards)
            inner = ceil(m.rows / self.cards) if m.cut == "rows" else m.rows
            builder.product(f"{name}_state_{index}", rows, columns, inner, weight_bits=self._bits(m))
        if state.work:
            passed = min(rows, SCAN) * ceil(state.elements / self.cards)
            builder.layers.append(
                Layer(
                    name=f"{name}_state_update",
                    operator="StateUpdate",
                    kind="vector",
                    operations=rows * ceil(state.work / self.cards),
                    input_elements=passed,
                    output_elements=passed,
                )
            )

    def _feed_forward(self, builder: Builder, name: str, feed: FeedForward, rows: int, *, whole: bool) -> None:
        matrices = {m.path.rpartition(".")[2]: m for m in feed.matrices(self.model.hidden)}
        bits = self._bits(matrices["up_proj"])
        if feed.experts == 1:
            self._part(builder, name, feed, [(rows, 1)], feed.width // self.cards, bits)
            self._all_reduce(builder, f"{name}_sum_2", rows)
            return
        hidden, spread = self.model.hidden, self.split.expert > 1
        builder.product(f"{name}_router", rows, feed.experts, hidden, weight_bits=HEAD_BITS)
        everyone = rows * self.split.data
        active = feed.experts if whole else active_experts(feed, everyone)
        here, width = ceil(active / self.split.expert), feed.width * self.split.expert // (self.cards * self.split.data)
        if spread:
            self._all_to_all(builder, f"{name}_dispatch", rows, feed)
        # every assignment of a token to an expert is one row, spread evenly over the experts that any token reached
        assigned = max(here, ceil(everyone * feed.per_token / self.split.expert)) if not whole else here
        each, more = divmod(assigned, here)
        shares = [(n, many) for n, many in ((each + 1, more), (each, here - more)) if many]
        self._part(builder, name, feed, shares, width, bits)
        if feed.shared:
            self._part(builder, f"{name}_shared", feed, [(rows, 1)], ceil(feed.shared / self.cards), bits)
        if spread:
            self._all_to_all(builder, f"{name}_combine", rows, feed)
        else:
            self._all_reduce(builder, f"{name}_sum_2", rows)

    def _part(
        self,
        builder: Builder,
        name: str,
        feed: FeedForward,
        shares: list[tuple[int, int]],
        width: int,
        bits: float | None,
    ) -> None:
        """Up, activation and down of dense layers or of experts: (rows, how many experts have so many) each."""
        hidden = self.model.hidden
        up = 2 * width if feed.gated else width
        elements = sum(rows * many for rows, many in shares) * width
        self._experts(builder, f"{name}_up", shares, up, hidden, bits)
        kind = "SwishMultiply" if feed.gated else "Gelu"
        builder.vector(f"{name}_activation", kind, elements, inputs=2 if feed.gated else 1)
        self._experts(builder, f"{name}_down", shares, hidden, width, bits)

    def _experts(
        self, builder: Builder, name: str, shares: list[tuple[int, int]], n: int, k: int, bits: float | None
    ) -> None:
        gemms = tuple(Gemm(name=name, m=rows, n=n, k=k, count=many) for rows, many in shares)
        builder.layers.append(
            Layer(
                name=name,
                operator="MatMul",
                kind="gemm",
                gemms=gemms,
                operations=2 * sum(g.macs for g in gemms),
                input_elements=sum(g.m * k * g.count for g in gemms),
                weight_elements=sum(n * k * g.count for g in gemms),
                output_elements=sum(g.m * n * g.count for g in gemms),
                weight_bits=bits,
            )
        )

    def _all_to_all(self, builder: Builder, name: str, rows: int, feed: FeedForward) -> None:
        """Tokens to their experts, or results back: of a device's equal share of the rows."""
        elements = ceil(rows / self.cards) * self.model.hidden * feed.per_token
        builder.layers.append(
            Layer(name=name, operator="AllToAll", kind="move", input_elements=elements, output_elements=elements)
        )

    def _all_reduce(self, builder: Builder, name: str, rows: int) -> None:
        """Partial sums over all cards; nothing on one card."""
        if self.cards > 1:
            elements = rows * self.model.hidden
            builder.layers.append(
                Layer(name=name, operator="AllReduce", kind="move", input_elements=elements, output_elements=elements)
            )
