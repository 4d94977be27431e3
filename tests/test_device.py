"""The chip model: closed form of fed arrays, spill, fusion, ranges, and the published results it must reach."""

import time
from dataclasses import replace
from functools import cache

import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.core import CoreSpec
from hw.spec.mac_array import MacArraySpec
from model import workloads
from model.card.device import Device, device
from model.card.fusion import fusions
from model.card.layer_time import Formats, layer_time, spilled
from model.card.machine import Extra, machine
from model.card.mapper import beside, best, chain_cycles, mapping, packed_depth, results_cycles
from model.card.range import ranged
from model.card.rules import VECTOR_STEPS
from model.card.run import multi_stream, network_layers, offline, single_stream
from model.cycle.npu.core import closed_form, step
from model.network.bert import bert_large
from model.network.build import Builder
from model.network.layer import Layer, Network
from model.network.workload import NetworkWorkload

CORE = CoreSpec(
    array=MacArraySpec(rows=8, columns=4),
    activation_words=4096,
    weight_words=4096,
    accumulator_rows=64,
    output_words=4096,
)
SHAPES = [(1, 1, 1), (5, 4, 8), (32, 9, 17), (33, 4, 8), (70, 13, 40), (256, 4, 64)]


@cache
def resnet50() -> Network:
    workload = workloads.load("resnet50")
    assert isinstance(workload, NetworkWorkload)
    return workload.network()


@cache
def card(name: str) -> Device:
    return device(chips.load(name))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("times", [1, 3])
def test_a_full_feed_gives_the_closed_form_of_the_core(shape: tuple[int, int, int], times: int) -> None:
    stream, fed, ramp, wait = chain_cycles(CORE, *shape, times, fetch=8.0)
    assert stream == fed
    assert stream + ramp + wait == closed_form(CORE, [shape] * times).cycles


