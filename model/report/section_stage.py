"""Sections of the stages: beside each other, against ten GPUs, decode rates against the batch."""

from model.projection.nvm import Nvm
from model.report import stated
from model.report.section_type import Section, say
from model.report.summary import Summary


def stage_sections(summary: Summary) -> list[Section]:
    """Those there are records for."""
    programme = summary.programme
    if programme is None:
        return []
    found = []
    if programme.stages:
        found.append(_stages(summary))
    if programme.breakeven:
        found.append(_break_even(summary))
    if programme.nvm is not None:
        found.append(_nvm(summary, programme.nvm))
    if programme.curves:
        found.append(_curves(summary))
    return found


def _stages(summary: Summary) -> Section:
    assert summary.programme is not None
    rows: list[tuple[str, ...]] = [
        (
            "batch",
            "card",
            "basis",
            "tokens/s",
            "card, W",
            "J/token at the wall",
            "KRW per million",
            "gCO2e per million",
            "how",
        )
    ]
    for name, one in sorted(summary.programme.stages.items(), key=lambda item: (_batch(item[0]), item[0])):
        rows.append(
            (
                str(_batch(name)),
                f"{_stage(name)}: {one.title}",
                one.basis,
                *(
                    summary.span(f"stage.{name}.{tail}")
                    for tail in (
                        "tokens_per_s",
                        "card_w",
                        "wall_j_per_token",
                        "krw_per_million_tokens",
                        "gco2e_per_million_tokens",
                    )
                ),
                one.how,
            )
        )
    notes = [
        say(
            "One card with its share of a server, fans, supplies and the Gwangju site's PUE; electricity alone. Cards "
            "at TDP x load. With PIM the chip idles at its fixed share while the units work, and the units' energy is "
            "counted bits times the published energies of row, column and arithmetic."
        ),
        say(
            "Stage 3 is a hypothesis from a chip of another maker: published efficiency and speed of its macros, the "
            "key-value cache in DRAM, the fixed part of the card's power; its digital side, accuracy and yield are "
            f"left out. One-phase reading keeps {stated.FEW} and is no INT8."
        ),
    ]
    if "stage.3_crossbar_batch_1.dies" in summary.ranges:
        notes.append(
            say(
                "Crossbars counted on RTL: our own machine, whose cycles and events are those of the recorded text. "
                "For all weights {} dies and {} mm2; {} W whatever is computed, {} W of writing, {} days until cells "
                "are worn out. Energies of converters, cells and links, areas and idle power stay assumptions.",
                *(
                    summary.span(f"stage.3_crossbar_batch_1.{tail}")
                    for tail in ("dies", "area_mm2", "idle_w", "write_w", "wear_days")
                ),
            )
        )
    area = next((n for n in summary.ranges if n.startswith("stage.") and n.endswith("_phase_batch_1.area_mm2")), None)
    if area is not None:
        notes.append(
            say(
                "All weights in such macros: {} chips of {} weights, {} mm2.",
                summary.shown(area.replace("area_mm2", "macro_chips")),
                summary.leaf(area.replace("area_mm2", "macro_chips"), "macro.weights_per_chip"),
                summary.span(area),
            )
        )
    return Section(title=f"Stages beside each other: decode of {stated.MODEL}", rows=tuple(rows), notes=tuple(notes))


def _batch(name: str) -> int:
    return int(name.rpartition("_batch_")[2])


def _stage(name: str) -> str:
    return "yardstick" if name.startswith("gpu") else f"stage {name[0]}"


