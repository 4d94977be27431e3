"""The crossbar unit of a system: RTL = closed form in cycles, labels, events; results as the reference rounds."""

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from hw.base.error import InputError
from hw.rtl.crossbar.unit import CrossbarUnit
from hw.spec.crossbar import CrossbarSpec
from hw.spec.crossbar_event import EVENTS, LABELS
from hw.spec.crossbar_unit import UNIT_EVENTS, UNIT_LABELS, CrossbarUnitSpec, Product
from model.cycle.crossbar.unit import CrossbarPort
from model.reference import block_floating
from model.reference.crossbar import cell_levels
from tb.system.random_crossbars import RandomCrossbars
from tests.support.crossbar import fill

CORE = CrossbarSpec(
    rows=16, columns=16, cell_bits=4, scheme="differential", array="digital", input_signed=True, adc_bits=9,
    columns_per_adc=8, sample_and_hold=True, tiles=2, arrays=5, lanes=16, buffer_words=2, parameter_words=1,
)  # fmt: skip
SPEC = CrossbarUnitSpec(core=CORE, shared_words=64, scale_words=8)

PRODUCTS = (
    # two row tiles, one column of them, three groups; the second word of the vector is whole
    (Product(source=0, destination=8, words=2, outputs=3, row_tiles=2, column_tiles=1, groups=3, array=0, scales=0), 0),
    # one row of tiles, two columns, the last group has one
    (
        Product(source=2, destination=16, words=1, outputs=3, row_tiles=1, column_tiles=2, groups=2, array=3, scales=4),
        1,
    ),
)
REFUSED = (
    Product(source=0, destination=8, words=0, outputs=1, row_tiles=1, column_tiles=1, groups=1, array=0, scales=0),
    Product(source=0, destination=62, words=1, outputs=3, row_tiles=1, column_tiles=2, groups=2, array=0, scales=0),
    Product(source=0, destination=8, words=2, outputs=1, row_tiles=1, column_tiles=1, groups=1, array=0, scales=0),
    Product(source=0, destination=8, words=1, outputs=1, row_tiles=1, column_tiles=1, groups=1, array=5, scales=0),
    Product(source=0, destination=8, words=1, outputs=1, row_tiles=1, column_tiles=1, groups=1, array=0, scales=8),
)


