"""The digits: stored parameters, accuracy in integers, retraining, damaged files."""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hw.base.error import InputError
from model import train, workloads
from model.cli import train as train_verb
from model.network.quantised import QuantisedNetwork, Scale, quantise_layer, read, save
from model.train.digits import data, quantise_images
from model.work.digits import PARAMETERS, Digits
from model.work.workload import OutputStage


def requantise_exactly(sums: np.ndarray, stage: OutputStage) -> np.ndarray:
    """The output stage in Python's unlimited integers, one element at a time."""
    out = np.empty(sums.shape, np.int8)
    for (i, n), value in np.ndenumerate(sums):
        product = (int(value) + int(stage.bias[n])) * int(stage.multiplier[n])
        bits = 31 + int(stage.shift[n])
        quotient, rest = product >> bits, product & ((1 << bits) - 1)
        half = 1 << (bits - 1)
        quotient += rest > half or (rest == half and quotient & 1)
        out[i, n] = min(max(quotient + stage.zero_point, stage.low), stage.high)
    return out


def accuracy(network: QuantisedNetwork, images: np.ndarray, labels: np.ndarray) -> float:
    values = quantise_images(images)
    for layer in network.layers:
        values = requantise_exactly(values.astype(np.int64) @ layer.weights.astype(np.int64), layer.output)
    return float((values.argmax(axis=1) == labels).mean())


def test_the_stored_network_reads_at_least_95_percent_of_the_test_images() -> None:
    workload = workloads.load("digits")
    outputs: list[np.ndarray] = []
    for job in workload.jobs(seed=0):
        values = job.activations if job.source is None else outputs[job.source]
        assert values is not None
        assert values.shape == (job.gemm.m, job.gemm.k)
        sums = values.astype(np.int64) @ job.weights.astype(np.int64)
        outputs.append(requantise_exactly(sums, job.output))
    score = workload.score(outputs)
    assert score["images"] == 360
    assert score["correct"] >= 0.95 * 360


def test_retraining_reaches_the_same_accuracy() -> None:
    _, _, images, labels = data()
    assert len(images) == 360
    assert accuracy(train.load("digits")(), images, labels) >= 0.95


def test_training_and_test_images_do_not_overlap() -> None:
    training, _, test, _ = data()
    assert len(training) + len(test) == 1797
    assert not {row.tobytes() for row in training} & {row.tobytes() for row in test}


def test_no_sum_can_leave_32_bits() -> None:
    for layer in read(PARAMETERS).layers:
        largest = 128 * np.abs(layer.weights.astype(np.int64)).sum(axis=0) + np.abs(layer.output.bias)
        assert largest.max() < 1 << 31


def test_an_integer_layer_follows_the_floating_point_one() -> None:
    generator = np.random.default_rng(4)
    weights, bias = generator.normal(0, 0.3, (40, 12)), generator.normal(0, 1, 12)
    values = generator.uniform(-1, 3, (50, 40))
    source = Scale.covering(-1, 3)
    real = np.maximum(values @ weights + bias, 0)
    target = Scale.covering(float(real.min()), float(real.max()))
    layer = quantise_layer(weights, bias, source, target, relu=True)
    q = np.clip(np.rint(values / source.step) + source.zero_point, -128, 127).astype(np.int64)
    out = requantise_exactly(q @ layer.weights.astype(np.int64), layer.output)
    error = np.abs((out.astype(float) - target.zero_point) * target.step - real)
    # 40 terms with half a step of error each in value (0.3 rms) and weight (1.2 rms): about 1.5 output steps
    assert error.max() < 4 * target.step


def test_saving_and_reading_gives_the_same_network_and_the_same_bytes(tmp_path: Path) -> None:
    save(read(PARAMETERS), tmp_path / "a.npz")
    save(read(tmp_path / "a.npz"), tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["a.npz", "b.npz"]


def test_the_digest_depends_on_the_number_of_images() -> None:
    assert Digits(title="x", images=60).digest != Digits(title="x", images=360).digest


def test_a_truncated_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "digits.npz"
    path.write_bytes(PARAMETERS.read_bytes()[:3000])
    with pytest.raises(InputError, match=r"must be a readable \.npz of layers"):
        read(path)


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="make it with `kcloud-cosim train digits`"):
        read(tmp_path / "digits.npz")


def test_a_foreign_npz_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", something=np.zeros(3))
    with pytest.raises(InputError, match="must hold the layers of a quantised network; it holds none"):
        read(tmp_path / "x.npz")


def test_a_ratio_of_one_or_more_is_refused() -> None:
    coarse, fine = Scale(step=1, zero_point=0), Scale(step=1e-3, zero_point=0)
    with pytest.raises(InputError, match=r"requantisation ratio must be from 2\*\*-32 to below 1, not"):
        quantise_layer(np.ones((2, 1)), np.zeros(1), coarse, fine, relu=False)


def test_the_verb_writes_the_file_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from model.train import digits

    monkeypatch.setattr(digits, "TASK", lambda: read(PARAMETERS))
    path = tmp_path / "new" / "digits.npz"
    assert train_verb.run(argparse.Namespace(task="digits", output=path)) == 0
    assert "64-50-30-10, 5000 INT8 weights" in capsys.readouterr().out
    assert len(read(path).layers) == 3


def test_the_images_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    train_images, train_labels, test_images, test_labels = data()
    test = np.arange(len(images)) % 5 == 0
    for kept, given in ((train_images, images[~test] / 16), (test_images, images[test] / 16)):
        assert kept.dtype == given.dtype
        assert np.array_equal(kept, given)
    assert np.array_equal(train_labels, labels[~test])
    assert np.array_equal(test_labels, labels[test])


def test_a_run_on_digits_imports_no_scikit_learn() -> None:
    code = (
        "import sys; from model import workloads; w = workloads.load('digits'); jobs = w.jobs(1); "
        "print([m for m in ('sklearn', 'scipy', 'onnx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
