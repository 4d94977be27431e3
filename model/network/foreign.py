"""Layers from the files of other simulators: SCALE-Sim's topology CSV, ZigZag's, Timeloop's and AccelForge's YAML.

Every layer is an equation over named loops: an output, weights and inputs, each with the loops it is indexed by.
Loops of
output and weights are columns (N), of output and inputs alone rows (M), of no output terms of the sum (K); loops of all
three are independent products. A convolution's sliding index (`ix = ox + fx`) is the two loops it is made of, so that a
convolution is one product of output positions by filters.
"""

import csv
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from hw.base.error import InputError
from model.network.layer import Layer, Network
from model.work.workload import Gemm

LARGEST = 1 << 40
"""Largest size of a loop: beyond is a mistake in the file."""


def read(path: Path) -> Network:
    """The network of a .csv (SCALE-Sim) or .yaml file (ZigZag, Timeloop, AccelForge).

    Raises
    ------
    InputError
        If the file cannot be read, is none of these, or a layer of it is no product of sums.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} must be a readable file ({error.strerror}); give another path") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} must be text, and is not; give a topology or layer file") from None
    layers = _scale_sim(path, text) if path.suffix == ".csv" else _yaml(path, text)
    if not layers:
        raise InputError(f"{path} must list at least one layer, and lists none; give another file")
    return Network(name=path.stem, source=str(path), layers=tuple(layers))


def product(
    name: str, sizes: Mapping[str, int], output: Iterable[str], weights: Iterable[str], inputs: Iterable[str]
) -> Layer:
    """The layer of one equation; `sizes` holds every loop, the others the loops each tensor is indexed by."""
    out, of_weights, of_inputs = set(output), set(weights), set(inputs)
    groups = {"rows": 1, "columns": 1, "terms": 1, "count": 1}
    for loop, size in sizes.items():
        if loop not in out:
            kind = "terms"
        elif loop in of_weights and loop in of_inputs:
            kind = "count"
        elif loop in of_weights:
            kind = "columns"
        else:
            kind = "rows"
        groups[kind] *= size
    m, n, k, count = (groups[kind] for kind in ("rows", "columns", "terms", "count"))
    return Layer(
        name=name,
        operator="Gemm" if count == 1 else "MatMul",
        kind="gemm",
        gemms=(Gemm(name=name, m=m, n=n, k=k, count=count),),
        operations=2 * m * n * k * count,
        input_elements=m * k * count,
        weight_elements=math.prod(size for loop, size in sizes.items() if loop in of_weights),
        output_elements=m * n * count,
    )


def _size(where: str, name: str, value: Any) -> int:
    try:
        number = int(str(value).strip())
    except ValueError:
        raise InputError(f"{where}: {name} must be a whole number, not {value!r}; correct it") from None
    if not 1 <= number <= LARGEST:
        raise InputError(f"{where}: {name} must be from 1 to {LARGEST}, not {number}; correct it")
    return number


def _scale_sim(path: Path, text: str) -> list[Layer]:
    """Convolutions (seven numbers) or products (M, N, K) after a line of heads; sizes include the padding."""
    rows = [
        [cell.strip() for cell in row] for row in csv.reader(text.splitlines()) if any(cell.strip() for cell in row)
    ]
    rows = [row[:-1] if row and row[-1] == "" else row for row in rows]
    if not rows or len(rows[0]) < 4:
        raise InputError(
            f"{path} must be a SCALE-Sim topology: a line of heads, then a layer a line; give another file"
        )
    heads = [head.lower() for head in rows[0]]
    products = {"m", "n", "k"} <= set(heads)
    layers = []
    for number, row in enumerate(rows[1:], start=2):
        where = f"{path}, layer {row[0]!r} (row {number})"
        values = row[1:]
        needed = 3 if products else 7
        if len(values) < needed:
            raise InputError(f"{where} must have {needed} sizes, not {len(values)}; correct it")
        if products:
            m, n, k = (_size(where, head.upper(), values[heads.index(head) - 1]) for head in ("m", "n", "k"))
            layers.append(product(row[0], {"m": m, "n": n, "k": k}, "mn", "nk", "mk"))
            continue
        names = ("input height", "input width", "filter height", "filter width", "channels", "filters", "strides")
        height, width, r, s, channels, filters, stride = (
            _size(where, name, value) for name, value in zip(names, values, strict=False)
        )
        if r > height or s > width:
            raise InputError(f"{where}: a filter of {r} x {s} must fit its input of {height} x {width}; correct it")
        sizes = {
            "p": (height - r + stride) // stride,
            "q": (width - s + stride) // stride,
            "r": r,
            "s": s,
            "c": channels,
            "k": filters,
        }
        layers.append(product(row[0], sizes, "pqk", "krsc", "pqrsc"))
    return layers


def _yaml(path: Path, text: str) -> list[Layer]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise InputError(f"{path} must be YAML{where}; correct it") from None
    if isinstance(found, Sequence) and not isinstance(found, str):
        return [_zigzag(path, entry) for entry in found if _is_product(path, entry)]
    if isinstance(found, Mapping) and isinstance(found.get("problem"), Mapping):
        return [_timeloop(path, found["problem"])]
    if isinstance(found, Mapping):
        inside = found.get("workload", found)
        if isinstance(inside, Mapping) and isinstance(inside.get("einsums"), Sequence):
            return [_accelforge(path, inside, entry) for entry in inside["einsums"]]
    raise InputError(
        f"{path} must be a ZigZag list of layers, a Timeloop problem or an AccelForge workload; give another"
    )


def _is_product(path: Path, entry: Any) -> bool:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("equation"), str):
        raise InputError(f"{path}: a layer must be a mapping with an 'equation', not {entry!r:.80}; correct it")
    return "*" in entry["equation"]


def _zigzag(path: Path, entry: Mapping[str, Any]) -> Layer:
    name = str(entry.get("name", entry.get("id", "layer")))
    where = f"{path}, layer {name!r}"
    dims, sizes = entry.get("loop_dims"), entry.get("loop_sizes")
    if isinstance(entry.get("loop_dim_size"), Mapping):
        dims, sizes = list(entry["loop_dim_size"]), list(entry["loop_dim_size"].values())
    if not isinstance(dims, Sequence) or not isinstance(sizes, Sequence) or len(dims) != len(sizes):
        raise InputError(f"{where} must have as many loop_sizes as loop_dims; correct it")
    loops = {str(dim).lower(): _size(where, str(dim), size) for dim, size in zip(dims, sizes, strict=True)}
    slides: dict[str, set[str]] = {}
    for relation in entry.get("dimension_relations") or ():
        index, _, rest = str(relation).replace(" ", "").lower().partition("=")
        slides[index] = {word for word in re.findall(r"[a-z]\w*", rest)}
    left, _, right = str(entry["equation"]).replace(" ", "").partition("+=")
    operands = [_tensor(where, text, loops, slides) for text in (left, *right.split("*"))]
    if len(operands) != 3:
        raise InputError(
            f"{where} must multiply two operands, not {len(operands) - 1} ({entry['equation']}); cut it in two"
        )
    (_, output), first, second = operands
    constant = {str(one) for one in entry.get("constant_operands") or ()}
    held = first[0] in constant and second[0] not in constant
    weights, inputs = (first, second) if held or first[0].upper().startswith("W") else (second, first)
    return product(name, loops, output, weights[1], inputs[1])


def _tensor(where: str, text: str, loops: Mapping[str, int], slides: Mapping[str, set[str]]) -> tuple[str, set[str]]:
    """(name, loops) of "I[b][c][iy][ix]"."""
    name, _, rest = text.partition("[")
    used: set[str] = set()
    for index in re.findall(r"\w+", rest.lower()):
        used |= slides.get(index, {index})
    for index in sorted(used - loops.keys()):
        raise InputError(f"{where}: index {index!r} of {name} must be a loop ({', '.join(loops)}); correct it")
    return name, used


def _timeloop(path: Path, problem: Mapping[str, Any]) -> Layer:
    shape = problem.get("shape", problem)
    if not isinstance(shape, Mapping) or not isinstance(problem.get("instance"), Mapping):
        raise InputError(f"{path}: a Timeloop problem must have a shape with data-spaces and an instance; correct it")
    spaces = shape.get("data-spaces", shape.get("data_spaces"))
    if not isinstance(spaces, Sequence):
        raise InputError(
            f"{path}: the shape of a Timeloop problem must list data-spaces, not name a built-in one; write it out"
        )
    dims = [
        str(dim if not isinstance(dim, Mapping) else dim.get("name")).lower() for dim in shape.get("dimensions", ())
    ]
    instance = {str(name).lower(): value for name, value in problem["instance"].items()}
    loops = {dim: _size(str(path), dim.upper(), instance.get(dim, 1)) for dim in dims}
    output, operands = None, []
    for space in spaces:
        used = {word for word in re.findall(r"[a-z]\w*", str(space.get("projection")).lower()) if word in loops}
        if space.get("read-write", space.get("read_write")):
            output = used
        else:
            operands.append((str(space.get("name")), used))
    if output is None or len(operands) != 2:
        raise InputError(f"{path}: a Timeloop problem must have two operands and one read-write output; correct it")
    operands.sort(key=lambda one: not one[0].lower().startswith("w"))
    return product(str(shape.get("name", path.stem)), loops, output, operands[0][1], operands[1][1])


def _accelforge(path: Path, workload: Mapping[str, Any], entry: Any) -> Layer:
    name = str(entry.get("name", "einsum")) if isinstance(entry, Mapping) else "einsum"
    where = f"{path}, einsum {name!r}"
    if not isinstance(entry, Mapping) or not isinstance(entry.get("tensor_accesses"), Sequence):
        raise InputError(f"{where} must have tensor_accesses; correct it")
    bounds: dict[str, int] = {}
    for source in (workload.get("iteration_space_shape"), workload.get("shape"), entry.get("iteration_space_shape")):
        for loop, bound in (source or {}).items():
            most = re.search(r"<\s*(\d+)\s*$", str(bound))
            bounds[str(loop).lower()] = _size(where, str(loop), most.group(1) if most else bound)
    output, operands = None, []
    for access in entry["tensor_accesses"]:
        projection = access.get("projection", ())
        texts = projection.values() if isinstance(projection, Mapping) else projection
        used = {word for text in texts for word in re.findall(r"[a-z]\w*", str(text).lower())}
        if access.get("output"):
            output = used
        else:
            operands.append((str(access.get("name")), used))
    if output is None or len(operands) != 2:
        raise InputError(f"{where} must read two tensors and write one; leave it out")
    operands.sort(key=lambda one: not one[0].lower().startswith("w"))
    used = output | operands[0][1] | operands[1][1]
    for loop in sorted(used - bounds.keys()):
        raise InputError(f"{where}: loop {loop!r} must have a bound in iteration_space_shape; add it")
    return product(name, {loop: bounds[loop] for loop in sorted(used)}, output, operands[0][1], operands[1][1])
