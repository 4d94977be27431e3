"""What PIM kernels compute, bit by bit: the published checksums, special values, the device against the formula."""

import zlib

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.pim import ERRORS
from model.cycle.dram_pim.run import HbmPim
from model.functional.dram_pim_numerics import (
    aim_activation,
    aim_gemv,
    hbm_pim_elementwise,
    hbm_pim_gemv,
    hbm_pim_lane_sums,
    sum_lanes,
)
from model.functional.hbm_pim import HbmPimDevice
from model.lowering.dram_pim.hbm_pim_driver import gemv_commands, run_gemv, weight_words
from model.number.half import fp16_add, fp16_multiply

SPEC = chips.load("hbm_pim").pim
AIM = chips.load("aim").pim
assert SPEC is not None
assert AIM is not None


def codes(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values.astype(np.float16)).view(np.uint16)


def test_stock_data_gives_the_checksums_of_the_public_simulator() -> None:
    # legacy seed 1113: input, then weights, then one shuffle of the rows
    state = np.random.RandomState(1113)
    x = state.normal(size=(1024, 1)).astype(np.float16)
    w = state.normal(size=(4096, 1024)).astype(np.float16)
    state.shuffle(w)
    assert (zlib.crc32(w.tobytes()), zlib.crc32(x.tobytes())) == (0xF1324954, 0xDA23DFED)
    sums = hbm_pim_lane_sums(w.view(np.uint16), np.ascontiguousarray(x.T).view(np.uint16))
    assert zlib.crc32(sums.tobytes()) == 0x9F600275
    assert zlib.crc32(sum_lanes(sums).tobytes()) == 0xAAD7B6B7


