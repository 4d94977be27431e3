"""ONNX files to layers."""

import re
from collections.abc import Mapping
from pathlib import Path

import onnx
import onnx.inliner
from google.protobuf.message import DecodeError

from hw.base.error import InputError
from model.network.layer import Network
from model.network.onnx_order import legible
from model.network.onnx_walk import Walk

LARGEST = 2**31 - 1
"""The largest value of a dimension that can be given."""
_NAMELESS = re.compile(r"\W*|none|null|nan|unknown|dynamic|unk|-?\d+", re.IGNORECASE)
"""Names that exporters write for "some size": two axes called so need not be equal."""


def read(path: Path | str, dimensions: Mapping[str, int] | None = None) -> Network:
    """The network in the ONNX file `path`.

    Parameters
    ----------
    path : Path
        Weights in external files are not read, shapes are all that is needed; constants that shapes depend on are, if
        they lie in the file's folder.
    dimensions : mapping of str to int
        Values of symbolic dimensions by name; a dimension without a name (or called "?") is "tensor.axis", e.g.
        "data.0".

    Raises
    ------
    InputError
        If the file is missing, truncated or no ONNX model, a dimension has no value, shapes contradict each other or a
        shape that a matrix product depends on cannot be inferred.
    """
    path = Path(path)
    model = load(path)
    given = dict(dimensions or {})
    used = _bind(model, given, path.name)
    walk = Walk(model, path.parent, path.name, given)
    walk.graph(model.graph)
    unknown = sorted(set(given) - used - walk.used)
    if unknown:
        raise InputError(f"{path.name} must have the given dimensions; it has no {', '.join(unknown)}, leave it out")
    if not walk.layers:
        raise InputError(f"{path.name} must hold work that depends on its inputs; every node is known before the run")
    return Network(name=path.stem, source=path.name, layers=tuple(walk.layers))


def load(path: Path) -> onnx.ModelProto:
    """The model in `path`, functions of the file written out, constants in other files left there."""
    if path.suffix.lower() in (".csv", ".json", ".yaml", ".yml", ".txt", ".py", ".pt", ".pth", ".tflite") and (
        path.is_file()
    ):
        raise InputError(f"{path} must be an ONNX file, not {path.suffix}; export the network to ONNX")
    try:
        model = onnx.load_model(str(path), format="protobuf", load_external_data=False)
    except FileNotFoundError:
        raise InputError(f"{path} must be an ONNX file; there is no such file, check the path") from None
    except OSError as error:
        raise InputError(f"{path} must be a readable ONNX file ({error.strerror}); check the path") from None
    except (DecodeError, ValueError):
        raise InputError(
            f"{path} must be a complete ONNX model; it is truncated or another kind of file, fetch it again"
        ) from None
    if not legible(model.graph):
        raise InputError(f"{path} must hold names that are text; it is damaged, fetch it again")
    if not model.graph.node:
        raise InputError(f"{path} must hold an ONNX graph with nodes; it is empty or another kind of file")
    if model.functions:
        try:
            model = onnx.inliner.inline_local_functions(model)
        except (RuntimeError, ValueError, onnx.checker.ValidationError) as error:
            reason = (str(error) or "unknown").splitlines()[0]
            raise InputError(f"the functions of {path.name} must be complete ({reason}); save it again") from None
    return model


def _bind(model: onnx.ModelProto, dimensions: Mapping[str, int], file: str) -> set[str]:
    """Give every open dimension of the inputs its value, in place; the names that were used."""
    graph = model.graph
    for name, value in dimensions.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
            raise InputError(
                f"dimension {name!r} must be an integer of at least 1, not {value!r}, and at most {LARGEST}"
            )
    constants = {t.name for t in graph.initializer}
    used: set[str] = set()
    missing: list[str] = []
    for value in graph.input:
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if dimension.HasField("dim_value") and dimension.dim_value > 0:
                continue
            place = f"{value.name}.{axis}"
            symbol = "" if _NAMELESS.fullmatch(dimension.dim_param) else dimension.dim_param
            if place in dimensions or symbol in dimensions:
                name = place if place in dimensions else symbol
                used.add(name)
                dimension.dim_value = dimensions[name]
            elif value.name not in constants:
                missing.append(symbol or place)
    if missing:
        names = list(dict.fromkeys(missing))
        values = " ".join(f"--dimension {name}=1" for name in names)
        raise InputError(
            f"every dimension of {file} must have a value; {', '.join(names)} "
            f"{'has' if len(names) == 1 else 'have'} none, give {'it' if len(names) == 1 else 'them'}, e.g. {values}"
        )
    return used
