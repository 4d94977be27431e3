"""Sections of a site: its figures, its power from the array to the grid, what drives them."""

from model.projection.explain import compact
from model.report import stated
from model.report.label import unit_name
from model.report.section_type import Section, Shown, say
from model.report.summary import Summary

SCREEN = ("cards", "nominal_pf", "images_per_s", "tokens_per_s", "wall_kw", "mwh_per_year", "mkrw_per_year", "capital")
"""What one screen shows of a site."""

DRIVEN = ("images_per_s", "wall_kw", "capital", "krw_per_million_tokens_with_capital")
"""Figures of a site whose drivers are listed."""


def site_sections(summary: Summary, full: bool) -> list[Section]:
    """All sites, or on the screen the first one's main figures."""
    if summary.programme is None:
        return []
    found = []
    for name, site in list(summary.programme.sites.items())[: None if full else 1]:
        names = [f.name for f in site.totals]
        if full:
            names += [f.name for part in site.by_operator.values() for f in part.all]
        else:
            names = [n for n in names if n.split(".")[-1] in SCREEN]
        rows: list[tuple[str, ...]] = [
            ("figure", "unit", "low", "nominal", "high", stated.LOW_END, stated.HIGH_END, "weakest input")
        ]
        for one in names:
            value = summary.range(one)
            rows.append(
                (
                    one.removeprefix(f"{name}."),
                    unit_name(value.unit),
                    *summary.three(one),
                    Shown(compact(value.p5), one),
                    Shown(compact(value.p95), one),
                    value.confidence,
                )
            )
        found.append(
            Section(
                title=f"Projected: {site.scenario.title}, {site.scenario.capacity.nominal:g} PF nominal",
                rows=tuple(rows),
                notes=(
                    say(
                        "low and high: every input at its worse and better end; "
                        f"{stated.LOW_END} and {stated.HIGH_END}: {stated.DRAWN}."
                    ),
                    say(f"{stated.services_line()} Open a figure: kcloud-cosim explain {name}.wall_kw"),
                ),
            )
        )
        if full:
            found.append(_chain(summary, name))
            found += [_drivers(summary, f"{name}.{tail}") for tail in DRIVEN if f"{name}.{tail}" in summary.ranges]
    return found


def _chain(summary: Summary, name: str) -> Section:
    assert summary.programme is not None
    site = summary.programme.sites[name]
    wall = next(f for f in site.totals if f.name == f"{name}.wall_kw")
    rows: list[tuple[str, ...]] = [("step", "low kW", "nominal kW", "high kW", "what")]
    for figure in (*site.chain, wall, *site.grid):
        rows.append((figure.name.split(".")[-1].removesuffix("_kw"), *summary.three(figure.name), figure.note))
    return Section(
        title=f"From the MAC array to the grid: {site.scenario.title}",
        rows=tuple(rows),
        notes=(
            say(
                f"Busy, {stated.IMAGES.how}. The steps add up to the wall; the grid comes on top of it. The "
                "official carbon factor is per kWh consumed, so its losses are in it already."
            ),
        ),
    )


def _drivers(summary: Summary, name: str) -> Section:
    unit = summary.ranges[name].unit
    rows: list[tuple[str, ...]] = [("input", "low", "high", f"{unit} at low", f"{unit} at high", "source")]
    for driver in summary.projection.drivers(name):
        fact, leaf = driver.leaf.fact, driver.leaf.name
        assert fact is not None
        of = "" if fact.unit == "1" else f" {fact.unit}"
        rows.append(
            (
                leaf,
                Shown(f"{compact(fact.minimum)}{of}", leaf),
                Shown(f"{compact(fact.maximum)}{of}", leaf),
                Shown(compact(driver.at_low), name),
                Shown(compact(driver.at_high), name),
                f"{fact.confidence}: {fact.source}",
            )
        )
    return Section(title=f"What drives {name} (one input at a time)", rows=tuple(rows))
