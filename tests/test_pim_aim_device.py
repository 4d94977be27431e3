"""The AiM device: commands against plain arithmetic, a GEMV played on it against the formula."""

import numpy as np

from hw import chips
from hw.spec.pim import ERRORS
from model.cycle.dram_pim.aim import AimChannel
from model.cycle.dram_pim.aim_kernels import gemv_requests
from model.functional.aim import AimDevice
from model.functional.dram_pim_numerics import aim_gemv

SPEC = chips.load("aim").pim
assert SPEC is not None


def bf16(values: np.ndarray) -> np.ndarray:
    return (np.asarray(values, np.float32).view(np.uint32) >> 16).astype(np.uint16)


def value(codes: np.ndarray) -> np.ndarray:
    return (codes.astype(np.uint32) << 16).view(np.float32)


def loose() -> AimDevice:
    return AimDevice(SPEC, SPEC.dram.resolve(), check_timing=False)


def test_the_schedule_of_a_gemv_played_on_the_device_computes_the_formula() -> None:
    rng = np.random.default_rng(5)
    w, x = bf16(rng.normal(size=(40, 200))), bf16(rng.normal(size=200))
    channel = AimChannel(SPEC, SPEC.dram.resolve())
    channel.trace = []
    channel.run(gemv_requests(SPEC, 40, 200, 1, "batched"))
    device = AimDevice(SPEC, SPEC.dram.resolve())
    words = -(-200 // 16)
    for output in range(40):
        n, bank = divmod(output, 16)
        padded = np.zeros(words * 16, np.uint16)
        padded[:200] = w[output]
        device.row(bank, n)[:words] = padded.reshape(words, 16)
    padded = np.zeros(words * 16, np.uint16)
    padded[:200] = x
    loads = iter(padded.reshape(words, 16))
    seen: dict[str, int] = {}
    results = []
    for cycle, name, bank, row in channel.trace:
        place = seen.get(name, 0)
        seen[name] = place + 1
        column = place % words if name in ("MAC16", "WRGB") else 0
        index = place // words if name == "MAC16" else place if name in ("RDMAC16", "WRMAC16") else 0
        data = next(loads) if name == "WRGB" else None
        answer = device.issue(name, cycle, bank=max(bank, 0), row=row, column=column, accumulator=index, data=data)
        if name == "RDMAC16":
            results.append(answer)
    assert device.error == 0
    assert np.array_equal(np.concatenate(results)[:40], aim_gemv(SPEC, w, x[None])[0])


def test_elementwise_product_goes_to_the_bank_after_the_pair() -> None:
    device = loose()
    rng = np.random.default_rng(6)
    for bank in range(16):
        device.row(bank, 9)[3] = bf16(rng.integers(-8, 8, 16))
    device.issue("ACT16", 0, row=9)
    device.issue("EWMUL16", 0, column=3)
    for group in range(0, 16, 4):
        product = value(device.row(group, 9)[3]) * value(device.row(group + 1, 9)[3])
        assert np.array_equal(value(device.row(group + 2, 9)[3]), product)


def test_copies_move_words_between_buffer_and_bank() -> None:
    device = loose()
    word = bf16(np.arange(16))
    device.issue("TMOD", 0)
    device.issue("WRGB", 0, column=7, data=word)
    device.issue("TMOD", 0)
    device.issue("ACT", 0, bank=5, row=1)
    device.issue("WRCP", 0, bank=5, column=7)
    assert np.array_equal(device.row(5, 1)[7], word)
    device.row(5, 1)[2] = bf16(np.arange(16) * 2)
    device.issue("RDCP", 0, bank=5, column=2)
    assert np.array_equal(device.buffer[2], device.row(5, 1)[2])
    assert np.array_equal(device.issue("RD", 0, bank=5, column=7), word)
    device.issue("PRE", 0, bank=5)
    device.issue("ACT16", 0, row=2)
    device.issue("WRA16", 0, column=0, data=word)
    assert np.array_equal(device.row(11, 2)[0], word)
    assert device.error == 0


def test_activation_reads_back_the_function_of_the_accumulator() -> None:
    device = loose()
    device.activation = 3  # relu
    device.issue("TMOD", 0)
    device.issue("WRMAC16", 0, accumulator=4, data=bf16(np.arange(16) - 8))
    device.issue("TMOD", 0)
    device.issue("ACT16", 0, row=0)
    device.issue("AF16", 0, accumulator=4)
    device.issue("TMOD", 0)
    assert value(device.issue("RDAF16", 0, accumulator=4)).tolist() == [max(i - 8, 0) for i in range(16)]
    assert device.error == 0


def test_misplaced_and_early_commands_are_refused() -> None:
    device = loose()
    device.issue("WRGB", 0)
    assert device.error == ERRORS["wrong_mode"]
    device = loose()
    device.issue("MAC16", 0)
    assert device.error == ERRORS["wrong_row_state"]
    device = AimDevice(SPEC, SPEC.dram.resolve())
    device.issue("ACT16", 10, row=0)
    device.issue("MAC16", 65)
    assert device.error == ERRORS["early"]
    device = AimDevice(SPEC, SPEC.dram.resolve())
    device.issue("ACT16", 10, row=0)
    device.issue("MAC16", 66)
    assert device.error == 0
