"""What can be published about a chip or its card: one typed field a fact, with its unit, its bounds and its meaning."""

import dataclasses
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hw.base.error import InputError
from hw.spec.fact import Fact
from hw.spec.unit import quantity

_PER_NETWORK = "per_network"


MOST = {
    "1": 1e15,
    "B/cycle": 1e9,
    "GB": 1e6,
    "GB/s": 1e9,
    "GHz": 100.0,
    "KiB": 1e9,
    "MB": 1e7,
    "TFLOPS": 1e7,
    "TOPS": 1e7,
    "USD": 1e8,
    "W": 1e5,
    "cycles": 1e9,
    "mm2": 1e6,
    "ms": 1e6,
    "nm": 1e4,
}
"""Unit -> what no card has: some hundred times the largest wafer. More is a slip of the pen or of the unit."""

NOT_ABOVE = {"idle_power": "tdp", "base_clock": "boost_clock"}
"""Fact -> the fact that it is a part of or at most equal to."""


def _fact(unit: str, meaning: str, *, least: float = 0.0, most: float | None = None, zero: bool = False) -> Any:
    """A field: the unit its facts convert to, what it means, and the values that make sense (`zero`: 0 too)."""
    most = MOST[unit] if most is None else most
    return field(default=None, metadata={"unit": unit, "meaning": meaning, "least": least, "most": most, "zero": zero})


def _by_network(unit: str, meaning: str) -> Any:
    """A field of one fact a network, by the network's name."""
    found = {"unit": unit, "meaning": meaning, "least": 0.0, "most": MOST[unit], "zero": False, _PER_NETWORK: True}
    return field(default_factory=dict, metadata=found)


