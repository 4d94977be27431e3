"""Attention of a layer as descriptors: cache, scores, softmax and context, in the channel or on the core."""

from collections.abc import Sequence
from itertools import chain

from hw.base.integer import ceil_div
from hw.spec.system import Token
from hw.spec.vector_micro import LANES
from model.language.config import DecoderConfig
from model.lowering.decoder.channels import SplitMatrix, in_turn
from model.lowering.decoder.machine import Machine
from model.lowering.decoder.places import LayerPlaces, Places
from model.lowering.decoder.shared import Region
from model.reference import vector


class Attention:
    """Appends the descriptors of a layer's attention.

    Parameters
    ----------
    machine : Machine
        Takes the descriptors.
    config : DecoderConfig
    places : Places
        Where cache, tables and tensors lie.
    """

    def __init__(self, machine: Machine, config: DecoderConfig, places: Places) -> None:
        self.machine, self.config, self.places = machine, config, places

    def cache(self, layer: LayerPlaces, first: int, tokens: int, ready: Sequence[Token]) -> Sequence[Token]:
        """Rotate queries and keys, and write keys and values into the channels; of each the last that was written."""
        machine, config, t = self.machine, self.config, layer.tensors
        head_words = config.head_dim // LANES
        turned = (config.query_size + config.kv_size) // LANES
        qkv, rotated = t["qkv"], t["rotated"]
        last = ready
        for token in range(tokens):
            rotated_token = machine.vector(
                "ROTARY",
                after=ready,
                rows=config.num_attention_heads + config.num_key_value_heads,
                length=config.head_dim,
                a=qkv.row(token),
                b=self.places.table + (first + token) * 2 * head_words,
                d=rotated.row(token),
                a_stride=head_words,
                d_stride=head_words,
                period=head_words,
            )
            last = [rotated_token]
        channels = self.places.channels
        for token in range(tokens):
            for head, copies in enumerate(layer.keys):
                key = rotated.row(token) + config.query_size // LANES + head * head_words
                for place in copies:
                    unit, transfer = channels.append_key(place, first + token, key)
                    machine.memory(transfer, last, unit)
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
            d=self.places.turned_values,
            d_stride=LANES,
        )
        written_by: dict[str, Token] = {}
        for head, copies in enumerate(layer.values):
            source = self.places.turned_values + head * config.head_dim
            for place in copies:
                unit, transfer = channels.append_values(place, first, source)
                written_by[unit] = machine.memory(transfer, [written], unit)
        return list(written_by.values())

    def attend(
        self, layer: LayerPlaces, first: int, tokens: int, ready: Sequence[Token], *, in_channel: bool
    ) -> Sequence[Token]:
        """Scores, softmax and context of `tokens` tokens from position `first` on; in the channels one at a time, each
        head in the channel of its cache."""
        config, t = self.config, layer.tensors
        seen = first + tokens
        scale = vector.softmax_scale(config.head_dim**-0.5)
        scores, chances = t["scores"], t["chances"]
        ready = (self._scores_in_channel if in_channel else self._scores_on_core)(layer, tokens, seen, ready)
        rows = config.num_attention_heads if tokens == 1 else tokens
        for head in range(0, config.num_attention_heads, rows if tokens == 1 else 1):
            softmax = self.machine.vector(
                "SOFTMAX",
                after=ready,
                rows=rows,
                length=first + 1,
                length_step=int(tokens > 1),
                a=scores.row(head * tokens),
                a_stride=scores.stride,
                d=chances.row(head * tokens),
                d_stride=chances.stride,
                scale=scale,
            )
            ready = [softmax]
        return (self._context_in_channel if in_channel else self._context_on_core)(layer, tokens, seen, ready)

    def _scores_in_channel(self, layer: LayerPlaces, tokens: int, seen: int, ready: Sequence[Token]) -> Sequence[Token]:
        t, head_words = layer.tensors, self.config.head_dim // LANES
        queries = Region(base=t["rotated"].base, rows=1, length=LANES, stride=head_words)
        return self._in_channels(layer.keys, queries, t["scores"], ready, outputs=seen)

    def _context_in_channel(
        self, layer: LayerPlaces, tokens: int, seen: int, ready: Sequence[Token]
    ) -> Sequence[Token]:
        t, head_words = layer.tensors, self.config.head_dim // LANES
        contexts = Region(base=t["context"].base, rows=1, length=LANES, stride=head_words)
        return self._in_channels(layer.values, t["chances"], contexts, ready, inputs=seen)

    def _in_channels(
        self, caches: Sequence[Sequence[SplitMatrix]], x: Region, out: Region, ready: Sequence[Token], **part: int
    ) -> Sequence[Token]:
        """Row h of `out` for every head h: the `part` of its cache that is asked for times row h of `x`. Heads of one
        channel go one after the other."""
        places = []
        for head in range(self.config.num_attention_heads):
            shared, number = divmod(head, self.config.group)
            places.append(caches[shared][number % len(caches[shared])])
        ended: dict[str, Sequence[Token]] = {}
        for head in in_turn(places):
            place, unit = places[head], places[head].parts[0].unit
            ended[unit] = self.machine.gemv(place, x.row(head), out.row(head), ended.get(unit, ready), **part)
        return list(chain(*ended.values()))

    def _scores_on_core(self, layer: LayerPlaces, tokens: int, seen: int, ready: Sequence[Token]) -> Sequence[Token]:
        machine, config, t = self.machine, self.config, layer.tensors
        rotated, scores = t["rotated"], t["scores"]
        positions = ceil_div(seen, LANES) * LANES
        spread = machine.vector(
            "SPREAD",
            after=ready,
            rows=tokens,
            length=config.query_size,
            a=rotated.base,
            a_stride=rotated.stride,
            d=machine.spread,
            d_stride=LANES,
        )
        fence = spread
        for shared, (place, *_) in enumerate(layer.keys):
            fence = machine.core_product(
                place,
                config.group,
                outputs=positions,
                inputs=config.head_dim,
                operand=machine.spread + shared * config.group * config.head_dim,
                result=machine.results + shared * config.group * positions,
                ready=[spread],
            )
        gathered = fence
        for head in range(config.num_attention_heads):
            gathered = machine.vector(
                "GATHER",
                after=[fence],
                rows=tokens,
                length=positions,
                a=machine.results + head * positions,
                a_stride=LANES,
                d=scores.row(head * tokens),
                d_stride=scores.stride,
            )
        return [gathered]

    def _context_on_core(self, layer: LayerPlaces, tokens: int, seen: int, ready: Sequence[Token]) -> Sequence[Token]:
        machine, config, t = self.machine, self.config, layer.tensors
        chances, context = t["chances"], t["context"]
        positions = ceil_div(seen, LANES) * LANES
        for head in range(config.num_attention_heads):
            spread = machine.vector(
                "SPREAD",
                after=ready,
                rows=tokens,
                length=positions,
                a=chances.row(head * tokens),
                a_stride=chances.stride,
                d=machine.spread + head * positions,
                d_stride=LANES,
            )
            ready = [spread]
        fence = ready[0]
        for shared, (place, *_) in enumerate(layer.values):
            fence = machine.core_product(
                place,
                config.group,
                outputs=config.head_dim,
                inputs=positions,
                operand=machine.spread + shared * config.group * positions,
                result=machine.results + shared * config.group * config.head_dim,
                ready=ready,
            )
        gathered = machine.vector(
            "GATHER",
            after=[fence],
            rows=tokens,
            length=config.query_size,
            a=machine.results,
            a_stride=LANES,
            d=context.base,
            d_stride=context.stride,
        )
        return [gathered]
