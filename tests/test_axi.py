"""The core behind AXI4 and AXI4-Lite, in Verilator: legal bursts, random stalls, bit-equal results, error status."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Fragment

from hw import chips
from hw.base.error import InputError
from hw.rtl.emit.verilog import emit
from hw.rtl.npu.memory_side.axi_core import AxiCore
from hw.rtl.npu.signature import counter_names
from hw.spec.axi import AxiSpec
from hw.spec.command import Command
from hw.spec.core import CoreSpec
from hw.spec.mac_array import Dataflow
from hw.spec.npu_event import LABELS
from hw.spec.register import REGISTER_MAP, counter_meanings
from hw.spec.register_text import markdown_table
from model.cycle.npu.program.program import step_program
from model.lowering.program import place, streamed
from tb.bench.build import BUILD, ROOT, Built, build
from tb.bench.protocol import Checked
from tb.bench.run import Outcome, run
from tb.npu.axi_cases import bench_parameters, parameters_of, random_cases, small_case
from tb.npu.memory_tests import Case
from tests.support.memory import CORES

AXI = AxiSpec(burst_beats=16, outstanding=3)

CORE = replace(CORES["square"], activation_words=512, weight_words=256, output_words=512)


def _built(core: CoreSpec, axi: AxiSpec) -> Built:
    return build(emit(Checked(AxiCore(core, axi)), "axi_core", BUILD / "rtl"))


def _run(core: CoreSpec, axi: AxiSpec, test: str, **given: object) -> Outcome:
    outcome = run(
        _built(core, axi),
        "tb.npu.axi_tests",
        tests=(test,),
        seed=3,
        parameters=bench_parameters(core, axi, **given),
    )
    assert outcome.passed, outcome.explain()
    return outcome


@pytest.mark.rtl
@pytest.mark.parametrize(
    ("dataflow", "programs"),
    [("ws", 8), pytest.param("ws", 24, marks=pytest.mark.volume), pytest.param("os", 24, marks=pytest.mark.volume)],
)
def test_random_programs_from_and_to_an_axi_memory_are_bit_equal_under_random_stalls(
    dataflow: Dataflow, programs: int
) -> None:
    core = replace(CORE, array=replace(CORE.array, dataflow=dataflow))
    cases = random_cases(core, range(programs))
    outcome = _run(core, AXI, "programs_run_from_and_to_an_axi_memory", cases=cases)
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
    _run(CORE, AXI, test, **small_case(CORE))


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
        "programs_run_from_and_to_an_axi_memory",
        cases=[{"case": case.packed(), "latency": 32, "mixed": False}],
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
