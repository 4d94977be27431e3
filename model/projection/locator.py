"""Where a reviewer finds a source: publisher, date, title or document number, and address where one is known.

Facts and published rows name their sources in a few words; `published/locators.csv` holds the rest once for each.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).with_name("published") / "locators.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Locator:
    """One document.

    Parameters
    ----------
    key : str
        Words of a source that name it.
    publisher, date, title : str
        Who published it, when ("" where undated), its title or number.
    address : str
        Without a scheme; "" where none is known.
    seen : bool
        A copy of what is at the address was looked at, or the repository's files; else the address is recalled.
    """

    key: str
    publisher: str
    date: str
    title: str
    address: str
    seen: bool

    def __str__(self) -> str:
        address = self.address if self.seen or not self.address else f"{self.address} (recalled)"
        return ", ".join(part for part in (self.publisher, self.date, self.title, address) if part)


@cache
def locators(path: Path = _TABLE) -> tuple[Locator, ...]:
    """All, the longest keys first."""
    with path.open(newline="", encoding="utf-8") as file:
        found = [
            Locator(
                key=row["key"],
                publisher=row["publisher"],
                date=row["date"],
                title=row["title"],
                address=row["address"],
                seen=row["seen"] == "yes",
            )
            for row in csv.DictReader(file)
        ]
    return tuple(sorted(found, key=lambda one: -len(one.key)))


def located(source: str) -> tuple[Locator, ...]:
    """The documents that `source` names, none twice."""
    found: list[Locator] = []
    for one in locators():
        if one.key in source and not any(one.key in other.key for other in found):
            found.append(one)
    return tuple(found)
