"""The core behind AXI4 and AXI4-Lite, in Verilator: legal bursts, random stalls, bit-equal results, error status."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from amaranth.hdl import Fragment

from hw import chips
from hw.base.error import InputError
from hw.rtl.emit.verilog import emit
from hw.rtl.npu.memory_side.axi_core import AxiCore
from hw.rtl.npu.signature import counter_names
from hw.spec.axi import AxiSpec
from hw.spec.command import Command, Copy, Fence
from hw.spec.core import CoreSpec
from hw.spec.event import LABELS
from hw.spec.mac_array import Dataflow
from hw.spec.register import REGISTER_MAP, counter_meanings
from hw.spec.register_text import markdown_table
from model.cycle.npu.program.program import step_program
from model.lowering.program import Program, place, streamed
from tb.bench.build import BUILD, ROOT, Built, build
from tb.bench.protocol import Checked
from tb.bench.run import Outcome, run
from tb.npu.axi import HABITS
from tb.npu.memory_tests import Case
from tests.support.memory import CORES, parameters_of

CHANNELS = ("ar", "r", "aw", "w", "b", "lite")

AXI = AxiSpec(burst_beats=16, outstanding=3)

CORE = replace(CORES["square"], activation_words=512, weight_words=256, output_words=512)


def _built(core: CoreSpec, axi: AxiSpec) -> Built:
    return build(emit(Checked(AxiCore(core, axi)), "axi_core", BUILD / "rtl"))


def _run(core: CoreSpec, axi: AxiSpec, cases: list[dict], test: str, **more: object) -> Outcome:
    outcome = run(
        _built(core, axi),
        "tb.npu.axi_tests",
        tests=(test,),
        seed=3,
        parameters={"core": asdict(core), "axi": asdict(axi), "cases": cases, **more},
    )
    assert outcome.passed, outcome.explain()
    return outcome


def _program(core: CoreSpec, rng: np.random.Generator) -> tuple[Program, list[tuple[int, str]]]:
    """One to four GEMMs; every other time each reads the outputs of the one before back from outside."""
    count = int(rng.integers(1, 5))
    commands = [
        Command(m=int(rng.integers(1, 30)), n_blocks=int(rng.integers(1, 4)), k_blocks=int(rng.integers(1, 4)))
        for _ in range(count)
    ]
    placed = place(core, commands)
    program = streamed(core, placed)
    if count > 1 and rng.random() < 0.5:
        for item in placed[:-1]:
            words = min(item.command.m * item.command.n_blocks, 30)
            at = next(i for i, entry in enumerate(program) if entry is item.command) + 2
            program[at:at] = [
                Fence(),
                Copy(target="external_to_activation", words=words, address=0, other_address=item.output),
                Command(m=words, n_blocks=1, k_blocks=1, output_address=core.output_words // 2 - 40),
                Copy(
                    target="output_to_external",
                    words=words,
                    address=core.output_words // 2 - 40,
                    other_address=item.activation,
                ),
                Fence(),
            ]
    return program, parameters_of(core, rng, placed)


@pytest.mark.rtl
@pytest.mark.parametrize(
    ("dataflow", "programs"),
    [("ws", 8), pytest.param("ws", 24, marks=pytest.mark.volume), pytest.param("os", 24, marks=pytest.mark.volume)],
)
def test_random_programs_from_and_to_an_axi_memory_are_bit_equal_under_random_stalls(
    dataflow: Dataflow, programs: int
) -> None:
    core, cases = replace(CORE, array=replace(CORE.array, dataflow=dataflow)), []
    for seed in range(programs):
        rng = np.random.default_rng(seed)
        program, words = _program(core, rng)
        held = {name: float(rng.choice([0.0, 0.1, 0.5, 0.9])) for name in CHANNELS} if seed % 3 else {}
        cases.append(
            {
                "case": Case(program=program, seed=seed, words=words, held=held).packed(),
                "latency": int(rng.choice([1, 7, 60])),
                "mixed": bool(seed % 2),
                "habit": HABITS[seed % len(HABITS)],
            }
        )
    outcome = _run(core, AXI, cases, "programs_run_from_and_to_an_axi_memory")
    for case, counted, (read, written) in zip(cases, outcome.data["counters"], outcome.data["bursts"], strict=True):
        assert sum(counted[label] for label in LABELS) == counted["busy"]
        assert counted["command.accept"] == len(case["case"]["program"])
        assert 0 < read < counted["external_memory.read"]
        assert 0 < written <= counted["external_memory.write"]


@pytest.mark.rtl
@pytest.mark.parametrize(
    "test",
    [
        "an_error_response_stops_the_core_until_a_soft_reset",
        "a_soft_reset_at_any_time_drains_and_leaves_a_clean_core",
        "a_command_has_completed_when_its_writes_are_answered",
        "responses_that_nobody_waits_for_are_dropped",
        "registers_answer_as_documented",
        "a_full_queue_never_blocks_the_host",
    ],
)
def test_errors_aborts_and_registers(test: str) -> None:
    rng = np.random.default_rng(1)
    placed = place(CORE, [Command(m=5, n_blocks=2, k_blocks=2)])
    case = {
        "case": Case(program=streamed(CORE, placed), seed=1, words=parameters_of(CORE, rng, placed)).packed(),
        "latency": 25,
    }
    _run(
        CORE,
        AXI,
        [case],
        test,
        read_at=placed[0].weight + 3,
        write_at=placed[0].output + 4,
        aborts=[1, 2, 3, 10, 20, 30, 40, 57, 75, 90, 110],
    )


@pytest.mark.rtl
def test_the_shared_port_costs_what_the_page_says() -> None:
    core = chips.load("npu_16_dma").core
    assert core is not None
    assert core.dma is not None
    core = replace(core, dma=replace(core.dma, external_beats=4096))
    placed = place(core, [Command(m=96, n_blocks=6, k_blocks=6)])
    program = streamed(core, placed)
    case = Case(program=program, seed=1, words=parameters_of(core, np.random.default_rng(1), placed))
    outcome = _run(
        core,
        AxiSpec(),
        [{"case": case.packed(), "latency": 32, "mixed": False}],
        "programs_run_from_and_to_an_axi_memory",
    )
    (counted,) = outcome.data["counters"]
    private = step_program(core, program)
    assert counted["stream"] == private.budget["stream"] == 96 * 36
    assert {e: counted[e] for e in ("external_memory.read", "external_memory.write")} == {
        e: private.counts[e] for e in ("external_memory.read", "external_memory.write")
    }
    # docs/axi.md
    waited = [counted["wait_weight"] + counted["weight_missing"], counted["activation_missing"]]
    assert waited == [22, 599]
    assert (private.cycles, counted["busy"]) == (3562, 4165)


def test_a_core_without_channels_or_with_an_odd_bus_is_refused() -> None:
    with pytest.raises(InputError, match="must have copy channels"):
        AxiCore(replace(CORES["square"], dma=None))
    with pytest.raises(InputError, match="power of two from 1 to 128, not 3"):
        AxiCore(CORES["no_overlap"])
    with pytest.raises(InputError, match="burst_beats must be an integer from 1 to 256, not 257"):
        AxiSpec(burst_beats=257)


def test_the_register_map_has_no_overlaps_and_the_core_no_axi() -> None:
    offsets = [offset for register in REGISTER_MAP for _, offset in register.spans]
    assert len(offsets) == len(set(offsets))
    assert max(offsets) < 1 << 12
    assert counter_meanings() == list(counter_names().values())
    assert Fragment.get(AxiCore(CORES["square"]), None)


def test_the_page_lists_the_registers_that_are_there() -> None:
    page = (ROOT / "docs" / "axi.md").read_text()
    assert page.partition("test compares -->\n")[2].partition("<!-- end -->")[0] == markdown_table()
