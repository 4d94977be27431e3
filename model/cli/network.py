"""List the layers of an ONNX file: shapes, lowering to matrix products, padding, what is not known.

examples:
  kcloud-cosim network model.onnx
  kcloud-cosim network model.onnx --dimension batch=1 --dimension length=128 --all
  kcloud-cosim network model.onnx --csv > layers.csv
"""

import argparse
import csv
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from hw.base.error import InputError
from model.cli._network import adapted, add_dimension_arguments, not_known, read_file
from model.network.layer import Layer, Network


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The file, values of dynamic dimensions, the batch, the form."""
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE.onnx")
    parser.add_argument(
        "--network",
        "--onnx",
        dest="network",
        type=Path,
        metavar="FILE.onnx",
        help="the file, as the other verbs name it",
    )
    add_dimension_arguments(parser)
    parser.add_argument("--all", action="store_true", help="also list layers without matrix products")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="layers and totals as JSON")
    form.add_argument("--csv", action="store_true", help="one line per product or other layer as CSV")


def run(arguments: argparse.Namespace) -> int:
    """Print the table and the totals."""
    path = arguments.file or arguments.network
    if path is None:
        raise InputError("a file must be given, e.g. `kcloud-cosim network model.onnx`")
    network = read_file(path, arguments.dimension, arguments.batch)
    if arguments.json:
        print(json.dumps(as_json(network), indent=2))
        return 0
    if arguments.csv:
        writer = csv.DictWriter(sys.stdout, fieldnames=list(as_rows(network)[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(as_rows(network))
        return 0
    width = min(44, max(len(layer.name) for layer in network.layers))
    print(f"{'layer':<{width}} {'operator':<18} {'M':>7} {'N':>6} {'K':>6} {'count':>6} {'MMAC':>9}  window")
    for layer in network.layers:
        for line in _lines(layer, width, listed=arguments.all):
            print(line)
    print()
    for line in totals(network):
        print(line)
    return 0


def as_rows(network: Network) -> list[dict[str, Any]]:
    """One row per matrix product and per layer without one."""
    rows = []
    for layer in network.layers:
        about = {"layer": layer.name, "operator": layer.operator, "kind": layer.kind}
        sizes = {
            "input_elements": layer.input_elements,
            "weight_elements": layer.weight_elements,
            "output_elements": layer.output_elements,
            "window": str(layer.window or ""),
            "reason": layer.reason,
        }
        for gemm in layer.gemms:
            rows.append(
                about
                | {
                    "m": gemm.m,
                    "n": gemm.n,
                    "k": gemm.k,
                    "count": gemm.count,
                    "macs": gemm.macs,
                    "operations": 2 * gemm.macs,
                }
                | sizes
            )
        if not layer.gemms:
            rows.append(
                about | {"m": "", "n": "", "k": "", "count": "", "macs": 0, "operations": layer.operations} | sizes
            )
    return rows


def as_json(network: Network) -> dict[str, Any]:
    """Layers and totals as JSON types."""
    return {
        "network": network.name,
        "source": network.source,
        "macs": network.macs,
        "weights": network.weights,
        "not_known": {
            name: {"nodes": nodes, "estimated_share": share} for name, (nodes, share) in network.unsupported().items()
        },
        "layers": as_rows(network),
    }


def totals(network: Network) -> list[str]:
    """The network in a few sentences."""
    products = sum(layer.kind == "gemm" for layer in network.layers)
    convolutions = sum(layer.macs for layer in network.layers if layer.operator.endswith("Conv"))
    lines = [
        f"{network.source}: {len(network.layers)} layers, {products} of them matrix products, "
        f"{adapted(network.weights)} weights",
        f"multiply-accumulates: {adapted(network.macs)} ({network.macs:,}), padding as in the file; "
        f"convolutions alone {adapted(convolutions)}; "
        f"{adapted(network.unpadded_macs())} if padding were left out",
    ]
    kinds = Counter(layer.operator for layer in network.layers if layer.kind in ("vector", "move"))
    others = ", ".join(f"{count} {operator}" for operator, count in kinds.most_common())
    lines.append(f"without matrix products: {others or 'none'}")
    return lines + (not_known(network) or ["not known: none"])


def _lines(layer: Layer, width: int, *, listed: bool) -> list[str]:
    name = layer.name if len(layer.name) <= width else "..." + layer.name[3 - width :]
    if not layer.gemms:
        if not listed and layer.kind != "unsupported":
            return []
        mark = f"not known: {layer.reason}" if layer.kind == "unsupported" else str(layer.window or "")
        return [f"{name:<{width}} {layer.operator:<18} {'':>7} {'':>6} {'':>6} {'':>6} {'':>9}  {mark}".rstrip()]
    return [
        f"{name:<{width}} {layer.operator:<18} {g.m:>7} {g.n:>6} {g.k:>6} {g.count:>6} {g.macs / 1e6:>9.3f}  "
        f"{layer.window or ''}".rstrip()
        for g in layer.gemms
    ]
