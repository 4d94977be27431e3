"""The digits network on PIM channels: prediction, the data driver of AiM, causes found again from commands."""

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.pim import PimSpec
from model import workloads
from model.cycle.dram_pim import aim_predict, hbm_pim_predict
from model.cycle.dram_pim.run import HbmPim
from model.functional.aim import AimDevice
from model.functional.dram_pim_numerics import aim_gemv
from model.lowering.dram_pim.aim_driver import gemv_cells, gemv_commands
from model.lowering.dram_pim.hbm_pim_driver import gemv_commands as hbm_commands
from model.number.codec import encode
from model.predict import predict
from model.train.digits import data
from model.work.float_digits import FloatDigits
from tb.dram_pim.driver import played
from tb.dram_pim.phases import aim_phases, hbm_phases


def spec_of(chip: str) -> PimSpec:
    spec = chips.load(chip).pim
    assert spec is not None
    return spec


@pytest.mark.parametrize("chip", ["hbm_pim", "aim"])
def test_prediction_of_the_network_adds_up_and_scores_as_floating_point_does(chip: str) -> None:
    device, workload = chips.load(chip), workloads.load("digits_float_4")
    prediction = predict(device, workload)
    assert sum(prediction.phases.values()) == prediction.cycles
    assert prediction.macs == 4 * (64 * 50 + 50 * 30 + 30 * 10)
    assert prediction.counts["pim.mac"] >= prediction.macs
    whole = workloads.load("digits_float")
    assert isinstance(whole, FloatDigits)
    values = data()[2]
    for i, (weights, bias) in enumerate(whole.layers()):
        values = values @ weights.T + bias
        values = np.maximum(values, 0) if i < 2 else values
    in_full_precision = whole.score([values])["correct"]
    assert in_full_precision >= 0.95 * 360
    assert abs(device.kind.door("reference").score(device, whole, 1)[0]["correct"] - in_full_precision) <= 2


def test_a_workload_without_floating_point_layers_is_refused() -> None:
    with pytest.raises(InputError, match="digits_float"):
        predict(chips.load("aim"), workloads.load("digits"))


@pytest.mark.parametrize(("outputs", "inputs", "batch"), [(1, 1, 1), (50, 64, 3), (33, 100, 2)])
def test_commands_of_an_aim_gemv_give_the_formula_on_the_device(outputs: int, inputs: int, batch: int) -> None:
    spec = spec_of("aim")
    rng = np.random.default_rng(outputs)

    def codes(*shape: int) -> np.ndarray:
        return encode(rng.normal(size=shape).astype(np.float32), "bf16").astype(np.uint16)

    weights, bias, vectors = codes(outputs, inputs), codes(outputs), codes(batch, inputs)
    device = AimDevice(spec, spec.dram.resolve())
    for (bank, row, column), word in gemv_cells(spec, weights).items():
        device.row(bank, row)[column] = word
    commands, cycles = gemv_commands(spec, weights, bias, vectors)
    words = []
    for c in commands:
        data = np.array(c.data, np.uint16) if c.data else None
        word = device.issue(
            c.name, c.cycle, bank=c.bank, row=c.row, column=c.column, accumulator=c.accumulator, data=data
        )
        if c.name == "RDMAC16":
            words.append(word)
    assert device.error == 0
    got = np.array(words).reshape(batch, -1)[:, :outputs]
    assert np.array_equal(got, aim_gemv(spec, weights, vectors, bias))
    model = aim_predict.layer_result(spec, outputs, inputs, batch)
    assert cycles == model.cycles
    assert aim_phases(spec.dram.resolve(), played(commands), cycles) == model.breakdown


def test_causes_of_an_hbm_pim_gemv_are_found_again_from_its_commands() -> None:
    spec = spec_of("hbm_pim")
    system = HbmPim(spec, channels=1)
    vectors = np.ones((12, 200), np.uint16)
    model = hbm_pim_predict.layer_result(spec, 100, 200, 12)
    commands = played(hbm_commands(system, 100, vectors))
    assert sum(c.name == "REF" for c in commands) == model.commands["REF"] > 0
    assert hbm_phases(spec, system.timing, commands, model.cycles) == model.breakdown
