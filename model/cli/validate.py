"""Set predictions beside every published result: ranges that hold the model's own error, coverage, what cannot be told.

Exit code 1 if the ranges of the chip model hold fewer than 85 % or more than 95 % of the results.

examples:
  kcloud-cosim validate --korean
  kcloud-cosim validate --json
  kcloud-cosim validate --constants
"""

import argparse
import json
import sys

from hw import chips
from model.projection.check import LEAST_COVERAGE, MOST_COVERAGE, TIMES, Check, Validation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--korean", action="store_true", help="only the chips of Korean makers")
    parser.add_argument("--json", action="store_true", help="one JSON object: results, coverage, curve, model error")
    parser.add_argument(
        "--constants", action="store_true", help="list every constant of the card model, its source and whom it serves"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="predict the published serving results again and write them and the error"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the table; 1 if the ranges hold too few or too many."""
    if arguments.constants:
        print("\n".join(listed_constants(as_object=arguments.json)))
        return 0
    if arguments.fresh:
        from model.card.language_check import write_predicted
        from model.card.pim_check import write_pim
        from model.projection.published.calibration import write_errors
        from model.projection.published_serving import predicted_checks
        from model.projection.validate import residuals_of

        count = write_predicted() + write_pim()
        predicted_checks.cache_clear()
        write_errors(residuals_of(loaded().checks))
        print(f"{count} results predicted, the model's error learnt again")
    validation = loaded()
    coverage = validation.coverage
    if arguments.json:
        print(json.dumps(as_json(validation), indent=1))
    else:
        print("\n".join(text(validation, korean=arguments.korean)))
    return 0 if LEAST_COVERAGE <= coverage <= MOST_COVERAGE else 1


def listed_constants(*, as_object: bool) -> list[str]:
    """Every constant of the card model, as a table or as JSON."""
    from dataclasses import asdict

    from model.card.constants import constants
    from model.report.text import table

    found = constants()
    if as_object:
        return [json.dumps([asdict(one) for one in found], indent=1)]
    head = ("constant", "value", "unit", "chips", "of", "source")
    return list(table((head, *((c.name, c.value, c.unit, str(c.chips), c.serves, c.source) for c in found))))


def loaded() -> Validation:
    """The validation from committed records and predictions."""
    from model.report.load_validation import load_validation

    all_chips, broken = chips.load_all()
    for sentence in broken:
        print(sentence, file=sys.stderr)
    return load_validation(all_chips)


def as_json(validation: Validation) -> dict[str, object]:
    """One row a result, and how many ranges hold."""
    return {
        "results": [_row(check) for check in validation.checks if check.kind],
        "gains": [_row(check) for check in validation.checks if check.unit == TIMES],
        "coverage": validation.coverage,
        "curve": {f"{level:.2f}": share for level, share in validation.curve.items()},
        "kinds": {
            kind: {"results": s.results, "coverage": s.coverage, "median_factor": s.factor, "half_width": s.half_width}
            for kind, s in validation.by_kind.items()
        },
    }


def _row(check: Check) -> dict[str, object]:
    p, rules = check.predicted, check.rules
    return {
        "chip": check.chip,
        "task": check.what,
        "kind": check.kind,
        "unit": check.unit,
        "predicted": p.nominal,
        "nominal": p.nominal,
        "range": [p.low, p.high],
        "rules": rules.nominal if rules is not None else p.nominal,
        "published": check.published,
        "inside": check.inside,
        "blind": check.blind,
        "source": check.published_by,
    }


def text(validation: Validation, *, korean: bool = False) -> list[str]:
    """The table, how many ranges hold, causes of what lies outside, what cannot be validated."""
    from model.projection.check import KOREAN
    from model.projection.explain import compact
    from model.report.text import table

    rows: list[tuple[str, ...]] = [
        ("chip", "what", "unit", "low", "nominal", "high", "published", "error", "rules", "verdict", "published by")
    ]
    shown = [c for c in validation.checks if not korean or c.chip.startswith(KOREAN)]
    for check in shown:
        p = check.predicted
        alone = compact(check.rules.nominal) if check.rules is not None else ""
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
                alone,
                check.verdict + (", blind" if check.blind else ""),
                check.published_by,
            )
        )
    lines = [*table(tuple(rows)), ""]
    lines.append(
        "nominal, low, high: middle, 5 % and 95 % of open inputs and the model's own error together, the error learnt\n"
        "from all other chips; rules: what the rules say alone. Ranges hold "
        f"{validation.coverage:.1%} of {sum(bool(c.kind) for c in validation.checks)} results:"
    )
    for kind, s in validation.by_kind.items():
        lines.append(
            f"  {kind:<24} {s.results:>4} results of {s.chips:>2} chips: {s.coverage:>4.0%} inside, median factor "
            f"{s.factor:.2f} (rules alone {s.rules_factor:.2f}), half width {s.half_width:.0%}"
        )
    curve = ", ".join(f"{level:.0%}: {share:.0%}" for level, share in validation.curve.items())
    lines += [f"calibration: of ranges meant to hold so many, so many do: {curve}", ""]
    for what, blind in (
        ("serving", validation.blind_written),
        ("networks", validation.blind_networks),
        ("Warboy's detectors", validation.blind_detectors),
    ):
        lines.append(
            f"Written before they were opened, {what} ({blind.results} results): {blind.coverage:.0%} inside, "
            f"median factor {blind.factor:.2f}, half width {blind.half_width:.0%}."
        )
    lines.append("")
    causes: dict[str, list[str]] = {}
    for check in shown:
        if check.cause:
            causes.setdefault(check.cause, []).append(f"{check.chip} {check.what} {check.error:+.0%}")
    for cause, where in causes.items():
        lines.append(f"- {cause}:\n    " + "; ".join(sorted(set(where))))
    lines += ["", "Cannot be validated:"]
    lines += [f"  {name}: {reason}" for name, reason in validation.not_validated.items()]
    return lines
