"""Serve a language model on cards: requests over time, a closed loop of users, the most users at a target, a whole
site; or, without any of these, one batch after the other, with a PIM memory or not.

examples:
  kcloud-cosim serve --chip furiosa_rngd --model llama31_8b
  kcloud-cosim serve --chip furiosa_rngd --model llama31_8b --format fp16 --pim aim
  kcloud-cosim serve --chip furiosa_rngd --model llama31_8b --rate 4 --requests 2000
  kcloud-cosim serve --chip nvidia_h100_sxm --model llama31_70b --cards 4 --format fp8_e4m3 --trace requests.csv
  kcloud-cosim serve --chip nvidia_h100_sxm --model llama31_8b --closed-loop 32 --prompt 1024 --answer 256 --json
  kcloud-cosim serve --chip furiosa_rngd --model llama31_8b --users --ttft 1 --tpot 0.05
  kcloud-cosim serve --fewest llama31_8b --chips furiosa_rngd nvidia_h100_sxm --rate 5 --ttft 1 --tpot 0.05
  kcloud-cosim serve --site gwangju --requests 100000
"""

import argparse

from hw import chips
from hw.base.error import InputError
from hw.base.seed import seed
from hw.spec.number import FORMATS
from model.card.engine import ENGINES
from model.card.pim import FORMATS as FORMATS_OF
from model.cli import _serve_options, _serve_plan, _serve_run, _serve_site, _serve_static
from model.cli._serve_time import shown
from model.serving.draw import ARRIVALS
from model.serving.policies import names

