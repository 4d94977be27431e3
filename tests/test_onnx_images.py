"""ONNX networks with convolutions as programs of the core: near the file's own floating point, words of the program
equal to the integer reference, refused by node where the RTL lacks something."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import model.cli
from hw import chips
from hw.base.command_line import main
from hw.base.error import InputError
from model import workloads
from model.cycle.npu.predict import predict
from model.work.onnx_images import OnnxImages, run_of
from model.work.onnx_run import OnnxRun
from model.work.workload import Programmed
from tb.bench import design
from tb.bench.icarus import build_icarus
from tb.bench.run import run as simulated
from tests.support.onnx_images import CORE, check, node, opened, saved

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KCLOUD_OWN_FILES", "")


def small(folder: Path, images: int = 5) -> OnnxImages:
    """Two convolutions, one of them padded and of stride 2, pooling, two dense layers; channels that fill no word."""
    rng = np.random.default_rng(7)
    weights = {
        "w1": rng.normal(size=(20, 3, 3, 3)),
        "b1": rng.normal(size=20),
        "w2": rng.normal(size=(6, 10, 2, 3)),
        "w3": rng.normal(size=(6 * 3 * 2, 9)),
        "b3": rng.normal(size=9),
        "w4": rng.normal(size=(4, 9)),
    }
    nodes = [
        node("Conv", "x w1 b1", "c1", pads=[1, 0, 1, 2], strides=[1, 1]),
        node("Relu", "c1", "r1"),
        node("MaxPool", "r1", "p1", kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", "p1 w2", "c2", group=2, auto_pad="SAME_UPPER", strides=[2, 2]),
        node("Flatten", "c2", "f"),
        node("MatMul", "f w3", "m"),
        node("Add", "m b3", "a"),
        node("Relu", "a", "r2"),
        node("Gemm", "r2 w4", "y", transB=1),
    ]
    return opened(folder, nodes, weights, rng.normal(size=(images, 3, 12, 8)))


def test_a_network_of_convolutions_pooling_and_dense_layers_is_a_program(tmp_path: Path) -> None:
    run = small(tmp_path)
    assert isinstance(run, Programmed)
    check(run)
    assert [(g.m, g.n, g.k) for g in run.gemms()] == [(5 * 12 * 8, 20, 27), (5 * 3 * 2, 6, 120), (5, 9, 36), (5, 4, 9)]


def test_images_that_do_not_fit_together_go_through_in_parts(tmp_path: Path) -> None:
    run = small(tmp_path, images=45)  # 96 + 2 x 24 words of an image: 113 at a time; here 17
    check(run, replace(CORE, activation_words=17 * 144 + 100))


CASES: dict[str, tuple[list, dict[str, tuple[int, ...]], tuple[int, ...]]] = {
    "one convolution, an image as result": ([node("Conv", "x w", "y", pads=[2, 1, 0, 1])], {"w": (18, 2, 3, 2)},
                                            (2, 5, 7)),
    "dilation": ([node("Conv", "x w b", "y", dilations=[2, 2], pads=[2, 2, 2, 2])], {"w": (3, 1, 3, 3), "b": (3,)},
                 (1, 6, 6)),
    "depthwise": ([node("Conv", "x w", "h", group=5, pads=[1, 1, 1, 1]), node("Conv", "h v", "y")],
                  {"w": (5, 1, 3, 3), "v": (2, 5, 1, 1)}, (5, 4, 4)),
    "same, lower, stride 3": ([node("Conv", "x w", "y", auto_pad="SAME_LOWER", strides=[3, 3])], {"w": (4, 2, 4, 4)},
                              (2, 8, 7)),
    "pooling with pads and ceil": (
        [node("Conv", "x w", "h"), node("MaxPool", "h", "p", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1],
                                        ceil_mode=1), node("Relu", "p", "r"), node("Conv", "r v", "y")],
        {"w": (17, 1, 2, 2), "v": (3, 17, 1, 1)}, (1, 9, 8)),
    "bias of an Add": ([node("Conv", "x w", "h"), node("Add", "h b", "y")], {"w": (3, 2, 1, 1), "b": (3, 1, 1)},
                       (2, 4, 4)),
}  # fmt: skip
"""Nodes, shapes of weights, shape of an image."""


@pytest.mark.parametrize("name", CASES)
def test_each_way_of_moving_a_window(name: str, tmp_path: Path) -> None:
    nodes, shapes, image = CASES[name]
    rng = np.random.default_rng(3)
    weights = {key: rng.normal(size=shape) for key, shape in shapes.items()}
    check(opened(tmp_path, nodes, weights, rng.normal(size=(3, *image))))


def drawn(rng: np.random.Generator) -> tuple[list, dict[str, np.ndarray], np.ndarray]:
    """A random chain that the RTL has."""
    channels, height, width = (int(v) for v in rng.integers((1, 6, 6), (20, 14, 14)))
    images = rng.normal(size=(int(rng.integers(1, 5)), channels, height, width))
    nodes, weights, at = [], dict[str, np.ndarray](), "x"
    for number in range(int(rng.integers(1, 4))):
        kernel = [int(v) for v in rng.integers(1, 4, 2)]
        pads = [int(rng.integers(0, k)) for k in (*kernel, *kernel)]
        stride = int(rng.integers(1, 3))
        if min(height + pads[0] + pads[2] - kernel[0], width + pads[1] + pads[3] - kernel[1]) < 0:
            break
        out = int(rng.integers(1, 36))
        weights[f"w{number}"], weights[f"b{number}"] = rng.normal(size=(out, channels, *kernel)), rng.normal(size=out)
        nodes.append(node("Conv", f"{at} w{number} b{number}", f"c{number}", pads=pads, strides=[stride, stride]))
        at, channels = f"c{number}", out
        height = (height + pads[0] + pads[2] - kernel[0]) // stride + 1
        width = (width + pads[1] + pads[3] - kernel[1]) // stride + 1
        if rng.random() < 0.7:
            nodes.append(node("Relu", at, f"r{number}"))
            at = f"r{number}"
        if rng.random() < 0.5 and min(height, width) >= 2:
            nodes.append(node("MaxPool", at, f"p{number}", kernel_shape=[2, 2], strides=[2, 2]))
            at, height, width = f"p{number}", height // 2, width // 2
    weights["w"] = rng.normal(size=(channels * height * width, 7))
    if max(height, width) > 15 or not nodes:
        return drawn(rng)
    nodes += [node("Flatten", at, "f"), node("MatMul", "f w", "y")]
    return nodes, weights, images


def test_random_chains_leave_the_words_of_the_reference(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    for number in range(12):
        folder = tmp_path / str(number)
        folder.mkdir()
        check(opened(folder, *drawn(rng)), near=0.2)


def program_of(path: Path) -> None:
    run = run_of(path, path.parent / "x.npy")
    assert isinstance(run, OnnxImages)
    run.program(CORE)


X = (2, 4, 4)
W = {"w": (3, 2, 2, 2), "v": (48, 5), "u": (3, 1, 2, 2), "d": (32, 5)}
STORED = {"low": np.array(-1.0), "high": np.array(2.0), "g": np.ones(5)}


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ([node("Conv", "x w", "h"), node("AveragePool", "h", "y", kernel_shape=[2, 2], pads=[1, 1, 0, 0])],
         r"node 'n_y' \(AveragePool\) .* must divide by the same number everywhere"),
        ([node("Conv", "x w", "h"), node("ReduceMean", "h", "y", axes=[1])], "the mean of height and width"),
        ([node("Conv", "x w", "h"), node("Clip", "h low high", "y")], "from 0 on to a stored number .* not -1 to 2"),
        ([node("Conv", "x w", "h"), node("Clip", "h", "y")], "not -inf to inf"),
        ([node("Conv", "x w", "h"), node("Cast", "h", "y", to=6)], r"node 'n_y' \(Cast\)"),
        ([node("Conv", "x w", "h"), node("BatchNormalization", "h g g g g", "y")], "a stored scale, bias, mean"),
        ([node("Flatten", "x", "h"), node("Gemm", "h d", "r"), node("Relu", "r", "k"),
          node("BatchNormalization", "k g g g g", "y")], "must follow a layer before its ReLU"),
        ([node("Conv", "x w", "h"), node("Sigmoid", "h", "y")], r"node 'n_y' \(Sigmoid\)"),
        ([node("Conv", "x w", "h"), node("Add", "h x", "y")], r"node 'n_y' \(Add\) .* no second activation"),
        ([node("Conv", "x w", "y", strides=[1, 2])], "one stride and one dilation"),
        ([node("Conv", "x u", "y")], "must take the 2 channels of its image in groups of 1"),
        ([node("Conv", "x w", "y", kernel_shape=[3, 3])], "kernel_shape as its weights"),
        ([node("Conv", "x x", "y")], "must have stored weights of four axes"),
        ([node("Conv", "x w", "y", pads=[0, 0, -1, 0])], "four pads of at least 0"),
        ([node("Conv", "x w", "y", dilations=[4, 4])], "must have a kernel that fits its image"),
        ([node("Conv", "x w", "h"), node("Flatten", "h", "f"), node("MatMul", "f v", "y")], "must take the 27 values"),
    ],
)  # fmt: skip
def test_what_the_rtl_lacks_is_refused_by_node(tmp_path: Path, nodes: list, reason: str) -> None:
    rng = np.random.default_rng(1)
    weights = {key: rng.normal(size=shape) for key, shape in W.items()} | STORED
    path = saved(tmp_path, nodes, weights, rng.normal(size=(2, *X)))
    with pytest.raises(InputError, match=reason):
        program_of(path)


def test_a_core_without_convolution_and_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    run = small(tmp_path)
    assert CORE.dma is not None
    with pytest.raises(InputError, match="choose a chip with convolution"):
        run.jobs(1)
    for core, reason in (
        (replace(CORE, convolution=False), "take npu_16_cnn"),
        (replace(CORE, rounding_mode="gemmlowp"), "take npu_16_cnn"),
        (replace(CORE, weight_words=64), "all weights of cnn.onnx must fit the core"),
        (replace(CORE, activation_words=64), "an image of cnn.onnx must fit the core"),
        (replace(CORE, dma=replace(CORE.dma, external_beats=512)), "beats outside"),
    ):
        with pytest.raises(InputError, match=reason):
            run.program(core)


def test_dense_layers_alone_stay_products(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    nodes = [node("Flatten", "x", "f"), node("MatMul", "f w", "y")]
    path = saved(tmp_path, nodes, {"w": rng.normal(size=(32, 3))}, rng.normal(size=(2, 2, 4, 4)))
    assert type(run_of(path, tmp_path / "x.npy")) is OnnxRun


def test_it_is_predicted_as_a_program_and_loads_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = small(tmp_path)
    monkeypatch.chdir(tmp_path)
    words = ["predict", "--chip", "npu_16_cnn", "--network", str(run.path), "--input", str(run.input)]
    assert main("model", model.cli, words) == 0
    shown = capsys.readouterr().out
    assert "by the stepped model, copies included" in shown
    assert "cnn.onnx on x.npy, 5 samples, INT8" in shown
    assert isinstance(workloads.load("cnn"), OnnxImages)


@pytest.mark.rtl
@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs iverilog")
def test_one_image_on_the_rtl_gives_the_reference_in_the_cycles_of_the_model(tmp_path: Path) -> None:
    run = small(tmp_path, images=1)
    name = workloads.with_input(run.path, run.input)
    outcome = simulated(
        build_icarus(design.design("network", "npu_16_cnn")),
        design.module_name("network"),
        parameters={"chip": "npu_16_cnn", "workload": name},
        run_dir=tmp_path / "run",
    )
    assert outcome.passed, outcome.explain()
    assert outcome.data["cycles"] == predict(chips.load("npu_16_cnn"), workloads.load(name)).cycles


@pytest.mark.rtl
@pytest.mark.volume
def test_it_runs_on_the_rtl_bit_equal_to_the_reference_and_in_the_model_s_cycles(tmp_path: Path) -> None:
    run = small(tmp_path)
    words = ["--chip", "npu_16_cnn", "--network", str(run.path), "--input", str(run.input), "--no-activity"]
    done = subprocess.run(
        [sys.executable, "-m", "tb", "sim", *words], cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pass  every_output_of_the_program_is_the_reference" in done.stdout
