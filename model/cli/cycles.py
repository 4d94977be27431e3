"""Count the cycles of a GEMM, a convolution or a network, label by label, beside what other simulators count.

Weight-stationary ("ws") rows hold K and columns N; output-stationary ("os") rows hold M and columns N;
input-stationary ("is") rows hold K and columns M: the weight-stationary core on the transposed product.
Our count is the whole core's, from a command to its last output row, as the RTL counts it.

convolutions:
  --conv H,W,C,FILTERS,KH,KW[,STRIDE[,PADDING]]   one image of H x W x C; stride 1 and padding 0 if left out

examples:
  kcloud-cosim cycles --gemm 64,64,64 --rows 16 --columns 16 --dataflow ws
  kcloud-cosim cycles --conv 56,56,64,64,3,3,1,1 --chip npu_16 --set mac_latency=4 --json
  kcloud-cosim cycles --gemm 64,64,64 --rows 16 --columns 16 --dataflow os --set drain=link
  kcloud-cosim cycles --network model.onnx --dimension batch=1 --chip npu_16
  kcloud-cosim cycles --network topology.csv --array scale.cfg
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from hw import chips
from hw.base.change import change
from hw.base.error import InputError
from hw.spec.core import CoreSpec
from hw.spec.dma import DmaSpec
from hw.spec.mac_array import MacArraySpec
from hw.spec.npu_event import LABELS
from model import other_simulators
from model.cli._network import add_dimension_arguments, add_file_arguments, not_counted, products_of, read_file
from model.comparison.comparison import Work, compare
from model.comparison.comparison_text import Count, as_json, render
from model.cycle.budget import Budget
from model.cycle.npu.core_budget import budget_of, core_labels, memory_labels
from model.other_simulators import Convolution, Dataflow
from model.work.workload import Gemm

if TYPE_CHECKING:
    from model.network.layer import Layer  # only a network needs it, and ONNX takes a second to import

SMALLEST, LARGEST = 2, 256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Work, array, changes, output; `--kernel` hands everything to the DRAM-PIM command line."""
    work = parser.add_mutually_exclusive_group(required=True)
    work.add_argument("--gemm", metavar="M,N,K", help="one product (M x K) by (K x N)")
    work.add_argument("--conv", metavar="H,W,C,FILTERS,KH,KW[,S[,P]]", help="one convolution")
    add_file_arguments(work, "every matrix layer of an ONNX model, one after the other")
    work.add_argument("--kernel", metavar="NAME", help="a DRAM-PIM kernel with its own options (--kernel NAME --help)")
    add_dimension_arguments(parser)
    parser.add_argument("--rows", type=int, metavar="R", help="rows of cells (default: the chip's, else 16)")
    parser.add_argument("--columns", type=int, metavar="C", help="columns of cells (default: the chip's, else 16)")
    parser.add_argument("--dataflow", choices=get_args(Dataflow), help="default: the chip's, else ws")
    parser.add_argument("--chip", type=chips.option, metavar="NAME", help="start from this chip's core")
    parser.add_argument(
        "--array", type=Path, metavar="FILE.cfg", help="start from the array of a SCALE-Sim configuration"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        dest="changes",
        help="change any field of the core or its array; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="JSON on stdout")
    _hand_over_kernels(parser)


def _hand_over_kernels(parser: argparse.ArgumentParser) -> None:
    """Let `--kernel` choose another set of options: the PIM command line is only imported when it is asked for."""
    own = parser.parse_known_args

    def parse(args: Sequence[str] | None = None, namespace: Any = None) -> Any:
        given = list(sys.argv[1:] if args is None else args)
        if not any(word == "--kernel" or word.startswith("--kernel=") for word in given):
            return own(given, namespace)
        from model.cli import _kernel_cycles

        other = type(parser)(prog=parser.prog, allow_abbrev=False)
        _kernel_cycles.add_arguments(other)
        other.set_defaults(run=_kernel_cycles.run)
        return other.parse_known_args(given, namespace)

    parser.parse_known_args = parse  # type: ignore[method-assign]


def numbers(text: str, names: Sequence[str], optional: int = 0) -> list[int]:
    """The comma-separated integers of `text`, one for each of `names`, the last `optional` of them may be left out."""
    parts = text.replace("x", ",").split(",")
    syntax = ",".join(names)
    if not len(names) - optional <= len(parts) <= len(names):
        raise InputError(f"the work must be given as {syntax}, not {text!r}")
    try:
        return [int(part) for part in parts]
    except ValueError:
        raise InputError(f"the work must be given as integers {syntax}, not {text!r}") from None


def read_work(arguments: argparse.Namespace) -> list[tuple[Work, int]]:
    """The layers asked for and how often each is done."""
    if arguments.gemm is not None:
        m, n, k = numbers(arguments.gemm, ("M", "N", "K"))
        return [(Gemm(name="gemm", m=m, n=n, k=k), 1)]
    if arguments.conv is not None:
        names = ("H", "W", "C", "FILTERS", "KH", "KW", "STRIDE", "PADDING")
        height, width, channels, filters, kernel_height, kernel_width, *rest = numbers(arguments.conv, names, 2)
        return [
            (
                Convolution(
                    name="conv",
                    height=height,
                    width=width,
                    channels=channels,
                    filters=filters,
                    kernel_height=kernel_height,
                    kernel_width=kernel_width,
                    stride=rest[0] if rest else 1,
                    padding=rest[1] if len(rest) > 1 else 0,
                ),
                1,
            )
        ]
    return [item for layer in arguments.read.layers for item in layer_work(layer)]


def layer_work(layer: "Layer") -> list[tuple[Work, int]]:
    """The matrix products of `layer`; a plain convolution stays one, so that each tool lowers it its own way."""
    window = layer.window
    if window is not None and len(layer.gemms) == 1 and len(window.size) == 2 and window.groups == 1:
        (gemm,) = layer.gemms
        (height, width), (kernel_height, kernel_width) = window.size, window.kernel
        plain = len({*window.strides}) == 1 and len({v for pad in window.pads for v in pad}) == 1
        if plain and all(d == 1 for d in window.dilations) and gemm.k % (kernel_height * kernel_width) == 0:
            whole = Convolution(
                name=layer.name,
                height=height,
                width=width,
                channels=gemm.k // (kernel_height * kernel_width),
                filters=gemm.n,
                kernel_height=kernel_height,
                kernel_width=kernel_width,
                stride=window.strides[0],
                padding=window.pads[0][0],
            )
            if whole.gemm().m == gemm.m:  # otherwise a batch: one GEMM
                return [(whole, 1)]
    return [(gemm, 1) for gemm in layer.gemms]


def read_core(arguments: argparse.Namespace) -> tuple[CoreSpec | None, int, int, Dataflow]:
    """The core asked for (None if none is built so small or large), its rows, columns and dataflow.

    Input-stationary is a weight-stationary core on the transposed product.
    """
    base = CoreSpec(
        array=MacArraySpec(rows=16, columns=16),
        activation_words=1 << 24,
        weight_words=1 << 24,
        accumulator_rows=1 << 30,
        output_words=1 << 24,
    )
    if arguments.array is not None and arguments.chip is not None:
        raise InputError("the array must come from --chip or from --array, not from both; leave one out")
    if arguments.array is not None:
        from model.network.foreign_array import read_scale_sim

        base = read_scale_sim(arguments.array)
    if arguments.chip is not None:
        base = chips.machine(chips.load(arguments.chip), CoreSpec, "--gemm")
    if base.dma is None and memory_side_asked(arguments.changes):
        base = replace(base, dma=DmaSpec(external_beats=1 << 28), parameter_words=1 << 16)
    held = arguments.dataflow
    rows = base.array.rows if arguments.rows is None else arguments.rows
    columns = base.array.columns if arguments.columns is None else arguments.columns
    other_simulators.check_array(rows, columns)
    if not all(SMALLEST <= size <= LARGEST for size in (rows, columns)):
        return None, rows, columns, held or base.array.dataflow
    given = {"rows": arguments.rows, "columns": arguments.columns, "dataflow": "ws" if held == "is" else held}
    core = change(base, arguments.changes + [f"{name}={value}" for name, value in given.items() if value is not None])
    return core, core.array.rows, core.array.columns, held or core.array.dataflow


def memory_side_asked(changes: Sequence[str]) -> bool:
    """Whether a change names a field of the copy channels."""
    return any(text.partition("=")[0].strip() in DmaSpec.__dataclass_fields__ for text in changes)


def own_count(
    core: CoreSpec, work: Sequence[tuple[Work, int]], *, transposed: bool = False
) -> tuple[Budget, dict[str, int], list[str]]:
    """Our count of `work`, each product from its command to its last output row or word, one after the other, as
    `predict` counts a network: equal products of a layer too, since the steps of a recurrent layer wait for each other.

    The budget, the same by the core's own labels, and the layers that were counted out of the scratchpads because a
    core with copy channels cannot hold them. With `transposed` the core computes (N x K) by (K x M): what it holds
    are the inputs.
    """
    budget, labels, kept = Budget(), dict.fromkeys(LABELS, 0), list[str]()
    for item, times in work:
        gemm = item if isinstance(item, Gemm) else item.gemm()
        m, n = (gemm.n, gemm.m) if transposed else (gemm.m, gemm.n)
        one = None
        times *= gemm.count
        if core.dma is not None:
            one = memory_labels(core, (m, n, gemm.k))
            if one is None:
                kept.append(gemm.name)
        if one is None:
            one = core_labels(core, (m, n, gemm.k))
        budget = budget + budget_of(core, one) * times
        labels = {name: cycles + one[name] * times for name, cycles in labels.items()}
    return budget, labels, kept


def run(arguments: argparse.Namespace) -> int:
    """Print the count; 0."""
    if arguments.network is None and arguments.dimension:
        raise InputError("--dimension must come with --network, not alone; leave it out")
    notes = list[str]()
    if arguments.network is not None:
        arguments.read = products_of(read_file(arguments.network, arguments.dimension, arguments.batch))
        notes += not_counted(arguments.read)
    work = read_work(arguments)
    core, rows, columns, dataflow = read_core(arguments)
    ours, labels = None, {}
    if core is None:
        notes.append(f"our core is built with {SMALLEST} to {LARGEST} rows and columns: only the others are counted")
    else:
        ours, labels, kept = own_count(core, work, transposed=dataflow == "is")
        if dataflow == "is":
            notes.append("inputs held: our weight-stationary core on the transposed product, its columns are M")
        if core.dma is not None:
            notes.append(
                f"ours from and to an external memory, {core.dma.bytes_per_cycle} bytes per cycle and channel, "
                f"{core.dma.latency_cycles} cycles latency"
            )
        if kept:
            notes.append(f"larger than the memories, ours counted out of scratchpads: {', '.join(kept)}")
    count = Count(
        work=work,
        rows=rows,
        columns=columns,
        dataflow=dataflow,
        ours=ours,
        labels=labels,
        products_per_cell=1 if core is None else core.array.terms_per_lane,
        others=compare(work, rows, columns, dataflow, ours),
        notes=notes,
    )
    print(json.dumps(as_json(count), indent=2) if arguments.json else render(count))
    return 0
