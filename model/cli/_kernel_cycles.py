"""`kcloud-cosim cycles --kernel ...`: kernels on a DRAM-PIM chip, in clocks, causes and joules.

examples:
  kcloud-cosim cycles --chip hbm_pim --preset pimsimulator --kernel gemv --out 4096 --in 4096 --channels 64 --ranks 2
  kcloud-cosim cycles --chip hbm_pim --kernel host_gemv --out 4096 --in 4096 --set t_rp=20 --json
  kcloud-cosim cycles --chip hbm_pim --kernel gemv --out 4096 --in 4096 --layout
  kcloud-cosim cycles --chip hbm_pim --dram hbm3 --kernel gemv --out 4096 --in 4096
  kcloud-cosim cycles --chip aim --kernel gemv --order simple --out 4096 --in 4096 --channels 32
"""

import argparse
import json
import re
import time
from dataclasses import replace
from typing import Any

from hw import chips, dram
from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.dram import DramSpec
from hw.spec.pim import PimSpec
from model.cycle.dram_pim.result import PimResult
from model.cycle.dram_pim.run import AIM_KERNELS, HBM_KERNELS, HOST_KERNELS, Aim, HbmPim
from model.cycle.dram_pim.stream import need_positive
from model.energy.dram import HBM_SOURCES, Bracket, bracket, sources_of

DEFAULT_CHANNELS = {"hbm_pim": 64, "aim": 32}

