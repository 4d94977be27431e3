"""One layer of a published decoder at its full width on channels of GDDR6-AiM: what one channel holds and does.

Outputs of every projection are divided among the channels; a channel has one head of keys and values and the query
heads that share it. The reference computes the layer; `share` is one channel's part of it as descriptors, cells and the
words that must come out, `projections` all products of a token on the device model.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.memory_controller import ControllerSpec, Gemv, MemoryCommand, Transfer
from hw.spec.pim import PimSpec
from model.cycle.system.aim_controller import AimController
from model.functional.aim_products import gemv
from model.language.config import DecoderConfig
from model.number.codec import encode
from model.reference.decoder import Decoder, StoredWeights, Tensors
from model.reference.products import aim_product

CHANNELS = 8
"""One for each head of keys and values of Llama 3.2 1B: four packages."""

POSITIONS = 512
"""Length of the cache, the new token included."""

SHARED_WORDS = 2048
ROWS = 512


@dataclass(slots=True)
class Share:
    """What one channel does.

    Parameters
    ----------
    program : list of MemoryCommand
        Descriptors of the channel's controller, in order.
    cells : dict
        (bank, row) -> uint16 (columns, lanes), before the program.
    shared : uint16 array (words, lanes)
        The shared memory before the program.
    results : list of (name, first word, uint16 array (words, lanes))
        What must lie in the shared memory afterwards.
    """

    program: list[MemoryCommand] = field(default_factory=list)
    cells: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)
    shared: np.ndarray = field(default_factory=lambda: np.zeros((SHARED_WORDS, 16), np.uint16))
    results: list[tuple[str, int, np.ndarray]] = field(default_factory=list)


def random_codes(rng: np.random.Generator, shape: tuple[int, ...], size: float) -> np.ndarray:
    """BF16 codes of either sign, their magnitudes in the four octaves below 2 `size`: any significand."""
    codes = rng.integers(0, 1 << 16, shape, np.uint16)
    lowest = 127 - 2 + int(np.floor(np.log2(size)))
    codes &= np.uint16(0x81FF)  # sign, two bits of the exponent, significand
    return codes + np.uint16(lowest - 1 << 7)


def random_layer(config: DecoderConfig, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Weights of one layer as `StoredWeights` has them."""
    hidden, inner = config.hidden_size, config.intermediate_size
    shapes = {
        "qkv": (config.query_size + 2 * config.kv_size, hidden),
        "out": (hidden, config.query_size),
        "gate_up": (2 * inner, hidden),
        "down": (hidden, inner),
    }
    layer = {name: random_codes(rng, shape, shape[1] ** -0.5) for name, shape in shapes.items()}
    ones = encode(np.ones(hidden, np.float32), "bf16")
    return layer | {"norm1": ones, "norm2": ones}


def reference(config: DecoderConfig, layer: dict[str, np.ndarray], rng: np.random.Generator) -> tuple[Tensors, Decoder]:
    """Every tensor of the layer for one token behind a filled cache, and the decoder with the cache."""
    hidden = config.hidden_size
    embedding = random_codes(rng, (2, hidden), 1.0)
    decoder = Decoder(config, StoredWeights(embedding, embedding, layer["norm1"], [layer]), "bf16")
    decoder.keys = [random_codes(rng, (POSITIONS - 1, config.kv_size), 1.0)]
    decoder.values = [random_codes(rng, (POSITIONS - 1, config.kv_size), 1.0)]
    return decoder.read([1], aim_product, aim_product, last=False), decoder


def rows_of(config: DecoderConfig, name: str, channel: int) -> np.ndarray:
    """Which outputs of the projection called `name` a channel computes."""
    head, group = config.head_dim, config.group
    if name == "qkv":
        queries = np.arange(channel * group * head, (channel + 1) * group * head)
        keys = config.query_size + np.arange(channel * head, (channel + 1) * head)
        return np.concatenate([queries, keys, keys + config.kv_size])
    outputs = {"out": config.hidden_size, "gate_up": 2 * config.intermediate_size, "down": config.hidden_size}[name]
    part = outputs // CHANNELS
    return np.arange(channel * part, (channel + 1) * part)


def llama32_1b() -> DecoderConfig:
    """One layer of Llama 3.2 1B as published, with a vocabulary of two: its embedding is no part of a layer."""
    published = json.loads((Path(__file__).parents[1] / "network" / "configs" / "llama32_1b.json").read_text())
    names = ("hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads", "head_dim")
    return DecoderConfig(
        **{name: published[name] for name in names}, num_hidden_layers=1, vocab_size=2,
        max_position_embeddings=POSITIONS, rope_theta=500000.0)  # fmt: skip


def one_gigahertz(pim: PimSpec) -> PimSpec:
    """The device with a command a nanosecond, as a controller in logic issues them."""
    return replace(pim, dram=replace(pim.dram, clock_ns=1.0))