@pytest.mark.parametrize("shape", SHAPES)
def test_half_a_feed_is_the_stepped_core_with_its_activation_port_blocked_every_second_cycle(
    shape: tuple[int, int, int],
) -> None:
    stream, fed, ramp, wait = chain_cycles(CORE, *shape, fetch=4.0)
    assert stream == 2 * fed
    blocked = [cycle % 2 == 1 for cycle in range(20_000)]
    stepped = step(CORE, [shape], stalls={"activation_blocked": blocked}).cycles
    # a blocked port adds at most a cycle to a pass that waits for its weights
    passes = -(-shape[0] // CORE.block_rows) * -(-shape[1] // 4) * -(-shape[2] // 8)
    assert abs(stream + ramp + wait - stepped) <= passes + 1


def test_a_word_used_for_two_tiles_needs_half_the_feed() -> None:
    assert chain_cycles(CORE, 64, 8, 8, fetch=4.0, reuse=2)[0] == chain_cycles(CORE, 64, 8, 8, fetch=8.0)[0]
    assert chain_cycles(CORE, 64, 4, 8, fetch=4.0, reuse=2)[0] == 128  # a single tile: nothing to use it for


@pytest.mark.parametrize(
    ("k", "kernel", "by_position", "by_row"),
    [(147, (7, 7), 1568, 224), (576, (3, 3), 576, 576), (64, (), 64, 64), (9, (3, 3), 288, 96)],
)
def test_the_depth_holds_channels_of_one_position(
    k: int, kernel: tuple[int, ...], by_position: int, by_row: int
) -> None:
    assert packed_depth(k, kernel, 32) == by_position
    assert packed_depth(k, kernel, 32, by_row=True) == by_row


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("times", [1, 3])
def test_held_results_give_the_closed_form_of_the_output_stationary_core(
    shape: tuple[int, int, int],
    times: int,
) -> None:
    held = replace(CORE, array=replace(CORE.array, dataflow="os"))
    stream, fed, ramp, wait = results_cycles(CORE, *shape, times, fetch=8.0)
    assert stream == fed
    assert stream + ramp + wait == closed_form(held, [shape] * times).cycles


def test_a_row_of_results_is_not_shared_with_the_next_and_a_stride_takes_as_many_words() -> None:
    # 8 rows of cells: 10 results of a row need two words, the second nearly empty
    assert results_cycles(CORE, 30, 4, 9, image_row=(10, 1))[0] == 3 * 2 * 9
    assert results_cycles(CORE, 30, 4, 9, image_row=(10, 2))[0] == 2 * 3 * 2 * 9
    assert results_cycles(CORE, 30, 4, 9)[0] == 4 * 9  # in any order: 30 results in four words


def test_the_mapper_holds_results_where_channels_would_leave_the_depth_empty() -> None:
    first = (12544, 64, 147, 1, (7, 7), 64.0, 1, False)  # ResNet-50's first layer, 3 channels
    core = card("rebellions_atom").core
    assert core is not None
    ws, both = (best(core, 8, *first, dataflows, (112, 2)) for dataflows in (1, 2))
    assert (ws.dataflow, both.dataflow) == ("ws", "os")
    assert both.cycles < ws.cycles / 4
    for shape in ((3136, 64, 576, 1, (3, 3)), (49, 512, 4608, 1, (3, 3)), (1, 1000, 2048, 1, ())):
        one, other = (best(core, 8, *shape, 64.0, 1, False, d, (56, 1) if shape[4] else None) for d in (1, 2))
        assert other.cycles <= one.cycles


def test_no_layer_lands_below_its_bound_and_searching_dataflows_lands_nearer() -> None:
    atom = card("rebellions_atom")
    searched = replace(atom, dataflows=replace(atom.dataflows, nominal=2, low=None, high=None))
    far = []
    for spec in (atom, searched):
        run = offline(spec, resnet50())
        assert all(layer.time >= layer.least for layer in run.layers)
        far.append(run.time / run.least)
    assert 1 < far[1] < far[0]


def test_a_query_on_half_of_the_cores_takes_longer_and_two_run_beside_each_other() -> None:
    half = card("telechips_n_dolphin")
    whole = replace(half, query_share=replace(half.query_share, nominal=1.0))
    assert single_stream(half, resnet50()).time > single_stream(whole, resnet50()).time
    eight, one = multi_stream(half, resnet50()), single_stream(half, resnet50())
    assert eight.batch == 8
    assert eight.time < 8 * one.time


def test_a_query_in_chunks_takes_the_chunks_one_after_the_other() -> None:
    warboy = card("furiosa_warboy")
    chunked = replace(warboy, query_chunk=replace(warboy.query_chunk, nominal=1, low=None, high=None))
    assert multi_stream(chunked, resnet50()).time == pytest.approx(8 * single_stream(warboy, resnet50()).time)
    assert multi_stream(chunked, resnet50()).bound.keys() == multi_stream(warboy, resnet50()).bound.keys()


def test_offline_runs_as_the_maker_submitted_where_that_is_published() -> None:
    warboy, large = card("furiosa_warboy"), workloads.load("ssd_resnet34")
    assert isinstance(large, NetworkWorkload)
    assert (offline(warboy, resnet50()).batch, offline(warboy, resnet50()).groups) == (8, 2)
    assert (offline(warboy, large.network()).batch, offline(warboy, large.network()).groups) == (1, 1)
    assert offline(card("sapeon_x220_compact"), resnet50()).batch == 18


def test_no_cut_of_the_mapper_is_slower_than_one_core() -> None:
    for m, n, k, count in ((100, 64, 64, 1), (49, 512, 4608, 1), (3136, 1, 9, 64)):
        one = best(CORE, 1, m, n, k, count, (), 8.0, 1, False)
        many = best(CORE, 16, m, n, k, count, (), 8.0, 1, False)
        assert many.cycles <= one.cycles
        assert many.products * many.rows * many.columns <= 16


def test_only_the_excess_of_activations_leaves_the_chip_and_comes_back() -> None:
    assert spilled(100.0, 100.0) == 0
    assert spilled(110.0, 100.0) == 20
    assert spilled(400.0, 100.0) == 400  # never more than all of it


def test_activations_behind_products_are_fused_and_pooling_is_not() -> None:
    builder = Builder("x", "test")
    builder.product("p", 4, 4, 4)
    builder.vector("relu", "Relu", 16)
    builder.pool("pool", "MaxPool", (4, 4, 4), 2, stride=2)
    builder.vector("late", "Relu", 16)
    assert [f.fused for f in fusions(builder.network().layers)] == [False, True, False, False]


def test_a_residual_behind_a_product_is_read_where_its_results_come_out() -> None:
    builder = Builder("x", "test")
    builder.convolution("c", (4, 4, 8), 8, 3)
    builder.vector("add", "Add", 128, inputs=2)
    builder.vector("relu", "Relu", 128)
    found = fusions(builder.network().layers)
    assert [f.fused for f in found] == [False, True, True]
    assert (found[0].beside, found[0].times(3).beside) == (128, 384)
    assert [f.fused for f in fusions(builder.network().layers, additions=False)] == [False, False, True]
    group = machine(card("nvidia_t4"), "int8")
    apart, together = (
        sum(t.time for t in network_layers(builder.network(), group, Formats(), extra=Extra(additions=a)))
        for a in (False, True)
    )
    assert together < apart


def test_a_function_with_an_exponential_takes_the_vector_engines() -> None:
    builder = Builder("x", "test")
    builder.convolution("c", (64, 64, 8), 256, 1)
    builder.vector("silu", "Swish", 64 * 64 * 256)
    group = replace(machine(card("furiosa_warboy"), "int8"), vector=1e9)
    free, beside, apart = (
        sum(t.time for t in network_layers(builder.network(), group, Formats(), extra=Extra(functions=f)))
        for f in ("free", "beside", "apart")
    )
    assert free < beside < apart
    assert beside == pytest.approx(64 * 64 * 256 * VECTOR_STEPS["Swish"] / 1e9, rel=0.05)


def test_a_sigmoid_and_the_product_with_it_are_one_function() -> None:
    builder = Builder("x", "test")
    builder.convolution("c", (4, 4, 8), 8, 1)
    builder.vector("gate", "Sigmoid", 128)
    builder.vector("silu", "Mul", 128, inputs=2)
    assert [f.fused for f in fusions(builder.network().layers)] == [False, True, True]


def test_scores_of_attention_never_leave_the_chip() -> None:
    layers = bert_large(64).layers
    found = {layer.name: f for layer, f in zip(layers, fusions(layers), strict=True)}
    scores = 16 * 64 * 64
    assert found["layer0_scores"].kept == found["layer0_context"].kept == scores
    assert found["layer0_softmax"].kept == 2 * scores
    assert (found["layer0_scores"].inner, found["layer0_softmax"].inner, found["layer0_context"].inner) == (
        False,
        True,
        True,
    )
    assert found["layer0_up"].work == 64 * 4096 * VECTOR_STEPS["Gelu"]


def test_a_layer_passed_twice_by_parts_counts_all_of_them() -> None:
    once = layer_time(machine(card("furiosa_warboy"), "int8"), resnet50().layers[0], Formats(), room=1e9)
    assert once is not None
    assert once.times(2).times(3).parts == 6
    assert once.times(2).times(3).time == pytest.approx(6 * once.time)


def test_groups_of_few_channels_share_an_array() -> None:
    builder = Builder("x", "test")
    builder.convolution("d", (32, 32, 64), 64, 3, groups=64)
    layer = builder.network().layers[0]
    gemm = layer.gemms[0]
    assert beside(gemm, 64, 128) == 7  # 9 of 64 rows each
    alone = best(CORE, 2, gemm.m, 1, 9, 64, (3, 3), 8.0, 1, False)
    wide = replace(CORE, array=replace(CORE.array, rows=32, columns=32), accumulator_rows=128)
    packed = mapping(wide, 2, gemm, layer.window, fetch=32.0, reuse=1, by_row=False)
    assert packed.cycles < best(wide, 2, gemm.m, 1, 9, 64, (3, 3), 32.0, 1, False).cycles / 2
    assert mapping(CORE, 2, gemm, layer.window, fetch=8.0, reuse=1, by_row=False).cycles <= alone.cycles


def test_a_wide_enough_memory_is_not_a_bound_and_a_narrow_one_is() -> None:
    layer = Layer(
        name="x",
        operator="MatMul",
        kind="gemm",
        gemms=resnet50().layers[0].gemms,
        input_elements=100,
        weight_elements=10_000,
        output_elements=100,
    )
    group = machine(card("furiosa_warboy"), "int8")
    fast, slow = replace(group, dram=1e15), replace(group, dram=1e6)
    one, other = (layer_time(m, layer, Formats(), room=1e9) for m in (fast, slow))
    assert one is not None
    assert other is not None
    assert one.bound in ("compute", "feed", "fill")
    assert other.bound == "memory"
    assert other.memory == pytest.approx(0.01)


def test_warboy_comes_within_15_percent_of_its_published_resnet50_from_its_geometry() -> None:
    warboy = card("furiosa_warboy")
    assert offline(warboy, resnet50()).per_second == pytest.approx(2758.44, rel=0.15)
    assert single_stream(warboy, resnet50()).time * 1e3 == pytest.approx(0.712197, rel=0.15)


@pytest.mark.parametrize(
    ("name", "published"),
    [("sapeon_x220_compact", 6769.07), ("sapeon_x220_enterprise", 13100.9), ("rebellions_atom", 7245.87)],
)
def test_published_rates_lie_in_a_range_of_at_most_a_factor_of_two(name: str, published: float) -> None:
    span = ranged(card(name), lambda d, x: offline(d, resnet50(), extra=x).per_second).range
    assert span.low <= published <= span.high
    assert span.high / span.low <= 2


def test_more_of_anything_never_slows_a_card() -> None:
    base = card("sapeon_x220_compact")
    slow = offline(base, resnet50()).per_second
    for name in ("dram_bandwidth", "vector_width", "host_bandwidth", "sram"):
        fact = getattr(base, name)
        more = replace(base, **{name: replace(fact, nominal=1.3 * fact.nominal, high=2 * fact.maximum)})
        assert offline(more, resnet50()).per_second >= slow, name
    assert offline(base, resnet50(), extra=Extra(layer_start=0)).per_second > slow


def test_times_of_the_bounds_sum_to_the_run() -> None:
    for result in (
        offline(card("furiosa_warboy"), resnet50()),
        single_stream(card("nvidia_t4"), resnet50()),
        multi_stream(card("rebellions_atom"), resnet50()),
    ):
        assert sum(result.bound.values()) == pytest.approx(result.time)
        assert result.time >= result.least


def test_a_network_larger_than_the_memory_is_refused() -> None:
    builder = Builder("huge", "test")
    builder.product("p", 1, 200_000, 200_000)
    with pytest.raises(InputError, match=r"huge needs 40\.0 GB in int8.*has 32 GB; use more cards"):
        offline(card("furiosa_warboy"), builder.network())


def test_an_unknown_operator_is_named() -> None:
    layer = Layer(name="odd", operator="NonMaxSuppression", kind="unsupported")
    with pytest.raises(InputError, match=r"NonMaxSuppression is not \(layer 'odd'"):
        single_stream(card("furiosa_warboy"), Network(name="n", source="test", layers=(*resnet50().layers[:3], layer)))


def test_a_format_the_chip_does_not_multiply_is_refused() -> None:
    with pytest.raises(InputError, match=r"one the chip multiplies \(int8\), not bf16"):
        offline(card("furiosa_warboy"), resnet50(), "bf16")


def test_a_memory_is_not_a_device() -> None:
    with pytest.raises(InputError, match="is a memory"):
        device(chips.load("hbm_pim"))


def test_resnet50_with_its_mapper_takes_at_most_50_ms_warm() -> None:
    warboy = card("furiosa_warboy")
    single_stream(warboy, resnet50())
    offline(warboy, resnet50())
    took = []
    for _ in range(5):
        start = time.process_time()  # other programs on the machine do not count
        offline(warboy, resnet50())
        took.append(time.process_time() - start)
    assert min(took) < 0.05
