"""An ONNX network with its weights on the RTL: quantised, bit-equal to the reference, refused by operator."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import model.cli
from hw import chips
from hw.base.command_line import main
from hw.base.error import InputError
from model import workloads
from model.reference import npu as reference
from model.work.onnx_run import OnnxRun

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KCLOUD_OWN_FILES", "")


def saved(folder: Path, nodes: list, weights: dict[str, np.ndarray], shape: list, name: str = "mlp.onnx") -> Path:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value.astype(np.float32), key) for key, value in weights.items()],
    )
    path = folder / name
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), str(path))
    return path


def node(operator: str, inputs: str, output: str, **attributes) -> onnx.NodeProto:
    return helper.make_node(operator, inputs.split(), [output], name=f"n_{output}", **attributes)


def two_layers(folder: Path, seed: int = 1, samples: int = 12) -> OnnxRun:
    rng = np.random.default_rng(seed)
    weights = {"w1": rng.normal(size=(10, 6)), "b1": rng.normal(size=6), "w2": rng.normal(size=(3, 10)) * 0.5,
               "b2": rng.normal(size=3)}  # fmt: skip
    nodes = [
        node("Flatten", "x", "f"),
        node("MatMul", "f v1", "g"),
        node("Add", "g b1", "a"),
        node("Relu", "a", "r"),
        node("Gemm", "r w2 b2", "y", transB=1, alpha=0.5, beta=2.0),
    ]
    weights["v1"] = rng.normal(size=(8, 10))
    weights["b1"] = rng.normal(size=10)
    del weights["w1"]
    np.save(folder / "x.npy", rng.normal(size=(samples, 2, 4)).astype(np.float32))
    return OnnxRun(path=saved(folder, nodes, weights, ["n", 2, 4]), input=folder / "x.npy")


def floating(run: OnnxRun) -> np.ndarray:
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(str(run.path)).run(None, {"x": np.load(run.input)})[0]


def test_the_layers_are_those_of_the_file_and_int8_is_near(tmp_path: Path) -> None:
    run = two_layers(tmp_path)
    assert [(g.m, g.n, g.k) for g in run.gemms()] == [(12, 10, 8), (12, 3, 10)]
    _, _, last, values = run.quantised
    wanted = floating(run)
    assert np.allclose(values, wanted, atol=1e-4)
    core = chips.load("tiny").core
    assert core is not None
    outputs = reference.run(run.jobs(1), core)
    found = (outputs[-1].astype(float) - last.zero_point) * last.step
    assert np.abs(found - wanted).max() < 0.05 * (wanted.max() - wanted.min())
    figures = run.score(outputs)
    assert figures["samples"] == 12
    assert figures["largest_error_of_range"] < 0.05
    assert 0.05 > np.abs(found - wanted).max() / (wanted.max() - wanted.min()) > 0


def test_equal_files_have_equal_digests_and_other_inputs_others(tmp_path: Path) -> None:
    first = two_layers(tmp_path).digest
    assert two_layers(tmp_path).digest == first
    assert two_layers(tmp_path, seed=2).digest != first


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ([node("Conv", "x w", "y")], r"node 'n_y' \(Conv\) .* must take images of channels"),
        ([node("MatMul", "x w", "h"), node("Softmax", "h", "y")], r"node 'n_y' \(Softmax\)"),
        ([node("MatMul", "x w", "h"), node("Add", "h h", "y")], r"node 'n_y' \(Add\)"),
        ([node("MatMul", "w x", "y")], "must multiply by stored weights"),
        ([node("Flatten", "x", "y")], "must hold a fully connected layer"),
        ([node("MatMul", "x v", "y")], "must take the 8 values of each sample, not 7"),
        ([node("Gemm", "x w", "y", transA=1)], "not transposed"),
        ([node("MatMul", "x n", "y")], "finite weights"),
    ],
)
def test_what_the_rtl_lacks_is_refused_by_operator(tmp_path: Path, nodes: list, reason: str) -> None:
    np.save(tmp_path / "x.npy", np.ones((4, 8), np.float32))
    weights = {"w": np.ones((8, 4)), "v": np.ones((7, 4)), "n": np.full((8, 4), np.nan)}
    run = OnnxRun(path=saved(tmp_path, nodes, weights, [4, 8]), input=tmp_path / "x.npy")
    with pytest.raises(InputError, match=reason):
        run.jobs(1)


@pytest.mark.parametrize("value", [np.array("text"), np.array([np.nan]), np.zeros((0, 3)), np.float32(3), None])
def test_an_input_that_is_none(tmp_path: Path, value: object) -> None:
    if value is None:
        (tmp_path / "x.npy").write_bytes(b"not numpy")
    else:
        np.save(tmp_path / "x.npy", value)
    with pytest.raises(InputError, match="the input"):
        _ = OnnxRun(path=tmp_path / "a.onnx", input=tmp_path / "x.npy").samples


def test_it_is_predicted_and_named_like_a_workload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = two_layers(tmp_path)
    monkeypatch.chdir(tmp_path)
    words = ["predict", "--chip", "tiny", "--network", str(run.path), "--input", str(run.input)]
    assert main("model", model.cli, words) == 0
    assert "mlp.onnx on x.npy, 12 samples, INT8" in capsys.readouterr().out
    assert workloads.load("mlp").digest == run.digest
    assert main("model", model.cli, [*words, "--workload", "digits"]) == 2
    assert main("model", model.cli, ["predict", "--input", str(run.input)]) == 2


@pytest.mark.rtl
def test_it_runs_on_the_rtl_bit_equal_to_the_reference(tmp_path: Path) -> None:
    run = two_layers(tmp_path, samples=5)
    words = ["--chip", "tiny", "--network", str(run.path), "--input", str(run.input), "--no-activity"]
    done = subprocess.run(
        [sys.executable, "-m", "tb", "sim", *words], cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pass  every_output_element_is_the_reference" in done.stdout
