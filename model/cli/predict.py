"""Predict cycles of a workload on a chip with the cycle model and write the record.

examples:
  kcloud-cosim predict --chip npu_16 --workload digits --seed 1
  kcloud-cosim predict --chip furiosa_warboy --workload resnet50
  kcloud-cosim predict --chip npu_16 --network model.onnx --dimension batch=1 --layers
  kcloud-cosim predict --chip npu_16 --workload digits --json
"""

import argparse
import json
import re
import shlex
import sys
from collections.abc import Mapping

import numpy as np

from hw import chips
from hw.base.error import InputError
from hw.base.seed import seed
from hw.gates import core_clock
from hw.spec.chip import Chip
from model import workloads
from model.cli._network import (
    adapted,
    add_dimension_arguments,
    add_file_arguments,
    not_counted,
    products_of,
    read_file,
)
from model.count import Counts
from model.lowering.lower import check_formats
from model.network.workload import NetworkWorkload
from model.predict import predict
from model.prediction import Prediction
from model.record import Measurement, Origin, Result, current_commit, write
from model.work.workload import Workload
from model.workloads import _given


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Chip, workload, seed; whether to list the layers."""
    parser.add_argument("--chip", type=chips.option, default="npu_16", metavar="NAME", help="default: npu_16")
    parser.add_argument(
        "--workload",
        type=workloads.option,
        default=None,
        metavar="NAME",
        help="default: digits, digits_float on a PIM chip",
    )
    add_file_arguments(parser, "the shapes of an ONNX file instead of a workload")
    add_dimension_arguments(parser)
    _given.add_input_argument(parser)
    _given.add_decoding_arguments(parser)
    parser.add_argument("--seed", type=seed, default=1, metavar="N", help="of random operands (default: 1)")
    parser.add_argument("--layers", action="store_true", help="list every layer")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the lines")


def run(arguments: argparse.Namespace) -> int:
    """Predict, write the record, print a summary."""
    chip = chips.load(arguments.chip)
    if arguments.input is not None:
        arguments.workload = _given.named(arguments) or ""
        workload = workloads.load(arguments.workload)
        words = ["--network", str(arguments.network), "--input", str(arguments.input)]
    elif arguments.network is not None:
        workload, words = _from_file(arguments)
    else:
        if arguments.dimension or arguments.batch != 1:
            raise InputError("--dimension and --batch must come with --network, not alone; leave them out")
        arguments.workload = _given.changed(arguments, arguments.workload or workloads.default(chip))
        workload, words = workloads.load(arguments.workload), ["--workload", arguments.workload]
    prediction = predict(chip, workload)
    figures, values = _figures(chip, workload, prediction, arguments.seed)
    path = write(
        Measurement(
            result=Result(
                chip=arguments.chip,
                chip_digest=chip.digest,
                workload=arguments.workload,
                workload_digest=workload.digest,
                witness="model",
                seed=arguments.seed,
                cycles=prediction.cycles,
                phases=prediction.phases,
                counts=prediction.counts + values,
                figures=figures,
                layers=prediction.layers,
            ),
            origin=Origin(
                tools={"python": sys.version.split()[0], "numpy": np.__version__},
                commit=current_commit(),
                command="kcloud-cosim predict "
                + shlex.join(["--chip", arguments.chip, *words, "--seed", str(arguments.seed)]),
            ),
        )
    )
    if arguments.json:
        print(json.dumps(as_json(arguments, chip, workload, prediction, figures) | {"record": str(path)}, indent=1))
        return 0
    if arguments.layers and prediction.layers:
        print(*table(prediction), "", sep="\n")
    print(*summary(chip, workload, prediction, figures), sep="\n")
    if isinstance(workload, NetworkWorkload) and arguments.network is not None:
        print(*not_counted(workload.network()), sep="\n")
    print(f"record           {path}")
    return 0


def as_json(
    arguments: argparse.Namespace,
    chip: Chip,
    workload: Workload,
    prediction: Prediction,
    figures: Mapping[str, float],
) -> dict[str, object]:
    """What the lines say, for scripts: cycles, labels (`phases`), MACs, share of the peak (0 to 1), time with the
    range of the clock, layers, and what is not counted."""
    clock = prediction.clock
    network = workload.network() if isinstance(workload, NetworkWorkload) and arguments.network is not None else None
    return {
        "chip": arguments.chip,
        "workload": arguments.workload,
        "seed": arguments.seed,
        "cycles": prediction.cycles,
        "how": prediction.how,
        "phases": dict(prediction.phases),
        "macs": prediction.macs,
        "macs_per_cycle": prediction.peak,
        "utilisation": prediction.utilisation,
        "time_ms": None
        if clock is None
        else {
            "nominal": prediction.cycles / clock.nominal / 1e6,
            "range": [prediction.cycles / ghz / 1e6 for ghz in (clock.maximum, clock.minimum)],
            "clock_ghz": clock.nominal,
            "clock_confidence": clock.confidence,
            "clock_at_gates": core_clock.note(chip),
        },
        "figures": dict(figures),
        "layers": [dict(layer) for layer in prediction.layers],
        "notes": [*prediction.notes, *foreign_formats(chip, workload)],
        "not_counted": [] if network is None else not_counted(network),
        "not_modelled": prediction.missing,
        "hypothesis": chip.hypothesis,
    }


def _from_file(arguments: argparse.Namespace) -> tuple[NetworkWorkload, list[str]]:
    """The network of an ONNX file as a workload named after the file, and the words that name it on a command line."""
    if arguments.workload is not None:
        raise InputError("the work must be given once, not both as --workload and as --network; leave one out")
    network = products_of(read_file(arguments.network, arguments.dimension, arguments.batch))
    arguments.workload = re.sub(r"[^A-Za-z0-9_-]+", "_", arguments.network.stem) or "network"
    batch = f", batch {arguments.batch}" if arguments.batch > 1 else ""
    words = ["--network", str(arguments.network), *(w for d in arguments.dimension for w in ("--dimension", d))]
    words += ["--batch", str(arguments.batch)] if arguments.batch > 1 else []
    return NetworkWorkload(title=f"{network.source}{batch}", build=lambda: network), words


def _figures(chip: Chip, workload: Workload, prediction: Prediction, seed: int) -> tuple[dict[str, float], Counts]:
    """Numbers of the record, with the task's score and the events that operands decide, if there are any."""
    figures, values = chip.kind.door("reference").score(chip, workload, seed)
    return {
        **workload.work,
        **figures,
        "macs": prediction.macs,
        "devices": chip.devices,
        "macs_per_cycle": prediction.peak,
        "utilisation": prediction.utilisation,
    }, values


