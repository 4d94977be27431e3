"""The language model that ran on RTL, beside what the projection says of a card with the same memories."""

from pathlib import Path

from model.language.run_record import RUNS, LanguageRun, read_run
from model.language.screen import sentences, table
from model.record import RECORDS
from model.report.section_type import Section, say
from model.report.summary import Summary


def language_runs(root: Path = RUNS) -> list[LanguageRun]:
    """The records below `root`, systems and shares in the order of their names."""
    return [read_run(path) for path in sorted(root.glob("*/*.json"))]


def language_sections(runs: list[LanguageRun]) -> list[Section]:
    """One table of all runs whose tensors were all equal; none without records."""
    shown = [run for run in runs if run.equal]
    if not shown:
        return []
    without = {(run.chip, run.work): run.cycles_per_token for run in shown if run.pim == "off"}
    rows: list[tuple[str, ...]] = [
        (
            "record",
            "work",
            "prompt + tokens",
            "in the channel",
            "cycles a token",
            "predicted",
            "against off",
            "uJ a token, channel",
            "core + vector unit + shared memory, 45 nm",
        )
    ]
    for run in shown:
        base = without.get((run.chip, run.work))
        energies = sorted(run.energy_j_per_token.values())
        rows.append(
            (
                f"{RUNS.name}/{run.chip}/{run.work}.{run.pim}.json",
                run.work,
                f"{len(run.prompt)} + {len(run.tokens)}",
                run.pim,
                f"counted {run.cycles_per_token:,.0f}",
                "equal" if run.predicted_cycles == run.cycles and run.labels_equal else f"{run.predicted_cycles:,}",
                f"x {base / run.cycles_per_token:.2f}" if base else "-",
                f"{energies[0] * 1e6:.2f} to {energies[-1] * 1e6:.2f}" if energies else "-",
                " + ".join(f"{joules[1] * 1e6:.2f}" for joules in run.units_j_per_token.values()) or "-",
            )
        )
    return [
        Section(
            title="A language model written by RTL: NPU core, vector unit and DRAM-PIM channels",
            rows=tuple(rows),
            notes=(
                say(
                    "Measured: every tensor of every token equals the reference bit for bit, every label of every unit "
                    "the model's. Energy is priced: counted events of the channel by each published source; those of "
                    "core and vector unit by their gates, words of memories by a law, at 45 nm. Parts of different "
                    "technologies are not added."
                ),
                say(
                    "In common with the projected cards: the devices, their command sets, timing rules and units, the "
                    "kernels and their order of additions. Not in common: one channel instead of many, a core of a few "
                    "cells, rows that a small matrix fills only partly, and a vector unit and token waits that nothing "
                    "overlaps; so the factor here is no measurement of the card's."
                ),
            ),
        )
    ]


def own_sections(summary: Summary, root: Path = RECORDS) -> list[Section]:
    """The tokens of the run itself, beside the same without the channel; none if it generated none."""
    answer = summary.rtl.result.answer if summary.rtl is not None else {}
    if "tokens" not in answer:
        return []
    name = summary.workload.partition("@")[0]
    paths = [root / summary.chip_name / f"{name}.{pim}.json" for pim in dict.fromkeys((answer["pim"], "off"))]
    runs = [read_run(path) for path in paths if path.is_file()]
    runs = [run for run in runs if run.prompt == answer["prompt"] and len(run.tokens) == len(answer["tokens"])]
    if not runs:
        return []
    return [
        Section(
            title=f"Language model: {len(answer['prompt'])} tokens read, {len(answer['tokens'])} written",
            rows=tuple(table(runs)),
            notes=tuple((sentence,) for sentence in sentences(runs)),
        )
    ]
