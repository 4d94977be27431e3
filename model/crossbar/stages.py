"""One language model on the machines of stages 1, 2 and 3: cycles from RTL, energy from counts, quality from the task.

Every run is a committed record of the same model, prompt and number of tokens. Cycles are measured in all of them.
Energy is counted events times published energies; of stage 3 converters, cells and resistances are a hypothesis, so its
range is that of all sources. Core, vector unit and shared memory are counted events too: logic at this design's gates
(45 nm, clock not gated) is the highest, an eighth of it, what charge and voltage make of it at 22 nm, the nominal;
memories by published sizes at 45 nm are the highest, half the nominal, a fifth the lowest: the rules by which the
crossbars' digital part and buffers are priced. Not in the energies: control and clock of waiting units, host.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from hw import chips
from hw.spec.crossbar_unit import LANES
from hw.spec.system import SystemSpec
from model.crossbar import core_events
from model.crossbar.beside_npu import CROSSBARS
from model.crossbar.text import SETTINGS, key
from model.energy import crossbar_prices
from model.energy.price import Interval, price
from model.energy.system_prices import MOVES_A_WORD, part_energy
from model.language.run_record import LanguageRun

STAGES: tuple[tuple[int, str, str, str], ...] = (
    (1, "npu_aim", "off", "NPU core, plain memory"),
    (2, "npu_aim", "both", "NPU core beside AiM"),
    (3, "npu_crossbar", "off", "NPU core beside crossbars"),
    (3, "npu_crossbar", "attention", "crossbars, attention in AiM"),
)
"""(stage, system, what the channel multiplies, title) of every row."""

LOGIC = (1 / 8, 1 / 8, 1.0)
"""Of the energy at 45 nm gates: lowest and nominal, what charge and voltage make of it at 22 nm, and highest."""
ON_CHIP = (1 / 5, 1 / 2, 1.0)
"""Of the published energy of on-chip memories at 45 nm, as `model.crossbar.energy` has it for buffers of crossbars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRun:
    """One row.

    Parameters
    ----------
    stage : int
        1, 2 or 3.
    title : str
        The machine in a few words.
    run : LanguageRun
        The record.
    same_text : bool
        Its tokens are those of the first row.
    energy_j : dict of str to Interval
        "DRAM", "core", "vector unit", "shared memory" and, of stage 3, "crossbars" -> joules a generated token.
    bits_per_character : tuple of (str, tuple of float)
        What the products are, and bits per character on the same windows of unseen text, one a seed.
    """

    stage: int
    title: str
    run: LanguageRun
    same_text: bool
    energy_j: dict[str, Interval]
    bits_per_character: tuple[tuple[str, tuple[float, ...]], ...]

    @property
    def total_j(self) -> Interval:
        """Joules a token of all parts."""
        return sum(self.energy_j.values(), Interval(low=0.0, nominal=0.0, high=0.0))


def _scaled(energy: Interval, factors: tuple[float, float, float]) -> Interval:
    return Interval(low=energy.low * factors[0], nominal=energy.nominal * factors[1], high=energy.high * factors[2])


def logic_energy(run: LanguageRun) -> dict[str, Interval]:
    """ "core", "vector unit", "shared memory" -> joules a token, by what each counted; see `core_events.of_run`."""
    counts = run.labels_per_token
    spec = chips.load(run.chip).machine_as(SystemSpec)
    unit = counts.get("crossbar_unit_events", {})
    words = sum(counts["controller"].get(label, 0) for label in MOVES_A_WORD)
    words += sum(unit.get(event, 0) for event in ("scan", "align", "store"))
    parts = part_energy(spec, core_events.of_run(run), counts["vector_events"], words)
    return {part: _scaled(e.gates, LOGIC) + _scaled(e.memories, ON_CHIP) for part, e in parts.items()}


def memory_energy(run: LanguageRun) -> Interval:
    """Joules a token in the channel: lowest, middle and highest of the published sources."""
    found = sorted(run.energy_j_per_token.values())
    return Interval(low=found[0], nominal=median(found), high=found[-1])


def crossbar_energy(run: LanguageRun) -> Interval:
    """Joules a token in the crossbars: nominal by the leading source of converter energy, the range by all of them.

    Rounding a word to BF16 is priced as requantising its lanes, aligning one as its lanes' shift-adds.
    """
    behind = max(1, len(run.tokens) - 1)
    counts = {event: round(n * behind) for event, n in run.labels_per_token["crossbar_events"].items()}
    unit = run.labels_per_token["crossbar_unit_events"]
    counts["output_stage.requantise"] = round(unit["store"] * behind) * LANES
    counts["digital.shift_add"] += round(unit["align"] * behind) * LANES
    totals = [price(counts, crossbar_prices.table(name, CROSSBARS)).total_j for name in crossbar_prices.names()]
    return Interval(
        low=min(t.low for t in totals) / behind,
        nominal=totals[0].nominal / behind,
        high=max(t.high for t in totals) / behind,
    )


def stage_runs(
    runs: Sequence[LanguageRun],
    quality: Mapping[str, float],
    through_cells: Mapping[str, Sequence[float]],
) -> list[StageRun]:
    """A row for each of `STAGES` that `runs` has with every tensor equal; [] unless the first is there.

    Parameters
    ----------
    runs : sequence of LanguageRun
        Committed records.
    quality : mapping of str to float
        Name of a format and order of additions -> bits per character.
    through_cells : mapping
        Of `model.crossbar.text`: setting -> bits per character, one a seed.
    """
    held = {(run.chip, run.pim): run for run in runs if run.work == "small_llm" and run.equal}
    first = held.get(STAGES[0][1:3])
    if first is None:
        return []
    found = []
    for stage, chip, pim, title in STAGES:
        run = held.get((chip, pim))
        if run is None or run.prompt != first.prompt or len(run.tokens) != len(first.tokens):
            continue
        energy = {"DRAM": memory_energy(run), **logic_energy(run)}
        if stage == 3:
            energy["crossbars"] = crossbar_energy(run)
            bits = tuple((s.title, tuple(through_cells[key(s)])) for s in SETTINGS if key(s) in through_cells)
        else:
            bits = (("BF16", (quality["bf16_npu" if stage == 1 else "bf16_aim"],)),)
        found.append(
            StageRun(
                stage=stage,
                title=title,
                run=run,
                same_text=run.tokens == first.tokens,
                energy_j=energy,
                bits_per_character=bits,
            )
        )
    return found


def committed(runs: Sequence[LanguageRun]) -> list[StageRun]:
    """The rows of committed records, with the committed figures of quality."""
    from model.crossbar import text
    from model.language.measure import QUALITY

    return stage_runs(runs, json.loads(QUALITY.read_text())["sample"], text.read())
