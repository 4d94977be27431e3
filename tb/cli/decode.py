"""Run a language model on the RTL of a system: text, every tensor compared, cycles per token by cause.

examples:
  kcloud-cosim decode --chip npu_aim --workload small_llm
"""

import argparse
import sys

from model.language.screen import screen
from model.work.decoder_system import SYSTEMS
from model.work.decoding import TOKENS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What runs where."""
    parser.add_argument("--chip", default="npu_aim", help=f"a system: {', '.join(SYSTEMS)} (default %(default)s)")
    parser.add_argument(
        "--workload",
        default="small_llm",
        help="small_llm, tiny_npu or a folder with config.json and model.safetensors (default %(default)s)",
    )
    parser.add_argument("--text", default=None, help="the prompt; numbers of tokens if the folder has no merges.txt")
    parser.add_argument(
        "--pim",
        default=None,
        help="what the channel multiplies: off, weights, attention, both (default: the fastest by the model, and off)",
    )
    parser.add_argument(
        "--tokens", type=int, default=None, help=f"tokens to generate (default {TOKENS}, with --waves 2)"
    )
    parser.add_argument("--prompt", type=int, default=None, help="tokens of the prompt (default all, with --waves 4)")
    parser.add_argument("--waves", action="store_true", help="record waveforms too (build/runs/.../dump.fst)")


def run(arguments: argparse.Namespace) -> int:
    """0 if every tensor and every cycle is as it must be, 1 otherwise."""
    from tb.bench.wave import show
    from tb.system.decode import decode
    from tb.system.marks import save_of
    from tb.system.pim_share import fastest

    short = arguments.waves
    count = arguments.tokens if arguments.tokens is not None else 2 if short else TOKENS
    prompt = arguments.prompt if arguments.prompt is not None else 4 if short else None
    pims = (
        [arguments.pim]
        if arguments.pim
        else [fastest(arguments.chip, arguments.workload, arguments.text), *([] if short else ["off"])]
    )
    runs, outcomes = decode(
        arguments.chip,
        arguments.workload,
        count,
        list(dict.fromkeys(pims)),
        prompt=prompt,
        text=arguments.text,
        trace="fst" if arguments.waves else "none",
        say=say,
    )
    for outcome in outcomes:
        if not outcome.passed:
            print(outcome.explain(), file=sys.stderr)
        if outcome.trace is not None and outcome.trace.is_file():
            say(show(save_of(outcome)))
    if runs:
        print("\n" + "\n".join(screen(runs)))
    good = all(o.passed for o in outcomes) and all(
        r.equal and r.labels_equal and r.cycles == r.predicted_cycles for r in runs
    )
    return 0 if good else 1


def say(line: str) -> None:
    """One line of progress, at once."""
    print(line, flush=True)