MODES = ("trace", "closed_loop", "rate", "rates", "users", "site")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Cards, model, formats, load, rules of the engine, answers."""
    add = parser.add_argument
    add("--chip", type=chips.option, default="furiosa_rngd", metavar="NAME", help="default: furiosa_rngd")
    add(
        "--model", default="llama31_8b", metavar="NAME|config.json", help="of model/network/configs, or a file of yours"
    )
    add("--cards", type=int, default=1, help="of one instance, tensor parallel if nothing else is said (default: 1)")
    add("--format", choices=list(FORMATS), help="of weights (default: FP8, INT8 or FP16)")
    add(
        "--cache", choices=list(FORMATS), help="of the key-value cache (default: as the weights; of an engine, its own)"
    )
    add("--prompt", type=int, default=1024, help="tokens, mean where lengths are drawn (default: 1024)")
    add("--answer", type=int, default=1024, help="tokens, mean where lengths are drawn (default: 1024)")
    load = parser.add_argument_group("load")
    add = load.add_argument
    add("--trace", metavar="FILE", help="requests of a CSV or JSONL file: arrival, tokens in, tokens out")
    add("--closed-loop", type=int, metavar="B", help="users that each send a request when the one before ends")
    add("--rate", type=float, metavar="R", help="drawn requests, so many a second on average")
    add("--users", action="store_true", help="the most users of a closed loop that keep --ttft and --tpot")
    add("--rates", type=float, nargs="+", metavar="R", help="the same at several rates, with --pim beside without")
    add("--fewest", nargs="+", metavar="MODEL", help="the fewest cards for --rate at --ttft and --tpot, for each model")
    add("--chips", nargs="+", metavar="NAME", help="of --fewest: each of these chips (default: --chip)")
    add("--site", metavar="NAME", help="the cards of a site for a day of --requests (default: 1,000,000)")
    add("--requests", type=int, metavar="N", help="of drawn loads and closed loops (default: 2,000; 10 a user)")
    add("--arrivals", choices=ARRIVALS, default="poisson", help="gaps of drawn requests (default: poisson)")
    add("--burst", type=float, default=2.0, metavar="CV", help="coefficient of variation of gamma gaps (default: 2)")
    add("--spread", type=float, default=0.6, metavar="CV", help="of drawn lengths (default: 0.6)")
    add("--shared", type=int, default=0, metavar="N", help="tokens at the start of every drawn prompt that all share")
    add("--day", action="store_true", help="the rate of drawn requests follows the hours of a day")
    add("--seed", type=seed, default=1, help="of drawn loads (default: 1)")
    rules = parser.add_argument_group("instances and engine")
    add = rules.add_argument
    add("--engine", choices=list(ENGINES), default="vllm", help="whose overheads and limits hold (default: vllm)")
    add("--tensor", type=int, help="devices that share every layer (default: all of an instance)")
    add("--pipeline", type=int, default=1, help="groups of devices with consecutive layers (default: 1)")
    add(
        "--data", type=int, default=1, help="groups of devices with their own sequences and shared experts (default: 1)"
    )
    add("--expert", type=int, default=1, help="devices over which whole experts are spread (default: 1)")
    add("--replicas", type=int, default=1, help="instances (default: 1)")
    add(
        "--decoders",
        type=int,
        default=0,
        metavar="N",
        help="instances that decode only; the replicas then only prefill",
    )
    add("--router", choices=names("router"), default="least_loaded", help="default: least_loaded")
    add("--order", choices=names("order"), default="fcfs", help="of waiting requests (default: fcfs)")
    add("--batching", choices=names("batching"), help="default: the engine's")
    add("--eviction", choices=names("eviction"), help="when the cache is full (default: the engine's)")
    add("--tokens", type=int, metavar="N", help="most of an iteration (default: the engine's)")
    add("--sequences", type=int, metavar="N", help="most that run (default: the engine's behind a --trace, the users "
        "of a --closed-loop, else 256 at least)")  # fmt: skip
    add("--block", type=int, metavar="N", help="tokens of a cache block (default: the engine's)")
    add("--prefix-cache", action=argparse.BooleanOptionalAction, help="beginnings are kept (default: the engine's)")
    add("--years", type=int, default=1, metavar="N", help="of a site: so many years, each with a day of its own")
    add("--growth", type=float, default=1.0, metavar="X", help="of a site: requests of a year over those of the last")
    add("--power-cap", type=float, metavar="KW", help="of a site, at the wall")
    add(
        "--spares", type=int, default=0, metavar="N", help="of a site: cards of each kind that only replace failed ones"
    )
    add("--failures", type=float, default=0.0, metavar="N", help="of a card in a year, each repaired in a day")
    answers = parser.add_argument_group("answers")
    add = answers.add_argument
    add("--ttft", type=float, metavar="S", help="target for the first token")
    add("--tpot", type=float, metavar="S", help="target for each further token")
    add(
        "--share",
        type=float,
        default=0.99,
        metavar="X",
        help="of the requests that must keep the target (default: 0.99)",
    )
    add("--json", action="store_true", help="one object instead of a screen")
    add("--requests-out", metavar="FILE", help="one JSON line for each request")
    add(
        "--timeline",
        metavar="FILE",
        help="the run for public trace viewers: Chrome's format if it ends in .json, else Perfetto's",
    )
    add("--plots", metavar="DIRECTORY", help="latency against load, timeline, fleet, as SVG")
    static = parser.add_argument_group("one batch after the other")
    add = static.add_argument
    add("--batch", type=int, nargs="+", help="default: powers of two up to what fits")
    add("--beams", type=int, default=1, help="sequences followed for each answer (default: 1)")
    add("--longest", type=float, metavar="S", help="leave out batches whose requests take longer")
    add("--pim", choices=tuple(FORMATS_OF), help="the memory is one with processing in it")
    add("--choose", choices=("time", "energy"), default="time", help="the memory takes a product where that is faster, "
        "or costs less energy (default: time)")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Print it; 0."""
    chosen = ["fewest"] if arguments.fewest else _chosen(arguments)
    if len(chosen) > 1:
        listed = ", ".join("--" + name.replace("_", "-") for name in chosen)
        raise InputError(f"one load must be chosen, not {listed}")
    bare = argparse.ArgumentParser()
    add_arguments(bare)
    _serve_options.check(arguments, bare.parse_args([]), chosen[0] if chosen else "")
    if arguments.fewest:
        with shown(arguments, "the fewest cards") as state:
            return _serve_plan.fewest_cards(arguments, state)
    if not chosen:
        with shown(arguments, "one batch after the other"):
            return _serve_static.run(arguments)
    with shown(arguments, chosen[0].replace("_", " ")) as state:
        if chosen[0] == "site":
            _serve_run.check(arguments)
            return _serve_site.run(arguments, state)
        if chosen[0] == "rates":
            return _serve_plan.many_rates(arguments, state)
        return _serve_run.run(arguments, chosen[0], state)


def _chosen(arguments: argparse.Namespace) -> list[str]:
    return [n for n in MODES if getattr(arguments, n) is not None and getattr(arguments, n) is not False]
