"""Workloads on the crossbar presets: values are the NPU's, cycles the closed form's, prices name their source."""

from dataclasses import replace

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from hw.gates import library
from hw.spec.crossbar import CrossbarSpec
from model import workloads
from model.crossbar.adc import MODELS
from model.crossbar.energy import PRICES
from model.cycle.crossbar.predict import predict
from model.cycle.crossbar.stepped import step_program
from model.energy import crossbar_prices
from model.functional import crossbar_score
from model.lowering.crossbar import input_words, output_matrix, place, tile_weights
from model.reference import npu
from tb.bench.build import BUILD
from tb.bench.measure import Case, measure
from tb.gates import crossbar as crossbar_gates

PRESETS = ("stt_mram_digital", "reram_22nm", "mram_crossbar", "pcm_crossbar")


def spec_of(name: str) -> CrossbarSpec:
    return chips.machine(chips.load(name), CrossbarSpec, "this test")


@pytest.mark.parametrize("name", PRESETS[:3])
def test_lossless_presets_give_the_npus_outputs_bit_for_bit(name: str) -> None:
    jobs = workloads.load("digits").jobs(1)
    found, wanted = crossbar_score.run(spec_of(name), jobs), npu.run(jobs)
    assert all((a == b).all() for a, b in zip(found, wanted, strict=True))


def test_a_calibrated_preset_reads_most_digits() -> None:
    chip = chips.load("pcm_crossbar")
    figures, counts = crossbar_score.score(chip, workloads.load("digits"), 1)
    assert figures["correct"] / figures["images"] > 0.95
    assert counts["array.wordline_active"] > 0


@pytest.mark.parametrize("name", PRESETS)
def test_predicted_cycles_are_the_stepped_models(name: str) -> None:
    chip, workload = chips.load(name), workloads.load("gemm_16")
    spec = spec_of(name)
    prediction = predict(chip, workload)
    commands = [command for layer in place(spec, workload.gemms()) for command in layer.commands]
    stepped = sum(step_program(spec, [command]).cycles for command in commands)
    assert prediction.cycles == stepped == sum(prediction.phases.values())
    assert 0 < prediction.utilisation <= 1


def test_words_carry_inputs_and_results() -> None:
    spec = replace(spec_of("reram_22nm"), rows=24, columns=10, lanes=16)
    rng = np.random.default_rng(1)
    inputs = rng.integers(-128, 128, (3, 40))
    words = input_words(spec, inputs)
    assert len(words) == 3 * 2 * spec.load_beats
    first = np.frombuffer(words[0].to_bytes(16, "little"), np.int8)
    assert first.tolist() == inputs[0, :16].tolist()
    results = rng.integers(-128, 128, (3, 2, 16)).astype(np.int8)
    packed = [int.from_bytes(word.tobytes(), "little") for word in results.reshape(-1, 16)]
    assert output_matrix(spec, packed, 3, 15).tolist() == results[:, :, :10].reshape(3, 20)[:, :15].tolist()
    weights = rng.integers(-127, 128, (40, 15)).astype(np.int8)
    tiles = tile_weights(spec, weights)
    assert [t.shape for t in tiles] == [(10, 24), (5, 24), (10, 16), (5, 16)]


@pytest.mark.rtl
@pytest.mark.volume
def test_weights_written_through_the_controller_compute_in_verilator() -> None:
    """Bench `programming`: 2,048 cells written, verified and retried on the RTL, then a layer."""
    _, outcome = measure(Case(bench="programming", chip="tiny_crossbar"), activity=False)
    assert outcome.passed, outcome.explain()
    assert outcome.data["cells"] == 2048
    assert outcome.data["program_cycles"] == outcome.data["pulses"] * 12


def test_every_source_of_converter_energy_prices_a_run() -> None:
    spec = spec_of("reram_22nm")
    totals = [
        crossbar_prices.table(name, spec).energies["array.conversion"].nominal for name in crossbar_prices.names()
    ]
    assert len(totals) == len(MODELS)
    assert max(totals) / min(totals) > 50
    digital = crossbar_prices.table(crossbar_prices.names()[0], spec_of("stt_mram_digital"))
    assert digital.energies["array.conversion"].nominal < 1
    with pytest.raises(InputError, match="prices crossbar cores, not a machine of kind"):
        crossbar_prices.table("crossbar_isaac", chips.load("npu_16").machine)  # type: ignore[arg-type]


def test_high_prices_of_the_digital_part_are_those_at_the_gates() -> None:
    """And the nominal ones an eighth of them."""
    spec = spec_of("reram_22nm")
    found = {e.event: e.pj * 1e3 for e in crossbar_gates.measure(spec, library.load("mini45", BUILD), BUILD, 1)}
    for corner, share in (("high", 1.0), ("nominal", 1 / 8)):
        prices = PRICES[corner]
        held = {
            "array.plane": prices.driver_fj_per_row * spec.rows, "digital.shift_add": prices.shift_add_fj,
            "digital.merge": prices.merge_fj, "digital.tile_add": prices.tile_add_fj,
        }  # fmt: skip
        assert held == {event: pytest.approx(fj * share, rel=0.01) for event, fj in found.items()}, corner


def test_weights_that_do_not_fit_are_refused_in_a_sentence() -> None:
    with pytest.raises(InputError, match=r"weights must fit the 8 tiles of 64 x 16, .* needs 256 tiles where 8"):
        place(spec_of("reram_22nm"), workloads.load("gemm_512").gemms())
    unsigned = replace(spec_of("reram_22nm"), input_signed=False)
    with pytest.raises(InputError, match=r"needs 8 signed bits .* choose input_signed or input_offset"):
        crossbar_score.check(unsigned, workloads.load("digits").jobs(1))
