"""Layer files of other simulators become the same products as by hand; what we do not have is one sentence."""

import json
from pathlib import Path

import pytest

from hw.base.command_line import main
from hw.base.error import InputError
from model import cli
from model.network import foreign
from model.network.foreign_array import read_scale_sim

TOPOLOGY = """Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
Conv1, 230, 230, 7, 7, 3, 64, 2,
Conv2, 58, 58, 3, 3, 64, 64, 1,
"""
ZIGZAG = """
- id: 0
  name: conv
  operator_type: Conv
  equation: O[b][k][oy][ox]+=W[k][c][fy][fx]*I[b][c][iy][ix]
  dimension_relations: [ix=2*ox+1*fx, iy=2*oy+1*fy]
  loop_dims: [B, K, C, OY, OX, FY, FX]
  loop_sizes: [1, 64, 3, 112, 112, 7, 7]
  operand_precision: {W: 8, I: 8, O: 16, O_final: 8}
- id: 1
  operator_type: Add
  equation: O[b][g][oy][ox]=X[b][g][oy][ox]+Y[b][g][oy][ox]
  loop_dims: [B, G, OY, OX]
  loop_sizes: [1, 64, 112, 112]
- id: 2
  name: heads
  operator_type: Gemm
  equation: O[h][m][n]+=A[h][m][k]*B[h][k][n]
  loop_dims: [H, M, N, K]
  loop_sizes: [8, 16, 32, 64]
"""
TIMELOOP = """
problem:
  version: 0.4
  shape:
    name: conv
    dimensions: [C, M, R, S, N, P, Q]
    data-spaces:
      - {name: Weights, projection: [[[C]], [[M]], [[R]], [[S]]]}
      - {name: Inputs, projection: [[[N]], [[C]], [[R, Wdilation], [P, Wstride]], [[S], [Q]]]}
      - {name: Outputs, projection: [[[N]], [[M]], [[Q]], [[P]]], read-write: True}
  instance: {C: 3, M: 64, R: 7, S: 7, N: 1, P: 112, Q: 112, Wstride: 2}
"""
ACCELFORGE = """
workload:
  iteration_space_shape: {m: 0 <= m < 128, n0: 0 <= n0 < 256, n1: 0 <= n1 < 64}
  einsums:
  - name: Matmul1
    tensor_accesses:
    - {name: T0, projection: [m, n0]}
    - {name: W0, projection: [n0, n1]}
    - {name: T1, projection: [m, n1], output: True}
"""
CONFIG = """[general]
run_name = small
[architecture_presets]
ArrayHeight: 16
ArrayWidth: 32
IfmapSramSzkB: 64
FilterSramSzkB: 64
OfmapSramSzkB: 32
Dataflow : ws
"""


def shapes(folder: Path, name: str, text: str) -> list[tuple[int, int, int, int]]:
    """(m, n, k, count) of every product of a file."""
    path = folder / name
    path.write_text(text)
    return [(gemm.m, gemm.n, gemm.k, gemm.count) for gemm in foreign.read(path).gemms()]


def test_a_scale_sim_topology_is_its_convolutions(tmp_path: Path) -> None:
    assert shapes(tmp_path, "t.csv", TOPOLOGY) == [(112 * 112, 64, 147, 1), (56 * 56, 64, 576, 1)]
    assert shapes(tmp_path, "g.csv", "Layer, M, N, K,\nfc, 8, 16, 32,\n") == [(8, 16, 32, 1)]


def test_zigzag_timeloop_and_scale_sim_agree_on_one_convolution(tmp_path: Path) -> None:
    conv = (112 * 112, 64, 147, 1)
    assert shapes(tmp_path, "z.yaml", ZIGZAG) == [conv, (16, 32, 64, 8)]
    assert shapes(tmp_path, "t.yaml", TIMELOOP) == [conv]
    assert shapes(tmp_path, "t.csv", TOPOLOGY)[0] == conv


def test_an_accelforge_einsum_is_its_product(tmp_path: Path) -> None:
    assert shapes(tmp_path, "a.yaml", ACCELFORGE) == [(128, 64, 256, 1)]


def test_the_verb_counts_a_topology_on_the_array_of_a_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_text(TOPOLOGY)
    (tmp_path / "s.cfg").write_text(CONFIG)
    words = ["cycles", "--network", str(tmp_path / "t.csv"), "--array", str(tmp_path / "s.cfg"), "--json"]
    assert main("", cli, words) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["columns"]) == (16, 32)
    assert found["macs"] == 112 * 112 * 64 * 147 + 56 * 56 * 64 * 576
    core = read_scale_sim(tmp_path / "s.cfg")
    assert (core.activation_words, core.weight_words, core.output_words) == (4096, 2048, 1024)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("x.csv", "a\n", "must be a SCALE-Sim topology"),
        ("x.csv", "Layer,a,b,c,d,e,f,g\nL,1,2\n", "layer 'L' \\(row 2\\) must have 7 sizes, not 2"),
        ("x.csv", "Layer,a,b,c,d,e,f,g\nL,4,4,5,1,1,1,1\n", "a filter of 5 x 1 must fit its input of 4 x 4"),
        ("x.csv", "Layer,M,N,K\nL,4,four,5\n", "N must be a whole number, not 'four'"),
        ("x.csv", "Layer,M,N,K\nL,4,-4,5\n", "N must be from 1 to"),
        ("x.yaml", "a: [1", "must be YAML, line"),
        ("x.yaml", "a: 1", "must be a ZigZag list of layers, a Timeloop problem or an AccelForge workload"),
        ("x.yaml", "- {name: a}", "must be a mapping with an 'equation'"),
        ("x.yaml", ZIGZAG.replace("112, 7, 7]", "112, 7]"), "must have as many loop_sizes as loop_dims"),
        ("x.yaml", ZIGZAG.replace("I[b][c]", "I[b][z]"), "index 'z' of I must be a loop"),
        ("x.yaml", TIMELOOP.replace("read-write: True", "x: 1"), "two operands and one read-write output"),
        ("x.yaml", ACCELFORGE.replace("n1: 0 <= n1 < 64", "z: 4"), "loop 'n1' must have a bound"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_sentence(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=sentence):
        foreign.read(path)


def test_an_input_stationary_configuration_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "s.cfg"
    path.write_text(CONFIG.replace("Dataflow : ws", "Dataflow : is"))
    with pytest.raises(InputError, match="Dataflow must be ws or os here, not 'is'"):
        read_scale_sim(path)
    path.write_text("no sections")
    with pytest.raises(InputError, match="with sections in brackets"):
        read_scale_sim(path)
