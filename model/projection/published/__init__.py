"""Published benchmark results: one row per result, with round, system and the log it was read from."""

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hw.base.error import InputError
from hw.spec.fact import Confidence, Fact

_TABLE = Path(__file__).with_name("mlperf.csv")
OTHER = Path(__file__).with_name("other.csv")
"""Results outside the benchmark: vendors' claims and boards. They are compared with, never projected from."""
BLIND_ROWS = {("nvidia_a100_sxm", "v2.1"), ("nvidia_a100_sxm", "v3.0")}
"""(chip, round) of rows whose predictions were written before they were opened."""
BLIND_NETWORKS = Path(__file__).with_name("blind_networks.csv")
"""Those predictions, one a task and scenario: of all other chips' error, no row of this chip being known."""
BLIND_NETWORKS_DIGEST = "033a95a442995f6f1d4891be59374917d3fccbc57f6015e150d54aa1bda8e27e"
"""SHA-256 of the file."""
BLIND_DETECTORS = Path(__file__).with_name("blind_detectors.csv")
"""The same of Warboy's detectors in MLPerf v1.1 and v2.0, the first of a card that is no GPU: with what all other chips
teach, its ResNet-50 results being known."""
BLIND_DETECTORS_DIGEST = "5560e3b0bf00c4c5842cf1090c72091f4da7421a7a4272e95da9587bb2458489"
"""SHA-256 of the file."""
BLIND_DETECTOR_ROWS = {("furiosa_warboy", "v1.1"), ("furiosa_warboy", "v2.0")}
"""(chip, round) of the rows of detectors whose predictions are in that file."""
_SYSTEMS = Path(__file__).with_name("systems.csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One published result: `value` in `unit` of `cards` cards of `chip`, `system_power_w` at the wall if logged.

    Parameters
    ----------
    round : str
        MLPerf Inference round, such as "v4.1"; the year for results outside the benchmark.
    system : str
        Name of the measured system as submitted, or of the board.
    model : str
        Task as the table names it, such as "resnet50" or "bert-99".
    scenario : str
        "Offline", "Server", "SingleStream" or "MultiStream", as MLPerf spells them.
    metric : str
        What was measured, in words; with "latency" in it the smaller value is the better one.
    confidence : Confidence
        How far the value can be trusted, as of a `Fact`.
    source : str
        The log or document the value was read from, never empty.
    """

    round: str
    chip: str
    system: str
    cards: int
    model: str
    scenario: str
    metric: str
    value: float
    unit: str
    system_power_w: float | None
    confidence: Confidence
    source: str

    @property
    def blind(self) -> bool:
        """Its prediction was written (`blind_networks.csv`, `blind_detectors.csv`) before the row was opened."""
        detector = (self.chip, self.round) in BLIND_DETECTOR_ROWS and self.model.startswith("ssd")
        return detector or (self.chip, self.round) in BLIND_ROWS

    @property
    def fact(self) -> Fact:
        """The value as a fact."""
        return Fact(
            nominal=self.value,
            unit=self.unit,
            confidence=self.confidence,
            source=f"MLPerf Inference {self.round}, {self.system}, {self.model} {self.scenario}: {self.source}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What stands around the cards of a measured system: processor sockets, boards of linked modules.

    Parameters
    ----------
    name : str
        As the column `system` of the results spells it.
    sockets : Fact
        Processors of the whole system, "sockets".
    boards : int
        1 if a board of linked modules carries the chips, 0 for cards.
    """

    name: str
    sockets: Fact
    boards: int


def rows(path: Path = _TABLE) -> tuple[Row, ...]:
    """All published results; `InputError` naming the row if a field or its source is missing."""
    return _rows(path)


def best(chip: str, model: str, scenario: str, path: Path = _TABLE) -> Row | None:
    """The best published result of one card of `chip`: highest rate, or shortest latency; None if there is none."""
    found = [r for r in rows(path) if (r.chip, r.model, r.scenario, r.cards) == (chip, model, scenario, 1)]
    if not found:
        return None
    return (min if "latency" in found[0].metric else max)(found, key=lambda r: r.value)


def unrestricted(limited: Row) -> Row | None:
    """The best result without a power log of as many equal chips on the same task; None if there is none."""
    key = (limited.chip, limited.model, limited.scenario, limited.cards)
    found = [r for r in rows() if (r.chip, r.model, r.scenario, r.cards) == key and r.system_power_w is None]
    return max(found, key=lambda r: r.value, default=None)


@lru_cache
def systems(path: Path = _SYSTEMS) -> dict[str, System]:
    """The systems with a measured wall power, by name; `InputError` naming the line if its source is missing."""
    found = {}
    with path.open(newline="", encoding="utf-8") as file:
        for line, fields in enumerate(csv.DictReader(file), start=2):
            if not (fields["source"] or "").strip():
                raise InputError(
                    f"published system {fields['system']}, line {line}, must name its source, not leave it empty"
                )
            sockets = Fact(
                nominal=float(fields["sockets"]),
                unit="sockets",
                source=fields["source"],
                confidence=fields["confidence"],  # type: ignore[arg-type]  # checked by Fact
            )
            found[fields["system"]] = System(name=fields["system"], sockets=sockets, boards=int(fields["boards"]))
    return found


@lru_cache
def _rows(path: Path) -> tuple[Row, ...]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return tuple(_row(number, fields) for number, fields in enumerate(csv.DictReader(file), start=2))
    except OSError as error:
        reason = error.strerror
        raise InputError(f"the published results {path.name} must be readable, but {reason}; restore it") from None


def _row(number: int, fields: dict[str, str]) -> Row:
    what = f"published result {fields.get('chip')} {fields.get('model')} {fields.get('scenario')}, line {number}"
    if not (fields.get("source") or "").strip():
        raise InputError(f"{what}, must name its source, not leave it empty; restore the log it was read from")
    try:
        power = fields["system_power_w"]
        return Row(
            round=fields["round"],
            chip=fields["chip"],
            system=fields["system"],
            cards=int(fields["cards"]),
            model=fields["model"],
            scenario=fields["scenario"],
            metric=fields["metric"],
            value=float(fields["value"]),
            unit=fields["unit"],
            system_power_w=float(power) if power else None,
            confidence=fields["confidence"],  # type: ignore[arg-type]  # checked when it becomes a Fact
            source=fields["source"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{what}, must have every column filled with its kind of value, not {error}") from None
