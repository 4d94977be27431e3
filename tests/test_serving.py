"""Language models on cards: capacity, formats, tensor parallel, and a memory with processing in it."""

import time
from dataclasses import replace
from functools import cache

import pytest

from hw import chips
from hw.base.error import InputError
from model.card import serving
from model.card.device import Device, device
from model.card.pim import PimMemory, beside
from model.card.serving import Deployment, compute_format, serving_format
from model.card.survey import survey
from model.cli._serve_static import with_pim
from model.energy import dram
from model.network import llm
from model.network.layer import Layer
from model.work.workload import Gemm


@cache
def card(name: str) -> Device:
    return device(chips.load(name))


def deployed(chip: str = "furiosa_rngd", model: str = "llama31_8b", **fields: object) -> Deployment:
    return Deployment(device=card(chip), model=llm.load(model), **fields)  # type: ignore[arg-type]


def test_a_decode_step_at_batch_one_reads_every_weight_once() -> None:
    plain = deployed(weight_format="fp8_e4m3", cache_format="fp8_e4m3")
    step = plain.decode(128, 1)
    embeddings = plain.model.vocabulary * plain.model.hidden
    least = (plain.model.parameters - embeddings) / (plain.device.dram_bandwidth.nominal * 0.907)
    assert least <= step.time <= 1.2 * least
    assert step.bound["memory"] > 0.8 * step.time


def test_tokens_per_second_grow_with_the_batch_and_with_narrower_numbers() -> None:
    rates = [
        deployed(weight_format="fp8_e4m3", cache_format="fp8_e4m3").tokens_per_second(128, 128, b)
        for b in (1, 4, 16, 64)
    ]
    assert rates == sorted(rates)
    wide, narrow = (deployed(weight_format=f, cache_format=f).decode(1024, 8).time for f in ("fp16", "fp8_e4m3"))
    assert 1.5 < wide / narrow < 2


def test_the_published_rate_of_rngd_lies_between_a_wide_and_a_narrow_cache() -> None:
    """Vendor: Llama 3.1 8B, FP8, 128 tokens in, 4,096 out, one card: 3,935.25 tokens/s; the cache's format unstated."""
    low, high = (
        deployed(weight_format="fp8_e4m3", cache_format=c).best_throughput(128, 4096)[1] for c in ("fp16", "fp8_e4m3")
    )
    assert low < 3935.25 < high
    assert high / low < 2


def test_the_cache_limits_the_batch() -> None:
    plain = deployed(weight_format="fp8_e4m3", cache_format="fp16")
    most = plain.largest_batch(4224)
    plain.decode(4224, most)
    with pytest.raises(InputError, match=f"{most} sequences of 4224 tokens do, not {most + 1}"):
        plain.decode(4224, most + 1)


def test_a_model_larger_than_the_cards_is_refused() -> None:
    with pytest.raises(InputError, match=r"llama31_70b in fp16 .* 141\.\d GB on each of 1, the card has 48\.0 GB"):
        deployed(model="llama31_70b").decode(1024, 1)


def test_more_cards_are_faster_until_the_links_cost_more() -> None:
    times = {
        cards: deployed(model="llama31_70b", cards=cards, weight_format="fp8_e4m3", cache_format="fp8_e4m3").decode(
            1024, 16
        )
        for cards in (2, 4, 8)
    }
    assert times[8].time < times[4].time < times[2].time
    assert times[8].bound["link"] > times[2].bound["link"] > 0
    assert times[8].time > times[2].time / 4


def test_weights_narrower_than_the_multipliers_are_computed_wider() -> None:
    assert compute_format(card("furiosa_rngd"), "int4") == "int4"
    assert compute_format(card("nvidia_h100_sxm"), "int4") == "int8"
    assert serving_format(card("furiosa_rngd")) == "fp8_e4m3"
    assert serving_format(card("furiosa_warboy")) == "int8"
    with pytest.raises(InputError, match=r"can multiply \(int8\), not fp16"):
        compute_format(card("furiosa_warboy"), "fp16")


def test_a_70b_decode_step_on_8_cards_is_predicted_within_20_ms() -> None:
    plain = deployed(model="llama31_70b", cards=8, weight_format="fp8_e4m3", cache_format="fp8_e4m3")
    plain.decode(1024, 16)
    took = []
    for _ in range(5):
        serving._step.cache_clear()
        start = time.perf_counter()
        plain.decode(1024, 16)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.02


def test_pim_wins_at_batch_one_and_not_at_sixteen() -> None:
    plain = deployed(weight_format="fp16", cache_format="fp16")
    pim = with_pim(plain, "aim")
    same = replace(pim, pim=None)
    one, other = same.decode(256, 1), pim.decode(256, 1)
    assert other.time < 0.5 * one.time
    assert other.on_pim > 0.5 * other.time
    assert pim.decode(256, 16).time > 0.9 * same.decode(256, 16).time
    assert pim.decode(256, 16).time <= same.decode(256, 16).time


def test_pim_time_grows_with_the_batch_vector_by_vector() -> None:
    memory = beside("hbm_pim", 1.5e12)
    assert memory == PimMemory(name="hbm_pim", packages=6)
    times = [memory.product_time(Gemm(name="x", m=m, n=4096, k=1024)) for m in (1, 2, 3, 5)]
    assert times[2] - times[1] == pytest.approx(times[1] - times[0])
    assert times[3] - times[2] == pytest.approx(2 * (times[2] - times[1]))
    assert memory.layout_time(Gemm(name="x", m=1, n=4096, k=1024)) > times[0]


