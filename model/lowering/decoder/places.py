"""Where the matrices, constants and tensors of a decoder lie in channel, crossbars and shared memory."""

from dataclasses import dataclass, field

import numpy as np

from hw.base.integer import ceil_div
from hw.spec.vector_micro import LANES
from model.language.config import DecoderConfig
from model.lowering.decoder.channels import SplitMatrix
from model.lowering.decoder.crossbar import CrossbarPlace, Crossbars
from model.lowering.decoder.machine import Machine
from model.lowering.decoder.shared import Region
from model.reference.decoder import StoredWeights, rotary_tables


@dataclass
class LayerPlaces:
    """Places of a layer's matrices in channels or crossbars and of its tensors in the shared memory.

    Parameters
    ----------
    matrices : dict of str to SplitMatrix or CrossbarPlace
        The weights "qkv", "out", "gate_up" and "down".
    keys, values : list of list of SplitMatrix
        The cache in the channels: for every head of keys and values its copies.
    gains : dict of str to int
        First word of the gains "norm1" and "norm2" in the shared memory.
    tensors : dict of str to Region
        Every tensor that the layer writes, by name, in the shared memory.
    block : int
        First word of the values of the last positions, which are turned before they go to the channel.
    """

    matrices: dict[str, SplitMatrix | CrossbarPlace]
    keys: list[list[SplitMatrix]]
    values: list[list[SplitMatrix]]
    gains: dict[str, int]
    tensors: dict[str, Region] = field(default_factory=dict)
    block: int = 0


class Places:
    """Everything a decoder keeps, laid out once before the first descriptor.

    Parameters
    ----------
    machine : Machine
        Its channels and shared memory are filled, its buffers reserved.
    config : DecoderConfig
    weights : StoredWeights
        In the system's format.
    prompt : list of int
        Token numbers; they are fetched together with the constants.

    Raises `InputError` for what does not fit a memory.
    """

    def __init__(self, machine: Machine, config: DecoderConfig, weights: StoredWeights, prompt: list[int]) -> None:
        spec = machine.spec
        self.machine, self.config, self.weights, self.prompt = machine, config, weights, prompt
        self.channels, self.shared, self.name = machine.channels, machine.shared, machine.name
        self.batch = min(spec.core.array.columns, len(prompt))
        self.words = ceil_div(config.max_position_embeddings, LANES)  # of a row of scores
        self.crossbars = None if spec.crossbar is None else Crossbars(spec.crossbar_unit)
        self._place_matrices()
        self._place_tensors()

    def _place_matrices(self) -> None:
        config, channels = self.config, self.channels
        self.layers: list[LayerPlaces] = []
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
            self.layers.append(LayerPlaces(matrices=matrices, keys=[], values=[], gains=gains))
        embedding = channels.embedding(self.weights.embedding)
        if embedding is not None and config.tie_word_embeddings and self.crossbars is None:
            self.head: SplitMatrix | CrossbarPlace = embedding
        else:
            self.head = self._matrix("output matrix", self.weights.head)
        for layer in self.layers:
            layer.keys = channels.caches(
                "keys", config.num_key_value_heads, config.group, config.max_position_embeddings, config.head_dim
            )
        for layer in self.layers:
            layer.values = channels.caches(
                "values", config.num_key_value_heads, config.group, config.head_dim, config.max_position_embeddings
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
        found = np.concatenate([words, prompt])
        self.constants = channels.first.put_words("constants", found), len(found)
        for layer in self.layers:
            layer.gains = {what: base + first for what, first in layer.gains.items()}
        self.gain, self.table, self.constants_at = base + gain, base + table, base

    def _matrix(self, what: str, codes: np.ndarray) -> SplitMatrix | CrossbarPlace:
        """Weights (outputs, inputs) in the crossbars, or in the channels of a system without."""
        if self.crossbars is not None:
            return self.crossbars.matrix(what, codes)
        return self.channels.matrix(what, codes)

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
        # lane sums of heads whose channels multiply beside each other
        heads = min(len(self.channels), config.num_attention_heads)
        outputs = max(outputs, heads * ceil_div(max(positions, config.head_dim), LANES) * LANES)
        self.machine.reserve(widest, outputs)