class _Builder:
    """Places matrices and words, and writes the program."""

    def __init__(self, pim: PimSpec) -> None:
        organisation = pim.dram.organisation
        self.banks, self.columns, self.lanes = organisation.banks, organisation.columns, pim.lanes
        self.accumulators = pim.register("MAC").entries
        self.share = Share()
        self._row = self._word = 0

    def words(self, codes: np.ndarray | None, count: int = 0) -> int:
        """Words for a vector, or for `count` results; the first."""
        first = self._word
        if codes is not None:
            count = codes.size // self.lanes
            self.share.shared[first : first + count] = codes.reshape(count, self.lanes)
        self._word += count
        return first

    def _store(self, outputs: np.ndarray, pitch: int) -> int:
        """Codes (outputs, inputs), each output `pitch` columns behind the one before in its bank; the first row."""
        first, lanes = self._row, self.lanes
        each = ceil_div(len(outputs), self.banks)
        linear = np.zeros((self.banks, each * pitch, lanes), np.uint16)
        words = outputs.reshape(len(outputs), -1, lanes)
        for j in range(each):
            part = words[j * self.banks : (j + 1) * self.banks]
            linear[: len(part), j * pitch : j * pitch + words.shape[1]] = part
        rows = ceil_div(each * pitch, self.columns)
        padded = np.zeros((self.banks, rows * self.columns, lanes), np.uint16)
        padded[:, : each * pitch] = linear
        for bank in range(self.banks):
            for row in range(rows):
                self.share.cells[bank, first + row] = padded[bank, row * self.columns : (row + 1) * self.columns].copy()
        self._row += rows
        return first

    def product(self, name: str, weights: np.ndarray, vector: int, expected: np.ndarray) -> None:
        """A projection: input segments of a row, outputs in groups of the accumulators."""
        pitch = weights.shape[1] // self.lanes
        if pitch % self.columns:
            raise InputError(
                f"inputs of {name} must fill whole rows of {self.columns * self.lanes}, not {weights.shape[1]}"
            )
        first, segments = self._store(weights, pitch), pitch // self.columns
        each = len(weights) // self.banks
        for start in range(0, each, self.accumulators):
            outputs = min(self.accumulators, each - start)
            result = self.words(None, outputs)
            for s in range(segments):
                self.share.program.append(Gemv(
                    columns=min(pitch, self.columns), outputs=outputs, row=first + start * segments + s,
                    row_step=segments, source=vector + s * self.columns, destination=result, clear=s == 0,
                    read=s == segments - 1))  # fmt: skip
            part = expected[start * self.banks : (start + outputs) * self.banks]
            self.share.results.append((f"{name} {start}", result, part.reshape(outputs, self.banks)))

    def cache(self, outputs: np.ndarray, pitch: int) -> int:
        """A matrix of the attention; its first row."""
        return self._store(outputs, pitch)

    def attend(self, name: str, row: int, size: tuple[int, int], pitch: int, vector: int, expected: np.ndarray) -> None:
        """A product with a cache of (outputs, columns)."""
        outputs, columns = size
        result = self.words(None, outputs // self.banks)
        self.share.program.append(Gemv(
            columns=columns, outputs=outputs // self.banks, row=row, pitch=pitch, copies=self.columns // pitch,
            source=vector, destination=result))  # fmt: skip
        self.share.results.append((name, result, expected.reshape(-1, self.banks)))


def share(
    pim: PimSpec,
    config: DecoderConfig,
    layer: dict[str, np.ndarray],
    found: Tensors,
    decoder: Decoder,
    channel: int = 0,
) -> Share:
    """What `channel` does of the layer: its rows of all projections, and attention with its head.

    Inputs of each product are the reference's tensors, as all channels together make them.
    """
    head, lanes = config.head_dim, pim.lanes
    tensors = {name: value for (name, _), value in found.items()}
    build = _Builder(pim)
    own = slice(channel * head, (channel + 1) * head)
    build.product(
        "qkv", layer["qkv"][rows_of(config, "qkv", channel)], build.words(tensors["norm1"][0]),
        tensors["qkv"][0, rows_of(config, "qkv", channel)])  # fmt: skip

    # the caches without the new token, which is then appended
    keys, values = decoder.keys[0][:, own].copy(), decoder.values[0][:, own].copy()
    new_key, last = keys[-1].copy(), POSITIONS - 1
    new_values = values[last // lanes * lanes :].T.copy()  # (elements, positions of the last column)
    keys[-1], values[-1] = 0, 0
    key_pitch, value_pitch = head // lanes, POSITIONS // lanes
    key_row, value_row = build.cache(keys, key_pitch), build.cache(values.T.copy(), value_pitch)
    place = key_row * build.columns + last // build.banks * key_pitch
    build.share.program += [
        Transfer(
            write=True, address=place * build.banks + last % build.banks, shared=build.words(new_key),
            groups=key_pitch, stride=build.banks),
        Transfer(
            write=True, address=(value_row * build.columns + last // lanes) * build.banks,
            shared=build.words(new_values), run=build.banks, groups=head // build.banks,
            stride=value_pitch * build.banks, wide=True),
    ]  # fmt: skip
    for i in range(config.group):
        query = channel * config.group + i
        part = slice(query * head, (query + 1) * head)
        build.attend(
            f"scores {query}", key_row, (POSITIONS, key_pitch), key_pitch, build.words(tensors["rotated"][0, part]),
            tensors["scores"][query, 0])  # fmt: skip
        build.attend(
            f"context {query}", value_row, (head, value_pitch), value_pitch, build.words(tensors["chances"][query, 0]),
            tensors["context"][0, part])  # fmt: skip
    for name, source in (("out", "context"), ("gate_up", "norm2"), ("down", "gated")):
        rows = rows_of(config, name, channel)
        build.product(name, layer[name][rows], build.words(tensors[source][0]), tensors[name][0, rows])
    return build.share


def others(config: DecoderConfig, layer: dict[str, np.ndarray], found: Tensors) -> dict[str, bool]:
    """Projection -> whether every channel of the device model gives the reference's outputs."""
    tensors = {name: value for (name, _), value in found.items()}
    inputs = {"qkv": "norm1", "out": "context", "gate_up": "norm2", "down": "gated"}
    return {
        name: all(
            np.array_equal(gemv(layer[name][rows], tensors[source][0]), tensors[name][0, rows])
            for rows in (rows_of(config, name, channel) for channel in range(CHANNELS)))
        for name, source in inputs.items()
    }  # fmt: skip


def controller_spec(pim: PimSpec, rows: int = ROWS) -> ControllerSpec:
    """The controller of one channel."""
    return ControllerSpec(pim=pim, rows=rows, shared_words=SHARED_WORDS)


def cycles_of(spec: ControllerSpec, program: list[MemoryCommand]) -> tuple[int, dict[str, int]]:
    """Cycles of a channel's program, one descriptor after the other, and by label."""
    model = AimController(spec, spec.pim.dram.resolve())
    for command in program:
        _, code = model.run(command.pack())
        if code:
            raise AssertionError(f"the controller refuses {command} with code {code}")
    return model.now, dict(model.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """All projections of one token.

    Parameters
    ----------
    count : int
        Projections.
    macs : int
        Multiply-accumulates of all projections on all channels, without padding.
    cycles : int
        Of one channel, refresh included; all channels take the same.
    labels : dict
        Label of the controller -> cycles.
    checked : int
        Outputs compared with the reference's arithmetic, a few of every projection.
    """

    count: int
    macs: int
    cycles: int
    labels: dict[str, int]
    checked: int


def projections(pim: PimSpec, config: DecoderConfig, rng: np.random.Generator) -> Token:
    """Values and times of all projections of one token in the device model, random weights and inputs.

    Raises `AssertionError` where an output is not the reference's.
    """
    hidden, inner, head = config.hidden_size, config.intermediate_size, config.kv_size
    shapes = [(config.query_size, hidden), (head, hidden), (head, hidden), (hidden, config.query_size),
              (inner, hidden), (inner, hidden), (hidden, inner)]  # fmt: skip
    organisation = pim.dram.organisation
    spec = controller_spec(pim, organisation.rows)
    program: list[MemoryCommand] = []
    row = count = macs = checked = 0
    for _ in range(config.num_hidden_layers):
        for outputs, inputs in shapes:
            weights, vector = random_codes(rng, (outputs, inputs), inputs**-0.5), random_codes(rng, (inputs,), 1.0)
            found = gemv(weights, vector)
            some = rng.integers(0, outputs, 2)
            if not np.array_equal(found[some], aim_product(weights[some], vector[None])[0]):
                raise AssertionError(f"outputs {some.tolist()} of a projection {outputs} x {inputs} are not right")
            each = ceil_div(outputs, organisation.banks * CHANNELS)
            segments = ceil_div(inputs, pim.lanes * organisation.columns)
            most = pim.register("MAC").entries
            for start in range(0, each, most):
                program += [
                    Gemv(
                        columns=organisation.columns, outputs=min(most, each - start), row=row + start * segments + s,
                        row_step=segments, clear=s == 0, read=s == segments - 1)
                    for s in range(segments)
                ]  # fmt: skip
            row += each * segments
            count, macs, checked = count + 1, macs + outputs * inputs, checked + len(some)
    cycles, labels = cycles_of(spec, program)
    return Token(count=count, macs=macs, cycles=cycles, labels=labels, checked=checked)
