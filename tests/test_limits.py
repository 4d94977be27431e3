"""Where a limit lies, to the last value that is allowed and the first that is not; and the ends of small sums."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from hw.gates import liberty_text
from hw.spec.core import CoreSpec
from hw.spec.crossbar import CrossbarSpec
from hw.spec.mac_array import MacArraySpec
from hw.spec.vector import VectorSpec
from model import workloads
from model.card.device import device
from model.card.layer_time import Formats
from model.card.machine import machine
from model.card.run import network_layers
from model.comparison.comparison import difference
from model.crossbar.cells import CellErrors
from model.crossbar.statistics import noisy_product
from model.cycle.budget import Budget
from model.energy import dram
from model.lowering.crossbar import place
from model.network.workload import NetworkWorkload
from model.other_simulators import Estimate, Term
from model.projection.served import WORKLOAD, served_rate
from model.record import paths_of, read
from model.report.text import table
from model.serving.fewest import Fewest
from model.sweep.designs import _is_number
from model.work.workload import Gemm
from tb.bench.bench import streams
from tb.bench.build import ROOT


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


@pytest.mark.parametrize("number", ["bf16", "fp16", "fp8_e4m3"])
def test_floating_point_sums_are_as_long_as_the_blocks_that_a_command_counts(number: str) -> None:
    core = chips.machine(chips.load("npu_16_bf16"), CoreSpec, "this test")
    array = replace(core.array, activation_format=number, weight_format=number)
    assert replace(core, array=array).largest_k == ((1 << 16) - 1) * array.rows


@pytest.mark.parametrize(("k", "n", "buffer_words"), [(250, 30, 1024), (120, 60, 1024), (64, 64, 257)])
def test_the_vectors_of_a_crossbar_command_fill_the_buffer_and_no_more(k: int, n: int, buffer_words: int) -> None:
    spec = replace(chips.machine(chips.load("stt_mram_digital"), CrossbarSpec, "this test"), buffer_words=buffer_words)
    (layer,) = place(spec, [Gemm(name="g", m=1000, n=n, k=k)])
    sizes = {(c.row_tiles, c.column_tiles) for c in layer.commands}
    ((row_tiles, column_tiles),) = sizes
    each = row_tiles * spec.load_beats + column_tiles * spec.drain_beats
    most = max(c.vectors for c in layer.commands)
    assert most * each <= spec.buffer_words < (most + 1) * each
    assert sum(c.vectors for c in layer.commands) == 1000
    for command in layer.commands:
        assert command.input_stride >= row_tiles * spec.load_beats
        assert command.output_stride >= column_tiles * spec.drain_beats
        assert command.input_address + command.vectors * command.input_stride <= command.output_address
        assert command.output_address + command.vectors * command.output_stride <= spec.buffer_words


def test_a_layer_that_computes_all_along_takes_its_products_its_waits_and_its_start() -> None:
    found = 0
    for chip, network in (("furiosa_warboy", "resnet50"), ("furiosa_rngd", "bert_large")):
        workload = workloads.load(network)
        assert isinstance(workload, NetworkWorkload)
        built = machine(device(chips.load(chip)), "int8")
        for layer in network_layers(workload.network(), built, Formats()):
            if layer.bound in ("compute", "feed") and layer.memory < max(layer.compute, layer.feed):
                assert layer.time == pytest.approx(max(layer.compute, layer.feed) + layer.fill), layer.name
                found += 1
    assert found > 10


def test_a_served_rate_is_the_records_own() -> None:
    (path,) = paths_of("rebellions_atom", WORKLOAD, 1, "model", ROOT / "measurements")
    record = read(path)
    rate = served_rate(record, "card.rate")
    assert rate.nominal == record.result.figures["per_second"]


def test_cards_that_cannot_keep_a_target_are_none() -> None:
    none = Fewest(chip="a", model="b", reason="too slow")
    assert (none.size, none.replicas, none.kept, none.tokens_per_s, none.bill) == (0, 0, 0.0, 0.0, None)


def test_wires_drop_nothing_unless_it_is_asked_for() -> None:
    spec = chips.machine(chips.load("reram_22nm"), CrossbarSpec, "this test")
    rng = np.random.default_rng(3)
    weights, inputs = rng.integers(-8, 8, (8, 64)), rng.integers(-8, 8, (4, 64))
    asked: tuple[dict[str, Any], ...] = ({}, {"droop": 0.0}, {"droop": 0.25})
    plain, still, falling = (
        noisy_product(spec, weights, inputs, CellErrors(), "ideal", np.random.RandomState(1), **droop)
        for droop in asked
    )
    assert np.array_equal(plain, still)
    assert not np.array_equal(plain, falling)
