"""Predict cycles of a workload on a chip with the cycle model and write the record.

examples:
  kcloud-cosim predict --chip npu_16 --workload digits --seed 1
  kcloud-cosim predict --chip furiosa_warboy --workload resnet50
  kcloud-cosim predict --chip npu_16 --network model.onnx --dimension batch=1 --layers
"""

import argparse
import re
import shlex
import sys
from collections.abc import Mapping

import numpy as np

from hw import chips
from hw.base.error import InputError
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
from model.cycle.dram_pim.network import peak_macs_per_cycle, score
from model.functional.npu import program_counts
from model.functional.value_counts import job_counts
from model.lowering.lower import check_formats
from model.lowering.schedule import schedule
from model.network.workload import NetworkWorkload
from model.predict import Prediction, predict
from model.record import Measurement, Origin, Result, current_commit, write
from model.reference import npu as reference
from model.work.workload import Programmed, Workload


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Chip, workload, seed; whether to list the layers."""
    parser.add_argument("--chip", default="npu_16", metavar="NAME", help="default: npu_16")
    parser.add_argument("--workload", default=None, metavar="NAME", help="default: digits, digits_float on a PIM chip")
    add_file_arguments(parser, "the shapes of an ONNX file instead of a workload")
    add_dimension_arguments(parser)
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of random operands (default: 1)")
    parser.add_argument("--layers", action="store_true", help="list every layer")


def run(arguments: argparse.Namespace) -> int:
    """Predict, write the record, print a summary."""
    chip = chips.load(arguments.chip)
    if arguments.network is not None:
        workload, words = _from_file(arguments)
    else:
        if arguments.dimension or arguments.batch != 1:
            raise InputError("--dimension and --batch must come with --network, not alone; leave them out")
        arguments.workload = arguments.workload or workloads.default(chip)
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
    if arguments.layers and prediction.layers:
        print(*table(prediction), "", sep="\n")
    print(*summary(chip, workload, prediction, figures), sep="\n")
    if isinstance(workload, NetworkWorkload) and arguments.network is not None:
        print(*not_counted(workload.network()), sep="\n")
    print(f"record           {path}")
    return 0


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
    """Numbers of the record; with the task's score and, on one core, the events that operands decide, if there are
    any."""
    figures: dict[str, float] = dict(workload.work)
    values = Counts()
    if chip.pim is not None:
        figures |= score(chip.pim, workload)
        figures |= {"macs": prediction.macs, "devices": chip.devices, "utilisation": prediction.utilisation}
        return figures, values
    if workload.work and chip.core is not None:
        try:
            if isinstance(workload, Programmed):
                figures |= workload.score([workload.expected()])
                if prediction.stepped:
                    values = program_counts(chip.core, workload.program(chip.core))
            else:
                jobs = workload.jobs(seed)
                check_formats(chip.core, jobs)
                outputs = reference.run(jobs, chip.core)
                figures |= workload.score(outputs)
                if chip.cores == 1:
                    batches = schedule(
                        chip.core,
                        [job.gemm for job in jobs],
                        queued=workload.queued,
                        sources=[job.source for job in jobs],
                    )
                    values = job_counts(chip.core, jobs, batches, outputs)
        except InputError:
            pass  # shapes only, or operands in other formats: there is nothing to score
    return figures | {
        "macs": prediction.macs,
        "devices": chip.devices,
        "macs_per_cycle": chip.macs_per_cycle,
        "utilisation": prediction.utilisation,
    }, values


def summary(chip: Chip, workload: Workload, prediction: Prediction, figures: Mapping[str, float]) -> list[str]:
    """The prediction in a few lines, with what it leaves out."""
    if chip.pim is not None:
        return _pim_summary(chip, workload, prediction, figures)
    assert chip.core is not None
    array = chip.core.array
    each = (
        f"{chip.cores} arrays of {array.rows} x {array.columns}"
        if chip.cores > 1
        else (f"one array of {array.rows} x {array.columns}")
    )
    order = "queued back to back" if workload.queued and chip.cores == 1 else "one GEMM after the other"
    order = "the stepped model, copies included" if prediction.stepped else f"the closed form, {order}"
    what = "layers as one program" if prediction.stepped else "GEMMs"
    lines = [
        f"chip             {chip.title}",
        f"workload         {workload.title}",
        f"work             {len(workload.gemms())} {what}, {adapted(prediction.macs, 'MAC')} on {each}",
        f"cycles           {prediction.cycles:,} by {order}",
        f"utilisation      {prediction.utilisation:.2%} of {chip.macs_per_cycle:,} MACs per cycle",
    ]
    if chip.clock is not None:
        clock = chip.clock
        span = "" if clock.minimum == clock.maximum else f" ({clock.minimum:g} to {clock.maximum:g})"
        lines.append(
            f"time             {prediction.cycles / clock.nominal / 1e6:.4f} ms at {clock.nominal:g}{span} GHz, "
            f"clock {clock.confidence}"
        )
        copies = f", {chip.devices} devices, one run each" if chip.devices > 1 else ""
        for unit, amount in workload.work.items():
            per_ghz = chip.devices * amount * 1e9 / prediction.cycles
            rates = [per_ghz * ghz for ghz in (clock.minimum, clock.nominal, clock.maximum)]
            span = "" if rates[0] == rates[2] else f" ({rates[0]:,.0f} to {rates[2]:,.0f})"
            lines.append(f"rate             {rates[1]:,.0f} {unit}/s{span}, arrays alone{copies}")
    if "correct" in figures:
        share = figures["correct"] / figures["images"]
        lines.append(f"correct          {figures['correct']:.0f} of {figures['images']:.0f} ({share:.1%})")
    missing = "external memory, refilling the scratchpads, host link and host work, vector operators between GEMMs"
    if prediction.stepped:
        missing = "host link and host work"
    lines.append(f"not modelled yet {missing}: an upper bound of the chip's rate")
    if chip.hypothesis:
        lines.append(f"hypothesis       {chip.hypothesis}")
    return lines


def _pim_summary(chip: Chip, workload: Workload, prediction: Prediction, figures: Mapping[str, float]) -> list[str]:
    assert chip.pim is not None
    clock = chip.pim.dram.clock_ns
    return [
        f"chip             {chip.title}, one channel",
        f"workload         {workload.title}",
        f"work             {len(prediction.layers)} GEMVs for {figures['images']:.0f} vectors each, "
        f"{prediction.macs / 1e6:.3f} MMAC",
        f"cycles           {prediction.cycles:,} of {clock:g} ns by the stepped model: "
        f"{prediction.cycles * clock / 1e6:.4f} ms",
        f"utilisation      {prediction.utilisation:.2%} of {peak_macs_per_cycle(chip.pim):g} MACs per cycle",
        f"correct          {figures['correct']:.0f} of {figures['images']:.0f} "
        f"({figures['correct'] / figures['images']:.1%})",
        "not modelled     writing the weights, reading results back, the host's part between layers",
    ]


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
