"""Predict a network on a whole card: arrays, feeds, memories, vector engines, host; what bounds each layer.

examples:
  kcloud-cosim device --chip furiosa_warboy --workload resnet50
  kcloud-cosim device --chip furiosa_warboy --workload resnet50 --scenario single_stream --layers
  kcloud-cosim device --chip rebellions_atom --workload bert_large --batch 4 --format fp16
  kcloud-cosim device --chip rebellions_atom --dataflows 2 --scenario offline --layers
  kcloud-cosim device --chip sapeon_x220_compact --scenario server
  kcloud-cosim device --chip furiosa_rngd --network model.onnx --dimension batch=1
"""

import argparse
import json
from dataclasses import replace

from hw import chips
from hw.base.error import InputError
from hw.gates import core_clock
from model import workloads
from model.card.device import Device, device
from model.card.layer_time import BOUNDS
from model.card.range import Ranged, ranged
from model.card.run import Run, multi_stream, offline, single_stream
from model.card.server import LIMITS_S, server
from model.card.survey import image_format
from model.cli._network import adapted, add_dimension_arguments, add_file_arguments, read_file
from model.energy.price import Interval
from model.network.layer import Network
from model.network.workload import NetworkWorkload
from model.projection.published.calibration import errors

SCENARIOS = ("offline", "single_stream", "multi_stream", "server")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Card, network, scenario."""
    parser.add_argument(
        "--chip", type=chips.option, default="furiosa_warboy", metavar="NAME", help="default: furiosa_warboy"
    )
    parser.add_argument("--workload", default="resnet50", metavar="NAME", help="a network (default: resnet50)")
    add_file_arguments(parser, "a network from a file instead")
    add_dimension_arguments(parser, batch=False)
    parser.add_argument("--scenario", choices=SCENARIOS, help="default: all but server")
    parser.add_argument(
        "--limit",
        type=float,
        metavar="MS",
        help="of a query's latency in the server scenario, for 99 of 100 queries (default: MLPerf's for the workload)",
    )
    parser.add_argument(
        "--dataflows",
        type=int,
        choices=(1, 2),
        help="1: arrays hold weights; 2: weights or results, "
        "as is faster in each layer (default: what the chip's facts say)",
    )
    parser.add_argument("--batch", type=int, help="inputs per run (default: offline the mapper's choice, else 1 and 8)")
    parser.add_argument(
        "--format",
        metavar="NAME",
        help="number format (default: the first of INT8, FP8 and FP16 that the chip multiplies)",
    )
    parser.add_argument("--layers", action="store_true", help="list every layer")
    parser.add_argument("--json", action="store_true", help="one JSON object: predictions with range, unit and bound")


def run(arguments: argparse.Namespace) -> int:
    """Print it; 0."""
    network = read_network(arguments)
    chip = chips.load(arguments.chip)
    spec = device(chip)
    if arguments.batch is not None and not 1 <= arguments.batch <= 4096:
        raise InputError(f"--batch must be from 1 to 4096, not {arguments.batch}")
    arguments.format = arguments.format or image_format(spec)
    if not arguments.json:
        print(f"{spec.title}: {network.name}, {adapted(network.macs, 'MAC')} per input, {arguments.format}")
    if arguments.dataflows is not None:
        spec = replace(spec, dataflows=replace(spec.dataflows, nominal=arguments.dataflows, low=None, high=None))
    if arguments.json:
        answer = as_json(spec, network, arguments) | {"clock_at_gates": core_clock.note(chip)}
        print(json.dumps(answer, indent=1))
        return 0
    if arguments.scenario == "server":
        print(*served(spec, network, arguments), sep="\n")
    scenarios = (arguments.scenario,) if arguments.scenario else SCENARIOS
    for scenario in (s for s in scenarios if s != "server"):
        result, span = predict(spec, network, arguments.format, scenario, arguments.batch)
        print(*summary(scenario, result, span), sep="\n")
        if arguments.layers:
            print(*table(result), sep="\n")
    for hypothesis in spec.hypotheses:
        print(f"hypothesis     {hypothesis}")
    print(f"clock          {core_clock.note(chip)}")
    return 0


KIND = {"offline": "offline", "single_stream": "query", "multi_stream": "query of 8", "server": "server"}
"""Scenario -> kind of question of the model's own error."""


