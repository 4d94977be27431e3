"""One batch at a time on cards: prefill, decode step, tokens per second against batch, with a PIM memory or not."""

import argparse
from dataclasses import replace

from hw import chips
from hw.base.error import InputError
from hw.gates import core_clock
from model.card.device import device
from model.card.layer_time import BOUNDS
from model.card.pim import FORMATS as FORMATS_OF
from model.card.pim import SOURCES
from model.card.serving import Deployment, Step, chosen_format, compute_format
from model.card.with_pim import with_pim
from model.network import llm


def run(arguments: argparse.Namespace) -> int:
    """Print it; 0."""
    chip = chips.load(arguments.chip)
    spec = device(chip)
    given = arguments.model
    model = llm.read_config(given) if given.endswith(".json") else llm.load(given)
    for name, unit in (("prompt", "token"), ("answer", "token"), ("beams", "sequence")):
        if getattr(arguments, name) < 1:
            raise InputError(f"--{name} must be at least 1 {unit}, not {getattr(arguments, name)}")
    weights = arguments.format
    if weights is None:
        weights = chosen_format(spec, model) if arguments.pim is None else FORMATS_OF[arguments.pim][0]
    if arguments.choose == "energy" and arguments.pim not in SOURCES:
        raise InputError(
            f"--choose energy must have a --pim whose events somebody prices ({', '.join(SOURCES)}), not "
            f"{arguments.pim}"
        )
    compute_format(spec, weights)
    plain = Deployment(
        device=spec, model=model, cards=arguments.cards, weight_format=weights, cache_format=arguments.cache or weights
    )
    pim = None
    if arguments.pim is not None:
        pim = replace(with_pim(plain, arguments.pim), choose=arguments.choose)
        plain = replace(pim, choose="never")
    total = arguments.prompt + arguments.answer
    most = plain.largest_batch(total)
    beams = arguments.beams
    batches = arguments.batch or plain.batches(total, beams)
    if arguments.longest is not None:
        if not 0 < arguments.longest < float("inf"):
            raise InputError(f"--longest must be a time above 0 s, not {arguments.longest:g}")
        plain.best_throughput(arguments.prompt, arguments.answer, beams, arguments.longest)  # refuses if none is left
        batches = [
            b for b in batches if plain.request_time(arguments.prompt, arguments.answer, b, beams) <= arguments.longest
        ]
    print(
        f"{spec.title}, {arguments.cards} cards: {model.name}, weights {model.held_in(weights)}, cache "
        f"{plain.cache_format}, {arguments.prompt} + {arguments.answer} tokens; {most} sequences fit"
    )
    heads = f"{'batch':>6} {'prefill ms':>12} {'step ms':>10} {'tokens/s':>12}  bound of a step"
    print(heads + ("; mJ a token        with PIM: step ms, tokens/s, on PIM, mJ a token" if pim is not None else ""))
    context = arguments.prompt + (arguments.answer + 1) // 2
    for batch in batches:
        step = plain.decode(context, batch * beams)
        rate = plain.tokens_per_second(arguments.prompt, arguments.answer, batch, beams)
        line = (
            f"{batch:>6} {plain.prefill(arguments.prompt, batch).time * 1e3:>12,.2f} {step.time * 1e3:>10,.3f} "
            f"{rate:>12,.1f}  {bounds(step)}"
        )
        if pim is not None:
            beside_it = pim.decode(context, batch * beams)
            line += (
                f"; {joules(step)}        {beside_it.time * 1e3:,.3f}, "
                f"{pim.tokens_per_second(arguments.prompt, arguments.answer, batch, beams):,.1f}, "
                f"{beside_it.on_pim / beside_it.time:.0%}, {joules(beside_it)}"
            )
        print(line)
    for hypothesis in spec.hypotheses:
        print(f"hypothesis     {hypothesis}")
    print(f"clock          {core_clock.note(chip)}")
    return 0


def joules(step: Step) -> str:
    """Millijoules of memory and products per token, lowest and highest of the sources in brackets."""
    if step.energy is None:
        return "not priced"
    low, nominal, high = (1e3 * e / step.batch for e in (step.energy.low, step.energy.nominal, step.energy.high))
    return f"{nominal:.3g} ({low:.3g} to {high:.3g})" if low < high else f"{nominal:.3g}"


def bounds(step: Step) -> str:
    """Shares of the step's time, largest first."""
    shares = sorted(((step.bound[name] / step.time, name) for name in BOUNDS), reverse=True)
    return ", ".join(f"{name} {share:.0%}" for share, name in shares if share > 0.02)
