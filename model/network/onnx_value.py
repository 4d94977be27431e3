"""Values of an ONNX file that are known before any run: stored constants, and what follows from them and from shapes.

Only small values are worked out: what a shape, an axis or a pad can depend on. Weights stay shapes.
"""

import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hw.base.error import InputError

LIMIT = 1 << 16
"""Elements of the largest value that is worked out."""
_RANDOM = ("Random", "Multinomial", "Bernoulli", "Dropout")


def elements(tensor: TensorProto) -> int:
    """How many elements the stored tensor says it has."""
    count = 1
    for size in tensor.dims:
        count *= size
    return count


def stored(tensor: TensorProto, folder: Path, file: str) -> np.ndarray:
    """The values of a stored tensor, which may lie in a file beside the model.

    Raises
    ------
    InputError
        If the outer file lies outside the model's `folder`, is missing or too short, or the bytes do not fill
        the shape.
    """
    if tensor.data_location == TensorProto.EXTERNAL:
        tensor = _beside(tensor, folder, file)
    try:
        value = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(
            f"the constant {tensor.name!r} of {file} must fill its shape {list(tensor.dims)} "
            f"({str(error).splitlines()[0]}); save the model again"
        ) from None
    if value.size != elements(tensor):
        raise InputError(
            f"the constant {tensor.name!r} of {file} must fill its shape {list(tensor.dims)}, not hold "
            f"{value.size} values; save the model again"
        )
    return value


def _beside(tensor: TensorProto, folder: Path, file: str) -> TensorProto:
    """The same tensor with its bytes read from the file beside the model, never from outside its folder."""
    where = {entry.key: entry.value for entry in tensor.external_data}
    location, offset, length = where.get("location", ""), where.get("offset", "0"), where.get("length")
    path, root = (folder / location).resolve(), folder.resolve()
    if not location or not path.is_relative_to(root):
        raise InputError(
            f"the constant {tensor.name!r} of {file} must lie in a file beside the model, not in {location!r}; "
            "move it there"
        )
    if not offset.isdecimal() or not (length is None or length.isdecimal()):
        raise InputError(
            f"the constant {tensor.name!r} of {file} must have an offset and a length in bytes, not {offset!r} and "
            f"{length!r}; save the model again"
        )
    try:
        with path.open("rb") as handle:
            handle.seek(int(offset))
            content = handle.read(int(length) if length is not None else -1)
    except (OSError, OverflowError, MemoryError):
        raise InputError(
            f"{location}, which holds the constant {tensor.name!r} of {file}, must lie beside the model and be "
            "readable; fetch it too"
        ) from None
    if length is not None and len(content) != int(length):
        raise InputError(
            f"{location} must hold the {length} bytes of the constant {tensor.name!r} of {file}, it ends after "
            f"{len(content)}; fetch it again"
        )
    inside = TensorProto()
    inside.CopyFrom(tensor)
    inside.ClearField("external_data")
    inside.data_location = TensorProto.DEFAULT
    inside.raw_data = content
    return inside


def worked_out(
    node: onnx.NodeProto, inputs: dict[str, np.ndarray], opsets: list[onnx.OperatorSetIdProto]
) -> list[np.ndarray] | None:
    """The outputs of one node whose inputs are known, by ONNX's own reference; None if it cannot say."""
    if node.op_type.startswith(_RANDOM):
        return None
    from onnx.reference import ReferenceEvaluator

    graph = helper.make_graph(
        [node],
        "one",
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for name, value in inputs.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in node.output if name],
    )
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets)).run(None, inputs)
    except Exception:  # whatever a strange constant does there, the value is simply not known
        return None
    return [np.asarray(value) for value in found]


def shape_values(node: onnx.NodeProto, shape: tuple[int, ...]) -> list[np.ndarray] | None:
    """The outputs of a node that only asks for its operand's shape: Shape and Size; None for others."""
    if node.op_type == "Size":
        count = 1
        for size in shape:
            count *= size
        return [np.array(count, np.int64)]
    if node.op_type == "Shape":
        given = {a.name: a.i for a in node.attribute}
        return [np.array(shape[given.get("start", 0) : given.get("end", len(shape))], np.int64)]
    return None
