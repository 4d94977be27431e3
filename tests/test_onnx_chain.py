"""Networks as they are exported: normalisation, pooling anywhere, mean values, ReLU6, cores of other sizes; what a file
declares of its input holds."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.mac_array import MacArraySpec
from model import workloads
from model.cycle.npu.predict import predict
from model.reference.npu import gemm
from model.work.onnx_chain import layers
from model.work.onnx_images import OnnxImages, run_of
from model.work.onnx_layer import Convolution
from tb.bench import design
from tb.bench.icarus import build_icarus
from tb.bench.run import run as simulated
from tests.support.onnx_images import CORE, check, node, opened, saved


@pytest.fixture(autouse=True)
def _nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KCLOUD_OWN_FILES", "")


ZERO, SIX = np.array(0.0), np.array(6.0)
HALVED = {"kernel_shape": [2, 2], "strides": [2, 2]}
CASES: dict[str, tuple[list, dict[str, tuple[int, ...] | np.ndarray], tuple[int, ...]]] = {
    "normalised before ReLU, and at the end": (
        [node("Conv", "x w", "c", pads=[1, 1, 1, 1]), node("BatchNormalization", "c s b m v", "n"),
         node("Relu", "n", "r"), node("Conv", "r u", "d"), node("BatchNormalization", "d s b m v", "y", epsilon=0.1)],
        {"w": (5, 2, 3, 3), "u": (5, 5, 1, 1), "s": (5,), "b": (5,), "m": (5,), "v": np.arange(1, 6) / 3}, (2, 5, 6)),
    "normalised before any layer, and behind ReLU": (
        [node("BatchNormalization", "x s b m v", "n"), node("Conv", "n w", "c"), node("Relu", "c", "r"),
         node("BatchNormalization", "r s b m v", "y")],
        {"w": (3, 3, 2, 2), "s": (3,), "b": (3,), "m": (3,), "v": np.arange(1, 4) / 3}, (3, 5, 6)),
    "normalised fully connected": (
        [node("Conv", "x w", "c"), node("Flatten", "c", "f"), node("Gemm", "f u", "g"),
         node("BatchNormalization", "g s b m v", "y")],
        {"w": (2, 3, 2, 2), "u": (40, 3), "s": (3,), "b": (3,), "m": (3,), "v": np.arange(1, 4) / 3}, (3, 5, 6)),
    "maxima last": ([node("Conv", "x w", "c"), node("Relu", "c", "r"), node("MaxPool", "r", "y", **HALVED)],
                    {"w": (18, 2, 3, 3)}, (2, 8, 8)),
    "maxima first": ([node("MaxPool", "x", "p", **HALVED), node("Conv", "p w", "y")], {"w": (3, 2, 3, 3)}, (2, 8, 8)),
    "maxima of maxima": ([node("Conv", "x w", "c"), node("MaxPool", "c", "p", **HALVED),
                          node("MaxPool", "p", "q", **HALVED), node("Relu", "q", "y")], {"w": (3, 2, 1, 1)}, (2, 8, 8)),
    "largest of whole images": ([node("Conv", "x w", "c"), node("GlobalMaxPool", "c", "p"), node("Flatten", "p", "f"),
                                 node("Gemm", "f u", "y")], {"w": (4, 2, 3, 3), "u": (4, 3)}, (2, 7, 6)),
    "mean values": ([node("Conv", "x w", "c"), node("Relu", "c", "r"), node("AveragePool", "r", "p", **HALVED),
                     node("Conv", "p u", "y")], {"w": (18, 2, 3, 3), "u": (3, 18, 1, 1)}, (2, 8, 8)),
    "mean values with pads counted": ([node("AveragePool", "x", "p", kernel_shape=[3, 3], pads=[1, 1, 1, 1],
                                            count_include_pad=1), node("Conv", "p w", "y")],
                                      {"w": (3, 2, 1, 1)}, (2, 6, 5)),
    "mean of whole images": ([node("Conv", "x w", "c"), node("GlobalAveragePool", "c", "p"), node("Flatten", "p", "f"),
                              node("Gemm", "f u", "y")], {"w": (4, 2, 3, 3), "u": (4, 3)}, (2, 7, 6)),
    "mean by reduction": ([node("Conv", "x w", "c"), node("ReduceMean", "c", "p", axes=[-1, 2], keepdims=0),
                           node("Gemm", "p u", "y")], {"w": (4, 2, 3, 3), "u": (4, 3)}, (2, 7, 6)),
    "depthwise and ReLU6": ([node("Conv", "x w", "c", group=18, pads=[1, 1, 1, 1]), node("Clip", "c zero six", "r"),
                             node("Conv", "r u", "y")],
                            {"w": (18, 1, 3, 3), "u": (4, 18, 1, 1), "zero": ZERO, "six": SIX}, (18, 6, 6)),
    "ReLU6 behind maxima": ([node("Conv", "x w", "c"), node("MaxPool", "c", "p", **HALVED),
                             node("Clip", "p zero six", "y")],
                            {"w": np.full((4, 2, 3, 3), 2.0), "zero": ZERO, "six": SIX}, (2, 8, 8)),
}  # fmt: skip
"""Nodes, weights or their shapes, shape of an image."""


@pytest.mark.parametrize("name", CASES)
def test_the_program_leaves_the_words_of_the_reference_and_is_near_the_file(name: str, tmp_path: Path) -> None:
    nodes, given, image = CASES[name]
    rng = np.random.default_rng(5)
    weights = {key: value if isinstance(value, np.ndarray) else rng.normal(size=value) for key, value in given.items()}
    check(opened(tmp_path, nodes, weights, rng.normal(size=(3, *image))))


def test_relu6_is_six_where_the_results_go_beyond(tmp_path: Path) -> None:
    nodes, given, image = CASES["ReLU6 behind maxima"]
    run = opened(tmp_path, nodes, dict(given), np.ones((1, *image)))  # type: ignore[arg-type]
    assert np.array_equal(run.wanted, np.full((1, 4, 3, 3), 6.0))
    (stage, *_), target = run.stages(16), run.floating[0][3]
    high = stage.layer.output.high
    assert (high - target.zero_point) * target.step == pytest.approx(6.0, abs=target.step / 2)


def test_pooling_at_the_end_costs_a_layer_that_leaves_values_as_they_are(tmp_path: Path) -> None:
    nodes, given, image = CASES["maxima last"]
    rng = np.random.default_rng(5)
    run = opened(tmp_path, nodes, {"w": rng.normal(size=given["w"])}, rng.normal(size=(3, *image)))  # type: ignore[arg-type]
    assert [gemm.name for gemm in run.gemms()] == ["n_c", "n_y_values"]
    *_, last = layers(run.path, image)
    assert isinstance(last, Convolution)
    assert np.array_equal(last.weights[:, :, 0, 0], np.eye(18))
    layer, codes = run.stages(16)[-1].layer, np.arange(-128, 128).astype(np.int8)
    _, (_, _, source, target) = run.floating
    assert source == target
    values = np.repeat(codes[:, None], len(layer.weights), axis=1)
    assert np.array_equal(gemm(values, layer.weights, layer.output), values[:, :18])


@pytest.mark.parametrize(("lanes", "beat"), [(4, 16), (8, 8), (32, 16), (32, 32)])
def test_cores_of_other_sizes_and_beats_run_it(lanes: int, beat: int, tmp_path: Path) -> None:
    nodes, given, image = CASES["mean values"]
    rng = np.random.default_rng(5)
    weights = {key: rng.normal(size=value) for key, value in given.items()}
    run = opened(tmp_path, nodes, weights, rng.normal(size=(3, *image)))
    assert CORE.dma is not None
    array = MacArraySpec(rows=lanes, columns=lanes)
    check(run, replace(CORE, array=array, dma=replace(CORE.dma, bytes_per_cycle=beat)))
    with pytest.raises(InputError, match="as many rows as columns"):
        run.program(replace(CORE, array=MacArraySpec(rows=lanes, columns=2 * lanes)))


def test_weights_of_zeros_are_zeros(tmp_path: Path) -> None:
    run = opened(tmp_path, [node("Conv", "x w", "y")], {"w": np.zeros((3, 2, 2, 2))}, np.ones((2, 2, 4, 4)))
    with np.errstate(all="raise"):
        words = run.expected(CORE)
    assert not run.stages(16)[0].layer.weights.any()
    assert run.score([words])["largest_error_of_range"] == 0


@pytest.mark.parametrize("shape", [(2, 2, 5, 4), (2, 3, 4, 4), (2, 4, 4), (2, 32)])
def test_an_input_that_is_not_what_the_file_declares_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    path = saved(tmp_path, [node("Conv", "x w", "y")], {"w": np.ones((3, 2, 2, 2))}, np.ones((2, 2, 4, 4)))
    np.save(tmp_path / "other.npy", np.ones(shape))
    with pytest.raises(InputError, match=r"samples of \[2, 4, 4\] as input 'x' of cnn.onnx declares, not of"):
        run_of(path, tmp_path / "other.npy")


def test_a_size_that_the_file_leaves_open_is_that_of_the_input(tmp_path: Path) -> None:
    path = saved(tmp_path, [node("Conv", "x w", "y")], {"w": np.ones((3, 2, 2, 2))}, np.ones((2, 2, 4, 4)))
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"
    onnx.save(model, path)
    np.save(tmp_path / "x.npy", np.random.default_rng(1).normal(size=(2, 2, 7, 4)))
    run = run_of(path, tmp_path / "x.npy")
    assert isinstance(run, OnnxImages)
    check(run)


def test_an_output_that_is_not_the_last_is_refused(tmp_path: Path) -> None:
    nodes = [node("Conv", "x w", "y"), node("Relu", "y", "z")]
    path = saved(tmp_path, nodes, {"w": np.ones((3, 2, 2, 2))}, np.ones((2, 2, 4, 4)))
    with pytest.raises(InputError, match="must have the last of its chain, 'z', as its one output, not 'y'"):
        run_of(path, tmp_path / "x.npy")


OWN = """
from dataclasses import replace
from hw.chips.npu_16_cnn import CHIP as LIKE
from hw.spec.core import CoreSpec
from hw.spec.mac_array import MacArraySpec
core = LIKE.machine_as(CoreSpec)
CHIP = replace(LIKE, title="4 x 4", machine=replace(core, array=MacArraySpec(rows=4, columns=4), activation_words=512,
    weight_words=512, output_words=512, dma=replace(core.dma, bytes_per_cycle=2, banks=4, external_beats=4096)))
