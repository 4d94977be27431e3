"""One language model on the machines of stages 1, 2 and 3: cycles from RTL, energy from counts, quality from the task.

Every run is a committed record of the same model, prompt and number of tokens. Cycles are measured in all of them.
Energy is counted events times published energies; of stage 3 converters, cells and resistances are a hypothesis, so its
range is that of all sources. Not in the energies, and alike in all runs: vector unit, shared memory, memories of the
core, host.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from hw.spec.crossbar_unit import LANES
from hw.spec.fact import Fact
from model.crossbar.beside_npu import CROSSBARS
from model.crossbar.text import SETTINGS, key
from model.energy import crossbar_prices
from model.energy.price import Interval, price
from model.language.config import DecoderConfig
from model.language.run_record import LanguageRun

STAGES: tuple[tuple[int, str, str, str], ...] = (
    (1, "npu_aim", "off", "NPU core, plain memory"),
    (2, "npu_aim", "both", "NPU core beside AiM"),
    (3, "npu_crossbar", "off", "NPU core beside crossbars"),
    (3, "npu_crossbar", "attention", "crossbars, attention in AiM"),
)
"""(stage, system, what the channel multiplies, title) of every row."""

BF16_MAC = Fact(
    nominal=1.6, low=0.25, high=13.1, unit="pJ", confidence="inferred",
    source="high: BF16 in a system's array at this design's gates, 45 nm, clock not gated; nominal: an eighth of "
    "it, what charge and voltage make of it at 22 nm; low: Horowitz, ISSCC 2014, FP16 product and FP32 sum, an eighth",
)  # fmt: skip
"""One multiply-accumulate on the core, by the rule the crossbars' digital part is priced by."""


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
        "memory", "core" and "crossbars" -> joules a generated token.
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


def core_products(config: DecoderConfig, run: LanguageRun) -> float:
    """Multiply-accumulates on the core a generated token: weights and attention, unless another part has them.

    Attention has two products of every query element with every position seen, the mean of the positions generated.
    """
    weights = config.vocab_size * config.hidden_size + config.num_hidden_layers * (
        config.hidden_size * (config.query_size * 2 + config.kv_size * 2 + 3 * config.intermediate_size)
    )
    seen = len(run.prompt) + len(run.tokens) / 2
    attention = 2 * config.num_hidden_layers * config.query_size * seen
    resident = "crossbar_events" in run.labels
    on_core = 0.0 if resident or run.pim in ("weights", "both") else float(weights)
    return on_core + (attention if run.pim in ("off", "weights") else 0.0)


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
    config: DecoderConfig,
    quality: Mapping[str, float],
    through_cells: Mapping[str, Sequence[float]],
) -> list[StageRun]:
    """A row for each of `STAGES` that `runs` has with every tensor equal; [] unless the first is there.

    Parameters
    ----------
    runs : sequence of LanguageRun
        Committed records.
    config : DecoderConfig
        Of the model they ran.
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
        products = core_products(config, run) * 1e-12
        energy = {
            "memory": memory_energy(run),
            "core": Interval(low=BF16_MAC.minimum, nominal=BF16_MAC.nominal, high=BF16_MAC.maximum) * products,
        }
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
    from model.crossbar.tasks import language_model
    from model.language.measure import QUALITY

    return stage_runs(runs, language_model()[0], json.loads(QUALITY.read_text())["sample"], text.read())
