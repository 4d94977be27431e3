"""What a decoder-only language model is made of: layers of attention or state and a feed-forward part, in groups of
equals.

Shapes come from families (`model.network.families`, one file each); bits of the weights from
`model.network.quantization`. Counts are of elements; a matrix of `columns` x `rows` has so many outputs and inputs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from hw.base.error import InputError
from hw.spec.number import number_format
from model.network.quantization import Quantization

Cut = Literal["columns", "rows", "copied", "keys"]
"""How tensor parallelism divides a matrix: its outputs, its inputs, not at all, or its outputs by key-value heads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Weights of one product: `columns` outputs of `rows` inputs, `count` such matrices, at `path` in the file's
    naming.

    Parameters
    ----------
    cut : Cut
        How tensor parallelism divides it; by its outputs if not given.
    """

    path: str
    columns: int
    rows: int
    count: int = 1
    cut: Cut = "columns"

    @property
    def elements(self) -> int:
        """Weights."""
        return self.columns * self.rows * self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Softmax attention of one layer.

    Parameters
    ----------
    heads, kv_heads, head_size : int
        `head_size` is the width of queries and keys.
    value_size : int
        Width of values; 0: as keys.
    window : int or None
        A token sees so many tokens, itself included, and the cache holds no more; None: all.
    shares_cache : bool
        Keys and values are another layer's.
    gated : bool
        Queries come with a gate of the same width on the output.
    latent, query_rank, rotary : int
        Multi-head latent attention where `latent` is above 0: the cache holds one vector of `latent` + `rotary`
        elements a token for all heads; queries pass through `query_rank` elements (0: directly); `head_size` includes
        `rotary`.
    """

    heads: int
    kv_heads: int
    head_size: int
    value_size: int = 0
    window: int | None = None
    shares_cache: bool = False
    gated: bool = False
    latent: int = 0
    query_rank: int = 0
    rotary: int = 0

    @property
    def values(self) -> int:
        """Width of a head's values."""
        return self.value_size or self.head_size

    @property
    def cache_elements(self) -> int:
        """Elements of the cache per token of this layer."""
        if self.shares_cache:
            return 0
        return self.latent + self.rotary if self.latent else self.kv_heads * (self.head_size + self.values)

    def matrices(self, hidden: int) -> Iterator[Matrix]:
        """Projections of `hidden` elements a token."""
        path, heads = "self_attn", self.heads
        if self.latent:
            if self.query_rank:
                yield Matrix(path=f"{path}.q_a_proj", columns=self.query_rank, rows=hidden, cut="copied")
            yield Matrix(
                path=f"{path}.q_b_proj" if self.query_rank else f"{path}.q_proj",
                columns=heads * self.head_size,
                rows=self.query_rank or hidden,
            )
            yield Matrix(
                path=f"{path}.kv_a_proj_with_mqa", columns=self.latent + self.rotary, rows=hidden, cut="copied"
            )
            yield Matrix(
                path=f"{path}.kv_b_proj", columns=heads * (self.head_size - self.rotary + self.values), rows=self.latent
            )
        else:
            yield Matrix(path=f"{path}.q_proj", columns=heads * self.head_size * (2 if self.gated else 1), rows=hidden)
            if not self.shares_cache:
                yield Matrix(path=f"{path}.k_proj", columns=self.kv_heads * self.head_size, rows=hidden, cut="keys")
                yield Matrix(path=f"{path}.v_proj", columns=self.kv_heads * self.values, rows=hidden, cut="keys")
        yield Matrix(path=f"{path}.o_proj", columns=hidden, rows=heads * self.values, cut="rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A layer whose memory of the past has a fixed size: state space, linear attention, short convolution.

    Parameters
    ----------
    projections : tuple of Matrix
        Matrices that every token passes on its way into and out of the state.
    elements : int
        Of the state of one sequence.
    work : int
        Multiply-accumulates a token besides the projections, mostly the update and the reading of the state.
    """

    projections: tuple[Matrix, ...]
    elements: int
    work: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedForward:
    """The feed-forward part of one layer.

    Parameters
    ----------
    width : int
        Of the dense part or of one expert.
    gated : bool
        Three matrices instead of two.
    experts, per_token : int
        1 and 1 for a dense layer.
    shared : int
        Width of the experts that every token passes, together.
    """

    width: int
    gated: bool = True
    experts: int = 1
    per_token: int = 1
    shared: int = 0

    def matrices(self, hidden: int) -> Iterator[Matrix]:
        """Router, experts, shared experts; or the dense matrices."""
        if self.experts > 1:
            yield Matrix(path="mlp.gate", columns=self.experts, rows=hidden, cut="copied")
            yield from self._part("mlp.experts.0", hidden, self.width, self.experts)
            if self.shared:
                yield from self._part("mlp.shared_experts", hidden, self.shared, 1)
        else:
            yield from self._part("mlp", hidden, self.width, 1)

    def _part(self, path: str, hidden: int, width: int, count: int) -> Iterator[Matrix]:
        if self.gated:
            yield Matrix(path=f"{path}.gate_proj", columns=width, rows=hidden, count=count)
        yield Matrix(path=f"{path}.up_proj", columns=width, rows=hidden, count=count)
        yield Matrix(path=f"{path}.down_proj", columns=hidden, rows=width, count=count, cut="rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One layer: attention, state or both side by side, and a feed-forward part or none.

    `vectors`: weights of its normalisations, biases and the like, none of which enters a matrix product.

    Parameters
    ----------
    attention : Attention or None
        None: the layer has none.
    state : State or None
        None: the layer keeps no state of fixed size.
    feed : FeedForward or None
        None: the layer has no feed-forward part.
    norms : int
        Normalisations of the hidden vector in the layer that are counted as vector work.
    """

    attention: Attention | None = None
    state: State | None = None
    feed: FeedForward | None = None
    vectors: int = 0
    norms: int = 2

    def matrices(self, hidden: int) -> Iterator[Matrix]:
        """All matrices of the layer."""
        if self.attention is not None:
            yield from self.attention.matrices(hidden)
        if self.state is not None:
            yield from self.state.projections
        if self.feed is not None:
            yield from self.feed.matrices(hidden)


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModel:
    """A decoder-only language model.

    Parameters
    ----------
    name, family : str
        `family` is the file's model_type.
    hidden, vocabulary : int
        Width of the vector that goes from layer to layer, and rows of the table of tokens.
    positions : int
        Longest context.
    groups : tuple of (Block, int)
        Equal layers and how many there are, in the order of their first.
    tied : bool
        Input and output embeddings are one matrix.
    vectors : int
        Weights outside of the layers and the embeddings: last normalisation, biases of the head, tables of positions.
    embeddings_per_layer : int
        Elements a token looks up in a further table of the vocabulary (0: none).
    quantization : Quantization or None
        Bits of the weights as the file states them; None: of one format, chosen when it is served.
    stored : str
        Number format of the weights in the file, a name of `hw.spec.number.FORMATS`; "": not stated.
    unread : tuple of str
        Parts of the file that this description leaves out, for people.
    """

    name: str
    family: str
    hidden: int
    vocabulary: int
    positions: int
    groups: tuple[tuple[Block, int], ...]
    tied: bool = False
    vectors: int = 0
    embeddings_per_layer: int = 0
    quantization: Quantization | None = None
    stored: str = ""
    unread: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for block, count in self.groups:
            if count < 1:
                raise InputError(f"a group of equal layers of {self.name} must have at least 1, not {count}")
            a, f = block.attention, block.feed
            if a is not None and (a.kv_heads > a.heads or a.heads % a.kv_heads):
                raise InputError(
                    f"heads of {self.name} must be a multiple of its kv_heads, not {a.heads} and {a.kv_heads}"
                )
            if f is not None and f.per_token > f.experts:
                raise InputError(
                    f"experts_per_token of {self.name} must be at most its {f.experts} experts, not {f.per_token}"
                )
        windows = {b.attention.window for b, _ in self.groups if b.attention is not None} - {None}
        if len(windows) > 1:
            raise InputError(f"the windows of {self.name} must be of one size, not {sorted(windows)}")  # type: ignore[type-var]

    @property
    def layers(self) -> int:
        """Layers of all groups."""
        return sum(count for _, count in self.groups)

    @property
    def typical(self) -> Block:
        """The layer of which there are most among those with attention."""
        with_attention = [g for g in self.groups if g[0].attention is not None] or list(self.groups)
        return max(with_attention, key=lambda group: group[1])[0]

    @property
    def window(self) -> int | None:
        """Tokens that layers with a sliding window see; None if there are none."""
        return next((b.attention.window for b, _ in self.groups if b.attention and b.attention.window), None)

    @property
    def heads(self) -> int:
        """Query heads of the typical layer; 0 without attention."""
        return self.typical.attention.heads if self.typical.attention else 0

    @property
    def kv_heads(self) -> int:
        """Heads with their own keys and values of the typical layer."""
        return self.typical.attention.kv_heads if self.typical.attention else 0

    @property
    def head_size(self) -> int:
        """Width of a query of the typical layer."""
        return self.typical.attention.head_size if self.typical.attention else 0

    @property
    def feed(self) -> FeedForward:
        """The feed-forward part of which there is most, by experts."""
        feeds = [b.feed for b, _ in self.groups if b.feed is not None]
        return max(feeds, key=lambda f: (f.experts, f.width)) if feeds else FeedForward(width=1)

    @property
    def intermediate(self) -> int:
        """Width of the feed-forward part (of one expert)."""
        return self.feed.width

    @property
    def experts(self) -> int:
        """Experts of a layer; 1: dense."""
        return self.feed.experts

    @property
    def experts_per_token(self) -> int:
        """Experts that a token passes."""
        return self.feed.per_token

    @property
    def gated(self) -> bool:
        """Three feed-forward matrices instead of two."""
        return self.feed.gated

    @property
    def attention_weights(self) -> int:
        """Weights of the typical layer's projections."""
        attention = self.typical.attention
        return sum(m.elements for m in attention.matrices(self.hidden)) if attention else 0

    @property
    def expert_weights(self) -> int:
        """Weights of one layer's feed-forward part (of one expert)."""
        return (3 if self.gated else 2) * self.hidden * self.intermediate

    @property
    def router_weights(self) -> int:
        """Weights of one layer's choice of experts."""
        return self.hidden * self.experts if self.experts > 1 else 0

    @property
    def embeddings(self) -> int:
        """Elements of the tables of tokens, the head included where it is a matrix of its own."""
        return (1 if self.tied else 2) * self.vocabulary * self.hidden + self.vocabulary * self.embeddings_per_layer

    @property
    def parameters(self) -> int:
        """All parameters, normalisation, biases and embeddings included."""
        return (
            self.embeddings
            + self.vectors
            + sum(
                count * (block.vectors + sum(m.elements for m in block.matrices(self.hidden)))
                for block, count in self.groups
            )
        )

    @property
    def active_parameters(self) -> int:
        """Parameters that one token meets: of a mixture only the experts it passes, of the tables its row and the
        head."""
        total = self.vectors + self.vocabulary * self.hidden
        for block, count in self.groups:
            for matrix in block.matrices(self.hidden):
                share = block.feed.per_token if block.feed and "experts.0" in matrix.path else matrix.count
                total += count * share * matrix.columns * matrix.rows
            total += count * block.vectors
        return total

    @property
    def kv_elements_per_token(self) -> int:
        """Elements that the cache holds for each token that a sequence adds while no window is full."""
        return sum(count * block.attention.cache_elements for block, count in self.groups if block.attention)

    def cache_elements(self, context: int) -> int:
        """Elements of the cache of one sequence of `context` tokens: windows hold no more than their size, states
        all."""
        total = 0
        for block, count in self.groups:
            a = block.attention
            if a is not None:
                total += count * a.cache_elements * (context if a.window is None else min(context, a.window))
            if block.state is not None:
                total += count * block.state.elements
        return total

    def held_in(self, number: str) -> str:
        """How the weights are held where `number` is chosen, for people: in it, or as the file states them."""
        return number if self.quantization is None else self.quantization.title

    def weight_bytes(self, number: str) -> float:
        """Bytes of all weights.

        As the file states them where it does; else the matrices of the layers in `number`, and embeddings, head,
        normalisations, biases and routers in 16 bits if `number` is narrower, as engines keep them.
        """
        wide = max(16, number_format(number).bits)
        bits = float(wide * (self.embeddings + self.vectors))
        for block, count in self.groups:
            bits += wide * count * block.vectors
            bits += count * sum(self.matrix_bits(m, number) * m.elements for m in block.matrices(self.hidden))
        if self.quantization is not None and self.quantization.head and not self.tied:
            head = Matrix(path="lm_head", columns=self.vocabulary, rows=self.hidden)
            bits += (self.matrix_bits(head, number) - wide) * head.elements
        return bits / 8

    def matrix_bits(self, matrix: Matrix, number: str) -> float:
        """Bits of each weight of a matrix of a layer, its scales and zero points spread over them."""
        if self.quantization is not None:
            return self.quantization.bits(matrix.path, matrix.columns, matrix.rows, self.layers)
        narrow = number_format(number).bits
        return float(max(16, narrow) if matrix.path == "mlp.gate" else narrow)

    def single(self) -> "LanguageModel":
        """The model with one typical layer."""
        return replace(self, groups=((self.typical, 1),))