COUNTED = {
    "hbm_pim": "parking reads, mode changes, instruction memory, input loads, triggers, row commands, stores, exit, "
    "refresh if on, last data",
    "host": "every operand read once and the result written once at full bandwidth, row commands, refresh if on",
    "aim": "global buffer and bias writes, mode switches, row commands, MAC and result reads, end of computation",
}
NOT_COUNTED = {
    "hbm_pim": "weight layout and result read-back (see --layout), the host's sum of 16 lanes, latency inside a unit",
    "host": "the host's arithmetic, its caches and its link",
    "aim": "weight writes, host link, refresh (never issued), latency inside a unit",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the PIM kernels."""
    parser.description, parser.formatter_class = __doc__, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--chip", type=chips.option, default="hbm_pim", metavar="NAME", help="a chip with processing in memory"
    )
    parser.add_argument(
        "--kernel",
        required=True,
        metavar="NAME",
        help=f"hbm_pim: {', '.join((*HBM_KERNELS, *HOST_KERNELS))}; aim: {', '.join(AIM_KERNELS)}",
    )
    parser.add_argument(
        "--preset",
        default="default",
        metavar="NAME",
        help="rules to work by: default, or a compatibility preset of the DRAM (pimsimulator)",
    )
    parser.add_argument(
        "--dram", metavar="NAME", help=f"put the units of hbm_pim beside another DRAM ({', '.join(dram.names())})"
    )
    parser.add_argument("--out", type=int, metavar="N", help="outputs of a GEMV")
    parser.add_argument("--in", type=int, metavar="N", dest="inputs", help="inputs of a GEMV")
    parser.add_argument("--batch", type=int, default=1, metavar="N", help="vectors (default 1)")
    parser.add_argument("--elements", type=int, metavar="N", help="elements of an element-wise kernel")
    parser.add_argument("--channels", type=int, metavar="N", help="channels (default: hbm_pim 64, aim 32)")
    parser.add_argument("--ranks", type=int, default=1, metavar="N", help="ranks of a channel (default 1)")
    parser.add_argument("--refresh", choices=("on", "off"), help="default: on for hbm_pim; never issued for aim")
    parser.add_argument("--order", choices=("simple", "batched"), default="batched", help="order of an AiM GEMV")
    parser.add_argument(
        "--set",
        action="extend",
        nargs="+",
        default=[],
        metavar="TIMING=CYCLES",
        dest="timings",
        help="replace timings (t_rp=20 rl=28 t_refi=1950 ...), in clocks; may be repeated",
    )
    parser.add_argument("--layout", action="store_true", help="also the cost of writing weights and reading results")
    parser.add_argument(
        "--between",
        type=int,
        metavar="BURSTS",
        help="also run the kernel twice with this many plain reads per channel between",
    )
    parser.add_argument("--json", action="store_true", help="JSON on stdout")


def read_timings(words: list[str], device: DramSpec) -> dict[str, int]:
    """The replaced timings; raises `InputError` for anything but NAME=CYCLES."""
    timings = {}
    for word in words:
        match = re.fullmatch(r"([a-z_]+)=(-?[0-9]+)", word)
        if match is None:
            raise InputError(f"--set must be TIMING=CYCLES with a whole number, not {word!r}")
        name = match[1]
        if name not in device.timings_ns:
            known = ", ".join(device.timings_ns)
            raise InputError(f"--set must name a timing of {device.title}: {known}, not {name!r}")
        timings[name] = int(match[2])
    return timings


MOST = {"channels": 1 << 16, "ranks": 64, "batch": 1 << 20, "out": 1 << 31, "inputs": 1 << 31, "elements": 1 << 36}
"""The largest sizes that are counted."""


def _sizes(arguments: argparse.Namespace) -> dict[str, int]:
    """The sizes the kernel needs; raises `InputError` for a missing or an unused one."""
    kernel = arguments.kernel
    matrix = kernel in ("gemv", "gemv_tree", "host_gemv")
    given = {"--out": arguments.out, "--in": arguments.inputs, "--elements": arguments.elements}
    needed = ("--out", "--in") if matrix else ("--elements",)
    for name, value in given.items():
        if (value is not None) != (name in needed):
            raise InputError(
                f"{kernel} must have {' and '.join(needed)}, "
                f"{'not ' + name if value is not None else name + ' is missing'}"
            )
    if not matrix and arguments.batch != 1:
        raise InputError(f"--batch must be 1 for {kernel}, not {arguments.batch}")
    if matrix:
        return {"outputs": arguments.out, "inputs": arguments.inputs, "batch": arguments.batch}
    return {"elements": arguments.elements}


def read_spec(name: str) -> PimSpec:
    """The PIM device of the chip called `name`."""
    return chips.machine(chips.load(name), PimSpec, "--kernel")


def _on_dram(spec: PimSpec, name: str | None) -> PimSpec:
    """`spec` with its units beside the DRAM called `name`: its own rules, and rows of the same meaning."""
    if name is None:
        return spec
    if spec.commands.host_commands:
        raise InputError(f"--dram must be left out for {spec.title}, whose commands are its DRAM's, not {name!r}")
    other = dram.load(name)
    if not {"ACT", "PRE", "RD", "WR", "REF"} >= {c for rule in other.rules for c in (*rule.before, *rule.after)}:
        raise InputError(f"--dram must name a DRAM of plain commands for {spec.title}, not {name!r}")
    return replace(spec, dram=other)


def run(arguments: argparse.Namespace) -> int:
    """Print the run; 0."""
    spec = _on_dram(read_spec(arguments.chip), arguments.dram)
    timings = read_timings(arguments.timings, spec.dram)
    channels = DEFAULT_CHANNELS.get(arguments.chip, 1) if arguments.channels is None else arguments.channels
    need_positive(channels=channels, ranks=arguments.ranks, batch=arguments.batch)
    for name, value in MOST.items():
        given = channels if name == "channels" else getattr(arguments, name)
        if given is not None and given > value:
            raise InputError(f"{name.replace('inputs', 'in')} must be at most {value}, not {given}; ask for less")
    started = time.perf_counter()
    extra: dict[str, Any] = {}
    if spec.commands.host_commands:
        result, note, family = _run_aim(spec, arguments, channels, timings), "", "aim"
    else:
        result, note, family, extra = _run_hbm(spec, arguments, channels, timings)
        if arguments.dram is not None:
            note += f"; units of {spec.title} beside {spec.dram.title}: no such device is known"
    seconds = time.perf_counter() - started
    priced = bracket(result.counts, sources_of(spec))
    answer = as_json(arguments, result, priced, note, family, seconds) | extra
    print(json.dumps(answer, indent=2) if arguments.json else render(answer))
    return 0


def _run_aim(spec: PimSpec, arguments: argparse.Namespace, channels: int, timings: dict[str, int]) -> PimResult:
    if arguments.kernel not in AIM_KERNELS:
        raise InputError(f"--kernel of {spec.title} must be one of {', '.join(AIM_KERNELS)}, not {arguments.kernel!r}")
    for name, unfit in (
        ("--preset", arguments.preset != "default"),
        ("--ranks", arguments.ranks != 1),
        ("--refresh on", arguments.refresh == "on"),
        ("--layout", arguments.layout),
        ("--between", arguments.between is not None),
    ):
        if unfit:
            raise InputError(f"{name} must be left out for {spec.title}, which has none")
    system = Aim(spec, channels=channels, overrides=timings)
    return system.run(system.requests(arguments.kernel, order=arguments.order, **_sizes(arguments)))


def _run_hbm(
    spec: PimSpec,
    arguments: argparse.Namespace,
    channels: int,
    timings: dict[str, int],
) -> tuple[PimResult, str, str, dict[str, Any]]:
    kernel = arguments.kernel
    if kernel not in HBM_KERNELS and kernel not in HOST_KERNELS:
        raise InputError(
            f"--kernel of {spec.title} must be one of {', '.join((*HBM_KERNELS, *HOST_KERNELS))}, not {kernel!r}"
        )
    system = HbmPim(
        spec,
        preset=arguments.preset,
        channels=channels,
        ranks=arguments.ranks,
        refresh=arguments.refresh != "off",
        overrides=timings,
    )
    sizes = _sizes(arguments)
    result = system.run(kernel, **sizes)
    extra: dict[str, Any] = {}
    if arguments.layout:
        if kernel != "gemv":
            raise InputError(f"--layout must go with --kernel gemv, not {kernel}")
        extra["layout"] = _layout(system, result, sizes)
    if arguments.between is not None:
        if kernel not in HBM_KERNELS:
            raise InputError(f"--between must go with a PIM kernel ({', '.join(HBM_KERNELS)}), not {kernel}")
        extra["between"] = system.run_between(kernel, arguments.between, **sizes)
    note = system.timing.note
    elements = arguments.elements
    if elements is not None and result.work.get("elements_done", elements) < elements:
        note += f"; {elements - result.work['elements_done']} elements beyond whole tiles are not computed"
    return result, note, "host" if kernel in HOST_KERNELS else "hbm_pim", extra


def _layout(system: HbmPim, result: PimResult, sizes: dict[str, int]) -> dict[str, int | None]:
    """Layout cost, and how many uses it takes until PIM has saved it against the host's stream."""
    cost = system.layout(**sizes)
    host = system.run("host_gemv", **sizes).cycles
    saved = host - result.cycles - cost["result_read"]
    return {
        **cost,
        "host_cycles": host,
        "uses_to_amortise": ceil_div(cost["weight_write"], saved) if saved > 0 else None,
    }


def as_json(
    arguments: argparse.Namespace,
    result: PimResult,
    priced: Bracket,
    note: str,
    family: str,
    seconds: float,
) -> dict[str, Any]:
    """The run as JSON types."""
    total = priced.total_j
    answer: dict[str, Any] = {
        "chip": arguments.chip,
        **({"dram": arguments.dram} if arguments.dram else {}),
        "kernel": arguments.kernel,
        "preset": arguments.preset,
        "channels": result.channels,
        "ranks": arguments.ranks,
        "cycles": result.cycles,
        "clock_ns": result.clock_ns,
        "time_us": result.time_ns / 1000,
        "breakdown": result.breakdown,
        "energy": {
            "unit": "J",
            "low": total.low,
            "nominal": total.nominal,
            "high": total.high,
            "sources": {
                name: {
                    "title": e.table.title,
                    "low": e.total_j.low,
                    "nominal": e.total_j.nominal,
                    "high": e.total_j.high,
                }
                for name, e in priced.sources.items()
            },
        },
        "commands_per_channel": result.commands,
        "counts": dict(result.counts),
        "work": result.work,
        "counted": COUNTED[family],
        "not_counted": NOT_COUNTED[family],
        "simulation_seconds": seconds,
    }
    if note:
        answer["note"] = note
    if family == "host":
        bits = result.counts["dram.read_pin_bit"] + result.counts["dram.write_pin_bit"]
        above = {k: v for k, v in result.counts.items() if k not in ("dram.background_ns", "dram.refresh")}
        answer["energy"]["pj_per_bit"] = {
            name: e.total_j.nominal * 1e12 / bits for name, e in bracket(above, HBM_SOURCES).sources.items()
        }
    return answer


def render(answer: dict[str, Any]) -> str:
    """The run for people."""
    energy = answer["energy"]
    lines = [
        f"{answer['kernel']} on {answer['chip']}, {answer['channels']} channels, preset {answer['preset']}",
        f"cycles       {answer['cycles']:>14,}   of {answer['clock_ns']:g} ns = {answer['time_us']:,.3f} us",
    ]
    for cause, cycles in sorted(answer["breakdown"].items(), key=lambda item: -item[1]):
        lines.append(f"  {cause:<14} {cycles:>12,}   {100 * cycles / answer['cycles']:5.1f} %")
    low, nominal, high = (energy[k] * 1e6 for k in ("low", "nominal", "high"))
    lines.append(f"energy       {low:.4g} / {nominal:.4g} / {high:.4g} uJ   low / nominal / high of the sources")
    for source in energy["sources"].values():
        lines.append(
            f"  {source['title']:<34} {source['nominal'] * 1e6:>10.4g} uJ"
            f"   ({source['low'] * 1e6:.4g} to {source['high'] * 1e6:.4g})"
        )
    for name, value in energy.get("pj_per_bit", {}).items():
        lines.append(f"  {name:<34} {value:>10.3f} pJ/bit above background and refresh")
    if "layout" in answer:
        cost = answer["layout"]
        uses = "never pays" if cost["uses_to_amortise"] is None else f"pays after {cost['uses_to_amortise']} uses"
        lines.append(
            f"layout       {cost['weight_write']:,} cycles to write the weights, {cost['result_read']:,} to "
            f"read results; host stream {cost['host_cycles']:,}: {uses}"
        )
    if "between" in answer:
        mixed = answer["between"]
        lines.append(
            f"between      two kernels and reads {mixed['cycles']:,} cycles; apart 2 x {mixed['kernel']:,} + "
            f"{mixed['reads']:,}; mixing costs {mixed['mixing']:,}"
        )
    lines += [f"counted      {answer['counted']}", f"not counted  {answer['not_counted']}"]
    if "note" in answer:
        lines.append(f"note         {answer['note']}")
    return "\n".join(lines)
