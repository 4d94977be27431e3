"""Every instruction of both command sets on the devices in Python, against plain arithmetic."""

import numpy as np
import pytest

from hw import chips
from tb.dram_pim.aim_instructions import AimInstructionStreams, every_request
from tb.dram_pim.instructions import InstructionStreams, every_form

HBM = chips.load("hbm_pim").pim
AIM = chips.load("aim").pim
assert HBM is not None
assert AIM is not None


def test_every_form_of_every_hbm_pim_instruction_does_what_plain_arithmetic_says() -> None:
    rng = np.random.default_rng(11)
    forms = every_form(HBM.commands)
    assert len(forms) > 2700
    rng.shuffle(forms)  # type: ignore[arg-type]
    while forms:
        walk = InstructionStreams(HBM, HBM.dram.resolve(), {}, rng, rows=128)
        while forms and walk.room():
            forms = walk.case(forms)
        wrong = [key for key, words in walk.state.rows.items() if not np.array_equal(words, walk.device.rows[key])]
        assert not wrong, f"(bank, row) {wrong[0]} differs"
        assert np.array_equal(walk.state.a, walk.device.grf["GRF_A"])


def same_channel(walk: AimInstructionStreams) -> None:
    assert walk.expected.words == walk.read
    assert np.array_equal(walk.state.accumulators, walk.device.accumulator)
    assert np.array_equal(walk.state.activations, walk.device.activated)
    assert np.array_equal(walk.state.buffer, walk.device.buffer)
    wrong = [key for key, words in walk.state.rows.items() if not np.array_equal(words, walk.device.rows[key])]
    assert not wrong, f"(bank, row) {wrong[0]} differs"


@pytest.mark.parametrize("activation", range(len(AIM.activations)), ids=[a.name for a in AIM.activations])
def test_every_aim_command_does_what_plain_arithmetic_says(activation: int) -> None:
    rng = np.random.default_rng(activation)
    walk = AimInstructionStreams(AIM, AIM.dram.resolve(), {}, activation, rng, rows=64)
    walk.stream(12)
    assert {c.name for c in walk.expected.commands} == {c.name for c in AIM.commands.commands}
    same_channel(walk)


@pytest.mark.parametrize("activation", [0, 4])
def test_every_aim_host_request_does_what_plain_arithmetic_says(activation: int) -> None:
    requests = every_request()
    assert {r.name for r in requests} == {r.name for r in AIM.commands.host_commands if r.command}
    walk = AimInstructionStreams(AIM, AIM.dram.resolve(), {}, activation, np.random.default_rng(9), rows=64)
    walk.requests(requests)
    same_channel(walk)
