"""Run a bench with waveforms (FST), write the GTKWave save file, open GTKWave if there is a display.

examples:
  kcloud-cosim waves --chip tiny --workload gemm_16
"""

import argparse
import sys
from dataclasses import replace

from hw import chips
from hw.base.seed import seed
from model import workloads
from model.workloads import _given
from tb.bench import design
from tb.bench.measure import one_at_a_time, prepare, shown, simulate
from tb.bench.wave import save_file, show
from tb.cli import sim


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The variables of the Makefile; a small default, as every signal of every cycle is written."""
    parser.add_argument("--chip", type=chips.option, default="tiny", help="a file in hw/chips (default %(default)s)")
    parser.add_argument(
        "--workload",
        type=workloads.option,
        default=None,
        help="a file in model/workloads (default gemm_16, digits_float_4 on a PIM chip)",
    )
    parser.add_argument(
        "--bench", default=None, help="a file tb/<room>/<bench>_tests.py (default core, or the one of the PIM chip)"
    )
    _given.add_arguments(parser)
    _given.add_decoding_arguments(parser)
    parser.add_argument("--seed", type=seed, default=None, help="of the operands (default COCOTB_RANDOM_SEED, else 1)")


def run(arguments: argparse.Namespace) -> int:
    """0 if every test passed, 1 otherwise; the waveform is there in both cases."""
    arguments.workload = _given.named(arguments) or chips.load(arguments.chip).kind.small_workload
    arguments.network = arguments.input = None
    case = sim.case_of(arguments)
    bench = design.load(case.bench)
    if hasattr(bench, "recorded"):
        case = replace(case, workload=bench.recorded(case.workload))
    shown_test = getattr(bench, "SHOWN", "")
    if shown_test and not case.tests:  # of a bench of many tests the one that runs the workload
        case = replace(case, tests=rf"\.{shown_test}$")
    built = prepare(case, "fst", sim.say)
    save = None
    with one_at_a_time(case, sim.say):
        sim.say(f"run     {case.name}")
        outcome = simulate(case, built)
        if outcome.trace is not None and outcome.trace.is_file():
            own = bench.save_file(case, built, outcome) if hasattr(bench, "save_file") else None
            save = own or save_file(
                built.emitted.manifest,
                outcome.trace,
                outcome.folder / f"{case.name}.gtkw",
                names=getattr(bench, "NAMES", {}),
                end_ps=1e3 * sum(test.simulated_ns for test in outcome.tests),
            )
            sim.say(f"waves   {shown(outcome.trace)} ({outcome.trace.stat().st_size / 1e6:.1f} MB; 1 ns is one cycle)")
            sim.say(f"save    {shown(save)}; for Surfer: surfer -c {shown(save.with_suffix('.sucl'))}")
    if save is not None:
        sim.say(show(save))
    if outcome.passed:
        return 0
    print(outcome.explain(), file=sys.stderr)
    return 1
