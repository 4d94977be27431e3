"""A decoder from prompt to token in the formats of the hardware, as plain loops over layers, tokens and heads.

Follows `docs/numeric-contract.md` alone: it knows no descriptor, no memory and no unit, and takes nothing from a
simulation.
"""

from dataclasses import dataclass, field

import numpy as np

from model.language.config import DecoderConfig
from model.number.codec import decode, encode
from model.reference import vector
from model.reference.products import Product

Tensors = dict[tuple[str, int], np.ndarray]
"""(name, layer) -> codes (tokens, elements), of attention (heads, tokens, positions); layer -1: outside of layers."""


def neighbours(head_dim: int) -> np.ndarray:
    """Order of a head's elements in which the pairs that turn together are neighbours: 0, h/2, 1, h/2 + 1, ..."""
    half = head_dim // 2
    return np.arange(head_dim).reshape(2, half).T.reshape(-1)


def rotary_tables(config: DecoderConfig, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Codes (positions, head_dim) of cosines, each twice, and of sines with the signs -, +."""
    half = config.head_dim // 2
    angle = np.outer(np.arange(config.max_position_embeddings), config.rope_theta ** (-np.arange(half) / half))
    cosine = np.repeat(np.cos(angle), 2, axis=1)
    sine = np.repeat(np.sin(angle), 2, axis=1) * np.tile([-1.0, 1.0], half)
    return encode(cosine.astype(np.float32), name), encode(sine.astype(np.float32), name)


@dataclass
class StoredWeights:
    """Weights as codes of one format, by what they do.

    Parameters
    ----------
    embedding : array (vocabulary, hidden)
        A row for each token.
    head : array (vocabulary, hidden)
        What makes logits of the last layer's result; the same array as `embedding` if they are tied.
    layers : for each layer "norm1", "qkv", "out", "norm2", "gate_up", "down"
        qkv has the rows of queries, keys and values below one another, elements of a query or key head in the order of
        `neighbours`; gate_up those of gate and up.
    norm : array (hidden,)
        Gains of the norm behind the last layer.
    """

    embedding: np.ndarray
    head: np.ndarray
    norm: np.ndarray
    layers: list[dict[str, np.ndarray]] = field(default_factory=list)


def store_weights(config: DecoderConfig, weights: dict[str, np.ndarray], name: str) -> StoredWeights:
    """Round FP32 weights to the format `name`."""
    codes = {key: encode(np.asarray(value, np.float32), name) for key, value in weights.items()}
    order = neighbours(config.head_dim)

    def by_head(rows: np.ndarray) -> np.ndarray:
        return rows.reshape(-1, config.head_dim, rows.shape[1])[:, order].reshape(rows.shape)

    embedding = codes["model.embed_tokens.weight"]
    stored = StoredWeights(
        embedding, embedding if config.tie_word_embeddings else codes["lm_head.weight"], codes["model.norm.weight"]
    )
    for layer in range(config.num_hidden_layers):
        at = f"model.layers.{layer}."
        q, k, v = (codes[f"{at}self_attn.{x}_proj.weight"] for x in "qkv")
        stored.layers.append(
            {
                "norm1": codes[at + "input_layernorm.weight"],
                "qkv": np.concatenate([by_head(q), by_head(k), v]),
                "out": codes[at + "self_attn.o_proj.weight"],
                "norm2": codes[at + "post_attention_layernorm.weight"],
                "gate_up": np.concatenate([codes[at + "mlp.gate_proj.weight"], codes[at + "mlp.up_proj.weight"]]),
                "down": codes[at + "mlp.down_proj.weight"],
            }
        )
    return stored


class Decoder:
    """Keys and values of what was read so far, and the arithmetic.

    Parameters
    ----------
    config : DecoderConfig
    weights : StoredWeights
    name : str
        The storage format of every tensor.
    """

    def __init__(self, config: DecoderConfig, weights: StoredWeights, name: str) -> None:
        self.config, self.weights, self.name = config, weights, name
        self.cosine, self.sine = rotary_tables(config, name)
        self.keys = [np.zeros((0, config.kv_size), np.uint16) for _ in range(config.num_hidden_layers)]
        self.values = [np.zeros((0, config.kv_size), np.uint16) for _ in range(config.num_hidden_layers)]

    @property
    def position(self) -> int:
        """Tokens read so far."""
        return len(self.keys[0])

    def read(self, tokens: list[int], project: Product, attend: Product, *, last: bool = True) -> Tensors:
        """Read tokens at the next positions; `project` multiplies by weights, `attend` by keys and values.

        Returns every tensor; with `last` also the logits of the last token and the token they choose.
        """
        config, name = self.config, self.name
        epsilon = vector.epsilon_code(config.rms_norm_eps)
        out: Tensors = {("embedding", -1): self.weights.embedding[tokens]}
        x = out["embedding", -1]
        for layer, w in enumerate(self.weights.layers):
            found: dict[str, np.ndarray] = {}
            found["norm1"] = vector.rms_norm(x, w["norm1"], name, epsilon)
            found["qkv"] = project(w["qkv"], found["norm1"])
            found |= self._attention(layer, found["qkv"], attend)
            found["out"] = project(w["out"], found["context"])
            found["residual1"] = vector.add(x, found["out"], name)
            found["norm2"] = vector.rms_norm(found["residual1"], w["norm2"], name, epsilon)
            found["gate_up"] = project(w["gate_up"], found["norm2"])
            gate, up = np.split(found["gate_up"], 2, axis=-1)
            found["gated"] = vector.gate(gate, up, name, vector.silu_scale())
            found["down"] = project(w["down"], found["gated"])
            x = found["residual2"] = vector.add(found["residual1"], found["down"], name)
            out |= {(tensor, layer): value for tensor, value in found.items()}
        if last:
            out["norm", -1] = self._last_norm(x[-1:])
            out["logits", -1] = project(self.weights.head, out["norm", -1])
            out["token", -1] = np.array([[vector.arg_max(out["logits", -1][0], name)]], np.uint16)
        return out

    def logits(self, x: np.ndarray, project: Product) -> np.ndarray:
        """float32 logits (tokens, vocabulary) of rows of the residual stream behind the last layer."""
        return decode(project(self.weights.head, self._last_norm(x)), self.name)

    def _last_norm(self, x: np.ndarray) -> np.ndarray:
        return vector.rms_norm(x, self.weights.norm, self.name, vector.epsilon_code(self.config.rms_norm_eps))

    def _attention(self, layer: int, qkv: np.ndarray, attend: Product) -> dict[str, np.ndarray]:
        """Rotated queries and keys, scores, chances and context of the tokens at the next positions."""
        config, name = self.config, self.name
        first, tokens = len(self.keys[layer]), len(qkv)
        turned = config.query_size + config.kv_size
        place = np.arange(first, first + tokens)
        heads = turned // config.head_dim
        cosine, sine = (np.tile(table[place], (1, heads)) for table in (self.cosine, self.sine))
        rotated = vector.rotate(qkv[:, :turned], cosine, sine, name)
        self.keys[layer] = np.concatenate([self.keys[layer], rotated[:, config.query_size :]])
        self.values[layer] = np.concatenate([self.values[layer], qkv[:, turned:]])
        end = first + tokens
        scores = np.zeros((config.num_attention_heads, tokens, end), np.uint16)
        chances = np.zeros_like(scores)
        context = np.zeros((tokens, config.query_size), np.uint16)
        scale = vector.softmax_scale(config.head_dim**-0.5)
        for head in range(config.num_attention_heads):
            shared = slice(head // config.group * config.head_dim, (head // config.group + 1) * config.head_dim)
            own = slice(head * config.head_dim, (head + 1) * config.head_dim)
            keys, values = self.keys[layer][:, shared], self.values[layer][:, shared]
            for token in range(tokens):
                seen = first + token + 1
                scores[head, token, :seen] = attend(keys[:seen], rotated[token : token + 1, own])[0]
                chances[head, token, :seen] = vector.softmax(scores[head, token, :seen], name, scale)
                context[token, own] = attend(values[:seen].T.copy(), chances[head, token : token + 1, :seen])[0]
        return {"rotated": rotated, "scores": scores, "chances": chances, "context": context}
