"""Set predictions beside every published result: range, published value, error, and what cannot be validated."""

import argparse

from hw import chips


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--korean", action="store_true", help="only the chips of Korean makers")


def run(arguments: argparse.Namespace) -> int:
    """Print the table."""
    from model import record
    from model.projection import published
    from model.projection.explain import compact
    from model.projection.validate import KOREAN, PADDED, SCENARIOS, TASKS, validate
    from model.report.load import NETWORK, ROOTS, locate
    from model.report.text import table

    all_chips = {name: chips.load(name) for name in chips.names()}
    _, workload, seed = NETWORK
    records = {
        name: locate(name, workload, seed, "model")
        for name in all_chips
        if any(record.path_of(name, workload, seed, "model", root).exists() for root in ROOTS)
    }
    if NETWORK[0] not in records:
        locate(*NETWORK, "model")
    runs = {}
    others = {row.model for row in published.rows(published.OTHER)}
    tasks = {*TASKS.values(), *PADDED.values(), *others, "retinanet", "llama31_8b_128_4096_fp8"}
    for name in all_chips:
        for task in tasks:
            for run_name in (task, *(f"{task}_{scenario}" for scenario in SCENARIOS.values())):
                if any(record.path_of(name, run_name, seed, "model", root).exists() for root in ROOTS):
                    runs[name, run_name] = locate(name, run_name, seed, "model")
    validation = validate(all_chips, records, runs=runs)
    rows: list[tuple[str, ...]] = [
        ("chip", "what", "unit", "low", "nominal", "high", "published", "error", "verdict", "rule", "published by")
    ]
    for check in validation.checks:
        if arguments.korean and not check.chip.startswith(KOREAN):
            continue
        p = check.predicted
        rows.append(
            (
                check.chip,
                check.what,
                check.unit,
                compact(p.low),
                compact(p.nominal),
                compact(p.high),
                compact(check.published),
                f"{check.error:+.0%}",
                check.verdict,
                check.rule,
                check.published_by,
            )
        )
    print("\n".join(table(tuple(rows))))
    print(
        "\nChip model: one set of rules for all chips, none fitted; ranges are 5 % and 95 % of the samples of what "
        "nobody published.\nHost software is not in it; a GPU is multiprocessors that take whole tiles of results.\n"
        "Wall power is published for efficiency (MaxQ) settings only: the limit is taken from the rate it costs."
    )
    causes: dict[str, list[str]] = {}
    for check in validation.checks:
        if check.cause and (not arguments.korean or check.chip.startswith(KOREAN)):
            causes.setdefault(check.cause, []).append(f"{check.chip} {check.what} {check.error:+.0%}")
    for cause, where in causes.items():
        print(f"- {cause}:\n    " + "; ".join(sorted(set(where))))
    print("\nCannot be validated:")
    for name, reason in validation.not_validated.items():
        print(f"  {name}: {reason}")
    return 0
