"""The answer first: what a site delivers, draws and costs; what DRAM PIM changes; what drives it."""

from collections.abc import Sequence

from model.projection.breakeven import BreakEven
from model.projection.curve import Curve
from model.projection.explain import compact
from model.projection.programme_facts import ONLY_FLOATING_POINT
from model.projection.stage_comparison import PIM_FORMATS
from model.report import stated
from model.report.label import input_label
from model.report.section_type import Section, Sentence, Shown, say
from model.report.summary import Summary

PIM_TITLES = {"hbm_pim": "HBM-PIM", "aim": "GDDR6-AiM"}


def answer_sections(summary: Summary, full: bool) -> list[Section]:
    """Three questions and their answers; on the screen the parts its tables do not say."""
    if summary.programme is None:
        return []
    site = next(iter(summary.programme.sites))
    title = summary.programme.sites[site].scenario.title
    capacity = summary.programme.sites[site].scenario.capacity.nominal
    gains, drivers = _gains(summary), _drivers(summary, site)
    if not full:
        return [Section(title="What DRAM PIM changes, and what drives the answer", notes=(*gains, *drivers[:2]))]
    found = [
        Section(
            title=f"The answer: what {capacity:g} PF deliver, draw and cost ({title})", notes=_delivers(summary, site)
        )
    ]
    pim = (*gains, *_break_even(summary, summary.programme.breakeven))
    if pim:
        found.append(Section(title="The answer: what DRAM PIM changes", notes=pim))
    found.append(
        Section(
            title="The answer: what drives it",
            notes=(
                *drivers,
                (
                    f"In brackets: {stated.MIDDLE} of {stated.DRAWN} of every uncertain input; many reach further up "
                    "than down, so the nominal value can lie at the lower end. Every number opens to records "
                    "and facts: "
                    "kcloud-cosim explain NAME, names below.",
                ),
            ),
        )
    )
    return found


def _delivers(summary: Summary, site: str) -> tuple[Sentence, ...]:
    def likely(tail: str) -> Shown:
        return summary.likely(f"{site}.{tail}")

    lines = [
        say(
            f"Delivers: {{}} images/s ({stated.IMAGES.how}, every card on it), {{}} PF of operations, {{}} of "
            f"the same cards' peak in their {stated.IMAGES.number_format} ({{}} PF).",
            likely("images_per_s"),
            likely("delivered_pf"),
            _percent(summary, f"{site}.delivered_over_peak"),
            summary.shown(f"{site}.eight_bit_pf"),
        )
    ]
    if f"{site}.tokens_per_s" in summary.ranges:
        lines.append(
            say(
                f"Or: {{}} tokens/s ({stated.SERVED}).",
                likely("tokens_per_s"),
            )
        )
    lines.append(
        say(
            "Draws: {} kW at the wall when busy, {} MWh and {} tCO2e a year; {} cards in {} servers.",
            likely("wall_kw"),
            likely("mwh_per_year"),
            likely("tco2e_per_year"),
            likely("cards"),
            likely("servers"),
        )
    )
    lines.append(
        say(
            "Costs: {} million KRW of cards, servers and facility, {} of the grant; electricity {} million KRW a year.",
            likely("capital"),
            _percent(summary, f"{site}.capital_over_budget"),
            likely("mkrw_per_year"),
        )
    )
    per = [
        say(
            "A million images: {} KRW with capital, {} KRW of electricity, {} gCO2e.",
            *(likely(f"{name}_per_million_images{tail}") for name, tail in _PER_MILLION),
        )
    ]
    if f"{site}.krw_per_million_tokens" in summary.ranges:
        per.append(
            say(
                "A million tokens: {} KRW with capital, {} KRW of electricity, {} gCO2e.",
                *(likely(f"{name}_per_million_tokens{tail}") for name, tail in _PER_MILLION),
            )
        )
    return (*lines, *per, *_counting(summary, site), *_programme(summary))


_PER_MILLION = (("krw", "_with_capital"), ("krw", ""), ("gco2e", ""))


def _counting(summary: Summary, site: str) -> tuple[Sentence, ...]:
    """How far the counting rule moves it."""
    assert summary.programme is not None
    counted = summary.programme.counted.get(site, {})
    if not {"mixed", "eight_bit"} <= counted.keys():
        return ()
    mixed = counted["mixed"].site.name
    shares = counted["mixed"].site.scenario.shares
    parts = [counted["mixed"].site.by_operator[share.operator] for share in shares]
    bought = ", ".join(
        f"{{}} {part.cards.note.split(',')[0]} in {share.peak_format.upper()}"
        for part, share in zip(parts, shares, strict=True)
    )
    units = {"cards": "cards", "images_per_s": "images/s", "tokens_per_s": "tokens/s", "wall_kw": "kW"}
    tails = [tail for tail in units if f"{site}.any_rule.{tail}" in summary.ranges]
    return (
        say(
            "Nobody says how the PF were counted. {} PF is "
            + bought
            + "; under any of the rules the same PF are "
            + ", ".join(f"{{}} {units[tail]}" for tail in tails)
            + ".",
            summary.shown(f"{mixed}.nominal_pf", f"{summary.value(f'{mixed}.nominal_pf'):.3f}"),
            *(summary.shown(part.cards.name) for part in parts),
            *(summary.likely(f"{site}.any_rule.{tail}") for tail in tails),
        ),
    )


