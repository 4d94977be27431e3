"""Programs with malformed descriptors among good ones: every memory of the core afterwards, not only the one outside.

Runs inside the simulator. All memories start with random words, so that a stray write shows.
"""

from typing import Any

import numpy as np

from model.functional.npu import Memories
from tb.bench.bench import Bench, bench_test
from tb.npu.memory_tests import core_of, run_case, unpacked

MEMORIES = {
    "activation": "core.activation_memory.memory.ram_words",
    "weight": "core.weight_memory.memory.ram_words",
    "parameter": "core.drain.parameter_memory.ram_words",
    "output": "output_memory.ram_words",
}
"""Memory of `model.functional.npu.Memories` -> path below `CoreTop`."""


@bench_test(timeout_cycles=2_000_000)
async def what_is_refused_leaves_every_memory_alone(bench: Bench) -> None:
    """All cases, reset in between; reports `counters`, one mapping per case."""
    core = core_of(bench.parameters["core"])
    counters = []
    for data in bench.parameters["cases"]:
        case = unpacked(data)
        await bench.reset()
        memories = case.memories(core)
        _fill(bench, memories, case.seed)
        counters.append(await run_case(bench, core, case, memories))
        for name in MEMORIES:
            handle = _handle(bench, name)
            for address, row in enumerate(getattr(memories, name)):
                got, want = int(handle[address].value), _word(row, len(handle[address]))
                assert got == want, f"seed {case.seed}: {name} word {address} is {got:x}, must be {want:x}"
    bench.report(counters=counters)


def _fill(bench: Bench, memories: Memories, seed: int) -> None:
    rng = np.random.default_rng([seed, 1])
    for name in MEMORIES:
        words, handle = getattr(memories, name), _handle(bench, name)
        words[:] = rng.integers(0, 256, words.shape, dtype=np.uint8)
        for address, row in enumerate(words):
            handle[address].value = _word(row, len(handle[address]))


def _word(row: np.ndarray, bits: int) -> int:
    """A word of the memory from its bytes; the last byte of a parameter word may have spare bits."""
    return int.from_bytes(row.tobytes(), "little") & ((1 << bits) - 1)


def _handle(bench: Bench, name: str) -> Any:
    handle = bench.dut.dut
    for part in MEMORIES[name].split("."):
        handle = getattr(handle, part)
    return handle
