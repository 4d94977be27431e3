"""Every published fact and row leads to a document that a reviewer can find."""

import pytest

from hw import chips
from model.card.constants import constants
from model.projection import published
from model.projection.locator import located, locators
from model.projection.published.language import language_rows
from model.projection.published_pim import pim_rows

PUBLISHED = ("vendor", "measured", "press", "secondary")


@pytest.mark.parametrize("name", chips.names())
def test_every_published_fact_of_a_chip_names_a_document(name: str) -> None:
    for fact_name, fact in chips.load(name).facts.items():
        if fact.confidence in PUBLISHED:
            assert located(fact.source), f"{fact_name}: {fact.source}"


def test_every_published_row_names_a_document() -> None:
    sources = {
        row.source for row in (*published.rows(), *published.rows(published.OTHER), *language_rows(), *pim_rows())
    }
    assert [source for source in sources if not located(source)] == []


def test_a_document_has_publisher_and_title_and_no_key_twice() -> None:
    keys = [one.key for one in locators()]
    assert len(keys) == len(set(keys)) > 50
    for one in locators():
        assert one.publisher, one.key
        assert one.title, one.key
        assert one.date or one.address, one.key
    dated = sum(bool(one.date) for one in locators())
    addressed = sum(bool(one.address) for one in locators())
    assert dated > 0.6 * len(keys)
    assert addressed > 0.8 * len(keys)


def test_an_address_that_nobody_looked_at_says_so() -> None:
    for one in locators():
        assert str(one).endswith("(recalled)") == bool(one.address and not one.seen), one.key
        assert one.seen or "github.com/" not in one.address, one.key
        assert one.address or not one.seen, one.key
    assert 25 <= sum(one.seen for one in locators()) < len(locators())


def test_measured_constants_of_the_model_name_a_document() -> None:
    measured = [c for c in constants() if any(word in c.source for word in ("issue", "arXiv", "pull request", "blog"))]
    assert measured
    assert [c.name for c in measured if not located(c.source)] == ["rules.KERNEL_LAUNCH"]  # recalled, and says so
