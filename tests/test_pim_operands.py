"""Operands from files: any floating-point type and byte order, special codes, what is refused, bit-exact results."""

from pathlib import Path

import numpy as np
import pytest

from model import cli
from model.__main__ import main


@pytest.fixture
def compute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a kernel on arrays by the command line; its result."""
    monkeypatch.chdir(tmp_path)

    def run(chip: str, kernel: str, **operands: np.ndarray) -> np.ndarray:
        words = ["pim", "--chip", chip, "--kernel", kernel, "--output", "y.npy"]
        for name, array in operands.items():
            np.save(f"{name}.npy", array)
            words += [f"--{name}", f"{name}.npy"]
        assert main("model", cli, words) == 0
        return np.load("y.npy")

    return run


def rule(w: np.ndarray, x: np.ndarray) -> np.ndarray:
    """GEMV of FP16 matrices (out, in) and (batch, in) in NumPy's half precision, tile after tile."""
    width = -(-w.shape[1] // 128) * 128
    w, x = (np.pad(m, ((0, 0), (0, width - m.shape[1]))) for m in (w, x))
    total = np.zeros((len(x), len(w), 16), np.float16)
    tiles = range(width // 128)
    for t in sorted(tiles, key=lambda t: (t % 2, t)):
        for first in range(128 * t, 128 * (t + 1), 16):
            total = w[None, :, first : first + 16] * x[:, None, first : first + 16] + total
    result = np.zeros(total.shape[:2], np.float16)
    for lane in range(16):
        result = result + total[..., lane]
    return result


@pytest.mark.parametrize(("outputs", "inputs", "batch"), [(37, 203, 3), (1, 1, 1), (5, 129, 8), (3, 900, 2)])
def test_any_codes_in_any_shape_follow_the_measured_rule(compute, outputs: int, inputs: int, batch: int) -> None:
    rng = np.random.default_rng(inputs)
    w, x = (rng.normal(size=(n, inputs)).astype(np.float16) for n in (outputs, batch))
    for m in (w, x):  # subnormals, infinities and NaN among them
        m.view(np.uint16)[rng.random(m.shape) < 0.02] = rng.choice([1, 0x8001, 0x3FF, 0x7BFF, 0x8000])
    w.view(np.uint16)[-1, -1] = rng.choice([0x7C00, 0xFC00, 0x7E01])
    with np.errstate(all="ignore"):
        wanted = rule(w, x)
    got = compute("hbm_pim", "gemv", weights=w, input=x)
    assert got.dtype == np.float16
    assert got.shape == (batch, outputs)
    finite = ~np.isnan(wanted)
    assert finite.any() or outputs == 1
    assert np.array_equal(got.view(np.uint16)[finite], wanted.view(np.uint16)[finite])
    assert set(got.view(np.uint16)[~finite].tolist()) <= {0x7E00}


@pytest.mark.parametrize("chip", ["hbm_pim", "aim"])
def test_values_codes_and_byte_orders_give_the_same_result(compute, chip: str) -> None:
    rng = np.random.default_rng(2)
    w, x = rng.integers(-8, 8, (9, 40)).astype(np.float32) / 4, rng.integers(-8, 8, 40).astype(np.float32)
    narrow = (
        (lambda v: v.astype(np.float16).view(np.uint16))
        if chip == "hbm_pim"
        else (lambda v: (np.ascontiguousarray(v).view(np.uint32) >> 16).astype(np.uint16))
    )
    wanted = w @ x  # small integers over 4: exact in any order
    for kind in (np.float16, np.float32, np.float64, ">f2", ">f4"):
        assert np.array_equal(compute(chip, "gemv", weights=w.astype(kind), input=x.astype(kind)), wanted)
    for order in ("<u2", ">u2"):
        assert np.array_equal(compute(chip, "gemv", weights=narrow(w).astype(order), input=narrow(x)), wanted)
    assert np.array_equal(compute(chip, "gemv", weights=np.asfortranarray(w), input=x[:, None]), wanted[:, None])


@pytest.mark.parametrize("chip", ["hbm_pim", "aim"])
@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.arange(4), "floating-point values or uint16 codes, not int64"),
        (np.zeros(4, bool), "not bool"),
        (np.zeros(4, complex), "not complex128"),
        (np.zeros((0, 4)), "at least one value"),
        (np.zeros((1, 1, 4)), "1 or 2 dimensions"),
        (np.zeros(3), r"vectors \(batch, 4\)"),
        (np.array([None]), "a .npy array of numbers"),
    ],
)
def test_operands_that_are_none_are_named(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    chip: str,
    array: np.ndarray,
    message: str,
) -> None:
    import re

    w, x, y = (str(tmp_path / f"{n}.npy") for n in "wxy")
    np.save(w, np.ones((2, 4), np.float16))
    np.save(x, array, allow_pickle=True)
    assert (
        main("model", cli, ["pim", "--chip", chip, "--kernel", "gemv", "--weights", w, "--input", x, "--output", y])
        == 2
    )
    error = capsys.readouterr().err
    assert re.search(message, error)
    assert error.count("\n") == 1
    assert not Path(y).exists()


def test_an_unknown_kernel_is_named_before_its_operands_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("model", cli, ["pim", "--chip", "hbm_pim", "--kernel", "dot", "--input", "none.npy"]) == 2
    assert "must be one of gemv, add, mul, relu, not 'dot'" in capsys.readouterr().err