@dataclass(frozen=True, kw_only=True, eq=False)
class CardFacts(Mapping[str, Fact]):
    """The facts of a chip by name; also a mapping of those that are known, in the order of the fields.

    A fact that is not given is None as a field and absent from the mapping. `meaning_of` tells what a field means.
    Facts of a network are fields by the network's name; in the mapping they are one entry each,
    "offline_batch_resnet50".

    Raises
    ------
    InputError
        If a fact is in a unit of another quantity or outside its bounds; the sentence names the fact.
    """

    peak_fp16: Fact | None = _fact("TFLOPS", "dense peak of the card in FP16, two operations a multiply-accumulate")
    peak_bf16: Fact | None = _fact("TFLOPS", "dense peak of the card in BF16")
    peak_fp8: Fact | None = _fact("TFLOPS", "dense peak of the card in FP8")
    peak_fp4: Fact | None = _fact("TFLOPS", "dense peak of the card in FP4")
    peak_int8: Fact | None = _fact("TOPS", "dense peak of the card in INT8")
    peak_int4: Fact | None = _fact("TOPS", "dense peak of the card in INT4")
    peak_bf16_from_geometry: Fact | None = _fact("TFLOPS", "peak that published array sizes and clock make, in BF16")
    peak_int8_from_geometry: Fact | None = _fact("TOPS", "peak that published array sizes and clock make, in INT8")
    base_clock: Fact | None = _fact("GHz", "clock that the maker guarantees under any load")
    boost_clock: Fact | None = _fact("GHz", "clock at which the peaks are stated")
    max_clock: Fact | None = _fact("GHz", "highest clock, where the peaks are stated at a lower one")
    engines: Fact | None = _fact("1", "compute engines of the chip")
    cores: Fact | None = _fact("1", "cores of the chip")
    slices: Fact | None = _fact("1", "slices of a processing element")
    blocks: Fact | None = _fact("1", "blocks of multipliers")
    devices: Fact | None = _fact("1", "chips on the card")
    processing_elements: Fact | None = _fact("1", "groups of cores that work on requests of their own")
    multiprocessors: Fact | None = _fact("1", "multiprocessors of a GPU")
    fp32_lanes: Fact | None = _fact("1", "FP32 multiply-accumulates of one multiprocessor in a cycle")
    mac_width: Fact | None = _fact("1", "multipliers of an array along one side")
    mac_height: Fact | None = _fact("1", "multipliers of an array along the other side")
    array_rows: Fact | None = _fact("1", "rows of an array, with a range where the shape is a hypothesis")
    dataflows: Fact | None = _fact("1", "dataflows an array has: one, or weights and results held as is faster", most=3)
    vector_width: Fact | None = _fact("1", "elements the vector engine of a core takes in a cycle")
    fetch_width: Fact | None = _fact("B/cycle", "activations that enter an array in a cycle")
    packet_reuse: Fact | None = _fact("1", "tiles that use one fetched word")
    hop_cycles: Fact | None = _fact("cycles", "cycles of a hop between neighbouring cores", zero=True)
    l2_width: Fact | None = _fact("B/cycle", "second-level cache to all multiprocessors together")
    l2_read: Fact | None = _fact("B/cycle", "second-level cache into one multiprocessor, as measured")
    sram: Fact | None = _fact("MB", "memory on the chip")
    sram_per_core: Fact | None = _fact("KiB", "memory of one core")
    sram_dma_bandwidth: Fact | None = _fact("GB/s", "copies between on-chip memory and DRAM")
    dram_capacity: Fact | None = _fact("GB", "DRAM of the card")
    dram_usable: Fact | None = _fact("GB", "DRAM that a program can allocate")
    dram_bandwidth: Fact | None = _fact("GB/s", "DRAM of the card at its pins")
    bandwidth_per_channel: Fact | None = _fact("GB/s", "one DRAM channel at its pins")
    bandwidth_per_stack: Fact | None = _fact("GB/s", "one DRAM stack at its pins")
    internal_bandwidth: Fact | None = _fact("GB/s", "all banks of a memory with processing at once")
    units_per_stack: Fact | None = _fact("1", "processing units of one stack")
    gemv_speedup: Fact | None = _fact("1", "published gain of a matrix-vector product in memory over the host")
    host_bandwidth: Fact | None = _fact("GB/s", "host to card, one direction")
    card_link_bandwidth: Fact | None = _fact("GB/s", "card to card, one direction")
    batch_timeout: Fact | None = _fact("ms", "how long the maker's server waits for a full batch")
    bert_positions: Fact | None = _fact("1", "positions the submission runs BERT with")
    boxes_on_host: Fact | None = _fact("1", "1 where the submission's host chooses a detector's boxes", most=1)
    query_chunk: Fact | None = _fact("1", "inputs of a multi-stream query that run together")
    query_share: Fact | None = _fact("1", "part of the cores that one query runs on", most=1)
    tdp: Fact | None = _fact("W", "thermal design power of the card")
    idle_power: Fact | None = _fact("W", "card without work")
    price: Fact | None = _fact("USD", "price of a card")
    process: Fact | None = _fact("nm", "name of the process node")
    die_area: Fact | None = _fact("mm2", "area of the die")
    transistors: Fact | None = _fact("1", "transistors of the die")
    offline_batch: Mapping[str, Fact] = _by_network("1", "inputs per run that the maker submitted, offline")
    offline_groups: Mapping[str, Fact] = _by_network("1", "groups of cores that the maker submitted with, offline")

    def __post_init__(self) -> None:
        for name, fact in self.items():
            _check(name, fact, _described(name).metadata)
        for part, whole in NOT_ABOVE.items():
            lesser, greater = getattr(self, part), getattr(self, whole)
            if lesser is not None and greater is not None and lesser.to(greater.unit).minimum > greater.maximum:
                raise InputError(
                    f"the fact {part!r} must be at most {whole!r}, {greater.maximum:g} {greater.unit}, not "
                    f"{lesser.minimum:g} {lesser.unit}"
                )

    @classmethod
    def of(cls, facts: Mapping[str, Fact]) -> "CardFacts":
        """From names and facts, as a file may give them; `InputError` with the nearest known name for any other."""
        if isinstance(facts, cls):
            return facts
        if not isinstance(facts, Mapping):
            raise InputError(f"facts must be names with facts, not {facts!r}")
        given: dict[str, Any] = {}
        for name, fact in facts.items():
            found, _, network = _split(str(name))
            if network:
                given.setdefault(found, {})[network] = fact
            else:
                given[found] = fact
        return cls(**given)

    def __getitem__(self, name: str) -> Fact:
        for known, fact in self._given():
            if known == name:
                return fact
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._given())

    def __len__(self) -> int:
        return sum(1 for _ in self._given())

    def __hash__(self) -> int:
        return hash(tuple(self._given()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self.items()) == dict(other.items())

    def _given(self) -> Iterator[tuple[str, Fact]]:
        for one in dataclasses.fields(self):
            value = getattr(self, one.name)
            if _PER_NETWORK in one.metadata:
                yield from ((f"{one.name}_{network}", fact) for network, fact in value.items())
            elif value is not None:
                yield one.name, value


def meaning_of(name: str) -> str:
    """What a fact means and its unit, in one line; `InputError` with the nearest known name if there is none."""
    found = _described(name).metadata
    return f"{found['meaning']}, {found['unit']}"


def known_names() -> tuple[str, ...]:
    """All names; those of a network with "<network>" in its place."""
    return tuple(
        f"{one.name}_<network>" if _PER_NETWORK in one.metadata else one.name for one in dataclasses.fields(CardFacts)
    )


def _split(name: str) -> tuple[str, dataclasses.Field[Any], str]:
    """(field, its description, network or "") of a name in the mapping."""
    for one in dataclasses.fields(CardFacts):
        if _PER_NETWORK in one.metadata:
            if name.startswith(f"{one.name}_") and len(name) > len(one.name) + 1:
                return one.name, one, name.removeprefix(f"{one.name}_")
        elif one.name == name:
            return name, one, ""
    near = difflib.get_close_matches(name, known_names(), n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known_names())}"
    raise InputError(f"a fact must have a known name, not {name!r}; {hint}")


def _described(name: str) -> dataclasses.Field[Any]:
    return _split(name)[1]


def _check(name: str, fact: Any, described: Mapping[str, Any]) -> None:
    if not isinstance(fact, Fact):
        raise InputError(f"the fact {name!r} must be a Fact with unit and source, not {fact!r}")
    if quantity(fact.unit) != quantity(described["unit"]):
        raise InputError(f"the fact {name!r} must be in {described['unit']} or a multiple, not in {fact.unit!r}")
    least, most = described["least"], described["most"]
    in_unit = fact.to(described["unit"])
    if in_unit.minimum < least or in_unit.maximum > most or (fact.minimum == 0 and not described["zero"]):
        wanted = f"{'at least' if described['zero'] else 'above'} {least:g}"
        above = in_unit.maximum > most or most != MOST[described["unit"]]
        wanted += f" and at most {most:g}" if above else ""
        given = f"{fact.minimum:g}" if fact.minimum == fact.maximum else f"{fact.minimum:g} to {fact.maximum:g}"
        raise InputError(f"the fact {name!r} must be {wanted} {described['unit']}, not {given} {fact.unit}")
