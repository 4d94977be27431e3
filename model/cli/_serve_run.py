"""Requests over time for `serve`: what the options ask for, and its answers."""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

from hw import chips
from hw.base.digest import digest
from hw.base.error import InputError
from hw.base.file import write_atomically
from hw.base.progress import Progress
from hw.gates import core_clock
from hw.spec.chip import Chip
from model.card.device import device
from model.card.engine import ENGINES
from model.card.serving import chosen_format
from model.cli._serve_time import follow
from model.network import llm
from model.network.language import LanguageModel
from model.network.split import Split
from model.serving.bill import Bill, bill
from model.serving.closed import REQUESTS_A_USER, closed
from model.serving.deploy import Deployed, Rules, planned
from model.serving.draw import Drawn
from model.serving.load import Trace
from model.serving.report import lines, plain, screen
from model.serving.service import Load, Outcome, Service
from model.serving.simulate import replay
from model.serving.users import most_users

WHOLE = (
    "cards", "prompt", "answer", "pipeline", "data", "expert", "replicas", "closed_loop", "requests", "tensor",
    "tokens", "sequences", "block",
)  # fmt: skip
"""Options that count something."""

DRAWN = 2000
"""Requests of a drawn load if nobody says how many."""

COPIES = Path("build/serving")
"""Where a long run is kept while it lasts."""

MOST_FAILURES = 365
"""Of a card in a year: each is repaired in a day."""


def run(arguments: argparse.Namespace, mode: str, state: Progress) -> int:
    """Do what `mode` asks; 0."""
    check(arguments)
    service = service_of(arguments)
    if mode == "users":
        return _users(arguments, service, state)
    if mode == "closed_loop":
        outcome = closed(
            service,
            arguments.closed_loop,
            arguments.prompt,
            arguments.answer,
            requests=arguments.requests,
            seed=arguments.seed,
            bands=bool(arguments.requests_out),
            progress=follow(
                state, arguments.requests or REQUESTS_A_USER * arguments.closed_loop, bool(arguments.requests_out)
            ),
        )
        title = f"{arguments.closed_loop} users, {arguments.prompt} + {arguments.answer} tokens"
    else:
        load, title = _load(arguments)
        outcome = replay(
            service,
            load,
            bands=bool(arguments.requests_out),
            copy=COPIES / f"{digest(told(arguments))}.copy",
            progress=follow(state, _requests(arguments), bool(arguments.requests_out)),
        )
    target = target_of(arguments)
    cost = bill_of(service, outcome)
    _files(arguments, service, outcome)
    if arguments.json:
        print(json.dumps(plain(outcome, cost, target) | clocks_at_gates(serving(service)), indent=1))
        return 0
    print(f"{heading(service)}\n{title}")
    print(*screen(outcome, cost, target), sep="\n")
    clocks(service)
    return 0


def clocks(service: Service) -> None:
    """What the seconds above rest on, one line for each chip that serves."""
    print(*clock_lines(serving(service)), sep="\n")


def clock_lines(found: Iterable[Chip]) -> list[str]:
    """What each chip's gates reach beside its stated clock; chips of which the same is said share a line."""
    titles: dict[str, dict[str, None]] = {}
    for chip in found:
        titles.setdefault(core_clock.note(chip), {})[chip.title.split(":")[0]] = None
    many = sum(map(len, titles.values())) > 1
    return [f"clock          {', '.join(names) + ': ' if many else ''}{note}" for note, names in titles.items()]


def clocks_at_gates(found: Iterable[Chip]) -> dict[str, dict[str, str]]:
    """The same for JSON: chip's title -> what its gates reach."""
    return {"clock_at_gates": {chip.title: core_clock.note(chip) for chip in found}}


def serving(service: Service) -> list[Chip]:
    """The chips of the cards that serve."""
    return [d.chip for d, _ in (*service.groups, *service.decoders) if d.chip is not None]


