"""Every kind of illegal command on the Python devices: its code becomes the sticky error, nothing else changes."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hw import chips
from hw.spec.pim import ERRORS
from model.functional.aim import AimDevice
from model.functional.hbm_pim import HbmPimDevice

HBM = chips.load("hbm_pim").pim
AIM = chips.load("aim").pim
assert HBM is not None
assert AIM is not None

LATE = 10_000
Attempt = Callable[[Any], object]


def parts(device: object) -> dict[str, object]:
    """Everything a device holds but its error, timing state included."""
    state = dict(vars(device))
    banks = state.pop("banks")
    state |= {"ready": banks.ready, "open_row": banks.open_row, "history": [list(h) for h in banks._history]}
    return {k: v for k, v in copy.deepcopy(state).items() if k not in ("error", "spec")}


def same(first: object, second: object) -> bool:
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    if isinstance(first, np.ndarray):
        return np.array_equal(first, np.asarray(second))
    return first == second


def refused(device: Any, attempt: Attempt, kind: str) -> None:
    before = parts(device)
    word = attempt(device)
    assert device.error == ERRORS[kind]
    assert same(before, parts(device)), "a refused command must change nothing but the error"
    assert not np.any(np.asarray(word)), "a refused command must drive no data"
    other = next(code for name, code in ERRORS.items() if name != kind)
    device.error = other
    attempt(device)
    assert device.error == other, "the first refusal stays"


def hbm(*commands: tuple[str, int, int, int, int]) -> HbmPimDevice:
    """A device after legal commands (name, bank, row, column, data bit 0), `LATE` cycles apart."""
    device = HbmPimDevice(HBM, HBM.dram.resolve())
    for i, (name, bank, row, column, data) in enumerate(commands):
        device.issue(name, bank, row, column, LATE * i, np.array([data] + [0] * 15, np.uint16))
    assert device.error == 0
    rng = np.random.default_rng(1)
    for word in device.grf.values():
        word[:] = rng.integers(0, 0x7C00, word.shape)
    return device


OPEN = (("ACT", 3, 5, 0, 0),)
ALL_BANK = (*(("ACT", bank, 0x17FF, 0, 0) for bank in (0, 1, 8, 9)), ("PRE", 0, 0, 0, 0), ("ACT", 0, 5, 0, 0))
NOW = 10**7


@pytest.mark.parametrize(
    ("before", "attempt", "kind"),
    [
        (OPEN, lambda d: d.issue("RD", 3, 5, 0, 1), "early"),
        (OPEN, lambda d: d.issue("PRE", 3, 0, 0, 1), "early"),
        (OPEN, lambda d: d.issue("ACT", 3, 6, 0, NOW), "wrong_row_state"),
        (OPEN, lambda d: d.issue("RD", 3, 6, 0, NOW), "wrong_row_state"),
        (OPEN, lambda d: d.issue("WR", 4, 5, 0, NOW, np.ones(16, np.uint16)), "wrong_row_state"),
        (OPEN, lambda d: d.issue("REF", 0, 0, 0, NOW), "wrong_row_state"),
        (ALL_BANK, lambda d: d.issue("ACT", 5, 6, 0, NOW), "wrong_mode"),
        (ALL_BANK, lambda d: d.issue("RD", 2, 5, 0, NOW), "wrong_mode"),
        (ALL_BANK, lambda d: d.issue("RD", 0, 5, 0, NOW), "wrong_mode"),
        (ALL_BANK, lambda d: d.issue("WR", 0, 5, 0, NOW, np.ones(16, np.uint16)), "wrong_mode"),
    ],
)
def test_an_illegal_hbm_pim_command_changes_nothing_but_the_error(
    before: tuple[tuple[str, int, int, int, int], ...],
    attempt: Attempt,
    kind: str,
) -> None:
    refused(hbm(*before), attempt, kind)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        *(([opcode << 28], "unknown_opcode") for opcode in (5, 6, 7, 10, 11, 12, 13)),
        ([14 << 28 | 1 << 11 | 2], "jump_range"),  # before the first instruction
        ([14 << 28 | 1 << 11 | 0x7FF], "jump_range"),
        ([14 << 28 | 9 << 11 | 1], "jump_range"),  # to itself: more JUMPs than fit between two triggers
        ([14 << 28 | 1 << 11 | 0] * 5, "jump_range"),
        ([8 << 28 | 4 << 25 | 3 << 22], "bank_mismatch"),  # the odd bank, on a trigger of the even one
        ([1 << 28 | 4 << 25 | 4 << 22 | 3 << 19], "bank_mismatch"),
    ],
)
@pytest.mark.parametrize("name", ["RD", "WR"])
def test_a_trigger_of_an_illegal_instruction_changes_nothing_but_the_error(
    words: list[int],
    kind: str,
    name: str,
) -> None:
    device = hbm(*ALL_BANK[:4])
    device.crf[: len(words)] = words
    for i, command in enumerate(
        (("PRE", 0, 0, 0), ("ACT", 0, 0x3FFF, 0), ("WR", 0, 0x3FFF, 0), ("PRE", 0, 0, 0), ("ACT", 0, 5, 0))
    ):
        device.issue(*command, LATE * (10 + i), np.array([1] + [0] * 15, np.uint16))
    assert (device.mode, device.error) == ("HAB_PIM", 0)
    refused(device, lambda d: d.issue(name, 0, 5, 3, NOW, np.ones(16, np.uint16)), kind)


def aim(*commands: tuple[str, dict[str, int]]) -> AimDevice:
    device = AimDevice(AIM, AIM.dram.resolve())
    for i, (name, address) in enumerate(commands):
        device.issue(name, LATE * i, **address)
    assert device.error == 0
    return device


ONE_OPEN = (("ACT", {"bank": 3, "row": 5}),)
REGISTER = (("TMOD", {}),)
WORD = np.ones(16, np.uint16)


@pytest.mark.parametrize(
    ("before", "attempt", "kind"),
    [
        (ONE_OPEN, lambda d: d.issue("RD", 1, bank=3, column=2), "early"),
        (REGISTER, lambda d: d.issue("WRGB", 1, column=2, data=WORD), "early"),
        (ONE_OPEN, lambda d: d.issue("ACT", NOW, bank=3, row=2), "wrong_row_state"),
        (ONE_OPEN, lambda d: d.issue("ACT16", NOW, row=2), "wrong_row_state"),
        (ONE_OPEN, lambda d: d.issue("MAC16", NOW, column=2), "wrong_row_state"),
        (ONE_OPEN, lambda d: d.issue("MAC", NOW, bank=4, column=2), "wrong_row_state"),
        (ONE_OPEN, lambda d: d.issue("REF", NOW), "wrong_row_state"),
        (ONE_OPEN, lambda d: d.issue("WRMAC16", NOW, data=WORD), "wrong_mode"),
        (ONE_OPEN, lambda d: d.issue("RDMAC16", NOW), "wrong_mode"),
        (REGISTER, lambda d: d.issue("ACT16", NOW, row=2), "wrong_mode"),
        (REGISTER, lambda d: d.issue("RD", NOW, bank=1), "wrong_mode"),
        (ONE_OPEN, lambda d: d.issue("no command", NOW, bank=3, data=WORD), "unknown_opcode"),
    ],
)
def test_an_illegal_aim_command_changes_nothing_but_the_error(
    before: tuple[tuple[str, dict[str, int]], ...],
    attempt: Attempt,
    kind: str,
) -> None:
    refused(aim(*before), attempt, kind)
