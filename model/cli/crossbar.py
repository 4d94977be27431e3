"""Error, cycles, conversions and energy of a product on a non-volatile crossbar.

examples:
  kcloud-cosim crossbar --rows 128 --columns 64 --cell-bits 2 --scheme differential --adc-bits 8 --range-policy pct
  kcloud-cosim crossbar --rows 256 --columns 64 --cell-bits 4 --scheme offset --adc-bits 0 --range-policy ideal
      --programming-error 0.01 --error-kind g --data dnn --seed 0 --seeds 5 --json
"""

import argparse
import json
from dataclasses import asdict
from typing import Any, get_args

from hw.base.error import InputError
from hw.base.seed import seed
from hw.spec.crossbar import CrossbarSpec, Scheme
from hw.spec.crossbar_command import LayerCommand
from model.crossbar import silicon
from model.crossbar.adc import MODELS
from model.crossbar.cells import CellErrors, ErrorKind
from model.crossbar.converter import policy_of
from model.crossbar.droop import droop_of
from model.crossbar.energy import PRICES, price
from model.crossbar.fleet import CELLS, describe, fleet
from model.crossbar.operands import Data, draw
from model.crossbar.statistics import product_error
from model.crossbar.tasks import Task, quality
from model.cycle.crossbar.closed_form import layer_form
from model.cycle.crossbar.counts import value_counts
from model.network import llm
from model.reference.crossbar import slice_levels

