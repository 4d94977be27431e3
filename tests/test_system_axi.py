"""A whole system behind AXI: programs and words in over the port, results out, the model's cycles between."""

import pytest

from hw.rtl.emit.verilog import emit
from hw.rtl.npu.memory_side.axi_top import StandardPorts
from hw.rtl.npu.vector_unit.unit import VectorUnit
from hw.rtl.system.axi import SystemAxi
from hw.spec.axi import AxiSpec
from hw.spec.system_register import SYSTEM_REGISTER_MAP
from hw.spec.vector import VectorSpec
from tb.bench.build import BUILD, build
from tb.bench.run import run
from tb.system.devices import system


def test_registers_do_not_overlap() -> None:
    offsets = [offset for register in SYSTEM_REGISTER_MAP for _, offset in register.spans]
    assert offsets == sorted(set(offsets))


@pytest.mark.rtl
def test_programs_go_in_over_axi_run_and_come_back() -> None:
    spec, timing = system("aim_4")
    axi = AxiSpec(burst_beats=16, outstanding=3)
    inner = SystemAxi(spec, timing, vector=VectorUnit(VectorSpec(memory_words=spec.shared_words)), axi=axi)
    assert spec.core.dma is not None
    emitted = emit(StandardPorts(inner, spec.core.dma, axi), "system_axi", BUILD / "rtl")
    watched = [f"{emitted.name}.core.{name}" for name in ("running", "restart")]
    built = build(emitted, watched=watched)
    outcome = run(built, "tb.system.axi_tests", seed=3, parameters={"system": "aim_4", "programs": 4})
    assert outcome.passed, outcome.explain()