def foreign_formats(chip: Chip, workload: Workload) -> list[str]:
    """What is said if the operands are in other formats than the chip multiplies: shapes alone were counted."""
    core = chip.core
    if core is None:
        return []
    try:
        jobs = workload.jobs(1)
    except InputError:
        return []  # shapes alone from the start
    try:
        check_formats(core, jobs)
    except InputError as error:
        return [f"shapes alone: {error}"]
    return []


def summary(chip: Chip, workload: Workload, prediction: Prediction, figures: Mapping[str, float]) -> list[str]:
    """The prediction in a few lines, with what it leaves out."""
    work = f"{prediction.what}, {adapted(prediction.macs, 'MAC')} on {prediction.where}"
    peak = prediction.peak
    shown_peak = int(peak) if peak == int(peak) else round(peak, 2)
    lines = [
        f"chip             {chip.title}",
        f"workload         {workload.title}",
        f"work             {work}",
        f"cycles           {prediction.cycles:,} by {prediction.how}",
        f"utilisation      {prediction.utilisation:.2%} of {shown_peak:,} MACs per cycle",
    ]
    if prediction.clock is not None:
        clock = prediction.clock
        span = "" if clock.minimum == clock.maximum else f" ({clock.minimum:g} to {clock.maximum:g})"
        time = _milliseconds(prediction.cycles / clock.nominal / 1e6)
        lines.append(f"time             {time} ms at {clock.nominal:g}{span} GHz, clock {clock.confidence}")
        copies = f", {chip.devices} devices, one run each" if chip.devices > 1 else ""
        for unit, amount in workload.work.items():
            per_ghz = chip.devices * amount * 1e9 / prediction.cycles
            rates = [per_ghz * ghz for ghz in (clock.minimum, clock.nominal, clock.maximum)]
            span = "" if rates[0] == rates[2] else f" ({rates[0]:,.0f} to {rates[2]:,.0f})"
            lines.append(f"rate             {rates[1]:,.0f} {unit}/s{span}, arrays alone{copies}")
    if "correct" in figures:
        share = figures["correct"] / figures["images"]
        lines.append(f"correct          {figures['correct']:.0f} of {figures['images']:.0f} ({share:.1%})")
    lines += [f"note             {note}" for note in (*prediction.notes, *foreign_formats(chip, workload))]
    if prediction.clock is not None:
        lines.append(f"clock            {core_clock.note(chip)}")
    lines.append(f"not modelled yet {prediction.missing}")
    if chip.hypothesis:
        lines.append(f"hypothesis       {chip.hypothesis}")
    return lines


def _milliseconds(value: float) -> str:
    """With four digits, however short it is."""
    return f"{value:,.4f}" if value >= 0.1 else f"{value:.4g}"


def table(prediction: Prediction) -> list[str]:
    """One line per layer."""
    width = min(40, max(len(str(layer["name"])) for layer in prediction.layers))
    heads = f"{'layer':<{width}} {'M':>7} {'N':>6} {'K':>6} {'count':>6} {'MMAC':>9} {'cycles':>10} {'use':>7} arrays"
    return [heads] + [
        f"{str(layer['name'])[-width:]:<{width}} {layer['m']:>7} {layer['n']:>6} {layer['k']:>6} "
        f"{layer['count']:>6} {layer['macs'] / 1e6:>9.3f} {layer['cycles']:>10,} {layer['utilisation']:>7.2%} "
        f"{layer['arrays']:>6}"
        for layer in prediction.layers
    ]
