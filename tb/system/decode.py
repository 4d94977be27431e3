"""A language model that ran on the RTL of a system: its run beside the stepped model, its record, its marks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hw import chips
from hw.spec.crossbar_event import EVENTS, VALUE_EVENTS
from hw.spec.system import SystemSpec
from model import workloads
from model.cycle.crossbar.unit import CrossbarPort
from model.cycle.system.decoding import predict_decoding
from model.cycle.system.pim_share import lowered_of
from model.cycle.system.predict import decoder_of
from model.energy.system_prices import MOVES_A_WORD, unit_energy
from model.language.run_record import LanguageRun, all_channels
from model.language.screen import channel_energy
from model.lowering.decoder.lowered import Lowered
from model.work.decoding import Decoding
from tb.bench.build import BUILD, Built
from tb.bench.measure import Case
from tb.bench.run import Outcome
from tb.system.marks import lane_of, marks_of, write_marks


def _asked(case: Case) -> tuple[Decoding, Lowered]:
    """The work of a case and its program."""
    workload = decoder_of(workloads.load(case.workload))
    spec = chips.machine(chips.load(case.chip), SystemSpec, "a language run")
    return workload.decoding(), lowered_of(spec, workload)[0]


def write_run(case: Case, built: Built, outcome: Outcome) -> Path:
    """Write the record of a language run that passed; its file."""
    work, lowered = _asked(case)
    name = case.workload.partition(workloads.VARIANT)[0]
    return _record(case.chip, name, work, lowered, outcome.data, built).write(BUILD / "records")


def save_file(case: Case, built: Built, outcome: Outcome) -> Path | None:
    """The save file of a run's waveforms with tokens and layers as markers; None if the run ended before them."""
    if "begun" not in outcome.data:
        return None
    work, lowered = _asked(case)
    timing = predict_decoding(lowered, outcome.data["tokens"]).timing
    return write_marks(
        built.emitted.manifest, outcome, marks_of(work, lowered, timing, outcome.data["begun"]), lane_of(lowered)
    )


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
    want = {**timing.waits, "core_labels": timing.core.budget}
    want |= {unit.replace("memory", "controller"): labels for unit, labels in timing.controllers.items()}
    if timing.crossbar is not None:
        want |= crossbar_of(timing.crossbar, timing.cycles, all_)
    per_token = {
        unit: {label: (number - after[unit][label]) / behind for label, number in labels.items()}
        for unit, labels in all_.items()
    }
    events = {
        part: {event: number - after[part][event] for event, number in labels.items()} for part, labels in all_.items()
    }
    channel = all_channels(events, "channel_events")
    powered = lowered.spec.channels * (ends[-1] - prompt_cycles)
    energy = channel_energy(lowered.spec.pim, channel, powered)
    moved = all_channels(events, "controller")
    words = sum(moved[label] for label in MOVES_A_WORD)
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
