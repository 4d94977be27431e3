"""The nodes of an ONNX graph in an order that can be walked, and the graphs inside nodes."""

from collections.abc import Mapping

import onnx

from hw.base.error import InputError
from model.network.operator import kind_of


def graphs_of(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    """The graphs among a node's attributes: branches, bodies."""
    return [g for a in node.attribute for g in (*([a.g] if a.HasField("g") else ()), *a.graphs)]


def legible(graph: onnx.GraphProto) -> bool:
    """Whether every name of the graph is text: a damaged file can hold bytes that are none."""
    values = (*graph.input, *graph.output, *graph.value_info)
    names = [value.name for value in (*values, *graph.initializer)]
    names += [axis.dim_param for value in values for axis in value.type.tensor_type.shape.dim]
    for node in graph.node:
        names += [node.name, node.op_type, node.domain, *node.input, *node.output, *(a.name for a in node.attribute)]
    return all(isinstance(name, str) for name in names) and all(
        legible(inner) for node in graph.node for inner in graphs_of(node)
    )


def multiplies(graph: onnx.GraphProto) -> int:
    """Nodes of `graph`, and of the graphs inside it, that are matrix products."""
    return sum(
        (kind_of(node.op_type, node.domain) == "gemm") + sum(multiplies(g) for g in graphs_of(node))
        for node in graph.node
    )


def outer_names(graph: onnx.GraphProto) -> set[str]:
    """Tensors that a graph inside another reads from outside."""
    own = {t.name for t in graph.initializer} | {v.name for v in graph.input}
    own |= {name for node in graph.node for name in node.output}
    read = {name for node in graph.node for name in node.input if name} | {o.name for o in graph.output}
    for node in graph.node:
        for inner in graphs_of(node):
            read |= outer_names(inner)
    return read - own


def ordered(graph: onnx.GraphProto, known: set[str], file: str) -> list[onnx.NodeProto]:
    """The nodes of `graph`, each behind those it reads; the file's own order where that is one.

    Raises
    ------
    InputError
        If two nodes make one tensor, a node reads what nothing makes, or nodes wait for each other in a circle.
    """
    made: dict[str, int] = {}
    reads: list[list[str]] = []
    for index, node in enumerate(graph.node):
        for name in node.output:
            if name and (name in made or name in known):
                raise InputError(
                    f"every tensor of {file} must be made once; {name!r} is made again by node "
                    f"{label(node, index)}, correct the model"
                )
            made[name] = index
        inner = graphs_of(node)
        reads.append([name for name in (*node.input, *(n for g in inner for n in sorted(outer_names(g)))) if name])
    waiting: dict[int, set[int]] = {}
    readers: dict[int, list[int]] = {}
    for index, names in enumerate(reads):
        for name in names:
            if name not in made and name not in known:
                raise InputError(
                    f"node {label(graph.node[index], index)} of {file} must read what a node or the file "
                    f"gives; nothing makes {name!r}, correct the model"
                )
        waiting[index] = {made[name] for name in names if name in made and name not in known}
    for value in graph.output:
        if value.name not in made and value.name not in known:
            raise InputError(
                f"every output of {file} must be made by a node; nothing makes {value.name!r}, correct the model"
            )
    if all(source < index for index, sources in waiting.items() for source in sources):
        return list(graph.node)
    for index, sources in waiting.items():
        for source in sources:
            readers.setdefault(source, []).append(index)
    ready = [index for index, sources in waiting.items() if not sources]
    order: list[int] = []
    while ready:
        index = ready.pop(0)
        order.append(index)
        for reader in readers.get(index, ()):
            waiting[reader].discard(index)
            if not waiting[reader]:
                ready.append(reader)
    left = sorted(set(waiting) - set(order))
    if left:
        raise InputError(
            f"the nodes of {file} must not wait for each other; {_circle(left, waiting, graph)} do, in a "
            "circle, correct the model"
        )
    return [graph.node[index] for index in order]


def _circle(left: list[int], waiting: Mapping[int, set[int]], graph: onnx.GraphProto) -> str:
    """The nodes of one circle, by name."""
    path, at = [], left[0]
    while at not in path:
        path.append(at)
        at = min(waiting[at])
    names = [label(graph.node[i], i) for i in path[path.index(at) :]]
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def label(node: onnx.NodeProto, index: int) -> str:
    """What messages call a node: its name, else its operator and place."""
    return f"{node.name or f'{node.op_type}_{index}'!r} ({node.op_type})"