def bf16(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Codes over many exponents, zeros and subnormal numbers among them."""
    values = rng.normal(size=shape) * 2.0 ** rng.integers(-12, 6, shape)
    codes = (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    return np.where(rng.random(shape) < 0.1, rng.integers(0, 128, shape).astype(np.uint16), codes)


def run(
    memory: np.ndarray,
    products: list[int],
    matrices: list[tuple[Product, np.ndarray]],
    *,
    crossbars: RandomCrossbars | None = None,
    gaps: list[int] | None = None,
) -> tuple[Any, list[int]]:
    """Counters by name, and the cycle in which each descriptor ended; `memory` (words, 16) is changed in place.

    `crossbars`: what fills the arrays instead of `matrices`; `gaps`: cycles before each descriptor is offered, once the
    one before is taken.
    """
    unit: Any = CrossbarUnit(SPEC)
    counters: dict[str, int] = {}
    ends: list[int] = []

    async def bench(ctx: Any) -> None:
        for product, codes in matrices:
            integers, power = block_floating.stored(codes)
            for i in range(product.outputs):
                word = sum((int(p) & 255) << 8 * lane for lane, p in enumerate(power[16 * i : 16 * i + 16]))
                ctx.set(unit.scales.data[product.scales + i], word)
                group, column = divmod(i, product.column_tiles)
                columns = min(product.column_tiles, product.outputs - group * product.column_tiles)
                for k in range(product.row_tiles):
                    part = integers[16 * i : 16 * i + 16, 16 * k : 16 * k + 16]
                    fill(
                        ctx,
                        CORE,
                        unit.core.arrays[k * columns + column],
                        product.array + group,
                        cell_levels(CORE, part),
                    )
        if crossbars is not None:
            for i, word in enumerate(crossbars.scale_words()):
                ctx.set(unit.scales.data[i], word)
            for tile, first, words in crossbars.cells():
                for offset, word in enumerate(words):
                    ctx.set(unit.core.arrays[tile].cells.data[first + offset], word)
        waiting, later = list(products), list(gaps or [0] * len(products))
        for cycle in range(20_000):
            address = ctx.get(unit.o_read_address)
            word = memory[address % len(memory)]
            ctx.set(unit.i_read_data, int.from_bytes(word.astype("<u2").tobytes(), "little"))
            offered = bool(waiting) and not later[0]
            ctx.set(unit.i_descriptor.valid, offered)
            if offered:
                ctx.set(unit.i_descriptor.payload, waiting[0])
            await ctx.delay(1e-9)
            if ctx.get(unit.o_done) or ctx.get(unit.o_refused):
                ends.append(cycle)
            if ctx.get(unit.o_write_enable):
                raw = ctx.get(unit.o_write_data).to_bytes(32, "little")
                memory[ctx.get(unit.o_write_address)] = np.frombuffer(raw, "<u2")
            taken = offered and ctx.get(unit.i_descriptor.ready)
            if len(ends) == len(products) and not ctx.get(unit.o_busy):
                break
            await ctx.tick()
            if taken:
                waiting.pop(0)
                later.pop(0)
            elif waiting and later[0]:
                later[0] -= 1
        for prefix, names in (("o_count_", UNIT_EVENTS), ("o_label_count_", UNIT_LABELS)):
            counters.update({prefix + name: ctx.get(getattr(unit, prefix + name)) for name in names})
        counters.update({label: ctx.get(getattr(unit.counters, f"label_{label}")) for label in LABELS})
        counters.update(
            {event: ctx.get(getattr(unit.counters, "event_" + event.replace(".", "_"))) for event in EVENTS}
        )
        counters["missed"] = ctx.get(unit.o_missed)

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return counters, ends


def test_rtl_is_the_closed_form_and_the_reference() -> None:
    rng = np.random.default_rng(4)
    memory = bf16(rng, 64, 16)
    matrices = [(product, bf16(rng, 16 * product.outputs, 16 * product.words)) for product, _ in PRODUCTS]
    words = [*(p.pack() for p, _ in PRODUCTS), *(p.pack() for p in REFUSED), 7, PRODUCTS[1][0].pack()]
    multiply = block_floating.crossbar_product()
    wanted = memory.copy()
    for product, codes in matrices:
        x = wanted[product.source : product.source + product.words].reshape(1, -1)
        wanted[product.destination : product.destination + product.outputs] = multiply(codes, x).reshape(-1, 16)
    counters, ends = run(memory, words, matrices)
    assert memory.tolist() == wanted.tolist()
    model, now, expected_ends, codes = CrossbarPort(SPEC), 0, [], []
    for word in words:
        end, code = model.run(word, now)
        expected_ends.append(end)
        codes.append(code)
        now = end + 1
    assert codes == [0, 0, 2, 3, 4, 4, 5, 1, 0]
    assert ends == expected_ends
    assert {name: counters[f"o_count_{name}"] for name in UNIT_EVENTS} == model.events
    assert {name: counters[f"o_label_count_{name}"] for name in UNIT_LABELS if name != "idle"} == {
        name: cycles for name, cycles in model.labels.items() if name != "idle"
    }
    assert {label: counters[label] for label in LABELS} == model.core_labels
    shapes = {event: n for event, n in model.core_events.items() if n}
    assert {event: counters[event] for event in shapes} == shapes
    assert not counters["missed"]


def random_program(seed: int, count: int) -> None:
    """So many products and refused ones with gaps between them: ends, labels, events and memory."""
    rng = np.random.default_rng(seed)
    crossbars = RandomCrossbars(SPEC, rng)
    products = [crossbars.draw(0) for _ in range(count)]
    gaps = [int(rng.integers(1, 60)) if rng.random() < 0.5 else 0 for _ in products]
    memory = bf16(rng, SPEC.shared_words, 16)
    if rng.random() < 0.3:
        memory[int(rng.integers(64)), 3] = 0x7F80
    wanted = memory.copy()
    for product in products:
        crossbars.execute(product, wanted)
    counters, ends = run(memory, [p.pack() for p in products], [], crossbars=crossbars, gaps=gaps)
    assert memory.tolist() == wanted.tolist()
    model, now, taken, expected = CrossbarPort(SPEC), -1, -1, []
    for product, gap in zip(products, gaps, strict=True):
        # the gap passes while the unit is busy too: offered so many cycles after the one before was taken
        taken = max(now + 1, taken + 1 + gap)
        now, _ = model.run(product.pack(), taken)
        expected.append(now)
    assert ends == expected
    assert {name: counters[f"o_count_{name}"] for name in UNIT_EVENTS} == model.events
    labels = {name: cycles for name, cycles in model.labels.items() if name != "idle"}
    assert {name: counters[f"o_label_count_{name}"] for name in labels} == labels
    assert {label: counters[label] for label in LABELS} == model.core_labels
    assert not counters["missed"]


def test_random_products_with_gaps_equal_model_and_reference() -> None:
    random_program(0, 6)


@pytest.mark.volume
@pytest.mark.parametrize("seed", range(1, 41))
def test_many_random_products_with_gaps_equal_model_and_reference(seed: int) -> None:
    random_program(seed, 12)


def test_extremes_are_rounded_as_the_reference_says() -> None:
    """Infinities, NaN, overflow, results below the normal range, ties of inputs."""
    rng = np.random.default_rng(5)
    product = Product(
        source=0, destination=8, words=1, outputs=1, row_tiles=1, column_tiles=1, groups=1, array=0, scales=0
    )
    weights = bf16(rng, 16, 16)
    weights[:4] = (np.array([1e38, -1e38, 1e-38, -1e-38], np.float32)[:, None].view(np.uint32) >> 16).astype(np.uint16)
    multiply = block_floating.crossbar_product()
    for special in (0x7F80, 0x7FC1, 0x7F00, 0x0080, 0x3F81, 0x0001):
        memory = bf16(rng, 64, 16)
        memory[0] = bf16(rng, 16)
        memory[0, 3] = special
        if special in (0x0080, 0x0001):
            memory[0] = np.where(memory[0] == special, special, 0)
        want = multiply(weights, memory[:1])
        run(memory, [product.pack()], [(product, weights)])
        assert memory[8].tolist() == want[0].tolist(), hex(special)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": 8}, "tiles of 16 outputs on 16 lanes .*, not 8 on 16"),
        ({"input_signed": False}, "must take signed inputs"),
    ],
)
def test_cores_that_do_not_fit_a_system_are_refused(change: dict[str, Any], message: str) -> None:
    from dataclasses import replace

    with pytest.raises(InputError, match=message):
        CrossbarUnitSpec(core=replace(CORE, **change), shared_words=64)
