"""The table of all chips and all networks: a rate, or one sentence why not, within a minute."""

import time

import pytest

from hw import chips
from model.card.survey import Entry, survey
from model.cli.survey import csv, networks, products


@pytest.fixture(scope="module")
def table() -> tuple[list[Entry], float]:
    start = time.process_time()
    return survey(products(), networks()), time.process_time() - start


def test_every_chip_runs_every_workload_or_says_in_one_sentence_why_not(table: tuple[list[Entry], float]) -> None:
    entries = table[0]
    assert len(entries) == len(products()) * len(networks())
    for entry in entries:
        assert (entry.rate > 0) != bool(entry.reason), entry
        assert "\n" not in entry.reason
        if entry.reason:
            assert len(entry.reason.split()) > 8
        else:
            assert entry.latency_ms > 0
            assert 0 < entry.utilisation <= 1
            assert entry.bound


def test_the_table_takes_at_most_a_minute(table: tuple[list[Entry], float]) -> None:
    assert table[1] < 60


def test_only_memories_and_what_does_not_fit_are_refused(table: tuple[list[Entry], float]) -> None:
    memories = {name for name in products() if chips.load(name).pim is not None or name == "lpddr5x_pim"}
    for entry in table[0]:
        if entry.reason and entry.chip not in memories:
            assert any(
                why in entry.reason
                for why in (
                    "must fit the card",
                    "must fit the memory",
                    "the heads",
                    "key-value cache must fit",
                    "cards must divide",
                )
            )


def test_the_csv_has_a_line_for_every_pair_and_units_in_its_heading(table: tuple[list[Entry], float]) -> None:
    lines = csv(table[0]).splitlines()
    assert len(lines) == 1 + len(table[0])
    assert {"latency_ms", "unit", "number_format", "batch", "reason"} <= set(lines[0].split(","))


def test_a_core_of_the_project_is_a_card_by_two_assumed_facts_but_no_product() -> None:
    """npu_16 runs ResNet-50 and Llama 3.2 1B on the board its facts assume; tables of products leave it out."""
    assert "npu_16" not in products()
    image, language = survey(["npu_16"], ["resnet50", "llama31_8b_decode"])
    assert image.rate > 0
    assert image.number == "int8"
    # 256 MACs a cycle at 1 GHz against the 4.089 GMAC of an image: 62.6 a second with no cycle lost
    assert 0.7 < image.rate / (256e9 / 4.089e9) < 1
    assert language.reason or language.rate > 0
