"""Train a small network at its fixed seed and store it quantised to INT8.

examples:
  kcloud-cosim train digits --output build/trained.npz
"""

import argparse
from pathlib import Path

from model import train, workloads
from model.network.quantised import save


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """TASK and where to write."""
    parser.add_argument("task", metavar="TASK", help=f"one of: {', '.join(train.names())}")
    parser.add_argument(
        "--output",
        type=Path,
        default=None,
        help="file to write; default: the stored parameters beside the workload of that name",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, quantise, write, say what was written."""
    network = train.load(arguments.task)()
    path = arguments.output or Path(workloads.__file__).parent / f"{arguments.task}.npz"
    save(network, path)
    widths = [network.layers[0].weights.shape[0], *(layer.weights.shape[1] for layer in network.layers)]
    sizes = "-".join(str(width) for width in widths)
    parameters = sum(layer.weights.size for layer in network.layers)
    print(f"{arguments.task}: {sizes}, {parameters} INT8 weights, {path.stat().st_size} bytes in {path}")
    return 0
