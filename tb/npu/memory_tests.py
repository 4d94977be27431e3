"""Programs of GEMMs, copies and fences on a core with copy channels: all memories against the reference.

Runs inside the simulator; counters are handed out. Cycle 0 is the one in which the first command is accepted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from cocotb.triggers import RisingEdge

from hw.rtl.npu.signature import counter_names
from hw.spec.command import Command, Copy, Descriptor, Fence, Geometry
from hw.spec.core import CoreSpec
from hw.spec.dma import HOLDS, DmaSpec
from hw.spec.mac_array import MacArraySpec
from hw.spec.npu_event import VALUE_EVENTS
from model.functional.npu import Memories
from model.number.codec import encode
from tb.arithmetic.fp_vectors import special_codes
from tb.bench.bench import Bench, bench_test

PUBLIC = ("external.memory",)
"""Memories reached by the bench, below `CoreTop`."""

KINDS = {"Command": Command, "Copy": Copy, "Fence": Fence, "Geometry": Geometry, "Descriptor": Descriptor}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A program on an external memory filled from `seed`, except for the `words` given as (first beat, hex).

    Filled with any bytes, or with codes of unit normals in the format of the activations, a few of them special.

    Channels named in `held` move nothing in a cycle with that probability, for `held_cycles`.

    Parameters
    ----------
    program : sequence of Command, Copy, Fence, Geometry or Descriptor
        What is handed to the core, in this order, each as soon as the one before is accepted.
    """

    program: Sequence[Command | Copy | Fence | Geometry | Descriptor]
    seed: int
    words: list[tuple[int, str]] = field(default_factory=list)
    held: dict[str, float] = field(default_factory=dict)
    held_cycles: int = 0

    def patterns(self) -> dict[str, list[bool]]:
        """Channel -> held or not, per cycle."""
        rng = np.random.default_rng(self.seed)
        return {name: (rng.random(self.held_cycles) < chance).tolist() for name, chance in sorted(self.held.items())}

    def memories(self, core: CoreSpec) -> Memories:
        """The memories before the program."""
        memories = Memories(core)
        rng = np.random.default_rng(self.seed)
        memories.external[:] = _filling(rng, memories.external.size, core.array).reshape(memories.external.shape)
        for beat, data in self.words:
            words = np.frombuffer(bytes.fromhex(data), np.uint8).reshape(-1, memories.external.shape[1])
            memories.external[beat : beat + len(words)] = words
        return memories

    def packed(self) -> dict[str, Any]:
        """JSON data; `unpacked` is the inverse."""
        data = {name: getattr(self, name) for name in ("seed", "words", "held", "held_cycles")}
        return data | {"program": [[type(item).__name__, asdict(item)] for item in self.program]}


def _filling(rng: np.random.Generator, size: int, array: MacArraySpec) -> np.ndarray:
    if not array.is_floating_point:
        return rng.integers(0, 256, size, dtype=np.uint8)
    name = array.activation_format
    codes = encode(rng.standard_normal(size, dtype=np.float32), name)
    special = rng.choice(special_codes(name), size).astype(codes.dtype)
    return np.where(rng.random(size) < 0.003, special, codes).view(np.uint8)[:size]


def unpacked(data: Mapping[str, Any]) -> Case:
    """A case from JSON data."""
    program = [KINDS[kind](**fields) for kind, fields in data["program"]]
    return Case(**{**data, "program": program, "words": [tuple(pair) for pair in data["words"]]})


def parameters(core: CoreSpec, cases: Sequence[Case]) -> dict[str, Any]:
    """What `tb.bench.run.run` needs to run `cases` on `core`."""
    return {"core": asdict(core), "cases": [case.packed() for case in cases]}


def core_of(given: Mapping[str, Any]) -> CoreSpec:
    """The core of `parameters`."""
    return CoreSpec(**{**given, "array": MacArraySpec(**given["array"]), "dma": DmaSpec(**given["dma"])})


@bench_test(timeout_cycles=2_000_000)
async def every_program_leaves_the_reference_in_the_external_memory(bench: Bench) -> None:
    """All cases, reset in between; reports `counters`, one mapping per case."""
    core = core_of(bench.parameters["core"])
    counters = []
    for data in bench.parameters["cases"]:
        case = unpacked(data)
        await bench.reset()
        counters.append(await run_case(bench, core, case))
    bench.report(counters=counters)


async def run_case(bench: Bench, core: CoreSpec, case: Case, expected: Memories | None = None) -> dict[str, int]:
    """Run one program; its counters of time. AssertionError at the first wrong beat outside or value counter.

    `expected`: the memories before it, if they are not those of the case; afterwards what they must be.
    """
    expected = expected or case.memories(core)
    memory = bench.dut.dut.external.memory
    for beat, data in enumerate(expected.external):
        memory[beat].value = int.from_bytes(data.tobytes(), "little")
    expected.run(case.program)
    refused = int(bench.dut.status__refused.value)
    await bench.edge
    await _drive(bench, case)
    refused = int(bench.dut.status__refused.value) - refused
    assert refused == expected.refused, f"seed {case.seed}: {refused} refused, must be {expected.refused}"
    assert not refused or int(bench.dut.status__error.value) == expected.error, f"seed {case.seed}: code of the last"
    for beat, data in enumerate(expected.external):
        got, want = int(memory[beat].value), int.from_bytes(data.tobytes(), "little")
        assert got == want, f"seed {case.seed}: beat {beat} is {got:x}, must be {want:x}"
    counted = {meaning: int(getattr(bench.dut, f"counters__{port}").value) for port, meaning in counter_names().items()}
    values = {event: counted.pop(event) for event in VALUE_EVENTS}
    wanted = dict.fromkeys(VALUE_EVENTS, 0) | dict(expected.values)
    assert values == wanted, f"seed {case.seed}: values counted {values}, must be {wanted}"
    return counted


async def _drive(bench: Bench, case: Case) -> None:
    """Offer the program one command per cycle, hold channels cycle by cycle; returns when the core is idle."""
    dut = bench.dut
    patterns = case.patterns()
    external = [patterns.get(name, []) for name in HOLDS[:4]]
    row = patterns.get("row", [])
    given = [item.pack() for item in case.program]
    position = cycle = accepted = 0
    while (
        position < len(given) or cycle < accepted + 2 or (cycle < case.held_cycles and not int(dut.status__idle.value))
    ):
        dut.i_external_hold.value = sum(
            (cycle < len(pattern) and pattern[cycle]) << bit for bit, pattern in enumerate(external)
        )
        dut.i_output_hold.value = int(cycle < len(row) and row[cycle])
        offering = position < len(given)
        dut.i_command__valid.value = int(offering)
        if offering:
            dut.i_command__payload.value = given[position]
        await bench.edge
        if offering and int(dut.i_command__ready.value):
            position += 1
            accepted = cycle
        cycle += 1
    dut.i_command__valid.value = 0
    dut.i_external_hold.value = 0
    dut.i_output_hold.value = 0
    if not int(dut.status__idle.value):
        await RisingEdge(dut.status__idle)
    await bench.edge
    await bench.edge
