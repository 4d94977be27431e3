"""Sections of the programme: PF ledger, counting rules, money."""

from model.projection.explain import compact
from model.report.section_type import Section
from model.report.summary import Summary


def programme_sections(summary: Summary) -> list[Section]:
    """All of them in order."""
    return [_ledger(summary), _rules(summary), _money(summary)]


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
