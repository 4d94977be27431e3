"""The table of machine kinds: every kind offers its doors, and what is counted is on its list."""

import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.kind import DOORS, KINDS, Kind, load
from model import workloads

OFFERED = {
    "top": ("top",),
    "events": ("EVENTS", "LABELS", "VALUE_EVENTS", "OBSERVATIONS"),
    "cycles": ("predict",),
    "reference": ("score",),
    "bench": ("top", "check", "MEASURES", "MACHINE"),
    "prices": ("prices", "table"),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=str)
@pytest.mark.parametrize("door", DOORS)
def test_every_door_offers_what_the_table_says(kind: Kind, door: str) -> None:
    module = kind.door(door)
    assert not [name for name in OFFERED[door] if not hasattr(module, name)]


@pytest.mark.parametrize("kind", KINDS.values(), ids=str)
def test_events_are_definitions(kind: Kind) -> None:
    events = kind.door("events")
    assert all(text.endswith(".") for text in (*events.EVENTS.values(), *events.LABELS.values()))
    assert {*events.VALUE_EVENTS, *events.OBSERVATIONS} <= events.EVENTS.keys()
    assert all(name in workloads.names() for name in (kind.workload, kind.small_workload))


@pytest.mark.parametrize("kind", KINDS.values(), ids=str)
def test_what_a_kind_predicts_is_on_its_lists(kind: Kind) -> None:
    chip = next(c for c in map(chips.load, chips.names()) if c.machine is not None and c.kind is kind and c.cores == 1)
    events = kind.door("events")
    prediction = kind.door("cycles").predict(chip, workloads.load(kind.small_workload))
    assert sum(prediction.phases.values()) == prediction.cycles
    assert prediction.phases.keys() <= events.LABELS.keys()
    assert prediction.counts.keys() <= events.EVENTS.keys()
    assert 0 < prediction.utilisation <= 1


def test_a_chip_of_facts_alone_has_no_kind() -> None:
    with pytest.raises(InputError, match=r"a chip must have a machine that is built, not published facts alone"):
        assert Chip(title="x").kind


def test_an_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"kind of a machine must be one of npu_weight_stationary, .*, not 'abacus'"):
        load("abacus")
