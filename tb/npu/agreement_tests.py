"""Random GEMM chains on the core, with stalls cycle by cycle: values checked here, counters handed out.

Runs inside the simulator. `tests/test_agreement.py` holds the counters against the cycle models.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from cocotb.triggers import RisingEdge

from hw.rtl.npu.signature import counter_names
from hw.spec.core import CoreSpec
from hw.spec.mac_array import MacArraySpec
from hw.spec.npu_event import VALUE_EVENTS
from hw.spec.number import number_format
from model.count import Counts
from model.functional.value_counts import value_counts
from model.lowering import lower
from model.reference import npu as reference
from model.work.random_gemm import random_job
from model.work.workload import Gemm, OutputStage
from tb.arithmetic.fp_vectors import special_codes
from tb.bench.bench import Bench, bench_test

MEMORIES = {
    "activation": "core.activation_memory.memory.ram_words",
    "weight": "core.weight_memory.memory.ram_words",
    "parameter": "core.drain.parameter_memory.ram_words",
    "output": "output_memory.ram_words",
}
"""Memory -> path below `CoreTop`."""

PORTS = {
    "activation_blocked": "i_activation__enable",
    "weight_blocked": "i_weight__enable",
    "output_blocked": "i_output_hold",
}
"""Stall pattern -> port that is driven with it."""


VALUES: Counter[str] = Counter()
"""Events of `VALUE_EVENTS`, all cases together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One chain of GEMMs, all its operands in the memories together.

    `malformed` are (place in the chain of all commands, descriptor, refusal code), ascending; they are to be refused.

    `offered` is the cycle from which on each command is offered, cycle 0 being that of the first; each port
    named in `blocked` is blocked in a cycle with that probability, for `stalled_cycles`, drawn from `seed`.

    Parameters
    ----------
    shapes : list of (int, int, int)
        (m, n, k) of each GEMM, in the order of their commands: m x k activations times k x n weights.
    seed : int
        Of the operands, and of the cycles in which ports are blocked.
    """

    shapes: list[tuple[int, int, int]]
    seed: int
    offered: list[int]
    blocked: dict[str, float]
    stalled_cycles: int = 0
    malformed: list[tuple[int, int, int]] = field(default_factory=list)

    @property
    def jobs(self) -> list[tuple[int, int, int] | None]:
        """All commands as `model.cycle.npu.core.step` takes them: shapes, None for what is refused."""
        jobs: list[tuple[int, int, int] | None] = list(self.shapes)
        for place, _, _ in self.malformed:
            jobs.insert(place, None)
        return jobs

    def patterns(self) -> dict[str, list[bool]]:
        """Port -> blocked or not, per cycle."""
        rng = np.random.default_rng(self.seed)
        return {
            name: (rng.random(self.stalled_cycles) < chance).tolist() for name, chance in sorted(self.blocked.items())
        }


def parameters(core: CoreSpec, cases: Sequence[Case]) -> dict[str, Any]:
    """What `tb.bench.run.run` needs to run `cases` on `core`."""
    return {"core": asdict(core), "cases": [asdict(case) for case in cases]}


def core_from(given: Mapping[str, Any]) -> CoreSpec:
    """The core whose fields `asdict` gave; without copy channels."""
    return CoreSpec(**{**given, "array": MacArraySpec(**given["array"])})


@bench_test(timeout_cycles=2_000_000)
async def every_case_gives_the_reference_values(bench: Bench) -> None:
    """All cases, reset in between; reports `counters` of time, one mapping per case, and the sums of `values`."""
    VALUES.clear()
    core = core_from(bench.parameters["core"])
    counters = []
    for fields in bench.parameters["cases"]:
        lists = {name: [tuple(item) for item in fields[name]] for name in ("shapes", "malformed")}
        case = Case(**{**fields, **lists})
        await bench.reset()
        counters.append(await _run(bench, core, case))
    bench.report(counters=counters, values=VALUES)


async def _run(bench: Bench, core: CoreSpec, case: Case) -> dict[str, int]:
    rng = np.random.default_rng(case.seed)
    array = core.array
    operands = [_operands(rng, shape, core) for shape in case.shapes]
    commands = []
    for m, n, k in case.shapes:
        tiles = lower.split(core, Gemm(name="case", m=m, n=n, k=k))
        assert len(tiles) == 1, f"GEMM {m}x{n}x{k} does not fit this core at once"
        commands.append(tiles[0].command)
    (commands,) = lower.place(core, commands)
    for command, (a, w, output) in zip(commands, operands, strict=True):
        words = lower.integers(lower.activation_words(core, a), array.activation_lane_bits)
        _fill(bench, "activation", command.activation_address, words)
        _fill(
            bench, "weight", command.weight_address, lower.integers(lower.weight_words(core, w), array.weight_lane_bits)
        )
        _fill(bench, "parameter", command.parameter_address, lower.parameter_words(core, output))
    await bench.edge
    descriptors = [command.pack() for command in commands]
    for place, descriptor, _ in case.malformed:
        descriptors.insert(place, descriptor)
    await _drive(bench, core, case, descriptors)
    if case.malformed:
        status = int(bench.dut.status__refused.value), int(bench.dut.status__error.value)
        wanted = len(case.malformed), case.malformed[-1][2]
        assert status == wanted, f"{case}: (refused, code of the last) is {status}, must be {wanted}"
    for index, (command, (a, w, output)) in enumerate(zip(commands, operands, strict=True)):
        memory = _memory(bench, "output")
        words = [int(memory[command.output_address + i].value) for i in range(command.n_blocks * command.m)]
        found = lower.lanes_of(words, array.columns, lower.output_type(core))
        got = lower.output_matrix(core, found, a.shape[0], w.shape[1])
        wrong = np.argwhere(got != reference.product(core, a, w, output))
        assert not wrong.size, f"{case}: GEMM {index} differs first at row, column {wrong[0].tolist()}"
    counted = {meaning: int(getattr(bench.dut, f"counters__{port}").value) for port, meaning in counter_names().items()}
    values = {event: counted.pop(event) for event in VALUE_EVENTS}
    wanted = dict(sum((value_counts(core, *item) for item in operands), Counts()))
    assert values == wanted, f"{case}: values counted {values}, must be {wanted}"
    VALUES.update(values)
    return counted


async def _drive(bench: Bench, core: CoreSpec, case: Case, commands: list[int]) -> None:
    """Offer the packed commands and block the ports cycle by cycle; returns when the core is idle."""
    dut = bench.dut
    patterns = case.patterns()
    held = {PORTS[name]: pattern for name, pattern in patterns.items()}
    # A blocking host write goes to the last word, which no operand uses
    dut.i_activation__address.value = core.activation_words - 1
    dut.i_weight__address.value = core.weight_words - 1
    next_command = cycle = accepted = 0
    # Values read after an edge are those before it: busy shows two edges after the acceptance
    while (
        next_command < len(commands)
        or cycle < accepted + 2
        or (cycle < case.stalled_cycles and not int(dut.status__idle.value))
    ):
        for port, pattern in held.items():
            getattr(dut, port).value = int(cycle < len(pattern) and pattern[cycle])
        offering = next_command < len(commands) and case.offered[next_command] <= cycle
        dut.i_command__valid.value = int(offering)
        if offering:
            dut.i_command__payload.value = commands[next_command]
        await bench.edge
        if offering and int(dut.i_command__ready.value):
            next_command += 1
            accepted = cycle
        cycle += 1
    dut.i_command__valid.value = 0
    for port in held:
        getattr(dut, port).value = 0
    if not int(dut.status__idle.value):
        await RisingEdge(dut.status__idle)
    await bench.edge
    await bench.edge


def _operands(
    rng: np.random.Generator, shape: tuple[int, int, int], core: CoreSpec
) -> tuple[np.ndarray, np.ndarray, OutputStage]:
    m, n, k = shape
    formats = core.array.activation_format, core.array.weight_format
    job = random_job(Gemm(name="case", m=m, n=n, k=k), rng, formats)
    assert job.activations is not None
    for operand, name in ((job.activations, formats[0]), (job.weights, formats[1])):
        if core.array.is_floating_point and rng.random() < 0.5:  # any code; infinities, NaN, limits, subnormal numbers
            special = rng.random(operand.shape) < 0.1
            codes = rng.integers(0, 1 << number_format(name).bits, operand.shape)
            codes = np.where(rng.random(operand.shape) < 0.7, rng.choice(special_codes(name), operand.shape), codes)
            np.copyto(operand, codes.astype(operand.dtype), where=special)
    return job.activations, job.weights, job.output


def _memory(bench: Bench, name: str) -> Any:
    handle = bench.dut.dut
    for part in MEMORIES[name].split("."):
        handle = getattr(handle, part)
    return handle


def _fill(bench: Bench, name: str, address: int, words: list[int]) -> None:
    memory = _memory(bench, name)
    for i, word in enumerate(words):
        memory[address + i].value = word
