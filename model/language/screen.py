"""What a run of a language model ends with: text, cycles per token by cause, the same without the channel's help."""

from hw.spec.pim import PimSpec
from model.energy.dram import bracket, sources_of
from model.language.channel_counts import dram_counts
from model.language.run_record import LanguageRun

CAUSES = {
    "mac": "weights and keys multiplied in the channel",
    "register_load": "vectors into the channel",
    "result_read": "results out of the channel",
    "store": "results stored in the channel",
    "read": "words read for the core",
    "write": "keys and values written",
    "row_switch": "rows opened and closed",
    "mode": "modes",
    "turnaround": "bus turned round",
    "refresh": "refresh",
    "drain": "words on their way",
    "prepare": "descriptors",
    "idle": "vector unit or core alone",
}
"""Label of a cycle of the memory controller -> what the system spends it on."""


def table(runs: list[LanguageRun]) -> list[tuple[str, ...]]:
    """Rows, a heading first: what, and a column for each run; first the run with most in the channel."""
    best = runs[0]
    rows = [("what", *(f"pim {run.pim}" for run in runs))]

    def row(name: str, values: list[str]) -> None:
        rows.append((name, *values))

    row("cycles a token", [f"{run.cycles_per_token:,.0f}" for run in runs])
    controllers = [name for name in best.labels_per_token if name.startswith("controller")]
    for number, controller in enumerate(controllers):
        where = f", channel {number}" if len(controllers) > 1 else ""
        for label, what in CAUSES.items():
            values = [run.labels_per_token.get(controller, {}).get(label, 0.0) for run in runs]
            if any(values):
                row(f"  {what}{where}", [f"{value:,.0f}" for value in values])
    row("vector unit busy, cycles a token", [f"{run.labels_per_token['vector']['busy']:,.0f}" for run in runs])
    row("core busy, cycles a token", [f"{run.labels_per_token['core']['busy']:,.0f}" for run in runs])
    row("cycles of the prompt", [f"{run.prompt_cycles:,}" for run in runs])
    row("cycles measured", [f"{run.cycles:,}" for run in runs])
    row("cycles predicted", [f"{run.predicted_cycles:,}" for run in runs])
    row("difference", [f"{run.cycles - run.predicted_cycles:,}" for run in runs])
    row("labels of all units equal the model's", ["yes" if run.labels_equal else "NO" for run in runs])
    row("tensors equal the reference's", [f"{run.tensors:,} yes" if run.equal else "NO" for run in runs])
    for source in best.energy_j_per_token:
        joules = [run.energy_j_per_token.get(source, 0) for run in runs]
        row(f"channel, uJ a token, {source}", [f"{joule * 1e6:,.2f}" for joule in joules])
    for part in best.units_j_per_token:
        row(
            f"{part}, uJ a token, 45 nm",
            [f"{run.units_j_per_token[part][1] * 1e6:,.2f}" if run.units_j_per_token else "" for run in runs],
        )
    return rows


def sentences(runs: list[LanguageRun]) -> list[str]:
    """Prompt and text, every text that differs, and what the channel gains."""
    best = runs[0]
    found = [f"Prompt: {best.prompt_text!r}.", f"Text: {best.text!r}."]
    if len({tuple(run.tokens) for run in runs}) > 1:
        found += [f"Text with pim {run.pim}: {run.text!r}." for run in runs[1:]]
    return found + [
        f"pim {best.pim} needs {run.cycles_per_token / best.cycles_per_token:.2f} times fewer cycles a token than pim "
        f"{run.pim}."
        for run in runs[1:]
    ]


def channel_energy(pim: PimSpec, events: dict[str, int], cycles: float) -> dict[str, float]:
    """Source -> joules of the counted events of channels that were powered for so many cycles together."""
    counts = dram_counts(pim, events, cycles)
    return {name: energy.total_j.nominal for name, energy in bracket(counts, sources_of(pim)).sources.items()}
