"""Through an ONNX graph in one pass, node by node: shapes, values that are known beforehand, and the layers.

What ONNX's inference of one node refuses, or two shapes that contradict each other, is refused by name of the node.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TypeProto, helper, numpy_helper

from hw.base.error import InputError
from model.network import attention, onnx_contrib
from model.network.agree import recount, unequal_declaration
from model.network.layer import Layer
from model.network.onnx_layer import NodeShapes, layer_of, node_complaint, plain_node
from model.network.onnx_order import graphs_of, label, multiplies, ordered, outer_names
from model.network.onnx_value import LIMIT, elements, shape_values, stored, worked_out
from model.network.operator import ELEMENT_WISE, NORMALISATION

Shape = tuple[int, ...]
_OWN = ("", "ai.onnx")


class Walk:
    """One walk through a model's graph and those inside it.

    Parameters
    ----------
    model : ModelProto
        Every graph input with its dimensions bound.
    folder : Path
        Where constants that lie in other files are looked for.
    file : str
        What messages call the model.
    dimensions : mapping of str to int
        Sizes given by the user, by symbol or as "tensor.axis": they fill what nothing else tells.

    After a walk `layers` are the work, `used` the given dimensions that named something, `missed` what is wrong with
    constants that could not be read.
    """

    def __init__(self, model: onnx.ModelProto, folder: Path, file: str, dimensions: Mapping[str, int]) -> None:
        self.file, self.folder, self.dimensions = file, folder, dimensions
        self.opsets = list(model.opset_import)
        versions = {o.domain: o.version for o in self.opsets}
        self._versions = {**versions, "": versions.get("", versions.get("ai.onnx", 1))}
        self.types: dict[str, TypeProto] = {}
        self.fixed: set[str] = set()
        self.layers: list[Layer] = []
        self.used: set[str] = set()
        self.missed: list[str] = []
        self._made: set[str] = set()
        self._stored: dict[str, onnx.TensorProto] = {}
        self._values: dict[str, np.ndarray | None] = {}

    def graph(self, graph: onnx.GraphProto) -> None:
        """Walk `graph`; its outer graph, if there is one, was walked up to the node that holds it."""
        names = set[str]()
        for tensor in graph.initializer:
            if any(size < 0 for size in tensor.dims):
                raise InputError(
                    f"the constant {tensor.name!r} of {self.file} must have sizes of at least 0, not "
                    f"{list(tensor.dims)}; save the model again"
                )
            if tensor.name in names:
                raise InputError(
                    f"every tensor of {self.file} must be made once; the constant {tensor.name!r} is there twice, "
                    "correct the model"
                )
            names.add(tensor.name)
            self._constant(tensor.name, tensor)
        for sparse in graph.sparse_initializer:
            name = sparse.values.name
            self.types[name] = helper.make_tensor_type_proto(sparse.values.data_type, list(sparse.dims))
            self.fixed.add(name)
        for value in graph.input:
            written, held = _sizes(value.type), self.shape(value.name)
            if written is not None and held is not None and unequal_declaration(written, held):
                raise InputError(
                    f"the shapes of {self.file} must fit together; the constant {value.name!r} has {_shown(held)}, the "
                    f"file declares it {_shown(written)}; correct the model"
                )
            self.types.setdefault(value.name, value.type)
        declared = {value.name: value.type for value in (*graph.value_info, *graph.output)}
        for index, node in enumerate(ordered(graph, set(self.types) | self._made, self.file)):
            self._node(node, index, declared)
            self._made.update(name for name in node.output if name)

    def shape(self, tensor: str) -> Shape | None:
        """The shape of a tensor; None unless every size is known."""
        if tensor not in self.types:
            return None
        sizes = _sizes(self.types[tensor])
        return None if sizes is None or any(size is None for size in sizes) else tuple(sizes)  # type: ignore[arg-type]

    def value(self, tensor: str) -> np.ndarray | None:
        """The values of a tensor that is known before the run and small; None otherwise."""
        if tensor in self._stored and tensor not in self._values:
            proto = self._stored[tensor]
            try:
                self._values[tensor] = stored(proto, self.folder, self.file) if elements(proto) <= LIMIT else None
            except InputError as error:  # most constants are weights: one elsewhere is missed only if a shape needs it
                self._values[tensor] = None
                self.missed.append(str(error))
        return self._values.get(tensor)

    def _constant(self, name: str, tensor: onnx.TensorProto) -> None:
        self.types[name] = helper.make_tensor_type_proto(tensor.data_type, list(tensor.dims))
        self.fixed.add(name)
        self._stored[name] = tensor

    def _node(self, node: onnx.NodeProto, index: int, declared: Mapping[str, TypeProto]) -> None:
        inner = graphs_of(node)
        if inner:
            if node.op_type == "If" and node.domain in _OWN and self._chosen(node):
                return
            self._closed(node, index, inner)
        elif node.op_type == "Constant" and node.domain in _OWN and self._stored_by(node):
            return
        self._infer(node, index, declared, bool(inner))
        operands = [name for name in node.input if name] + [n for g in inner for n in outer_names(g)]
        data = self.shape(node.input[0]) if node.input else None
        found = shape_values(node, data) if node.domain in _OWN and data is not None and not inner else None
        if found is None and all(name in self.fixed for name in operands):
            self.fixed.update(node.output)
            found = None if inner else self._work_out(node)
        if found is not None:
            for name, value in zip(node.output, found, strict=False):
                self._values[name] = value
                self.types[name] = helper.make_tensor_type_proto(
                    helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
                )
            self.fixed.update(node.output)
        if any(name not in self.fixed for name in node.output if name):
            self.layers.append(
                layer_of(
                    node,
                    index,
                    NodeShapes(shape=self.shape, fixed=self.fixed, file=self.file, missed=self.missed),
                    controls=bool(inner),
                )
            )

    def _chosen(self, node: onnx.NodeProto) -> bool:
        """Walk the branch that an If with a known condition takes; False if the condition is not known."""
        condition = self.value(node.input[0]) if node.input else None
        if condition is None or condition.size != 1:
            return False
        taken = "then_branch" if bool(condition.reshape(())) else "else_branch"
        branch = next((a.g for a in node.attribute if a.name == taken), None)
        if branch is None or len(branch.output) != len(node.output):
            raise InputError(
                f"node {node.name!r} (If) of {self.file} must have a {taken} with {len(node.output)} "
                "outputs; save the model again"
            )
        self.graph(branch)
        for inside, name in zip(branch.output, node.output, strict=True):
            if inside.name in self.types:
                self.types[name] = self.types[inside.name]
            if inside.name in self.fixed:
                self.fixed.add(name)
                self._values[name] = self.value(inside.name)
        return True

    def _closed(self, node: onnx.NodeProto, index: int, inner: Iterable[onnx.GraphProto]) -> None:
        """Refuse a node whose body multiplies matrices as often as only the run decides."""
        products = sum(multiplies(graph) for graph in inner)
        if products:
            raise InputError(
                f"every product of {self.file} must be done a known number of times; node {label(node, index)} holds "
                f"{products} in a body that the run chooses or repeats, unroll it or give its condition as a constant"
            )

    def _stored_by(self, node: onnx.NodeProto) -> bool:
        """Take in a Constant node."""
        name, (attribute, *_) = node.output[0], [*node.attribute, None]
        if attribute is None:
            return False
        value = helper.get_attribute_value(attribute)
        if attribute.name == "value":
            self._constant(name, value)
        elif attribute.name in ("value_int", "value_ints"):
            self._constant(name, numpy_helper.from_array(np.array(value, np.int64)))
        elif attribute.name in ("value_float", "value_floats"):
            self._constant(name, numpy_helper.from_array(np.array(value, np.float32)))
        else:
            return False
        return True

    def _work_out(self, node: onnx.NodeProto) -> list[np.ndarray] | None:
        """The small values that follow from small values."""
        inputs = {}
        for name in node.input:
            if name:
                value = self.value(name)
                if value is None:
                    return None
                inputs[name] = value
        if any((shape := self.shape(name)) is None or _count(shape) > LIMIT for name in node.output if name):
            return None
        return worked_out(node, inputs, self.opsets)

    def _infer(self, node: onnx.NodeProto, index: int, declared: Mapping[str, TypeProto], controls: bool) -> None:
        """Types of the node's outputs, from its inputs and from what the file and the user say."""
        names = [name for name in node.input if name]
        whole = all(self.shape(name) is not None for name in names)
        complaint = node_complaint(node, self.shape)
        reason = complaint
        if complaint is None and not controls:
            reason = self._infer_by_onnx(node, names, whole) or recount(
                node.op_type, self.shape(names[0]) if names else None, self.shape(node.output[0])
            )
        if reason is not None:
            shown = ", ".join(str(list(s)) for s in map(self.shape, names) if s is not None)
            raise InputError(
                f"the shapes of {self.file} must fit together; at node {label(node, index)} with inputs "
                f"{shown or 'none'}, {reason}; correct the model"
            )
        for name in node.output:
            if name:
                self._settle(node, name, declared.get(name))

    def _infer_by_onnx(self, node: onnx.NodeProto, names: list[str], whole: bool) -> str | None:
        """Set the outputs' types; what ONNX found wrong if all inputs are known, else None."""
        domain = "" if node.domain in _OWN else node.domain
        try:
            schema = onnx.defs.get_schema(node.op_type, self._versions.get(domain, 1), domain)
        except onnx.defs.SchemaError:
            plain = plain_node(node)
            if plain is None:
                self._infer_by_rule(node)
                return None
            node, names = plain, [name for name in plain.input if name]
            schema = onnx.defs.get_schema(node.op_type, self._versions.get("", 1), "")
        data = {}
        for name in names:
            value = self.value(name)
            if value is not None and value.dtype != object and value.size <= 4096:
                data[name] = numpy_helper.from_array(value, name)
        types = {name: self.types.get(name, TypeProto()) for name in names}
        try:
            found = onnx.shape_inference.infer_node_outputs(schema, node, types, data, None, self.opsets)
        except (onnx.shape_inference.InferenceError, onnx.checker.ValidationError) as error:
            return _short(error) if whole else None
        except (RuntimeError, ValueError, KeyError, TypeError):
            return None
        for name, kind in found.items():
            if name:
                self.types[name] = kind
        first = node.output[0] if node.output else ""
        alone = len(names) == 1 or node.op_type in NORMALISATION
        if first and self.shape(first) is None and node.op_type in ELEMENT_WISE and alone and names[0] in self.types:
            self.types[first] = self.types[names[0]]
        return None

    def _infer_by_rule(self, node: onnx.NodeProto) -> None:
        """An operator ONNX does not know: by our own rule if there is one."""
        shapes = [self.shape(name) if name else None for name in node.input]
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        found = None
        if node.domain in onnx_contrib.DOMAINS:
            if node.op_type in attention.OPERATORS:
                found = attention.output_shape(node.op_type, attributes, shapes)
            else:
                found = onnx_contrib.output_shape(node.op_type, attributes, shapes)
        if found is not None:
            kind = self.types[node.input[0]].tensor_type.elem_type
            self.types[node.output[0]] = helper.make_tensor_type_proto(kind, found)

    def _settle(self, node: onnx.NodeProto, name: str, declared: TypeProto | None) -> None:
        """Join what follows from the inputs, what the file declares and what the user gave."""
        computed = _sizes(self.types[name]) if name in self.types else None
        written = _sizes(declared) if declared is not None else None
        if computed is not None and written is not None and all(c is not None for c in computed):
            if unequal_declaration(written, tuple(c or 0 for c in computed)):
                raise InputError(
                    f"the shapes of {self.file} must fit together; node {node.name or name!r} ({node.op_type}) makes "
                    f"{name!r} {_shown(computed)}, the file declares it {_shown(written)}; correct the model"
                )
            return
        sizes = list(computed or written or [])
        if computed is not None and written is not None and len(written) == len(sizes):
            sizes = [c if c is not None else w for c, w in zip(sizes, written, strict=True)]
        for axis, size in enumerate(sizes):
            if size is None:
                symbol = (
                    declared.tensor_type.shape.dim[axis].dim_param
                    if written and declared is not None and len(written) == len(sizes)
                    else ""
                )
                for key in (symbol, f"{name}.{axis}"):
                    if key in self.dimensions:
                        sizes[axis] = self.dimensions[key]
                        self.used.add(key)
        if not sizes and computed is None and written is None:
            while f"{name}.{len(sizes)}" in self.dimensions:
                self.used.add(f"{name}.{len(sizes)}")
                sizes.append(self.dimensions[f"{name}.{len(sizes)}"])
            if not sizes:
                return
        kind = self.types.get(name, declared)
        number = kind.tensor_type.elem_type if kind is not None else 1
        self.types[name] = helper.make_tensor_type_proto(number, sizes)


def _sizes(kind: TypeProto) -> list[int | None] | None:
    """Sizes of the axes, None for one that is open; None if not even their number is known."""
    if not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
        return None
    return [d.dim_value if d.HasField("dim_value") and d.dim_value >= 0 else None for d in kind.tensor_type.shape.dim]


def _shown(sizes: Iterable[int | None]) -> str:
    return "[" + ", ".join("?" if size is None else str(size) for size in sizes) + "]"


def _count(shape: Shape) -> int:
    total = 1
    for size in shape:
        total *= size
    return total


def _short(error: Exception) -> str:
    """The first line of ONNX's message without its marks."""
    first: Any = str(error).splitlines()[0] if str(error) else type(error).__name__
    return first.removeprefix("[ShapeInferenceError] ").removeprefix("[TypeInferenceError] ").rstrip(".")
