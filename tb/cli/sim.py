"""Run a bench on the RTL in Verilator: record and JUnit file.

examples:
  kcloud-cosim sim --chip npu_16 --workload digits
  kcloud-cosim sim --chip tiny --workload gemm_16 --seed 3 --no-activity
"""

import argparse
import os
import sys
from dataclasses import replace

from hw import chips
from hw.base.seed import seed
from model import record, workloads
from model.workloads import _given
from tb.bench import cocotb_variables, design
from tb.bench.build import BUILD
from tb.bench.measure import Case, measure_all, shown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The variables of the Makefile."""
    parser.add_argument("--chip", type=chips.option, default="npu_16", help="a file in hw/chips (default %(default)s)")
    parser.add_argument(
        "--workload",
        type=workloads.option,
        default=None,
        help="a file in model/workloads (default digits, digits_float on a PIM chip)",
    )
    parser.add_argument(
        "--bench", default=None, help="a file tb/<room>/<bench>_tests.py (default core, or the one of the PIM chip)"
    )
    _given.add_arguments(parser)
    _given.add_decoding_arguments(parser)
    parser.add_argument("--seed", type=seed, default=None, help="of the operands (default COCOTB_RANDOM_SEED, else 1)")
    parser.add_argument("--waves", action="store_true", help="record waveforms too (build/runs/.../dump.fst)")
    parser.add_argument("--no-activity", action="store_true", help="do not count toggles")


def run(arguments: argparse.Namespace) -> int:
    """0 if every test passed, 1 otherwise."""
    case, trace = case_of(arguments), "fst" if arguments.waves else "none"
    cases = [case]
    if hasattr(bench := design.load(case.bench), "beside") and not case.tests:
        cases += [replace(case, workload=name) for name in bench.beside(chips.load(case.chip), case.workload)]
    measured = measure_all(cases, say, trace=trace, activity=not arguments.no_activity)
    for each, (measurement, outcome) in zip(cases, measured, strict=True):
        if measurement is not None:
            path = record.write(measurement, root=BUILD / "records")
            say(f"cycles  {measurement.result.cycles:,} measured")
            say(f"record  {shown(path)}")
        say(f"junit   {shown(BUILD / 'junit' / f'{each.name}.xml')}")
        if arguments.waves and outcome.trace is not None:
            say(f"waves   {shown(outcome.trace)}")
        if not outcome.passed:
            print(outcome.explain(), file=sys.stderr)
    return 0 if all(outcome.passed for _, outcome in measured) else 1


def case_of(arguments: argparse.Namespace) -> Case:
    """The case the arguments name; a bench without workloads takes none."""
    chip, named = chips.load(arguments.chip), _given.named(arguments)
    bench = arguments.bench or design.default(chip, workloads.load(named) if named else None)
    arguments.bench, loaded = bench, design.load(bench)
    arguments.workload = _given.changed(arguments, named or getattr(loaded, "WORKLOAD", workloads.default(chip)))
    workload = arguments.workload if design.measures(loaded) else ""
    asked = cocotb_variables.given(os.environ, seed=arguments.seed)
    arguments.seed = next((seed for seed in (arguments.seed, asked.seed) if seed is not None), 1)
    return Case(
        bench=arguments.bench,
        chip=arguments.chip,
        workload=workload,
        seed=arguments.seed,
        tests=asked.pattern or "",
    )


def say(line: str) -> None:
    """One line of progress, at once."""
    print(line, flush=True)
