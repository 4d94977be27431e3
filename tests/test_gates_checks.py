"""The checks around the gates: SAIF, second timing, other nodes, memories, floating-point arrays, bad input."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from hw.base.command_line import main
from hw.base.error import InputError
from hw.cells import MINI45_LIBERTY
from hw.gates import blocks, library, scaling, streams, synthesis
from hw.gates.block import Block
from hw.rtl.npu.cell import Cell
from hw.spec.mac_array import MacArraySpec
from model.energy import sram
from tb import cli
from tb.gates import core as gates
from tb.gates import floating, nodes, saif, timing


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("build")


@pytest.fixture(scope="module")
def process() -> library.Process:
    return library.load("mini45")


@pytest.fixture(scope="module")
def adder(build, process) -> synthesis.Synthesised:
    return synthesis.synthesise(blocks.Adder(8), "adder", process, build)


def _saif(adder: synthesis.Synthesised, path: Path, extra: str = "", leave_out: int = 0) -> Path:
    """A SAIF file with every driven net of the adder at 3 toggles."""
    names = [adder.netlist.names[net].replace("[", "\\[").replace("]", "\\]") for net in adder.netlist.drivers()]
    nets = "\n".join(
        f"({name} (T0 1) (T1 1) (TZ 0) (TX 0) (TB 0) (TC 3))" for name in [*names[leave_out:], *extra.split()]
    )
    path.write_text(f'(SAIFILE\n(SAIFVERSION "2.0")\n(INSTANCE top\n(NET\n{nets}\n)\n)\n)\n')
    return path


def test_a_saif_file_gives_the_toggles_of_every_net(adder, tmp_path) -> None:
    found = saif.read(_saif(adder, tmp_path / "a.saif"), adder)
    assert found == dict.fromkeys(adder.netlist.drivers(), 3)


def test_a_saif_file_without_some_nets_is_refused(adder, tmp_path) -> None:
    with pytest.raises(InputError, match="lacks 2 nets of top"):
        saif.read(_saif(adder, tmp_path / "a.saif", leave_out=2), adder)


@pytest.mark.rtl
def test_toggles_equal_verilators_net_by_net(adder, build) -> None:
    rng = np.random.default_rng(7)
    given = {p: rng.integers(0, 1 << len(b), (300, 1)) for p, b in adder.netlist.inputs.items()}
    found = saif.compare(adder, given, 20, build)
    assert found.different == ()
    assert found.ours == found.verilator > 1000
    assert found.nets == len(adder.netlist.drivers()) + 16


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("internal_power", "no_power"), "every cell must have internal_power tables on its output, but cell INV_X1"),
        (('"1ns"', '"1fortnight"'), "must give time_unit as one of"),
    ],
)
def test_a_bad_liberty_file_is_one_sentence_and_code_2(change, says: str, tmp_path, capsys) -> None:
    path = tmp_path / "bad.lib"
    path.write_text(MINI45_LIBERTY.read_text().replace(*change))
    assert main("tb", cli, ["gates", "liberty", "--file", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert says in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        "library (",
        "library (a b",
        'library (a) { time_unit : "1ns',
        "library (x) { cell (y) { area : foo; } }",
        "\x00\x01",
        "",
    ],
)
def test_a_liberty_file_that_is_none_is_one_sentence_and_code_2(text: str, tmp_path, capsys) -> None:
    path = tmp_path / "bad.lib"
    path.write_bytes(text.encode() + b"\xff\xfe" * text.startswith("\x00"))
    assert main("tb", cli, ["gates", "liberty", "--file", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize("change", [("area : 0.532", "area : little"), ("(1, ff)", "(ff)"), ("(1, ff)", "(one, ff)")])
def test_a_liberty_file_with_words_for_numbers_is_one_sentence_and_code_2(change, tmp_path, capsys) -> None:
    text = MINI45_LIBERTY.read_text()
    assert change[0] in text
    path = tmp_path / "bad.lib"
    path.write_text(text.replace(*change))
    assert main("tb", cli, ["gates", "liberty", "--file", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--clock", "0"], "--clock must be above 0 GHz"),
        (["--clock", "nan"], "--clock must be above 0 GHz"),
        (["--chip", "npu_16_os", "--write-table"], "must be fitted on operands that an RTL run moved"),
        (["--chip", "npu_16_bf16", "--test", "digits_60"], "must be fitted on operands that an RTL run moved"),
        (["--chip", "npu_16_int4"], "choose a workload in its formats"),
        (["--chip", "nvidia_l4"], "has none; choose one of"),
        (["--formats", "fp4"], "--formats must be some of"),
        (["--library", "other"], "must be one of mini45, osu018"),
    ],
)
def test_energy_refuses_in_one_sentence_before_it_works(arguments, says: str, tmp_path, capsys) -> None:
    assert main("tb", cli, ["energy", *arguments, "--build", str(tmp_path / "build")]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not (tmp_path / "build").exists()


def test_a_binary_saif_file_is_one_sentence_and_code_2(adder, build, tmp_path, capsys) -> None:
    path = tmp_path / "binary.saif"
    path.write_bytes(bytes(range(128, 256)))
    assert main("tb", cli, ["gates", "saif", "--block", "adder", "--file", str(path), "--build", str(build)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_saif_with_nets_the_netlist_lacks_is_one_sentence_and_code_2(adder, build, tmp_path, capsys) -> None:
    path = _saif(adder, tmp_path / "other.saif", extra="n99999")
    assert main("tb", cli, ["gates", "saif", "--block", "adder", "--file", str(path), "--build", str(build)]) == 2
    error = capsys.readouterr().err
    assert "other.saif has 'n99999', which top lacks" in error
    assert error.count("\n") == 1


def test_a_stream_shorter_than_its_warm_up_is_one_sentence_and_code_2(adder, build, capsys) -> None:
    assert main("tb", cli, ["gates", "saif", "--cycles", "8", "--warm-up", "9", "--build", str(build)]) == 2
    error = capsys.readouterr().err
    assert "longer than its warm-up of 9 cycles, not 8" in error
    assert error.count("\n") == 1


@pytest.mark.skipif(shutil.which("sta") is None, reason="needs Debian's package opensta")
def test_critical_paths_are_within_five_percent_of_opensta(build, process, monkeypatch) -> None:
    chosen = ("8-bit adder", "8-bit multiplier")
    monkeypatch.setattr(timing, "BLOCKS", {k: timing.BLOCKS[k] for k in chosen})
    for found in timing.compare(process, build):
        assert abs(found.difference) < 0.05


def test_recipes_differ_in_what_they_say(build, process) -> None:
    plain = synthesis.synthesise(blocks.Multiplier(4), "mul4", process, build, synthesis.RECIPES["plain"])
    full = synthesis.synthesise(blocks.Multiplier(4), "mul4", process, build)
    kinds = [{i.cell.name for i in s.netlist.instances} for s in (plain, full)]
    assert "FA_X1" not in kinds[0]
    assert "FA_X1" in kinds[1]


def test_components_add_up_and_zeros_cost_less_on_every_one_of_them(build, process) -> None:
    array = MacArraySpec(rows=4, columns=4)
    cell = Block(Cell(array), "cell", process, build)
    found = {}
    for name in ("random", "zeros"):
        given = gates.with_reset(cell, streams.cell_streams(array, [streams.operand_class(name, 64, 8, 8, 1)]))
        energy, glitches = cell.measure(given, build)
        found[name] = gates.Measured(block="cells", instances=16, energy=energy, glitches=glitches, clock_ghz=0.25)
    parts = found["random"].energy
    moving = (parts.switching_fj + parts.internal_fj) * found["random"].glitches.mean
    leakage = parts.leakage_nw * 1e-3 / 0.25
    assert found["random"].pj() == pytest.approx((moving + parts.clock_fj + leakage) / 1000)
    assert found["zeros"].pj() < 0.6 * found["random"].pj()


def test_nodes_say_whether_they_lie_inside_what_is_published() -> None:
    inside = nodes.text({"low": 1.5, "nominal": 2.0, "high": 3.0}, "int8")
    assert inside[-1].count("inside") == 2
    assert "below by" in nodes.text({"low": 0.1, "nominal": 0.1, "high": 0.1}, "int8")[-1]
    assert "above by" in nodes.text({"low": 9.0, "nominal": 9.0, "high": 9.0}, "int8")[-1]
    assert all(p.node_nm in scaling.VOLTAGES for p in scaling.PUBLISHED)


def test_generated_memories_cost_more_when_larger_and_less_than_the_published_cache() -> None:
    for bits in (32, 64):
        energies = [p.access_pj for p in sram.POINTS if p.bits == bits]
        assert energies == sorted(energies)
    assert 0.3 < sram.RATIO < 1.0


@pytest.mark.volume
def test_a_float_array_computes_the_products_of_its_streams(build, process) -> None:
    array = floating.FloatArray("fp8_e4m3", process, build, 0.25)
    a, w = array.operands("random", 3)
    sums = array.streams("random", 3)["sum skew"]["i"].astype(np.uint32).view(np.float32)
    a, w = (floating.values_of("fp8_e4m3", x).astype(np.float64) for x in (a, w))
    exact = a[:, :16] @ w[:16]
    # Rows of weights are loaded first; a sum leaves four cycles after its row.
    moved = sums[16 + 4 : 16 + 4 + 100]
    assert np.allclose(moved, exact[:100], rtol=1e-4, atol=1e-3)