def calibrated(scenario: str, r: Interval) -> Interval:
    """The range of a prediction with the model's own error of that kind of question in it."""
    low, middle, high = errors()[KIND[scenario]].span(r.nominal, r.low, r.high)
    return Interval(low=low, nominal=middle, high=high)


def as_json(spec: Device, network: Network, arguments: argparse.Namespace) -> dict[str, object]:
    """Every prediction: middle and 90 % range of open inputs and the model's own error, and the rules alone."""
    scenarios = (arguments.scenario,) if arguments.scenario else SCENARIOS[:3]
    found = []
    for scenario in scenarios:
        if scenario == "server":
            limit = served_limit(network, arguments)
            best = server(spec, network, arguments.format, limit=limit)
            rules = _served_range(spec, network, arguments.format, limit)
            row: dict[str, object] = {"batch": best.batch, "groups": best.groups, "bound": "queue"}
        else:
            result, rules = predict(spec, network, arguments.format, scenario, arguments.batch)
            bound = max(result.bound, key=lambda name: result.bound[name])
            row = {"batch": result.batch, "groups": result.groups, "bound": bound}
        span = calibrated(scenario, rules.range)
        unit = {"offline": "inputs/s", "server": "queries/s"}.get(scenario, "ms")
        found.append(
            {
                "scenario": scenario,
                "nominal": span.nominal,
                "range": [span.low, span.high],
                "unit": unit,
                "rules": rules.range.nominal,
                "open_inputs": [rules.range.low, rules.range.high],
                **row,
            }
        )
    return {
        "chip": arguments.chip,
        "network": network.name,
        "format": arguments.format,
        "predictions": found,
        "hypotheses": list(spec.hypotheses),
    }


def _served_range(spec: Device, network: Network, number: str, limit: float) -> Ranged:
    return ranged(
        spec, lambda d, x: server(d, network, number, limit=limit, extra=x).per_second, detects=network.detects
    )


def served_limit(network: Network, arguments: argparse.Namespace) -> float:
    """Seconds a query may take; `InputError` if no limit is known."""
    known = None if arguments.network is not None else LIMITS_S.get(arguments.workload)
    if arguments.limit is None and known is None:
        raise InputError(
            f"--limit must be given in milliseconds: MLPerf has none for {network.name}, it has for "
            f"{', '.join(LIMITS_S)}"
        )
    return arguments.limit * 1e-3 if arguments.limit is not None else known or 0.0


def served(spec: Device, network: Network, arguments: argparse.Namespace) -> list[str]:
    """The server scenario in two lines; `InputError` if no limit is known or none can be kept."""
    limit = served_limit(network, arguments)
    found = server(spec, network, arguments.format, limit=limit)
    r = _served_range(spec, network, arguments.format, limit).range
    return [
        f"server         {r.nominal:,.4g} queries/s ({r.low:,.4g} to {r.high:,.4g}); 99 % within "
        f"{found.tail * 1e3:.3g} ms, limit {limit * 1e3:g}",
        f"  batches      up to {found.batch}, {found.mean_batch:.1f} on average, {found.groups} groups of cores; "
        f"{found.per_second / found.offline:.1%} of the rate without a limit",
        own_error("server", r),
    ]


