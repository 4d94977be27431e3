"""What several verbs say of the work beside its name: a network with its weights (`--network FILE.onnx --input X.npy`),
tokens, prompt and share of the channel of a language model."""

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


def add_decoding_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of language models on systems."""
    parser.add_argument(
        "--pim",
        metavar="SHARE",
        help="of a language model: off, weights, attention or both (default: the fastest, and off)",
    )
    parser.add_argument("--tokens", type=int, metavar="N", help="of a language model: tokens to generate")
    parser.add_argument("--text", help="prompt of a language model in a folder of your own")


def changed(arguments: argparse.Namespace, name: str) -> str:
    """`name` with the changes that the options of language models say."""
    if arguments.text is not None:
        workloads.with_prompt(name.partition(workloads.VARIANT)[0], arguments.text)
    given = {"pim": arguments.pim, "tokens": arguments.tokens}
    changes = [f"{field}={value}" for field, value in given.items() if value is not None]
    if changes and not hasattr(workloads.load(name), "pim"):
        options = " and ".join(f"--{field}" for field, value in given.items() if value is not None)
        raise InputError(f"{options} must come with a language model as --workload, small_llm say, not with {name}")
    return workloads.variant(name, *changes) if changes else name


def named(arguments: argparse.Namespace) -> str | None:
    """The workload's name: of --workload, or of --network with --input; None if neither is given."""
    if arguments.network is None and arguments.input is None:
        return arguments.workload
    if arguments.workload is not None:
        raise InputError("the work must be given once, not both as --workload and as --network; leave one out")
    if arguments.network is None or arguments.input is None:
        raise InputError("a network with its weights must be given as --network FILE.onnx --input X.npy, not one alone")
    return workloads.with_input(arguments.network, arguments.input)
