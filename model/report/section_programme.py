"""Sections of the programme: PF ledger, counting rules, money."""

from model.projection.explain import compact
from model.report.section_type import Section
from model.report.summary import Summary


def programme_sections(summary: Summary) -> list[Section]:
    """All of them in order."""
    found = [_ledger(summary), _rules(summary), _money(summary)]
    if summary.programme is not None and summary.programme.stages:
        found.append(_stages(summary))
    if summary.programme is not None and summary.programme.curves:
        found.append(_curves(summary))
    return found


def three(summary: Summary, name: str) -> tuple[str, str, str]:
    """Low, nominal and high of a projected figure."""
    bounds = summary.ranges[name].bounds
    return compact(bounds.low), compact(bounds.nominal), compact(bounds.high)


def span(summary: Summary, name: str) -> str:
    """Nominal with its range in brackets; the nominal alone if there is none."""
    low, nominal, high = three(summary, name)
    return nominal if low == high else f"{nominal} ({low} .. {high})"


def _ledger(summary: Summary) -> Section:
    assert summary.programme is not None
    rows: list[tuple[str, ...]] = [
        ("card", "format", "peak", "achievable", "delivered, images", "delivered, tokens", "without")
    ]
    for row in summary.programme.ledger:
        rows.append((
            row.title, row.number_format.upper(), span(summary, row.peak.name),
            span(summary, row.achievable.name) if row.achievable is not None else "-",
            *(span(summary, row.delivered[unit].name) if unit in row.delivered else "-"
              for unit in ("images", "tokens")),
            row.achievable_missing,
        ))
    return Section(
        title="PF ledger: 10^12 operations per second of one card", rows=tuple(rows),
        notes=(
            "Counting rule: two operations per multiply-accumulate of the layers, dense. Peak: as printed. Achievable: "
            "operations of ResNet-50 over the cycle model's time, one image on all cores. Delivered: published rate, "
            "or peak times the usual fraction; images: ResNet-50 offline, INT8; tokens: Llama 3.1 8B decode, INT8 "
            "weights, 16 sequences of 1,024 tokens, without the operations of attention.",
        ),
    )


def _rules(summary: Summary) -> Section:
    assert summary.programme is not None
    rows: list[tuple[str, ...]] = [(
        "rule", "cards", "exact", "PF", "off by PF", "images/s", "tokens/s", "wall kW", "note",
    )]
    best = min(summary.programme.counted.values(), key=lambda c: abs(summary.ranges[c.miss_pf.name].bounds.nominal))
    for name, one in summary.programme.counted.items():
        prefix = f"rule.{name}"
        tokens = f"{prefix}.tokens_per_s"
        rows.append((
            one.rule.title, " + ".join(
                f"{summary.programme.projection[f'{prefix}.{o}.cards'].nominal:.0f}" for o in one.exact
            ),
            " + ".join(f"{v:.2f}" for v in one.exact.values()),
            f"{summary.ranges[f'{prefix}.nominal_pf'].bounds.nominal:.3f}",
            f"{summary.ranges[one.miss_pf.name].bounds.nominal:+.3f}",
            three(summary, f"{prefix}.images_per_s")[1],
            three(summary, tokens)[1] if tokens in summary.ranges else "-", three(summary, f"{prefix}.wall_kw")[1],
            one.rule.note,
        ))
    site = next(iter(summary.programme.sites.values()))
    return Section(
        title=f"Which counting rule gives {site.scenario.capacity.nominal:g} PF, and what moves under the others",
        rows=tuple(rows),
        notes=(
            f"Nearest: {best.rule.title}. No single format gives it. 16 bits everywhere cannot be counted: no 16-bit "
            "peak of X330, X220 or Warboy is published. All hypotheses: nobody printed the rule.",
        ),
    )


def _money(summary: Summary) -> Section:
    assert summary.programme is not None
    rows: list[tuple[str, ...]] = [("site", "figure", "unit", "low", "nominal", "high", "what")]
    for name, site in summary.programme.sites.items():
        for figure in site.totals:
            tail = figure.name.split(".")[-1]
            if tail.startswith(("capital", "budget_left", "closing", "krw_per", "gco2e_per")):
                rows.append((name, tail, figure.unit, *three(summary, figure.name), figure.note))
    return Section(
        title="Money and carbon: closure of the grant, cost per million", rows=tuple(rows),
        notes=(
            "Each service as if all busy cards ran it. No price of X330, Warboy or RNGD is published: one common "
            "assumption stands for all cards without a price.",
        ),
    )


def _stages(summary: Summary) -> Section:
    assert summary.programme is not None
    rows: list[tuple[str, ...]] = [(
        "batch", "card", "basis", "tokens/s", "J/token at the wall", "KRW per million", "gCO2e per million", "how",
    )]
    for name, one in sorted(summary.programme.stages.items(), key=lambda item: (_batch(item[0]), item[0])):
        rows.append((
            str(_batch(name)), f"{_stage(name)}: {one.title}", one.basis,
            *(span(summary, f"stage.{name}.{tail}") for tail in (
                "tokens_per_s", "wall_j_per_token", "krw_per_million_tokens", "gco2e_per_million_tokens")),
            one.how,
        ))
    area = next((n for n in summary.ranges if n.endswith(".area_mm2")), None)
    notes = [
        "One card with its share of a server, fans, supplies and the Gwangju site's PUE; cards at TDP x load, which "
        "says nothing about what PIM units add or save. Electricity alone.",
        "Stage 3 is a hypothesis from a chip of another maker: published efficiency and speed of its macros, the key-"
        "value cache in DRAM, the fixed part of the card's power; its digital side, accuracy and yield are left out. "
        "One-phase reading keeps 3 to 4 effective bits and is no INT8.",
    ]
    if area is not None:
        chips = area.replace("area_mm2", "macro_chips")
        notes.append(f"All weights in such macros: {three(summary, chips)[1]} chips of 4.2 million weights, "
                     f"{span(summary, area)} mm2 in 22 nm.")
    return Section(title="Stages beside each other: decode of Llama 3.1 8B", rows=tuple(rows), notes=tuple(notes))


def _batch(name: str) -> int:
    return int(name.rpartition("_batch_")[2])


def _stage(name: str) -> str:
    return "yardstick" if name.startswith("gpu") else f"stage {name[0]}"


def _curves(summary: Summary) -> Section:
    assert summary.programme is not None
    rows: list[tuple[str, ...]] = [("card", "memory", "batch", "NPU alone, tokens/s", "with PIM", "gain", "on PIM")]
    notes = []
    for curve in summary.programme.curves.values():
        for point in curve.points:
            joined = point.with_pim
            rows.append((
                curve.chip, curve.pim or "its own", str(point.batch), compact(point.alone),
                compact(joined) if joined is not None else "-",
                f"{joined / point.alone - 1:+.0%}" if joined is not None else "-",
                f"{point.on_pim:.0%}" if joined is not None else "-",
            ))
        if curve.pim:
            runs = " and ".join(f"{first} to {last}" for first, last in curve.runs) or "none"
            notes.append(f"{curve.pim}: PIM takes at least 5 % off a step at batches {runs}.")
    return Section(
        title="Tokens per second against the batch: Llama 3.1 8B decode, 1,024 tokens of context", rows=tuple(rows),
        notes=(*notes, "FP16 or BF16 beside PIM, else the card's serving format (FP8 where it has it). The memory with "
                       "PIM has as much bandwidth at its pins, to the nearest package, and the card's capacity; "
                       "model records."),
    )
