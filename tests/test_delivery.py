"""What `emit` writes: every file read back by its own reader, and the Verilog run as it is delivered."""

import json
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from systemrdl.compiler import RDLCompiler
from systemrdl.node import RegNode

from hw import chips
from hw.base.error import InputError
from hw.rtl.crossbar.top import top as machine_top
from hw.rtl.emit.delivery import Delivery, deliver
from hw.rtl.emit.verilog import Emitted
from hw.rtl.npu.memory_side.axi_top import AxiTop
from hw.spec.axi import capabilities
from hw.spec.crossbar import CrossbarSpec
from hw.spec.register import REGISTER_MAP, REGISTERS
from tb.bench.build import ROOT
from tb.bench.icarus import build_icarus
from tb.bench.run import run
from tests.test_axi_foreign import AXI, CORE, _cases


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small core behind AXI, delivered."""
    folder = tmp_path_factory.mktemp("ip")
    given = Delivery(
        name="small_axi",
        title="a small core",
        top="axi",
        make=lambda build: AxiTop(CORE, AXI, build),
        constants=lambda build: capabilities(CORE, AXI, build),
        clock_ghz=0.8,
        latency="Two cycles.",
    )
    files = deliver(given, folder, folder / "work")
    assert all(path.is_file() and path.stat().st_size for path in files)
    return folder


def test_the_core_file_names_files_that_are_there_and_leaves_memory_models_out_for_an_asic(delivered: Path) -> None:
    text = (delivered / "small_axi.core").read_text()
    assert text.startswith("CAPI=2:\n")
    core = yaml.safe_load(text.partition("\n")[2])
    for fileset in core["filesets"].values():
        assert all((delivered / name).is_file() for name in fileset["files"])
    assert set(core["targets"]["default"]["filesets"]) == {"rtl", "memories"}
    assert set(core["targets"]["asic"]["filesets"]) == {"rtl", "constraints"}
    assert "create_clock -name ACLK -period 1.25 " in (delivered / "small_axi.sdc").read_text()


def test_the_register_maps_say_what_the_rtl_does(delivered: Path) -> None:
    compiler = RDLCompiler()
    compiler.compile_file(str(delivered / "small_axi.rdl"))
    words = {}
    for node in compiler.elaborate().top.descendants(unroll=True):
        if isinstance(node, RegNode):
            words[node.absolute_address] = {
                field.inst_name: (field.low, field.width, field.get_property("reset")) for field in node.fields()
            }
    assert set(words) == {offset for register in REGISTER_MAP for _, offset in register.spans}
    constants = capabilities(CORE, AXI, 0)
    for register in REGISTER_MAP:
        fields = words[register.offset]
        assert {name: place[:2] for name, place in fields.items()} == (
            {f.name: (f.low, f.bits) for f in register.fields} or {"value": (0, 32)}
        )
        if register.name in constants and not register.name.startswith("build"):
            assert sum((reset or 0) << low for low, _, reset in fields.values()) == constants[register.name]
    # IP-XACT: the same registers at the same places
    root = ElementTree.parse(delivered / "small_axi.registers.xml").getroot()
    space = root.tag.partition("}")[0] + "}"
    found = {r.findtext(f"{space}name"): r.findtext(f"{space}addressOffset") for r in root.iter(f"{space}register")}
    assert {name: int((place or "").replace("'h", "0x"), 16) for name, place in found.items()} == {
        register.name: register.offset for register in REGISTER_MAP
    }


def test_the_header_compiles_and_holds_the_map(delivered: Path, tmp_path: Path) -> None:
    program = tmp_path / "check.c"
    program.write_text(
        '#include "small_axi_registers.h"\n'
        f"_Static_assert(NPU_STATUS == {REGISTERS['status'].offset} && NPU_STATUS_STOPPED_SHIFT == "
        f'{REGISTERS["status"].low("stopped")} && NPU_ARRAY_VALUE == {capabilities(CORE, AXI)["array"]}u, "map");\n'
        "int main(void) { return 0; }\n"
    )
    subprocess.run(["g++", "-x", "c", "-std=c11", "-fsyntax-only", f"-I{delivered}", str(program)], check=True)


@pytest.mark.rtl
@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs iverilog")
def test_the_delivered_verilog_runs_and_tells_its_build(delivered: Path) -> None:
    manifest = json.loads((delivered / "small_axi.manifest.json").read_text())
    both = delivered / "together.v"
    both.write_text((delivered / "small_axi.v").read_text() + (delivered / "small_axi_memories.v").read_text())
    assert {m["width"] * m["depth"] for m in manifest["macros"]} >= {CORE.activation_words * 32}
    emitted = Emitted(
        name="small_axi", verilog_path=both, manifest_path=both, manifest=manifest, digest=manifest["digest"]
    )
    outcome = run(
        build_icarus(emitted),
        "tb.npu.foreign_axi_tests",
        tests=("programs_run_between_foreign_agents",),
        parameters={
            "core": asdict(CORE),
            "axi": asdict(AXI),
            "cases": _cases(2),
            "build": int(manifest["build_digest"], 16),
        },
    )
    assert outcome.passed, outcome.explain()


def test_a_chip_without_the_asked_top_is_one_sentence(tmp_path: Path) -> None:
    for words, sentence in (
        (("hbm_pim", "--top", "core"), "--top core needs a chip with a core"),
        (("tiny", "--top", "channel"), "--top channel needs a DRAM device"),
        (("aim", "--top", "axi"), "the axi bench needs a chip with a core"),
        (("tiny", "--cache", "16"), "cache must be an integer from 0 to 15"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "tb", "emit", *words, "--to", str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert sentence in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_file_in_the_way_and_an_unknown_reset_are_refused(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("")
    given = Delivery(
        name="x",
        title="",
        top="axi",
        make=lambda build: AxiTop(CORE, AXI, build),
        constants=lambda build: {},
        clock_ghz=None,
        latency="",
    )
    with pytest.raises(InputError, match="must name a folder"):
        deliver(given, tmp_path / "there", tmp_path)
    with pytest.raises(InputError, match="reset must be low or high, not 'none'"):
        AxiTop(replace(CORE), AXI, reset="none")  # pyright: ignore[reportArgumentType]


def test_memories_of_a_crossbar_core_are_modules_that_a_macro_replaces(tmp_path: Path) -> None:
    spec = chips.machine(chips.load("tiny_crossbar"), CrossbarSpec, "a test")
    given = Delivery(
        name="small_crossbar",
        title="tiles",
        top="machine",
        make=lambda build: machine_top(spec),
        constants=lambda build: {},
        clock_ghz=None,
        latency="",
    )
    deliver(given, tmp_path / "ip", tmp_path / "work")
    macros = json.loads((tmp_path / "ip" / "small_crossbar.manifest.json").read_text())["macros"]
    depths = {(macro["depth"], macro["width"]) for macro in macros}
    assert (spec.buffer_words, 8 * spec.lanes) in depths
    assert spec.parameter_words in {depth for depth, _ in depths}
    text = (tmp_path / "ip" / "small_crossbar.v").read_text()
    assert all(f"{macro['module']} " in text for macro in macros)
    assert "ram_words" not in text
