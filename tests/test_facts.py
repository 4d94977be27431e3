"""Facts of chips are typed: names, units, bounds; a fact converts honestly or refuses."""

import dataclasses

import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts, known_names, meaning_of
from model.card.device import device


def fact(nominal: float, unit: str, low: float | None = None, high: float | None = None) -> Fact:
    return Fact(nominal=nominal, low=low, high=high, unit=unit, confidence="assumed", source="this test")


def test_a_misspelt_fact_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"not 'host_bandwdith'; did you mean 'host_bandwidth'\?"):
        Chip(title="t", facts={"host_bandwdith": fact(31.5, "GB/s")})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("tdp", fact(-3, "W"), "the fact 'tdp' must be above 0 W, not -3 W"),
        ("tdp", fact(60, "GB"), "the fact 'tdp' must be in W or a multiple, not in 'GB'"),
        ("query_share", fact(2, "1"), "the fact 'query_share' must be above 0 and at most 1 1, not 2 1"),
        ("dram_capacity", fact(0, "GB"), "the fact 'dram_capacity' must be above 0 GB, not 0 GB"),
        ("hop_cycles", fact(0, "cycles", high=-0.0), None),
    ],
)
def test_a_fact_is_in_its_unit_and_inside_its_bounds(name: str, given: Fact, sentence: str | None) -> None:
    if sentence is None:
        assert CardFacts(**{name: given})[name] is given
        return
    with pytest.raises(InputError) as refused:
        CardFacts(**{name: given})
    assert str(refused.value) == sentence


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", None, True])
def test_a_fact_is_a_finite_number(value: object) -> None:
    with pytest.raises(InputError, match="nominal of a fact must be a finite number"):
        fact(value, "W")  # type: ignore[arg-type]


def test_a_fact_converts_between_units_of_one_quantity_only() -> None:
    assert fact(8, "GB/s", 4, 16).to("B/s") == fact(8e9, "B/s", 4e9, 16e9)
    assert fact(2, "MiB").to("KiB").nominal == 2048
    with pytest.raises(InputError, match="a quantity in GB/s must be asked for in B/s, MB/s, GB/s, TB/s, not in GB"):
        fact(8, "GB/s").to("GB")


def test_scaling_keeps_the_unit_true() -> None:
    """The fault this guards against: host_bandwidth of a device read 8e9 GB/s."""
    found = device(chips.load("rebellions_atom"))
    assert (found.host_bandwidth.nominal, found.host_bandwidth.unit) == (31.5e9, "B/s")
    assert (found.dram_capacity.nominal, found.dram_capacity.unit) == (16e9, "B")
    assert (found.sram.nominal, found.sram.unit) == (64 * 2**20, "B")


def test_facts_of_a_network_are_entries_by_its_name() -> None:
    facts = CardFacts.of({"offline_batch_resnet50": fact(8, "1"), "tdp": fact(60, "W")})
    assert facts.offline_batch == {"resnet50": fact(8, "1")}
    assert set(facts) == {"offline_batch_resnet50", "tdp"}
    assert "tdp" in facts
    assert facts.get("price") is None
    assert facts == CardFacts(tdp=fact(60, "W"), offline_batch={"resnet50": fact(8, "1")})


def test_a_clock_is_a_positive_frequency() -> None:
    with pytest.raises(InputError, match="clock must be above 0 GHz and at most 100, not -1 to -1"):
        Chip(title="t", clock=fact(-1.0, "GHz"))
    with pytest.raises(InputError, match=r"clock must be a Fact in GHz with its source, not 1\.0"):
        Chip(title="t", clock=1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"tdp": fact(1e9, "W")}, "'tdp' must be above 0 and at most 100000 W, not 1e"),
        ({"dram_bandwidth": fact(1e30, "GB/s")}, "'dram_bandwidth' must be above 0 and at most 1e"),
        ({"offline_batch_resnet50": fact(1e30, "1")}, "'offline_batch_resnet50' must be above 0 and at most 1e"),
        ({"tdp": fact(60, "W"), "idle_power": fact(61, "W")}, "'idle_power' must be at most 'tdp', 60 W, not 61 W"),
        (
            {"boost_clock": fact(1, "GHz"), "base_clock": fact(2000, "MHz")},
            "'base_clock' must be at most 'boost_clock'",
        ),
    ],
)
def test_what_no_card_has_is_refused(facts: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        CardFacts.of(facts)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"clock": fact(1e30, "GHz")}, "clock must be above 0 GHz and at most 100, not 1e"),
        ({"cores": 10**40}, "cores must be an integer from 1 to 1048576, not 1000"),
        ({"devices": True}, "devices must be an integer from 1 to 1048576, not True"),
        ({"title": "two\nlines"}, "title must be one line of text"),
        ({"title": ""}, "title must be one line of text"),
    ],
)
def test_a_chip_is_one_line_one_clock_and_so_many_machines(fields: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Chip(**{"title": "t"} | fields)


def test_every_fact_has_a_meaning_and_a_unit() -> None:
    for name in known_names():
        meaning = meaning_of(name.replace("<network>", "resnet50"))
        assert len(meaning) > 8, name
    assert len(dataclasses.fields(CardFacts)) == len(known_names())


def test_every_chip_gives_its_facts_by_known_names() -> None:
    for name in chips.names():
        for known in chips.load(name).facts:
            assert meaning_of(known)
