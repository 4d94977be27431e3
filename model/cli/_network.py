"""The options by which every verb takes a network from an ONNX file, and what it says of the rest."""

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from hw.base.error import InputError

if TYPE_CHECKING:
    from model.network.layer import Network  # only a file needs it, and ONNX takes a second to import

MAXIMUM_BATCH = 1 << 20


def add_file_arguments(parser: argparse.ArgumentParser | argparse._MutuallyExclusiveGroup, help: str) -> None:
    """`--network FILE.onnx`, also as `--onnx`."""
    parser.add_argument("--network", "--onnx", dest="network", type=Path, metavar="FILE.onnx", help=help)


def add_dimension_arguments(parser: argparse.ArgumentParser, *, batch: bool = True) -> None:
    """`--dimension NAME=N`, and `--batch N` unless the verb has one of its own."""
    if batch:
        parser.add_argument(
            "--batch",
            type=int,
            default=1,
            metavar="N",
            help="inputs of the file run together (default: 1, as in the file)",
        )
    parser.add_argument(
        "--dimension",
        action="append",
        default=[],
        metavar="NAME=N",
        help="value of a dynamic dimension of the file; may be given several times",
    )


def read_file(path: Path, dimensions: list[str], batch: int = 1) -> "Network":
    """The network of a file for `batch` times its inputs: ONNX, or layers of other simulators (.csv, .yaml); raises
    `InputError` as the import does."""
    network = _read(path, dimensions)
    if not 1 <= batch <= MAXIMUM_BATCH:
        raise InputError(f"a batch must be an integer of at least 1, at most {MAXIMUM_BATCH}, not {batch!r}")
    return network.batched(batch)


def _read(path: Path, dimensions: list[str]) -> "Network":
    """By the file's ending: layers of other simulators, else ONNX."""
    if path.suffix.lower() in (".csv", ".yaml", ".yml"):
        from model.network import foreign

        if dimensions:
            raise InputError(f"--dimension must come with an ONNX file, not with {path}, whose sizes are all given")
        return foreign.read(path)
    from model.network import onnx_file

    return onnx_file.read(path, parse_dimensions(dimensions))


def parse_dimensions(texts: list[str]) -> dict[str, int]:
    """["batch=1", "length=128"] as a mapping; raises `InputError` for anything else."""
    values = {}
    for text in texts:
        name, equals, number = text.rpartition("=")
        if not equals or not name or not number.isdecimal() or len(number) > 20:
            raise InputError(f"a dimension must be given as NAME=N, e.g. batch=1, not {text!r}")
        values[name] = int(number)
    return values


def products_of(network: "Network") -> "Network":
    """The same network; refused if it holds nothing that an array computes."""
    if not network.gemms():
        raise InputError(
            f"{network.source} must hold a matrix product or a convolution for its cycles to be counted; "
            "it has none, `kcloud-cosim network` lists what it has"
        )
    return network


def not_counted(network: "Network") -> list[str]:
    """What a count of the network's products leaves out: a sentence for what is known, one for what is not."""
    total = sum(layer.operations for layer in network.layers) or 1
    beside = Counter(layer.operator for layer in network.layers if layer.kind in ("vector", "move"))
    lines = []
    if beside:
        share = sum(layer.operations for layer in network.layers if layer.kind == "vector") / total
        named = ", ".join(f"{count} {operator}" for operator, count in beside.most_common(6))
        more = f" and {len(beside) - 6} more kinds" if len(beside) > 6 else ""
        lines.append(f"not counted, no matrix products: {named}{more} ({percent(share)} of all operations)")
    return lines + not_known(network)


def not_known(network: "Network") -> list[str]:
    """The operators whose work is not known, in one sentence; none if all are known."""
    missing = network.unsupported()
    if not missing:
        return []
    reasons = {layer.operator: layer.reason for layer in network.layers if layer.kind == "unsupported"}
    named = "; ".join(
        f"{operator} ({nodes} {'node' if nodes == 1 else 'nodes'}, {percent(share)}"
        f"{', ' + reasons[operator] if reasons[operator] else ''})"
        for operator, (nodes, share) in sorted(missing.items())
    )
    return [
        f"not known, with an estimated share of all operations (a product with what weights they have, else one "
        f"per output element): {named}"
    ]


def percent(share: float) -> str:
    """A share with as many digits as tell it from nothing."""
    return f"{share:.2%}" if share >= 0.0001 or share == 0 else f"{share:.1e}"


def adapted(value: float, unit: str = "") -> str:
    """A count with the prefix that leaves one to three digits before the point: "4.096 kMAC", "216 weights"."""
    for factor, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.4g} {prefix}{unit}"
    return f"{value:.4g} {unit}".rstrip()
