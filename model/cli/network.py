"""List the layers of an ONNX file: shapes, lowering to matrix products, padding, what is not supported."""

import argparse
from collections import Counter
from pathlib import Path

from hw.spec.error import InputError
from model.network.layer import Layer, Network
from model.network.onnx_file import read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The file, values of dynamic dimensions, the batch."""
    parser.add_argument("file", type=Path, metavar="FILE.onnx")
    parser.add_argument(
        "--dimension", action="append", default=[], metavar="NAME=N",
        help="value of a dynamic dimension; may be given several times",
    )
    parser.add_argument("--batch", type=int, default=1, help="inputs run together (default: 1, as in the file)")
    parser.add_argument("--all", action="store_true", help="also list layers without matrix products")


def run(arguments: argparse.Namespace) -> int:
    """Print the table and the totals."""
    network = read(arguments.file, parse_dimensions(arguments.dimension)).batched(arguments.batch)
    width = min(44, max(len(layer.name) for layer in network.layers))
    print(f"{'layer':<{width}} {'operator':<18} {'M':>7} {'N':>6} {'K':>6} {'count':>6} {'MMAC':>9}  window")
    for layer in network.layers:
        for line in _lines(layer, width, listed=arguments.all):
            print(line)
    print()
    for line in totals(network):
        print(line)
    return 0


def parse_dimensions(texts: list[str]) -> dict[str, int]:
    """["batch=1", "length=128"] as a mapping; raises `InputError` for anything else."""
    values = {}
    for text in texts:
        name, equals, number = text.rpartition("=")
        if not equals or not name or not number.isdecimal():
            raise InputError(f"a dimension must be given as NAME=N, e.g. batch=1, not {text!r}")
        values[name] = int(number)
    return values


def totals(network: Network) -> list[str]:
    """The network in a few sentences."""
    products = sum(layer.kind == "gemm" for layer in network.layers)
    convolutions = sum(layer.macs for layer in network.layers if layer.operator.endswith("Conv"))
    lines = [
        f"{network.source}: {len(network.layers)} layers, {products} of them matrix products, "
        f"{network.weights / 1e6:.2f} M weights",
        f"multiply-accumulates: {network.macs / 1e9:.3f} G ({network.macs:,}), padding as in the file; "
        f"convolutions alone {convolutions / 1e9:.3f} G; "
        f"{network.unpadded_macs() / 1e9:.3f} G if padding were left out",
    ]
    kinds = Counter(layer.operator for layer in network.layers if layer.kind in ("vector", "move"))
    others = ", ".join(f"{count} {operator}" for operator, count in kinds.most_common())
    lines.append(f"without matrix products: {others or 'none'}")
    missing = network.unsupported()
    if missing:
        named = ", ".join(
            f"{operator} ({nodes} {'node' if nodes == 1 else 'nodes'}, {share:.2%})"
            for operator, (nodes, share) in sorted(missing.items())
        )
        lines.append(f"not supported, with their share of all operations (one per output element): {named}")
    else:
        lines.append("not supported: none")
    return lines


def _lines(layer: Layer, width: int, *, listed: bool) -> list[str]:
    name = layer.name if len(layer.name) <= width else "..." + layer.name[3 - width :]
    if not layer.gemms:
        if not listed and layer.kind != "unsupported":
            return []
        mark = "not supported" if layer.kind == "unsupported" else str(layer.window or "")
        return [f"{name:<{width}} {layer.operator:<18} {'':>7} {'':>6} {'':>6} {'':>6} {'':>9}  {mark}".rstrip()]
    return [
        f"{name:<{width}} {layer.operator:<18} {g.m:>7} {g.n:>6} {g.k:>6} {g.count:>6} {g.macs / 1e6:>9.3f}  "
        f"{layer.window or ''}".rstrip()
        for g in layer.gemms
    ]
