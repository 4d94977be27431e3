"""Where a limit lies, to the last value that is allowed and the first that is not; and the ends of small sums."""

from types import SimpleNamespace

import pytest

from hw.base.error import InputError
from hw.gates import liberty_text
from hw.spec.mac_array import MacArraySpec
from hw.spec.vector import VectorSpec
from model.comparison.comparison import difference
from model.cycle.budget import Budget
from model.energy import dram
from model.other_simulators import Estimate, Term
from model.report.text import table
from model.sweep.designs import _is_number
from tb.bench.bench import streams


def test_a_vector_memory_has_16_to_65536_words() -> None:
    assert VectorSpec(memory_words=1 << 16).memory_words == 65536
    for words in (15, (1 << 16) + 1, 1 << 17):
        with pytest.raises(InputError, match="from 16 to 65536"):
            VectorSpec(memory_words=words)


def test_a_sum_that_stays_in_its_integer_cell_takes_one_cycle() -> None:
    for latency in (2, 3, 8):
        with pytest.raises(InputError, match="mac_latency of an output-stationary integer array must be 1"):
            MacArraySpec(rows=4, columns=4, dataflow="os", mac_latency=latency)


def test_a_column_is_right_aligned_if_all_its_cells_are_numbers() -> None:
    rows = (("name", "count", "mixed", "end"), ("a", "1", "x", ""), ("b", "20", "20", ""), ("c", "300", "3", ""))
    found = [line.strip() for line in table(rows)]
    assert found == ["name  count  mixed  end", "a         1  x", "b        20  20", "c       300  3"]


@pytest.mark.parametrize(("theirs", "total"), [(90, -10), (130, 30)])
def test_the_difference_of_two_counts_is_theirs_less_ours(theirs: int, total: int) -> None:
    found = difference(Estimate(terms=(Term(name="s", label="stream", cycles=theirs),)), Budget(stream=100))
    assert (found.cycles, found.label, found.label_cycles, found.reason) == (total, "stream", total, "s")


def test_the_ends_of_a_bracket_are_its_cheapest_and_dearest_source() -> None:
    def source(nominal: float) -> SimpleNamespace:
        return SimpleNamespace(total_j=SimpleNamespace(nominal=nominal))

    sources = {"a": source(3.0), "b": source(1.0), "c": source(2.0)}
    found = dram.Bracket(sources=sources).total_j  # pyright: ignore[reportArgumentType]
    assert (found.low, found.nominal, found.high) == (1.0, 2.0, 3.0)


def test_an_axis_is_a_number_if_it_has_values_and_they_are_no_words() -> None:
    assert _is_number([1, 2])
    assert not _is_number(["int8"])
    assert not _is_number([])


def test_a_stream_has_payload_valid_and_ready() -> None:
    whole = ["b__payload", "b__valid", "b__ready", "a__payload", "a__valid", "a__ready"]
    parts = ["c__payload", "c__valid", "d__payload", "d__ready", "e__valid", "e__ready", "status"]
    assert streams([SimpleNamespace(_name=name) for name in whole + parts]) == ["a", "b"]


def test_an_attribute_may_end_where_the_next_begins() -> None:
    group = liberty_text.parse("library (X) { area : 1.5 \n drive : 2 ; pin (A) { direction : input } } ", "cells.lib")
    assert (group.get("area"), group.get("drive")) == ("1.5", "2")
    (pin,) = group.all("pin")
    assert pin.get("direction") == "input"