def read_network(arguments: argparse.Namespace) -> Network:
    """The workload's network, or that of the file."""
    if arguments.network is not None:
        return read_file(arguments.network, arguments.dimension)
    if arguments.dimension:
        raise InputError("--dimension must come with --network, not alone; leave it out")
    workload = workloads.load(arguments.workload)
    if not isinstance(workload, NetworkWorkload):
        raise InputError(
            f"--workload must be a network, not {arguments.workload!r}; plain products: `kcloud-cosim predict`"
        )
    return workload.network()


def predict(spec: Device, network: Network, number: str, scenario: str, batch: int | None) -> tuple[Run, Ranged]:
    """The run and the range of its figure: inputs per second offline, else milliseconds."""
    if scenario == "offline":
        return (
            offline(spec, network, number, batch=batch),
            ranged(
                spec, lambda d, x: offline(d, network, number, batch=batch, extra=x).per_second, detects=network.detects
            ),
        )
    if scenario == "single_stream":
        return (
            single_stream(spec, network, number),
            ranged(spec, lambda d, x: single_stream(d, network, number, extra=x).time * 1e3, detects=network.detects),
        )
    queries = batch or 8
    return (
        multi_stream(spec, network, number, queries=queries),
        ranged(
            spec,
            lambda d, x: multi_stream(d, network, number, queries=queries, extra=x).time * 1e3,
            detects=network.detects,
        ),
    )


def summary(scenario: str, result: Run, span: Ranged) -> list[str]:
    """A run in three lines."""
    r, unit = span.range, "inputs/s" if scenario == "offline" else "ms"
    where = f"batch {result.batch}, {result.groups} groups of cores" + (
        f", {result.devices} devices" if result.devices > 1 else ""
    )
    bounds = ", ".join(
        f"{name} {result.bound[name] / result.time:.0%}" for name in BOUNDS if result.bound[name] > 0.005 * result.time
    )
    widest = sorted(
        ((max(abs(e / r.nominal - 1) for e in ends if e is not None), name) for name, ends in span.effects.items()),
        reverse=True,
    )
    drivers = ", ".join(f"{name} {effect:.0%}" for effect, name in widest[:3] if effect > 0.005)
    return [
        f"{scenario:<14} {r.nominal:,.4g} {unit} ({r.low:,.4g} to {r.high:,.4g}); {where}; "
        f"mapper at {result.time / result.least:.2f} x the bound of arrays and memory",
        f"  bound by     {bounds}",
        f"  open inputs  {drivers or 'none'}",
        own_error(scenario, r),
    ]


def own_error(scenario: str, r: Interval) -> str:
    """The range with the model's own error in one line."""
    span, error = calibrated(scenario, r), errors()[KIND[scenario]]
    return (
        f"  own error    {span.low:,.4g} to {span.high:,.4g}, middle {span.nominal:,.4g}: with what results of "
        f"{error.chips} chips leave ({KIND[scenario]})"
    )


def table(result: Run) -> list[str]:
    """One line per layer; times in microseconds of all parts of the batch. "least" is the bound: full arrays or
    external memory, whichever is longer; the next column how many times that the mapper's choice takes."""
    heads = (
        f"{'layer':<28} {'operator':<16} {'time us':>9} {'bound by':<8} {'arrays':>8} {'feed':>8} {'memory':>8} "
        f"{'fill':>7} {'vector':>8} {'least':>8} {'x least':>8}  cut"
    )
    lines = [heads]
    for t in result.layers:
        us = [f"{value * 1e6:.1f}" for value in (t.time, t.compute, t.feed, t.memory, t.fill, t.vector, t.least)]
        far = f"{t.time / t.least:.2f}" if t.least else "-"
        cut = t.cut + (f" in {t.parts} parts" if t.parts > 1 else "")
        lines.append(
            f"{t.name[-28:]:<28} {t.operator[:16]:<16} {us[0]:>9} {t.bound:<8} {us[1]:>8} {us[2]:>8} "
            f"{us[3]:>8} {us[4]:>7} {us[5]:>8} {us[6]:>8} {far:>8}  {cut}"
        )
    return lines