def test_a_product_goes_to_pim_where_it_costs_less_energy_though_it_takes_longer() -> None:
    pim = with_pim(deployed(weight_format="fp16", cache_format="fp16"), "aim")
    for batch in (1, 16):
        never, by_time, by_energy = (replace(pim, choose=c).decode(256, batch) for c in ("never", "time", "energy"))
        joules = [step.energy.nominal for step in (never, by_time, by_energy) if step.energy is not None]
        assert joules[2] <= min(joules)
        assert by_time.time <= min(never.time, by_energy.time)
    assert by_energy.on_pim / by_energy.time > by_time.on_pim / by_time.time


def test_a_plain_step_pays_for_every_byte_and_product_it_moves_and_does() -> None:
    """CENT's GDDR6: at batch 1 the read of all weights at the pins is nearly all of it."""
    pim = with_pim(deployed(weight_format="fp16", cache_format="fp16"), "aim")
    step = replace(pim, choose="never").decode(16, 1)
    bits = 16 * (pim.model.parameters - pim.model.vocabulary * pim.model.hidden)
    prices = {name: fact.nominal * 1e-12 for name, fact in dram.load("cent_gddr6").energies.items()}
    reading = bits * (prices["dram.read_bit"] + prices["dram.read_pin_bit"])
    assert step.energy is not None
    assert reading < step.energy.nominal < 1.6 * reading


def test_a_pim_layer_pays_for_each_vector() -> None:
    memory = beside("hbm_pim", 1.5e12)
    layers = [
        Layer(name="x", operator="MatMul", kind="gemm", gemms=(Gemm(name="x", m=m, n=4096, k=1024),)) for m in (1, 2, 3)
    ]
    one, two, three = (memory.layer_energy(layer).nominal for layer in layers)
    assert three - two == pytest.approx(two - one)
    assert 1.2 * one < two <= 2.01 * one


def test_lpddr5x_pim_speeds_a_matrix_up_as_its_maker_says_and_has_no_price() -> None:
    memory = beside("lpddr5x_pim", 76.8e9)
    gemm = Gemm(name="x", m=1, n=4096, k=4096)
    assert memory.product_time(gemm) == pytest.approx(4096**2 / (76.8e9 * 6))
    assert memory.product_time(replace(gemm, m=4)) == pytest.approx(4 * memory.product_time(gemm))
    with pytest.raises(InputError, match="nobody publishes those of lpddr5x_pim, compare its time"):
        memory.layer_energy(Layer(name="x", operator="MatMul", kind="gemm", gemms=(gemm,)))
    pim = with_pim(deployed(weight_format="fp8_e4m3", cache_format="fp8_e4m3"), "lpddr5x_pim")
    plain = replace(pim, choose="never")
    assert pim.decode(256, 1).time < 0.5 * plain.decode(256, 1).time
    assert pim.decode(256, 16).time > 0.9 * plain.decode(256, 16).time
    with pytest.raises(InputError, match="must be in FP8 for lpddr5x_pim, whose units compute FP8; not fp16 and fp16"):
        with_pim(deployed(weight_format="fp16", cache_format="fp16"), "lpddr5x_pim")


def test_a_beam_is_a_sequence_of_its_own_and_one_of_them_the_answer() -> None:
    plain = deployed(weight_format="fp8_e4m3", cache_format="fp8_e4m3")
    one, four = (plain.tokens_per_second(128, 128, 8, beams) for beams in (1, 4))
    assert one / 4 < four < one
    assert four == pytest.approx(8 * 128 / (plain.prefill(128, 8).time + 128 * plain.decode(192, 32).time))
    assert plain.batches(1024, 4)[-1] == plain.largest_batch(1024) // 4
    limited, free = plain.best_throughput(128, 128, 1, 1.0), plain.best_throughput(128, 128)
    assert plain.request_time(128, 128, limited[0]) <= 1.0
    assert limited[1] <= free[1]
    with pytest.raises(InputError, match=r"must end within 0\.001 s; one of 128 \+ 128 tokens alone takes"):
        plain.best_throughput(128, 128, 1, 0.001)


def test_pim_needs_16_bit_numbers_and_a_known_memory() -> None:
    with pytest.raises(InputError, match="must be of 16 bits for aim, whose units compute BF16"):
        with_pim(deployed(weight_format="fp8_e4m3", cache_format="fp8_e4m3"), "aim")
    with pytest.raises(InputError, match="must be one of hbm_pim, aim, lpddr5x_pim, not 'upmem'"):
        PimMemory(name="upmem", packages=1)


def test_the_survey_says_why_a_memory_or_a_small_card_runs_nothing() -> None:
    chosen = ["hbm_pim", "deepx_dx_m1", "furiosa_rngd"]
    entries = {(e.chip, e.workload): e for e in survey(chosen, ["llama31_8b_decode"])}
    assert "is a memory" in entries["hbm_pim", "llama31_8b_decode"].reason
    assert "use more cards" in entries["deepx_dx_m1", "llama31_8b_decode"].reason
    good = entries["furiosa_rngd", "llama31_8b_decode"]
    assert good.bound == "memory"
    assert good.rate == pytest.approx(1e3 * good.batch / good.latency_ms)