def _break_even(summary: Summary) -> Section:
    assert summary.programme is not None
    rows: list[tuple[str, ...]] = [
        (
            "memory",
            "batch of a PIM card",
            "batch of a GPU",
            "GPUs, tokens/J",
            "PIM, tokens/J",
            "PIM over GPUs",
            "a card may draw, W",
            "rate of all PIM cards over GPUs",
        )
    ]
    for one in sorted(summary.programme.breakeven, key=lambda b: (b.pim, b.batch)):
        rows.append(
            (
                one.pim,
                str(one.batch),
                str(one.gpu_batch),
                *(summary.likely(f.name) for f in (one.must, one.reached, one.over, one.allowed, one.fleet)),
            )
        )
    return Section(
        title="Break-even: tokens per joule a DRAM-PIM stage must deliver to beat "
        f"{stated.GPU_COUNT} H100 SXM at equal nominal PF",
        rows=tuple(rows),
        notes=(
            say(
                f"{{}} RNGD cards with PIM memory and {stated.GPU_COUNT} H100 SXM have the same nominal peak, "
                f"{{}} PF in "
                f"{stated.GPU_FORMAT}, and here serve as many sequences of {stated.MODEL} with {stated.context()}: "
                f"{stated.GPU_FORMAT} on the GPUs, FP16 or BF16 with PIM.",
                summary.shown("breakeven.cards"),
                summary.shown("breakeven.gpus.nominal_pf"),
            ),
            say(
                f"In brackets: {stated.MIDDLE} of {stated.DRAWN}. Above one PIM wins. At the wall of the "
                f"Gwangju site; the "
                "same PUE, fans and supplies on both sides cancel."
            ),
        ),
    )


def _nvm(summary: Summary, nvm: Nvm) -> Section:
    bits = sorted({point.bits for point in nvm.points})
    rows: list[tuple[str, ...]] = [("batch", *(f"{b} effective bits" for b in bits), "stops winning at")]
    for batch in sorted({point.batch for point in nvm.points}):
        here = {point.bits: point.ratio for point in nvm.points if point.batch == batch}
        lost = [b for b in bits if summary.value(here[b].name) >= 1]
        rows.append(
            (
                str(batch),
                *(summary.likely(here[b].name) for b in bits),
                f"bits of {lost[0]}" if lost else f"none up to {bits[-1]}",
            )
        )
    medians = {figure.name: summary.span(figure.name) for figure in nvm.medians}
    return Section(
        title="At which effective bits analogue NVM stops winning (hypothesis): energy of a MAC over logic with DRAM",
        rows=tuple(rows),
        notes=(
            say(
                f"Below one NVM wins; in brackets the {stated.MIDDLE} of samples. NVM: two readings of one chip, "
                f"{stated.FEW} and {stated.ALL}. Logic: the median digital accelerator, and each weight's bits "
                f"read from "
                "DRAM once for the batch. Decode of a language model; attention cannot live in NVM."
            ),
            say(
                f"Per operation published NVM macros do not beat digital ones at {stated.BYTE}: {{}} TOPS/W, "
                f"SRAM macros "
                "with digital arithmetic {}. What NVM saves is moving weights.",
                medians["macros.nvm.median"],
                medians["macros.sram_digital.median"],
            ),
        ),
    )


def _curves(summary: Summary) -> Section:
    assert summary.programme is not None
    rows: list[tuple[str, ...]] = [("card", "memory", "batch", "NPU alone, tokens/s", "with PIM", "gain", "on PIM")]
    notes = []
    for key, curve in summary.programme.curves.items():
        for point in curve.points:
            name = f"{key}.batch_{point.batch}"
            joined = (
                [
                    summary.shown(f"{name}_pim"),
                    summary.shown(f"{name}_gain", f"{summary.value(f'{name}_gain') - 1:+.0%}"),
                    summary.shown(f"{name}_on_pim", f"{summary.value(f'{name}_on_pim'):.0%}")
                    if f"{name}_on_pim" in summary.ranges
                    else "-",
                ]
                if point.with_pim is not None
                else ["-", "-", "-"]
            )
            rows.append((curve.chip, curve.pim or "its own", str(point.batch), summary.shown(name), *joined))
        if curve.pim:
            runs = " and ".join(f"{first} to {last}" for first, last in curve.runs) or "none"
            notes.append(say(f"{curve.pim}: PIM takes at least {stated.GAIN} off a step at batches {runs}."))
    return Section(
        title="Tokens per second against the batch: "
        f"{stated.TOKENS.title}, {stated.context(_context(summary))} of context",
        rows=tuple(rows),
        notes=(
            *notes,
            say(
                "FP16 or BF16 beside PIM, else the card's serving format (FP8 where it has it). The memory "
                "with PIM has as much bandwidth at its pins, to the nearest package, and the card's "
                "capacity; model records."
            ),
        ),
    )


def _context(summary: Summary) -> int:
    """Tokens of context of the curves, which all have the same."""
    assert summary.programme is not None
    return next(iter(summary.programme.curves.values())).context