def _programme(summary: Summary) -> tuple[Sentence, ...]:
    """The programme's money, and where its announcements do not agree."""
    if "programme.sapeon_by_shares" not in summary.ranges:
        return ()
    return (
        say(
            f"The programme: {{}} billion KRW for {summary.range('programme.total_budget').note}, about {{}} of "
            f"them for stage 1. "
            "Announcements disagree: "
            f"SAPEON names {{}} PF for both sites, the shares make {{}}; {ONLY_FLOATING_POINT}.",
            summary.shown("programme.total_budget", f"{summary.value('programme.total_budget'):.1f}"),
            summary.shown("programme.stage_1_budget"),
            summary.shown("programme.sapeon_announced"),
            summary.shown("programme.sapeon_by_shares"),
        ),
    )


def _gains(summary: Summary) -> tuple[Sentence, ...]:
    assert summary.programme is not None
    return tuple(
        _gain(summary, key, curve) for key, curve in summary.programme.curves.items() if curve.pim and curve.points
    )


def _gain(summary: Summary, key: str, curve: Curve) -> Sentence:
    first, last = curve.points[0].batch, curve.points[-1].batch
    energy = [f"stage.{stage}_{curve.pim}_batch_{first}.wall_j_per_token" for stage in ("1_beside", "2")]
    runs = " and ".join(f"{a} to {b}" for a, b in curve.runs) or "none"
    gain = f"{key}.batch_{first}_gain"
    title, number = PIM_FORMATS[curve.pim]
    text = f"{title} makes decode at batch {first} in {number} {{}} times as fast"
    values = [summary.shown(gain, f"{summary.value(gain):.2f}")]
    best = f"{key}.batch_{first}_over_plain"
    if best in summary.ranges:
        text += ", {} times the plain card in its best format"
        values.append(summary.shown(best, f"{summary.value(best):.2f}"))
    if all(name in summary.ranges for name in energy):
        text += ", at {} J a token at the wall instead of {}"
        values += [_times(summary, energy[1]), _times(summary, energy[0])]
    return say(f"{text}; of batches {first} to {last} it gains {stated.GAIN} at {runs}.", *values)


def _break_even(summary: Summary, found: Sequence[BreakEven]) -> tuple[Sentence, ...]:
    """What the GPUs reach, and what PIM reaches of it, at the smallest batches; nothing without records of both."""
    if not found:
        return ()
    pims = sorted({one.pim for one in found})
    batches = sorted({one.batch for one in found})[:3]
    at = {(one.pim, one.batch): one for one in found}
    must = [at[pims[0], batch] for batch in batches]
    lines = [
        say(
            f"Break-even with {stated.GPU_COUNT} H100: {{}} cards of the same nominal PF must deliver more than "
            + ", ".join(f"{{}} tokens/J at {one.batch}" for one in must)
            + " sequences a card (the H100 at "
            + ", ".join(str(one.gpu_batch) for one in must)
            + ").",
            summary.shown("breakeven.cards"),
            *(_times(summary, one.must.name) for one in must),
        )
    ]
    for pim in pims:
        ours = [at[pim, batch] for batch in batches if (pim, batch) in at]
        spans = {one.batch: summary.range(one.over.name) for one in found if one.pim == pim}
        wins = [str(batch) for batch, span in spans.items() if span.p5 > 1]
        open_at = [str(batch) for batch, span in spans.items() if span.p5 <= 1 <= span.p95]
        verdict = f"it wins at {' and '.join(wins)}" if wins else "it wins at no batch"
        lines.append(
            say(
                f"{PIM_TITLES.get(pim, pim)} delivers "
                + ", ".join("{}" for _ in ours)
                + f" times that: {verdict}"
                + (f", open at {' and '.join(open_at)}." if open_at else "."),
                *(_times(summary, one.over.name) for one in ours),
            )
        )
    return tuple(lines)


def _drivers(summary: Summary, site: str) -> tuple[Sentence, ...]:
    lines = []
    for tail, what in (
        ("wall_kw", "Power"),
        ("krw_per_million_tokens_with_capital", "Cost of tokens"),
        ("capital", "Capital"),
        ("images_per_s", "Images"),
    ):
        name = f"{site}.{tail}"
        if name not in summary.ranges:
            continue
        found = summary.projection.drivers(name)[:3]
        pieces = []
        values: list[str] = []
        for driver in found:
            label = input_label(driver.leaf.name, "1")
            pieces.append(f"{label} ({{}} to {{}} {summary.ranges[name].unit})")
            values += [Shown(compact(v), name) for v in sorted((driver.at_low, driver.at_high))]
        if pieces:
            lines.append(say(f"{what}: " + ", ".join(pieces) + ".", *values))
    return tuple(lines)


def _times(summary: Summary, name: str) -> Shown:
    value = summary.range(name)
    return Shown(f"{value.bounds.nominal:.2f} ({value.p5:.2f} to {value.p95:.2f})", name)


def _percent(summary: Summary, name: str) -> Shown:
    value = summary.range(name)
    b = value.bounds
    return Shown(f"{b.nominal:.0%} ({value.p5:.0%} to {value.p95:.0%})", name)