NO_CONVERTER_BITS = 20
"""Width the spec is given when a real-valued study has no converter."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The array, its converters, cells and operands."""
    parser.add_argument("--rows", type=int, default=128, help="word lines: terms of a sum (default: 128)")
    parser.add_argument("--columns", type=int, default=64, help="outputs (default: 64)")
    parser.add_argument("--cell-bits", type=int, default=2, help="bits of one cell (default: 2)")
    schemes = f"one of {', '.join(get_args(Scheme))}; BALANCED is differential"
    parser.add_argument("--scheme", default="differential", help=f"{schemes} (default: differential)")
    parser.add_argument("--input-bits", type=int, default=8, help="default: 8")
    parser.add_argument("--weight-bits", type=int, default=8, help="default: 8")
    parser.add_argument("--plane-bits", type=int, default=1, help="input bits on the word lines at a time (default: 1)")
    parser.add_argument("--adc-bits", type=int, default=0, help="0: no converter (default)")
    parser.add_argument(
        "--range-policy",
        default=None,
        help=(
            "ideal, unit (lossless), full, pct (calibrated) or pow2 (power_of_two); default: ideal without one, "
            "else lossless"
        ),
    )
    parser.add_argument("--programming-error", type=float, default=0.0, metavar="SHARE", help="standard deviation")
    parser.add_argument("--error-kind", default="gmax", choices=get_args(ErrorKind), help="what it is a share of")
    parser.add_argument("--read-noise", type=float, default=0.0, metavar="SHARE", help="of the same kind")
    parser.add_argument("--on-off", type=float, default=float("inf"), help="largest over smallest conductance")
    parser.add_argument(
        "--wire-resistance",
        type=float,
        default=0.0,
        metavar="SHARE",
        help=("resistance of one cell's piece of wire over that of a cell at the highest level"),
    )
    parser.add_argument("--data", default="uniform", choices=get_args(Data))
    parser.add_argument("--seed", type=seed, default=0, help="of operands and cells (default: 0)")
    parser.add_argument("--seeds", type=int, default=1, help="this many from --seed on, pooled (default: 1)")
    parser.add_argument("--batch", type=int, default=64, help="vectors (default: 64)")
    parser.add_argument("--columns-per-adc", type=int, default=8, help="default: 8")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--silicon", action="store_true", help="instead: published macros beside predictions from their structure"
    )
    parser.add_argument(
        "--model",
        default=None,
        metavar="NAME|config.json",
        help="instead: area, dies, idle power, writing and wear of a whole language model",
    )
    parser.add_argument("--cells", default="reram", help=f"with --model: {', '.join(CELLS)} (default: reram)")
    parser.add_argument("--updates-per-day", type=float, default=1.0, help="with --model: of all weights (default: 1)")
    parser.add_argument("--context", type=int, default=1024, help="with --model: tokens of the cache (default: 1024)")
    parser.add_argument(
        "--task",
        default=None,
        metavar="NAME",
        help=f"instead: {', '.join(get_args(Task))} with static weights in such tiles (inputs signed)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    if arguments.silicon:
        print(*silicon.table(), sep="\n")
        return 0
    if arguments.task is not None:
        return run_task(arguments)
    if arguments.model is not None:
        return run_model(arguments)
    found = study(arguments)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return 0
    energy = found["energy_fj_per_mac"]
    spread = ", ".join(f"{name} {value:.0f}" for name, value in found["adc_fj_per_mac"].items())
    print(
        f"array            {found['rows']} rows x {found['columns']} outputs, {found['slices']} slices of "
        f"{found['cell_bits']} bits, {found['scheme']}; lossless converters have {found['lossless_bits']} bits",
        f"error            RMSE {found['rmse']:.6g}, {found['rmse_over_std']:.5f} of the outputs' deviation, "
        f"bias {found['bias']:.4g}",
        f"cycles           {found['cycles']} for one vector, {found['sensing_cycles']} of them sensing",
        f"conversions      {found['conversions']} a vector, {found['conversions_per_mac']:.4g} per MAC",
        f"energy           {energy['low']:.1f} to {energy['high']:.1f} fJ per MAC, nominal {energy['nominal']:.1f}",
        *(
            f"  {name:<14} converter model {text['adc']}, cells of {text['cell_ohm']:g} ohm"
            for name, text in found["energy_models"].items()
        ),
        f"converters alone {spread} fJ per MAC: the sources differ, every energy names its own",
        sep="\n",
    )
    return 0


def run_model(arguments: argparse.Namespace) -> int:
    """What a whole model needs."""
    given = arguments.model
    model = llm.read_config(given) if given.endswith(".json") else llm.load(given)
    bits = arguments.adc_bits or 8
    spec = CrossbarSpec(
        rows=arguments.rows,
        columns=arguments.columns,
        cell_bits=arguments.cell_bits,
        scheme=arguments.scheme,
        adc_bits=bits,
        columns_per_adc=arguments.columns_per_adc,
        range_policy="full",
    )
    found = fleet(model, spec, arguments.cells, context=arguments.context, updates_per_day=arguments.updates_per_day)
    each = costs(spec, "dnn", arguments.seed, 16, bits)["energy_fj_per_mac"]
    used = model.parameters - (0 if model.tied else model.vocabulary * model.hidden)
    token = {name: used * value * 1e-12 for name, value in each.items()}
    if arguments.json:
        print(json.dumps({**asdict(found), "crossbar_mj_per_token": token}, indent=2))
    else:
        print(f"model            {model.name}", *describe(found), sep="\n")
        print(
            f"{'crossbars':<16} {token['nominal']:,.4g} ({token['low']:,.4g} to {token['high']:,.4g}) mJ a token, "
            "every weight once"
        )
    return 0


def run_task(arguments: argparse.Namespace) -> int:
    """Quality of a task through the cells and converters of the arguments, for each seed."""
    bits = arguments.adc_bits
    policy = policy_of(arguments.range_policy or ("pct" if bits else "ideal"))
    if bits < 0 or (bits == 0) != (policy == "ideal"):
        raise InputError(
            f"policy {policy} needs {'no converter (--adc-bits 0)' if policy == 'ideal' else 'a converter'}, not "
            f"--adc-bits {bits}; change one of them"
        )
    spec = CrossbarSpec(
        rows=arguments.rows,
        columns=arguments.columns,
        cell_bits=arguments.cell_bits,
        scheme=str({"BALANCED": "differential", "OFFSET": "offset"}.get(arguments.scheme, arguments.scheme)),  # type: ignore[arg-type]
        input_signed=True,
        adc_bits=bits or NO_CONVERTER_BITS,
        range_policy="full" if bits else "lossless",
    )
    errors = CellErrors(programming=arguments.programming_error, kind=arguments.error_kind, on_off=arguments.on_off)
    exact = quality(arguments.task, spec, CellErrors(), "ideal", 0)
    seeds = [arguments.seed + i for i in range(max(arguments.seeds, 1))]
    found = [quality(arguments.task, spec, errors, policy, seed) for seed in seeds]
    figure = "bits_per_character" if arguments.task == "text" else "accuracy"
    if arguments.json:
        print(json.dumps({"task": arguments.task, figure: found, f"exact_{figure}": exact, "seeds": seeds}, indent=2))
    else:
        name = figure.replace("_", " ")
        print(f"{name:<19}{', '.join(f'{value:.4f}' for value in found)}; exact {exact:.4f}")
    return 0


def study(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything the command prints."""
    scheme = {"BALANCED": "differential", "OFFSET": "offset"}.get(arguments.scheme, arguments.scheme)
    bits = arguments.adc_bits
    policy = policy_of(arguments.range_policy or ("unit" if bits else "ideal"))
    if bits < 0 or (bits == 0) != (policy == "ideal"):
        raise InputError(
            f"policy {policy} needs {'no converter (--adc-bits 0)' if policy == 'ideal' else 'a converter'}, not "
            f"--adc-bits {bits}; change one of them"
        )
    if bits == 1 and scheme in ("differential", "offset_unit") and policy in ("pct", "pow2"):
        raise InputError(f"a signed converter needs at least 2 bits, not {bits}; give more")
    if arguments.seeds < 1 or arguments.batch < 1 or arguments.seed < 0:
        raise InputError(
            f"--seeds and --batch must be at least 1 and --seed at least 0, not {arguments.seeds}, {arguments.batch} "
            f"and {arguments.seed}; change them"
        )
    spec = CrossbarSpec(
        rows=arguments.rows,
        columns=arguments.columns,
        cell_bits=arguments.cell_bits,
        scheme=scheme,  # type: ignore[arg-type]  # the spec refuses others in a sentence
        input_bits=arguments.input_bits,
        weight_bits=arguments.weight_bits,
        plane_bits=arguments.plane_bits,
        adc_bits=bits or NO_CONVERTER_BITS,
        columns_per_adc=arguments.columns_per_adc,
        wordline_cycles=0,
        range_policy="lossless" if policy in ("ideal", "unit") else "power_of_two" if policy == "pow2" else "full",
        tiles=1,
        lanes=64,
    )
    errors = CellErrors(
        programming=arguments.programming_error,
        read=arguments.read_noise,
        kind=arguments.error_kind,
        on_off=arguments.on_off,
    )
    droop = droop_of(arguments.rows, arguments.wire_resistance)
    seeds = [arguments.seed + i for i in range(arguments.seeds)]
    error = product_error(spec, errors, policy, arguments.data, seeds, arguments.batch, droop)
    return {
        "rows": spec.rows,
        "columns": spec.columns,
        "cell_bits": spec.cell_bits,
        "scheme": spec.scheme,
        "slices": spec.slices,
        "range_policy": policy,
        "adc_bits": bits,
        "lossless_bits": spec.lossless_bits,
        "data": arguments.data,
        "seeds": seeds,
        "rmse": error.rmse,
        "rmse_over_std": error.rmse_over_std,
        "bias": error.bias,
        "largest_error": error.largest,
        "deviation": error.deviation,
        **costs(spec, arguments.data, seeds[0], arguments.batch, bits),
    }


def costs(spec: CrossbarSpec, data: Data, seed: int, batch: int, bits: int) -> dict[str, Any]:
    """Cycles, conversions and priced energy of one vector, switching averaged over the operands of `seed`."""
    weights, inputs = draw(data, seed, spec.rows, spec.columns, batch)
    timing = layer_form(spec, LayerCommand(vectors=1, from_stream=True, to_stream=True, sums=True))
    shapes = layer_form(spec, LayerCommand(vectors=batch, from_stream=True, to_stream=True, sums=True)).counts
    counts = shapes + value_counts(spec, inputs, 1)
    levels = abs(slice_levels(spec, weights))
    mean = float(levels.mean()) / ((1 << spec.cell_bits) - 1)
    macs = spec.rows * spec.columns * batch
    energies = {
        name: price(spec, counts, prices, mean_level=mean, converters=bits > 0) for name, prices in PRICES.items()
    }
    each = spec.conversions_per_mac * 1e3
    return {
        "cycles": spec.compute_cycles,
        "core_cycles": timing.cycles,
        "sensing_cycles": spec.sensing_cycles,
        "conversions": spec.conversions,
        "conversions_per_mac": spec.conversions_per_mac,
        "energy_fj_per_mac": {name: energy.total_fj / macs for name, energy in energies.items()},
        "energy_terms_fj_per_mac": {
            name: {term: value / macs for term, value in energy.terms.items()} for name, energy in energies.items()
        },
        "energy_models": {name: {"adc": prices.adc, "cell_ohm": prices.cell_ohm} for name, prices in PRICES.items()},
        "adc_fj_per_mac": {name: model.energy_pj(bits) * each if bits else 0.0 for name, model in MODELS.items()},
    }
