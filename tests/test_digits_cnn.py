"""A quantised convolutional network on real images: accuracy, and the whole of it on the RTL, bit-equal."""

from dataclasses import replace

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.core import CoreSpec
from model import workloads
from model.functional.npu import Memories, program_counts
from model.predict import predict
from model.record import Result
from model.train import digits_cnn
from model.train.digits import data
from model.work.digits_cnn import DigitsCnn
from model.work.workload import Programmed, Workload
from tb.bench import design
from tb.bench.measure import Case, measure

CHIP = chips.load("npu_16_cnn")


def _core() -> CoreSpec:
    assert CHIP.core is not None
    return CHIP.core


def _workload() -> DigitsCnn:
    workload = workloads.load("digits_cnn")
    assert isinstance(workload, DigitsCnn)
    return workload


def test_the_network_reads_97_percent_of_the_test_digits() -> None:
    workload = _workload()
    figures = workload.score([workload.expected(_core())])
    assert figures["images"] == 360 == len(data()[2])
    assert figures["correct"] >= 0.97 * 360


def test_the_program_leaves_what_the_integer_reference_says() -> None:
    core, workload = _core(), _workload()
    work = workload.program(core)
    memories = Memories(core)
    for beat, beats in work.external:
        memories.external[beat : beat + len(beats)] = beats
    memories.run(work.program)
    outputs = memories.external[work.output : work.output + work.words].view(np.int8)
    np.testing.assert_array_equal(outputs[:, :10], workload.expected(_core()))


def test_choosing_and_training_never_see_a_test_image(monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels, test, test_labels = data()
    poisoned = (images, labels, np.full_like(test, np.nan), np.full_like(test_labels, -1))
    monkeypatch.setattr(digits_cnn, "data", lambda: poisoned)
    seen: list[int] = []

    def fit(settings: digits_cnn.Settings, seed: int, flat: np.ndarray, labels: np.ndarray) -> object:
        assert np.isfinite(flat).all()
        assert labels.min() >= 0
        seen.append(len(flat))
        return settings

    monkeypatch.setattr(digits_cnn, "fit", fit)
    monkeypatch.setattr(digits_cnn, "answers", lambda network, flat: np.zeros(len(flat)))
    chosen, found = digits_cnn.choose()
    assert chosen == digits_cnn.CANDIDATES[0]  # all alike: the first of equals
    assert set(found) == set(digits_cnn.CANDIDATES)
    assert set(seen) == {1149}
    digits_cnn.train()
    assert seen[-1] == 1437


def test_a_program_finds_its_bench_and_refuses_cores_it_is_not_for() -> None:
    workload = _workload()
    assert isinstance(workload, Programmed)
    assert design.default(CHIP, workload) == "network"
    assert design.default(CHIP, workloads.load("digits")) == "core"
    with pytest.raises(InputError, match="16 x 16 core with convolution"):
        workload.program(replace(_core(), convolution=False))
    with pytest.raises(InputError, match="choose npu_16_cnn"):
        Case(bench="network", chip="npu_16", workload="digits_cnn")
    with pytest.raises(InputError, match="is a list of GEMMs"):
        Case(bench="network", chip="npu_16_cnn", workload="digits")
    with pytest.raises(InputError, match="choose the network bench"):
        Case(bench="core", chip="npu_16_cnn", workload="digits_cnn")


def test_other_chips_count_its_layers_as_products() -> None:
    plain: Workload = _workload()
    found = predict(chips.load("npu_16"), plain)
    assert not found.stepped
    assert [layer["k"] for layer in found.layers] == [9, 144, 32, 144, 256]
    assert predict(CHIP, plain).macs == found.macs


@pytest.mark.rtl
@pytest.mark.volume
def test_the_record_of_the_rtl_is_the_record_of_the_model() -> None:
    measurement, outcome = measure(Case(bench="network", chip="npu_16_cnn", workload="digits_cnn"), activity=False)
    assert measurement is not None, outcome.explain()
    assert outcome.passed, outcome.explain()
    measured: Result = measurement.result
    predicted, workload = predict(CHIP, _workload()), _workload()
    assert measured.cycles == predicted.cycles
    assert dict(measured.phases) == dict(predicted.phases)
    assert measured.counts == predicted.counts + program_counts(_core(), _workload().program(_core()))
    assert measured.figures == {**workload.score([workload.expected(_core())]), "macs": predicted.macs}
