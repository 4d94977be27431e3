"""What a run of a language model ends with: text, cycles per token by cause, the same without the channel's help."""

from hw.spec.pim import PimSpec
from model.energy.dram import bracket, sources_of
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


def screen(runs: list[LanguageRun]) -> list[str]:
    """The lines of the screen: first the run with most in the channel."""
    best = runs[0]
    lines = [f"{best.chip}: {best.work}", "-" * len(f"{best.chip}: {best.work}")]
    lines += [f"  prompt  {best.prompt_text!r}", f"  text    {best.text!r}"]
    if len({tuple(run.tokens) for run in runs}) > 1:
        lines += [f"  text    {run.text!r} (pim {run.pim})" for run in runs[1:]]
    head = "  what" + " " * 40 + "".join(f"{'pim ' + run.pim:>16}" for run in runs)
    lines += ["", head]

    def row(name: str, values: list[str]) -> str:
        return f"  {name:<42}" + "".join(f"{value:>16}" for value in values)

    lines.append(row("cycles a token", [f"{run.cycles_per_token:,.0f}" for run in runs]))
    for label, what in CAUSES.items():
        values = [run.labels_per_token.get("controller", {}).get(label, 0.0) for run in runs]
        if any(values):
            lines.append(row(f"  {what}", [f"{value:,.0f}" for value in values]))
    lines.append(
        row("vector unit busy, cycles a token", [f"{run.labels_per_token['vector']['busy']:,.0f}" for run in runs])
    )
    lines.append(row("core busy, cycles a token", [f"{run.labels_per_token['core']['busy']:,.0f}" for run in runs]))
    lines.append(row("cycles of the prompt", [f"{run.prompt_cycles:,}" for run in runs]))
    lines.append(row("cycles measured", [f"{run.cycles:,}" for run in runs]))
    lines.append(row("cycles predicted", [f"{run.predicted_cycles:,}" for run in runs]))
    lines.append(row("difference", [f"{run.cycles - run.predicted_cycles:,}" for run in runs]))
    lines.append(row("labels of all units equal the model's", ["yes" if run.labels_equal else "NO" for run in runs]))
    lines.append(row("tensors equal the reference's", [f"{run.tensors:,} yes" if run.equal else "NO" for run in runs]))
    for source in best.energy_j_per_token:
        lines.append(
            row(
                f"channel, uJ a token, {source}",
                [f"{run.energy_j_per_token.get(source, 0) * 1e6:,.2f}" for run in runs],
            )
        )
    for part in best.units_j_per_token:
        lines.append(
            row(
                f"{part}, uJ a token, 45 nm",
                [f"{run.units_j_per_token[part][1] * 1e6:,.2f}" if run.units_j_per_token else "" for run in runs],
            )
        )
    for run in runs[1:]:
        lines.append(
            f"  pim {best.pim} needs {run.cycles_per_token / best.cycles_per_token:.2f} times fewer cycles a token "
            f"than pim {run.pim}."
        )
    return lines


def channel_energy(pim: PimSpec, events: dict[str, int], cycles: float) -> dict[str, float]:
    """Source -> joules of a channel's counted events."""
    counts = dram_counts(pim, events, cycles)
    return {name: energy.total_j.nominal for name, energy in bracket(counts, sources_of(pim)).sources.items()}


def dram_counts(pim: PimSpec, events: dict[str, int], cycles: float) -> dict[str, int]:
    """Events of the channel's RTL as those that are priced."""
    bits, kilobytes = pim.dram.organisation.column_bits, pim.dram.organisation.row_bytes / 1024
    background = {"dram.background_ns": round(cycles * pim.dram.clock_ns), "dram.refresh": events["refresh"]}
    if pim.align_bits:
        return background | {
            "dram.activate_kilobyte": round(events["activate"] * kilobytes),
            "dram.read_bit": bits * events["bank_read"],
            "dram.write_bit": bits * events["bank_write"],
            "dram.write_pin_bit": bits * events["word_in"],
            "dram.read_pin_bit": bits * events["word_out"],
            "pim.mac": pim.lanes * events["unit_mac"],
            "pim.lane_operation": pim.lanes * events["multiply"] + events["activation"],
        }
    opened = events["activate"] + events["activate_broadcast"] * pim.units
    return background | {
        "dram.activate_kilobyte": round(opened * kilobytes),
        "dram.read_bit": bits * ((events["mac"] + events["compute"]) * pim.units + events["read"]),
        "dram.read_pin_bit": bits * events["read"],
        "dram.write_bit": bits * (events["store"] * pim.units + events["write"]),
        "dram.write_pin_bit": bits * (events["write"] + events["control"]),
        "pim.mac": events["mac"] * pim.units * pim.lanes,
        "pim.lane_operation": events["compute"] * pim.units * pim.lanes,
    }
