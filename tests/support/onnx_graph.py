"""Small ONNX files for tests: nodes, float inputs, constants by shape or value."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def graph(nodes: list, inputs: dict, outputs: list[str], constants: dict | None = None, **more) -> onnx.GraphProto:
    """A graph of float inputs; a constant is a shape (zeros) or an array."""
    return helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(n, FLOAT, s) for n, s in inputs.items()],
        [helper.make_tensor_value_info(n, FLOAT, None) for n in outputs],
        [
            numpy_helper.from_array(v if isinstance(v, np.ndarray) else np.zeros(v, np.float32), n)
            for n, v in (constants or {}).items()
        ],
        **more,
    )


def saved(folder: Path, nodes: list, inputs: dict, outputs: list[str], constants: dict | None = None, **more) -> Path:
    """The model of such a graph in a file."""
    opsets = [
        helper.make_opsetid("", more.pop("opset", 17)),
        helper.make_opsetid("com.microsoft", 1),
        *more.pop("opsets", []),
    ]
    functions = more.pop("functions", [])
    proto = helper.make_model(
        graph(nodes, inputs, outputs, constants, **more), opset_imports=opsets, functions=functions
    )
    path = folder / "net.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def node(operator: str, inputs: str, outputs: str, **attributes) -> onnx.NodeProto:
    """A node called after its outputs; "-" leaves an input out."""
    named = [name if name != "-" else "" for name in inputs.split()]
    return helper.make_node(operator, named, outputs.split(), name=f"n_{outputs.split()[0]}", **attributes)
