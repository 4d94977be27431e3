"""`--network FILE.onnx --input X.npy`: a network with its weights, run on the RTL, as an option of several verbs."""

import argparse
from pathlib import Path

from hw.base.error import InputError
from model import workloads


def add_input_argument(parser: argparse.ArgumentParser) -> None:
    """`--input`."""
    parser.add_argument(
        "--input", type=Path, metavar="X.npy", help="samples of the network, with which its weights run in INT8"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Both options."""
    parser.add_argument(
        "--network", "--onnx", type=Path, metavar="FILE.onnx", help="a network with weights, with --input"
    )
    add_input_argument(parser)


def named(arguments: argparse.Namespace) -> str | None:
    """The workload's name: of --workload, or of --network with --input; None if neither is given."""
    if arguments.network is None and arguments.input is None:
        return arguments.workload
    if arguments.workload is not None:
        raise InputError("the work must be given once, not both as --workload and as --network; leave one out")
    if arguments.network is None or arguments.input is None:
        raise InputError("a network with its weights must be given as --network FILE.onnx --input X.npy, not one alone")
    return workloads.with_input(arguments.network, arguments.input)