"""


@pytest.mark.rtl
@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs iverilog")
def test_a_core_of_four_by_four_gives_the_reference_in_the_cycles_of_the_model(tmp_path: Path) -> None:
    """Normalisation, mean values, maxima last; words of two beats."""
    rng = np.random.default_rng(5)
    nodes = [
        node("Conv", "x w", "c", pads=[1, 0, 0, 1]), node("BatchNormalization", "c s b m v", "n"),
        node("Clip", "n zero six", "r"), node("AveragePool", "r", "p", kernel_shape=[2, 2]),
        node("MaxPool", "p", "y", **HALVED),
    ]  # fmt: skip
    weights = {"w": rng.normal(size=(6, 2, 3, 3)), "v": np.arange(1, 7) / 3, "zero": ZERO, "six": SIX}
    weights |= {key: rng.normal(size=6) for key in "sbm"}
    run = opened(tmp_path, nodes, weights, rng.normal(size=(2, 2, 7, 7)))
    (tmp_path / "own_four.py").write_text(OWN)
    chip = chips.option(str(tmp_path / "own_four.py"))
    name = workloads.with_input(run.path, run.input)
    outcome = simulated(
        build_icarus(design.design("network", chip)),
        design.module_name("network"),
        parameters={"chip": chip, "workload": name},
        run_dir=tmp_path / "run",
    )
    assert outcome.passed, outcome.explain()
    assert outcome.data["cycles"] == predict(chips.load(chip), workloads.load(name)).cycles