def scalar_gemv(w: np.ndarray, x: np.ndarray) -> list[float]:
    """The rule in plain Python on one output at a time."""
    outputs = []
    width = -(-len(x) // 128) * 128
    for row in w:
        a, b = np.zeros(width, np.float16), np.zeros(width, np.float16)
        a[: len(x)], b[: len(x)] = row, x
        lanes = [np.float16(0)] * 16
        tiles = width // 128
        for t in (*range(0, tiles, 2), *range(1, tiles, 2)):
            for k in range(8):
                for lane in range(16):
                    i = t * 128 + k * 16 + lane
                    lanes[lane] = np.float16(np.float16(a[i] * b[i]) + lanes[lane])
        total = np.float16(0)
        for lane in lanes:
            total = np.float16(total + lane)
        outputs.append(float(total))
    return outputs


@pytest.mark.parametrize(("outputs", "inputs"), [(3, 1), (2, 130), (1, 700)])
def test_any_size_follows_the_rule_in_plain_python(outputs: int, inputs: int) -> None:
    rng = np.random.default_rng(inputs)
    w, x = rng.normal(size=(outputs, inputs)).astype(np.float16), rng.normal(size=inputs).astype(np.float16)
    got = hbm_pim_gemv(codes(w), codes(x)[None])[0].view(np.float16).astype(float)
    assert got.tolist() == scalar_gemv(w, x)


def test_subnormals_infinities_and_nan_follow_ieee_with_one_canonical_nan() -> None:
    tiny, large, inf, nan = 0x0001, 0x7BFF, 0x7C00, 0x7E55
    first = np.array([tiny, large, inf, inf, nan, 0x8001], dtype=np.uint16)
    second = np.array([tiny, large, 0xFC00, 0x0000, tiny, 0x3800], dtype=np.uint16)
    assert hbm_pim_elementwise("add", first, second).tolist() == [2, inf, 0x7E00, inf, 0x7E00, 0x3800]
    assert hbm_pim_elementwise("mul", first, second).tolist() == [0, inf, 0xFC00, 0x7E00, 0x7E00, 0x8000]
    assert hbm_pim_elementwise("relu", np.array([0x8001, 0xFC00, 0x8000, 5], np.uint16)).tolist() == [0, 0, 0, 5]


@pytest.mark.parametrize(
    ("outputs", "inputs", "batch", "refresh"),
    [(64, 128, 1, False), (70, 300, 2, True), (130, 640, 1, True), (5, 20, 1, True)],
)
def test_the_schedule_played_on_the_device_computes_the_formula(
    outputs: int,
    inputs: int,
    batch: int,
    refresh: bool,
) -> None:
    rng = np.random.default_rng(outputs)
    w, x = codes(rng.normal(size=(outputs, inputs))), codes(rng.normal(size=(batch, inputs)))
    x[0, 0], w[0, 0] = 0x7C00, 0x0001
    machine = HbmPim(SPEC, channels=1, refresh=refresh, overrides={"t_refi": 1500})
    sums, device = run_gemv(machine, w, x)
    assert device.error == 0
    assert device.mode == "SB"
    assert np.array_equal(sums, hbm_pim_lane_sums(w, x))


def test_every_command_of_the_schedule_is_refused_one_cycle_early_or_not_bound_by_the_rules() -> None:
    machine = HbmPim(SPEC, channels=1, refresh=False)
    x = codes(np.ones((1, 128)))
    stream = gemv_commands(machine, 64, x)
    device = HbmPimDevice(SPEC, machine.timing)
    bound = 0
    for command in stream:
        index = device.banks.commands[command.name]
        targets = device._targets(command.bank)
        assert device.banks.earliest_of(index, targets) <= command.cycle
        bound += device.banks.earliest_of(index, targets) == command.cycle
        data = np.array(command.data, np.uint16) if command.data else None
        device.issue(command.name, command.bank, command.row, command.column, command.cycle, data)
    assert device.error == 0
    assert bound > len(stream) * 0.8


def enter_pim(device: HbmPimDevice, words: list[int]) -> None:
    """To the PIM mode with a program, row 0 open in all banks; times are not checked."""
    for bank in (0, 1, 8, 9):
        device.issue("ACT", bank, 0x17FF, 0, 0)
    for bank in (0, 1):
        device.issue("PRE", bank, 0, 0, 0)
        device.issue("ACT", bank, 0x3FFF, 0, 0)
    padded = words + [0] * (-len(words) % 8)
    lines = np.array(padded, np.uint32).view(np.uint16).reshape(-1, 16)
    for i, line in enumerate(lines):
        device.issue("WR", 1, 0x3FFF, 4 + i, 0, line)
    device.issue("WR", 0, 0x3FFF, 0, 0, np.array([1] + [0] * 15, np.uint16))
    for bank in (0, 1):
        device.issue("PRE", bank, 0, 0, 0)
        device.issue("ACT", bank, 0, 0, 0)
    assert (device.mode, device.error) == ("HAB_PIM", 0)


def plain_device(text: str) -> HbmPimDevice:
    from model.lowering.dram_pim.assembler import assemble

    device = HbmPimDevice(SPEC, SPEC.dram.resolve(), check_timing=False)
    rng = np.random.default_rng(7)
    for bank in range(16):
        device.row(bank, 0)[:] = codes(rng.normal(size=(32, 16)))
    enter_pim(device, assemble(SPEC.commands, text))
    for name in ("GRF_A", "GRF_B"):
        device.grf[name][:] = codes(rng.normal(size=device.grf[name].shape))
    device.srf[:] = codes(rng.normal(size=device.srf.shape))
    return device


def scalar(device: HbmPimDevice, entry: int) -> np.ndarray:
    return np.repeat(device.srf[:, entry][:, None], 16, axis=1)


def bank_words(device: HbmPimDevice, parity: int, column: int) -> np.ndarray:
    return np.stack([device.row(2 * u + parity, 0)[column] for u in range(8)]).copy()


def test_each_instruction_does_what_plain_arithmetic_says() -> None:
    # the right-hand sides know no micro-operation
    d = plain_device("ADD GRF_A[1], GRF_B[2], EVEN_BANK\nEXIT")
    want = fp16_add(d.grf["GRF_B"][:, 2], bank_words(d, 0, 5))
    d.issue("RD", 0, 0, 5, 0)
    assert np.array_equal(d.grf["GRF_A"][:, 1], want)

    d = plain_device("MUL GRF_B[3], ODD_BANK, SRF_M[4]\nEXIT")
    want = fp16_multiply(bank_words(d, 1, 6), scalar(d, 4))
    d.issue("RD", 1, 0, 6, 0)
    assert np.array_equal(d.grf["GRF_B"][:, 3], want)

    d = plain_device("MAC GRF_B[0], GRF_A[7], EVEN_BANK\nEXIT")
    want = fp16_add(fp16_multiply(d.grf["GRF_A"][:, 7], bank_words(d, 0, 1)), d.grf["GRF_B"][:, 0])
    d.issue("RD", 0, 0, 1, 0)
    assert np.array_equal(d.grf["GRF_B"][:, 0], want)

    d = plain_device("MAD GRF_A[2], EVEN_BANK, SRF_M[3], SRF_A[3]\nEXIT")
    want = fp16_add(fp16_multiply(bank_words(d, 0, 9), scalar(d, 3)), scalar(d, 11))
    d.issue("RD", 0, 0, 9, 0)
    assert np.array_equal(d.grf["GRF_A"][:, 2], want)

    d = plain_device("MOV GRF_A[5], EVEN_BANK, relu\nEXIT")
    source = bank_words(d, 0, 3)
    d.issue("RD", 0, 0, 3, 0)
    assert np.array_equal(d.grf["GRF_A"][:, 5], np.where(source >> 15 == 1, 0, source))

    d = plain_device("FILL GRF_B, ODD_BANK\nEXIT")
    for column in range(8):
        d.issue("RD", 1, 0, column, 0)
    assert all(np.array_equal(d.grf["GRF_B"][:, i], bank_words(d, 1, i)) for i in range(8))

    d = plain_device("NOP 1\nEXIT")
    kept = d.grf["GRF_A"][:, 4].copy()
    d.issue("RD", 0, 0, 12, 0)
    d.issue("WR", 0, 0, 12, 0)
    assert np.array_equal(bank_words(d, 0, 12), kept)
    d.issue("WR", 0, 0, 13, 0)
    assert d.halted
    assert not np.array_equal(bank_words(d, 0, 13), d.grf["GRF_A"][:, 5])


def test_jump_repeats_and_falls_through() -> None:
    d = plain_device("again: MOV GRF_A[0], EVEN_BANK\nJUMP again, 2\nMOV GRF_B[0], EVEN_BANK\nEXIT")
    for column in range(4):
        d.issue("RD", 0, 0, column, 0)
    assert np.array_equal(d.grf["GRF_A"][:, 0], bank_words(d, 0, 2))
    assert np.array_equal(d.grf["GRF_B"][:, 0], bank_words(d, 0, 3))
    assert d.instructions == {"MOV": 4}


@pytest.mark.parametrize(
    ("words", "bank", "reason"),
    [
        ([7 << 28], 0, "unknown_opcode"),
        ([14 << 28 | 1 << 11 | 5], 0, "jump_range"),
        ([14 << 28 | 9 << 11 | 1], 0, "jump_range"),
        ([8 << 28 | 4 << 25 | 3 << 22], 0, "bank_mismatch"),
    ],
)
def test_a_refused_trigger_sets_the_sticky_error_and_changes_nothing_else(
    words: list[int],
    bank: int,
    reason: str,
) -> None:
    device = HbmPimDevice(SPEC, SPEC.dram.resolve(), check_timing=False)
    enter_pim(device, words)
    before = [device.grf["GRF_A"].copy(), device.counter, device.repeat, device.jump, device.mode]
    device.issue("RD", bank, 0, 0, 0)
    assert device.error == ERRORS[reason]
    after = [device.grf["GRF_A"], device.counter, device.repeat, device.jump, device.mode]
    assert np.array_equal(before[0], after[0])
    assert before[1:] == after[1:]
    device.issue("ACT", 0, 0, 0, 0)  # another mistake: the first stays
    assert device.error == ERRORS[reason]


def test_early_and_misplaced_commands_are_refused() -> None:
    device = HbmPimDevice(SPEC, SPEC.dram.resolve())
    device.issue("ACT", 0, 5, 0, 100)
    device.issue("RD", 0, 5, 0, 100)
    assert device.error == ERRORS["early"]
    device = HbmPimDevice(SPEC, SPEC.dram.resolve())
    device.issue("RD", 0, 5, 0, 100)
    assert device.error == ERRORS["wrong_row_state"]
    device = HbmPimDevice(SPEC, SPEC.dram.resolve(), check_timing=False)
    enter_pim(device, [15 << 28])
    device.issue("ACT", 4, 5, 0, 100)
    assert device.error == ERRORS["wrong_mode"]


def test_weights_fill_two_rows_of_a_bank_per_tile() -> None:
    words = weight_words(HbmPim(SPEC, channels=1), codes(np.ones((64, 128))))
    assert len(words) == 8 * 64
    assert {(b % 2, r) for b, r, _ in words} == {(0, 0), (0, 1)}


def test_aim_gemv_is_close_to_float_and_exact_on_small_integers() -> None:
    rng = np.random.default_rng(3)
    w, x = rng.integers(-8, 8, (20, 1500)), rng.integers(-1, 2, 1500)
    x[100:] = 0

    def bf16(values: np.ndarray) -> np.ndarray:
        return (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)

    got = (aim_gemv(AIM, bf16(w), bf16(x)[None])[0].astype(np.uint32) << 16).view(np.float32)
    exact = (w @ x).astype(np.float32)
    assert np.all(np.abs(got - exact) <= np.abs(exact) / 256)
    small = np.abs(exact) < 256
    assert np.array_equal(got[small], exact[small])


@pytest.mark.parametrize("activation", AIM.activations, ids=lambda a: a.name)
def test_aim_activation_follows_the_function(activation) -> None:
    x = np.linspace(-12, 12, 4001).astype(np.float32)
    given = (x.view(np.uint32) >> 16).astype(np.uint16)
    x = (given.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    got = (aim_activation(activation, given).astype(np.uint32) << 16).view(np.float32)
    held = np.clip(x, -8, 8)
    true = {
        "relu": np.maximum(x, 0),
        "leaky_relu": np.where(x < 0, 0.01 * x, x),
        "tanh": np.tanh(held),
        "sigmoid": 1 / (1 + np.exp(-held)),
        "gelu": 0.5 * held * (1 + np.tanh(np.sqrt(2 / np.pi) * (held + 0.044715 * held**3))),
    }[activation.name]
    assert np.max(np.abs(got - true)) < 0.06


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(InputError, match=r"input must be vectors \(batch, 8\)"):
        hbm_pim_gemv(codes(np.ones((4, 8))), codes(np.ones((1, 9))))
    with pytest.raises(InputError, match="add must have two operands of one shape"):
        hbm_pim_elementwise("add", codes(np.ones(4)), codes(np.ones(5)))