def service_of(arguments: argparse.Namespace) -> Service:
    """The instances that the options describe."""
    chip = chips.load(arguments.chip)
    spec = device(chip)
    model = model_of(arguments.model)
    engine = ENGINES[arguments.engine]
    parts = arguments.cards * spec.devices
    tensor = arguments.tensor or parts // (arguments.pipeline * arguments.data)
    split = Split(tensor=tensor, pipeline=arguments.pipeline, data=arguments.data, expert=arguments.expert)
    if split.devices != parts:
        raise InputError(
            f"tensor x pipeline x data must be the {parts} devices of {arguments.cards} cards, not {tensor} x "
            f"{arguments.pipeline} x {arguments.data}"
        )
    weights = arguments.format or chosen_format(spec, model)
    sequences = arguments.sequences
    if sequences is None and arguments.closed_loop is not None:  # as many as are in flight
        least = 1 if arguments.engine == "trtllm" else engine.sequences
        sequences = max(least, arguments.closed_loop)
    elif sequences is None and arguments.trace is None:
        sequences = planned(engine).sequences
    rules = Rules(
        order=arguments.order,
        batching=arguments.batching,
        eviction=arguments.eviction,
        tokens=arguments.tokens,
        sequences=sequences,
        block=arguments.block,
        keeps=arguments.prefix_cache,
    )
    deployed = Deployed(
        device=spec,
        model=model,
        split=split,
        weights=weights,
        cache=arguments.cache or default_cache(model, weights),
        engine=engine,
        rules=rules,
        chip=chip,
        pim=arguments.pim,
    )
    decoders = ((deployed, arguments.decoders),) if arguments.decoders else ()
    return Service(groups=((deployed, arguments.replicas),), decoders=decoders, router=arguments.router)


def model_of(given: str) -> LanguageModel:
    """By name, or from a file."""
    return llm.read_config(given) if given.endswith(".json") else llm.load(given)


def default_cache(model: LanguageModel, weights: str) -> str:
    """16 bits, as engines keep the cache whatever the weights are, unless the file states its own."""
    if model.quantization is not None and model.quantization.cache:
        return model.quantization.cache
    return weights if weights in ("bf16", "fp16", "fp32") else "fp16"


def heading(service: Service) -> str:
    """What runs where."""
    deployed, count = service.groups[0]
    rules = deployed.rules.filled(deployed.engine)
    iteration = service.iteration(0)
    split = deployed.split
    shape = " x ".join(
        f"{name} {getattr(split, name)}"
        for name in ("tensor", "pipeline", "data", "expert")
        if getattr(split, name) > 1
    )
    apart = f", {service.decoders[0][1]} more that decode" if service.decoders else ""
    pim = f" with {deployed.pim}" if deployed.pim else ""
    weights = deployed.model.held_in(deployed.weights)
    return (
        f"{count} x {deployed.cards:g} {deployed.device.title}{pim}{f' ({shape})' if shape else ''}{apart}: "
        f"{deployed.model.name}, weights {weights}, cache {deployed.cache}; {deployed.engine.title}: "
        f"{rules.batching}, {rules.eviction}, {rules.order}, {rules.tokens:,} tokens and {rules.sequences:,} sequences "
        f"an iteration, {iteration.cache_tokens:,} tokens of cache"
    )


def bill_of(service: Service, outcome: Outcome) -> Bill | None:
    """Energy, money and carbon of a run."""
    owners = [d for d, count in (*service.groups, *service.decoders) for _ in range(count * d.lanes)]
    found = [d.chip for d in owners if d.chip is not None]
    if len(found) < len(owners):
        return None
    table = outcome.table
    seconds = float(table["last"].max() - table["arrival"].min())
    return bill(outcome.cluster, found, [d.cards / d.lanes for d in owners], int(table["answer"].sum()), seconds)


def _load(arguments: argparse.Namespace) -> tuple[Load, str]:
    if arguments.trace is not None:
        trace = Trace(arguments.trace, limit=arguments.requests)
        return (lambda: trace), f"requests of {arguments.trace}"
    drawn = drawn_of(arguments, arguments.requests or DRAWN, arguments.rate)
    kind = arguments.arrivals + (", by the hours of a day" if arguments.day else "")
    return (lambda: drawn), (
        f"{drawn.count:,} requests at {drawn.rate:g} a second ({kind}), {drawn.prompt:g} + {drawn.answer:g} tokens on "
        "average"
    )


def drawn_of(arguments: argparse.Namespace, count: int, rate: float) -> Drawn:
    """Drawn requests as the options say."""
    from model.serving.draw import DAY

    return Drawn(
        count=count,
        rate=rate,
        prompt=arguments.prompt,
        answer=arguments.answer,
        spread=arguments.spread,
        arrivals=arguments.arrivals,
        burst=arguments.burst,
        day=DAY if arguments.day else None,
        prefix_tokens=arguments.shared,
        seed=arguments.seed,
    )


