"""Sections of the programme: PF ledger, counting rules, money."""

from model.projection.ledger import CountedSite
from model.report import stated
from model.report.label import unit_name
from model.report.section_stage import stage_sections
from model.report.section_type import Section, Shown, say
from model.report.summary import Summary


def programme_sections(summary: Summary) -> list[Section]:
    """All of them in order."""
    if summary.programme is None:
        return []
    rules = [
        section
        for site, counted in summary.programme.counted.items()
        if counted
        for section in (_rules(summary, site), _operators(summary, site))
    ]
    return [_ledger(summary), *rules, _walls(summary), _money(summary), *stage_sections(summary)]


def _ledger(summary: Summary) -> Section:
    assert summary.programme is not None
    rows: list[tuple[str, ...]] = [
        (
            "card",
            "format",
            "peak",
            "arrays alone",
            "achievable",
            "delivered, images",
            "delivered, tokens",
            "without",
        )
    ]
    for row in summary.programme.ledger:
        rows.append(
            (
                row.title,
                row.number_format.upper(),
                summary.span(row.peak.name),
                *(summary.span(f.name) if f is not None else "-" for f in (row.arrays, row.achievable)),
                *(
                    summary.span(row.delivered[unit].name) if unit in row.delivered else "-"
                    for unit in ("images", "tokens")
                ),
                row.missing,
            )
        )
    return Section(
        title="PF ledger: 10^12 operations per second of one card",
        rows=tuple(rows),
        notes=(
            say("Counting rule: two operations per multiply-accumulate of the layers, dense, skipped ones left out."),
            say(
                f"Peak: as printed. Arrays alone: {stated.NETWORK} over the cycle model's time, one image on "
                f"all cores. "
                f"Achievable: {stated.NETWORK} {stated.IMAGES.batch} in {stated.IMAGES.number_format} by the "
                f"chip model, which adds feed, memories and starts of "
                "layers; where it lies below what is delivered the chip model is slow, make validate says why."
            ),
            say(
                f"Delivered, images: {stated.IMAGES.how}, the published rate, or that of the chip model where none "
                f"is published. Delivered, tokens: {stated.TOKENS.how}, "
                "without the operations of attention. X220's peak is unverified."
            ),
        ),
    )


def _rules(summary: Summary, site: str) -> Section:
    assert summary.programme is not None
    rows: list[tuple[str, ...]] = [
        (
            "rule",
            "cards",
            "PF",
            "off by PF",
            "images/s",
            "tokens/s",
            "wall kW",
            "capital, million KRW",
            "note",
        )
    ]
    counted = summary.programme.counted[site]
    best = min(counted.values(), key=lambda one: abs(summary.value(one.miss_pf.name)))
    for one in counted.values():
        start = one.site.name
        rows.append(
            (
                one.rule.title,
                summary.shown(f"{start}.cards"),
                summary.shown(f"{start}.nominal_pf", f"{summary.value(f'{start}.nominal_pf'):.3f}"),
                summary.shown(one.miss_pf.name, f"{summary.value(one.miss_pf.name):+.3f}"),
                summary.span(f"{start}.images_per_s"),
                _optional(summary, f"{start}.tokens_per_s"),
                summary.span(f"{start}.wall_kw"),
                summary.span(f"{start}.capital"),
                one.rule.note,
            )
        )
    title = summary.programme.sites[site].scenario.title
    capacity = summary.programme.sites[site].scenario.capacity.nominal
    return Section(
        title=f"Which counting rule gives {capacity:g} PF, and what moves under the others: {title}",
        rows=tuple(rows),
        notes=(
            say(
                f"Nearest: {best.rule.title}. No single format gives it; FP16 everywhere cannot be counted: no such "
                "peak of X330, X220 or Warboy is published. All hypotheses: nobody printed the rule."
            ),
            say(stated.services_line()),
        ),
    )


def _operators(summary: Summary, site: str) -> Section:
    """What each operator buys and delivers under each rule."""
    assert summary.programme is not None
    rows: list[tuple[str, ...]] = [
        (
            "rule",
            "operator",
            "card",
            "exact cards",
            "cards",
            "PF",
            "images/s",
            "tokens/s",
            "cards, kW",
        )
    ]
    for one in summary.programme.counted[site].values():
        rows += _parts(summary, one)
    title = summary.programme.sites[site].scenario.title
    return Section(
        title=f"Operators' shares under each counting rule: {title}",
        rows=tuple(rows),
        notes=(say(stated.services_line()),),
    )


def _parts(summary: Summary, one: CountedSite) -> list[tuple[str, ...]]:
    rows = []
    for operator, part in one.site.by_operator.items():
        exact = part.exact.name
        rows.append(
            (
                one.rule.title,
                operator.upper(),
                part.cards.note.split(",")[0],
                Shown(f"{summary.value(exact):.2f}", exact),
                summary.shown(part.cards.name),
                summary.shown(part.nominal_pf.name, f"{summary.value(part.nominal_pf.name):.3f}"),
                summary.span(part.images.name),
                summary.span(part.tokens.name) if part.tokens is not None else "-",
                summary.span(part.power.name),
            )
        )
    return rows


def _optional(summary: Summary, name: str) -> str:
    return summary.span(name) if name in summary.ranges else "-"


def _walls(summary: Summary) -> Section:
    assert summary.programme is not None
    rows: list[tuple[str, ...]] = [("system", "task", "log, W", "by the rules, W", "error", "rule")]
    for check in sorted(summary.programme.walls, key=lambda c: (c.row.chip, c.row.model, c.row.round)):
        error = check.error.name
        rows.append(
            (
                f"{check.row.system}, {check.row.round}",
                check.row.model,
                summary.shown(check.published.name),
                summary.span(check.predicted.name),
                summary.shown(error, f"{summary.value(error):+.0%}"),
                check.rule,
            )
        )
    worst = max(summary.programme.walls, key=lambda c: abs(summary.value(c.error.name)), default=None)
    notes = [
        say(
            "The overhead rules of the sites on every system with a published power log, MLPerf offline; no "
            "factor of a chip, two constants fitted on one result each. No domestic chip has a power log."
        )
    ]
    if worst is not None:
        name = worst.error.name
        notes.append(
            say(
                f"Farthest: {worst.row.system} on {worst.row.model}, {{}}.",
                summary.shown(name, f"{summary.value(name):+.0%}"),
            )
        )
    return Section(title="Wall power by the rules beside published power logs", rows=tuple(rows), notes=tuple(notes))


def _money(summary: Summary) -> Section:
    assert summary.programme is not None
    rows: list[tuple[str, ...]] = [("site", "figure", "unit", "low", "nominal", "high", "what")]
    for name, site in summary.programme.sites.items():
        for figure in site.totals:
            tail = figure.name.split(".")[-1]
            if tail.startswith(("capital", "budget_left", "closing", "krw_per", "gco2e_per")):
                rows.append((name, tail, unit_name(figure.unit), *summary.three(figure.name), figure.note))
    return Section(
        title="Money and carbon: closure of the grant, cost per million",
        rows=tuple(rows),
        notes=(
            say(f"Each service as if all busy cards ran it: {stated.IMAGES.how}; or {stated.SERVED}."),
            say(
                "No price of X330, Warboy or RNGD is published: one common assumption stands for all cards without a "
                "price."
            ),
        ),
    )
