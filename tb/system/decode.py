"""A language model on the RTL of a system: build, run with and without PIM, compare with the model, record."""

from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from hw.rtl.emit.verilog import emit
from hw.spec.crossbar_event import EVENTS, VALUE_EVENTS
from model.cycle.crossbar.unit import CrossbarPort
from model.cycle.system.decoding import predict_decoding
from model.energy.system_prices import unit_energy
from model.language.run_record import LanguageRun
from model.language.screen import channel_energy
from model.lowering.decoder.lower import Lowered, check_pim
from model.work.decoding import Decoding, lowered_of, system_of, work_of
from tb.bench.build import BUILD, Built, Trace, build
from tb.bench.protocol import Checked
from tb.bench.run import Outcome, run
from tb.system.decoder_tests import WATCHED, public, system_top
from tb.system.marks import lane_of, marks_of, write_marks

MOVES_A_WORD = ("read", "write", "register_load", "result_read")
"""Labels of the memory controller: a word of the shared memory went to the channel or came from it."""

Say = Callable[[str], None]


def simulator(chip: str, trace: Trace = "none", say: Say = lambda line: None) -> Built:
    """The simulator of a system, from the cache if nothing has changed."""
    spec = system_of(chip)
    emitted = emit(Checked(system_top(spec)), f"decoder_{chip}", BUILD / "rtl")
    say(f"rtl     {emitted.name}: Verilog {emitted.digest}")
    top = f"{emitted.name}.dut."
    built = build(emitted, trace, [top + path for path in public(spec)], watched=[top + WATCHED])
    say(f"build   simulator {built.key}: " + ("from the cache" if built.cached else f"{built.seconds:.1f} s"))
    return built


def decode(
    chip: str,
    work_name: str,
    count: int,
    pims: list[str],
    *,
    prompt: int | None = None,
    text: str | None = None,
    trace: Trace = "none",
    say: Say = lambda line: None,
) -> tuple[list[LanguageRun], list[Outcome]]:
    """One run for each of `pims`, the prompt `text` cut to `prompt` tokens; runs that failed have no record."""
    for pim in pims:
        check_pim(pim)
    work = work_of(work_name, count, prompt, text)
    lowered_of(chip, work, pims[0])  # refuses before anything is built
    built = simulator(chip, trace, say)
    say(f"run     {chip}, {work_name}, {count} tokens, pim {' and '.join(pims)} side by side")
    given = [(built, chip, work_name, pim, count, prompt, text) for pim in pims]
    with ProcessPoolExecutor(max_workers=min(2, len(pims)), mp_context=get_context("spawn")) as pool:
        done = list(pool.map(_simulate, *zip(*given, strict=True)))
    runs, outcomes = [], []
    for pim, (outcome, record) in zip(pims, done, strict=True):
        for test in outcome.tests:
            say(f"        {'pass' if test.passed else 'FAIL'}  {test.name}, pim {pim}  ({test.seconds:.1f} s)")
        outcomes.append(outcome)
        if record is not None:
            say(f"record  {record.write(BUILD / 'records').relative_to(Path.cwd())}")
            runs.append(record)
    return runs, outcomes


def _simulate(
    built: Built, chip: str, name: str, pim: str, count: int, prompt: int | None, text: str | None
) -> tuple[Outcome, LanguageRun | None]:
    """One run and its record; each in a process of its own, so that two cores are used."""
    outcome = run(
        built,
        "tb.system.decoder_tests",
        parameters={"chip": chip, "work": name, "pim": pim, "count": count, "prompt": prompt, "text": text},
        run_dir=BUILD / "runs" / f"decoder.{chip}.{Path(name).name}.{pim}.{built.trace}",
        timeout_s=3600,
        reproduce=f"make sim CHIP={chip} WORKLOAD={name} PIM={pim} TOKENS={count}",
    )
    if not outcome.passed:
        return outcome, None
    work = work_of(name, count, prompt, text)
    lowered, _ = lowered_of(chip, work, pim)
    if outcome.trace is not None and outcome.trace.is_file():
        timing = predict_decoding(lowered, outcome.data["tokens"]).timing
        marks = marks_of(work, lowered, timing, outcome.data["begun"])
        write_marks(built.emitted.manifest, outcome, marks, lane_of(lowered))
    return outcome, _record(chip, Path(name).name, work, lowered, outcome.data, built)


def crossbar_of(
    port: CrossbarPort, cycles: int, measured: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    """What the model says of the crossbars, in the terms of the record: labels, and the events that shapes decide."""
    events = {event: port.core_events.get(event, 0) for event in EVENTS}
    # events that operands decide are priced as counted; idle cycles of the unit run from reset to the last look
    events |= {event: measured["crossbar_events"][event] for event in VALUE_EVENTS}
    labels = port.labels | {"idle": measured["crossbar_unit_labels"]["idle"]}
    return {
        "crossbar_labels": port.core_labels,
        "crossbar_events": events,
        "crossbar_unit_labels": labels,
        "crossbar_unit_events": port.events,
    }


def _record(chip: str, name: str, work: Decoding, lowered: Lowered, data: dict[str, Any], built: Built) -> LanguageRun:
    """The run beside the stepped model."""
    tokens, ends = data["tokens"], data["ends"]
    predicted = predict_decoding(lowered, tokens)
    prompt_steps = sum(1 for step in lowered.steps if step.first < len(lowered.prompt))
    prompt_cycles = ends[prompt_steps - 1]
    behind = max(1, len(tokens) - 1)
    after, all_ = data["labels_after_prompt"], data["labels"]
    timing = predicted.timing
    want = {**timing.waits, "controller": timing.controller, "core_labels": timing.core.budget}
    if timing.crossbar is not None:
        want |= crossbar_of(timing.crossbar, timing.cycles, all_)
    per_token = {
        unit: {label: (number - after[unit][label]) / behind for label, number in labels.items()}
        for unit, labels in all_.items()
    }
    events = {
        part: {event: number - after[part][event] for event, number in all_[part].items()}
        for part in ("core_events", "vector_events", "channel_events", "controller")
    }
    energy = channel_energy(lowered.spec.pim, events["channel_events"], ends[-1] - prompt_cycles)
    words = sum(events["controller"].get(label, 0) for label in MOVES_A_WORD)
    units = unit_energy(lowered.spec, events["core_events"], events["vector_events"], words)
    return LanguageRun(
        chip=chip,
        work=name,
        pim=lowered.pim,
        prompt=lowered.prompt,
        tokens=tokens,
        prompt_text=work.text(lowered.prompt),
        text=work.text(tokens),
        equal=data["equal"],
        tensors=data["tensors"],
        elements=data["elements"],
        cycles=data["cycles"],
        prompt_cycles=prompt_cycles,
        cycles_per_token=(ends[-1] - prompt_cycles) / behind,
        predicted_cycles=timing.cycles,
        labels=all_,
        labels_per_token=per_token,
        labels_equal=all(all_[unit] == labels for unit, labels in want.items()) and predicted.ends == data["ends"],
        energy_j_per_token={source: joules / behind for source, joules in energy.items()},
        units_j_per_token={
            part: [j / behind for j in (joules.low, joules.nominal, joules.high)] for part, joules in units.items()
        },
        seconds=data["seconds"],
        origin={"verilog_digest": built.emitted.digest, "tools": built.tools},
    )