def told(arguments: argparse.Namespace) -> dict[str, str | int | float]:
    """Everything a run depends on."""
    found = {
        name: value
        for name, value in vars(arguments).items()
        if isinstance(value, str | int | float | bool) and name not in ("json", "requests_out", "timeline", "plots")
    }
    if arguments.trace is not None:
        stat = Path(arguments.trace).stat() if Path(arguments.trace).is_file() else None
        found["size"] = f"{stat.st_size} {stat.st_mtime_ns}" if stat is not None else ""
    return found


def _requests(arguments: argparse.Namespace) -> int:
    """About how many a load has: as many as are asked for, else the lines of the file."""
    if arguments.trace is None or arguments.requests:
        return arguments.requests or DRAWN
    with Path(arguments.trace).open("rb") as file:
        return sum(1 for _ in file)


def target_of(arguments: argparse.Namespace) -> tuple[float, float] | None:
    """(TTFT, TPOT) in seconds, infinity for one that is not asked for."""
    if arguments.ttft is None and arguments.tpot is None:
        return None
    return arguments.ttft or float("inf"), arguments.tpot or float("inf")


def _users(arguments: argparse.Namespace, service: Service, state: Progress) -> int:
    target = target_of(arguments)
    if target is None:
        raise InputError("--users must come with a target: --ttft, --tpot or both, in seconds")

    def tried(users: int) -> None:
        state.what = f"serve   the most users, now {users:,}"

    found = most_users(
        service,
        arguments.prompt,
        arguments.answer,
        target,
        share=arguments.share,
        spread=arguments.spread,
        seed=arguments.seed,
        tried=tried,
    )
    if arguments.json:
        print(json.dumps(found.plain() | clocks_at_gates(serving(service)), indent=1))
        return 0
    print(heading(service))
    print(
        f"users with {arguments.prompt} + {arguments.answer} tokens, {arguments.share:.0%} of whose requests keep TTFT "
        f"<= {target[0]:g} s and TPOT <= {target[1] * 1e3:g} ms"
    )
    print(f"  {'users':>7} {'kept':>8} {'tokens/s':>10} {'TTFT P99 ms':>12} {'TPOT P99 ms':>12}")
    for point in found.points:
        print(
            f"  {point.users:>7} {point.kept:>8.2%} {point.tokens_per_s:>10,.0f} {1e3 * point.ttft_p99:>12,.1f} "
            f"{1e3 * point.tpot_p99:>12,.2f}"
        )
    print(f"  at most {found.users} users ({found.low} to {found.high}), in {found.wall:.1f} s")
    clocks(service)
    if arguments.plots:
        from model.serving.plots import knee

        knee(found, target, Path(arguments.plots) / "users.svg")
    return 0


def _files(arguments: argparse.Namespace, service: Service, outcome: Outcome) -> None:
    if arguments.requests_out:
        write_atomically(Path(arguments.requests_out), "\n".join(lines(outcome)) + "\n")
    if arguments.timeline or arguments.plots:
        from model.serving.perfetto_trace import to_perfetto
        from model.serving.timeline import record, to_chrome

        spans = record(service, outcome)
        if arguments.timeline:
            path = Path(arguments.timeline)
            write_atomically(path, to_chrome(spans, outcome) if path.suffix == ".json" else to_perfetto(spans, outcome))
        if arguments.plots:
            from model.serving.plots import timeline

            timeline(spans, outcome, Path(arguments.plots) / "timeline.svg")


def check(arguments: argparse.Namespace) -> None:
    for name in WHOLE:
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise InputError(f"--{name.replace('_', '-')} must be at least 1, not {value}")
    for name in ("ttft", "tpot", "rate", "power_cap"):
        value = getattr(arguments, name)
        if value is not None and not 0 < value < float("inf"):
            raise InputError(f"--{name.replace('_', '-')} must be above 0, not {value:g}")
    for name in ("decoders", "spares", "failures", "shared"):
        if getattr(arguments, name) < 0:
            raise InputError(f"--{name} must be at least 0, not {getattr(arguments, name):g}")
    if not arguments.failures <= MOST_FAILURES:  # a number that is none too
        raise InputError(
            f"--failures must be from 0 to {MOST_FAILURES} of a card in a year, not {arguments.failures:g}"
        )
    if not 0 < arguments.share <= 1:
        raise InputError(f"--share must be above 0 and at most 1, not {arguments.share:g}")
