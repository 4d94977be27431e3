"""Small ONNX networks on images, and what must hold of each as a program of a core."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from hw import chips
from hw.spec.command import output_word_bits
from hw.spec.core import CoreSpec
from model.functional.npu import Memories
from model.work.onnx_images import OnnxImages, run_of

CORE = chips.machine(chips.load("npu_16_cnn"), CoreSpec, "a test")


def saved(folder: Path, nodes: list, weights: dict[str, np.ndarray], images: np.ndarray) -> Path:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *images.shape[1:]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value.astype(np.float32), key) for key, value in weights.items()],
    )
    np.save(folder / "x.npy", images.astype(np.float32))
    path = folder / "cnn.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), str(path))
    return path


def node(operator: str, inputs: str, output: str, **attributes) -> onnx.NodeProto:
    return helper.make_node(operator, inputs.split(), [output], name=f"n_{output}", **attributes)


def opened(folder: Path, nodes: list, weights: dict[str, np.ndarray], images: np.ndarray) -> OnnxImages:
    run = run_of(saved(folder, nodes, weights, images), folder / "x.npy")
    assert isinstance(run, OnnxImages)
    return run


def floating(run: OnnxImages) -> np.ndarray:
    found = ReferenceEvaluator(str(run.path)).run(None, {"x": np.load(run.input)})
    return np.asarray(next(iter(found)))


def check(run: OnnxImages, core: CoreSpec = CORE, near: float = 0.06) -> None:
    """The floating point is the file's; the program leaves the words of the reference, which are near it."""
    wanted = floating(run)
    assert np.allclose(run.wanted.reshape(wanted.shape), wanted, atol=1e-3 * np.abs(wanted).max())
    work = run.program(core)
    memories = Memories(core)
    for beat, beats in work.external:
        memories.external[beat : beat + len(beats)] = beats
    memories.run(work.program)
    assert memories.refused == 0
    assert core.dma is not None
    beats = work.words * core.dma.beats(output_word_bits(core))
    words = (
        memories.external[work.output : work.output + beats]
        .view(np.int8)
        .reshape(work.words, -1)[:, : core.array.columns]
    )
    assert np.array_equal(words, run.expected(core))
    figures = run.score([words])
    assert figures["samples"] == len(run.images)
    assert 0 < figures["largest_error_of_range"] < near
