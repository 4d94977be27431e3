"""A layer of a published decoder at its full width: reference, device model, and one channel's share on RTL."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from hw.rtl.emit.verilog import emit
from model.cycle.system.aim_controller import AimController
from model.cycle.system.contents import AimContents
from model.functional.aim_products import products
from model.language.config import DecoderConfig
from model.number.aligned import aligned_dot
from model.work.true_width import (
    CHANNELS,
    Share,
    controller_spec,
    cycles_of,
    llama32_1b,
    one_gigahertz,
    others,
    projections,
    random_codes,
    random_layer,
    reference,
    share,
)
from tb.bench.build import BUILD, build
from tb.bench.protocol import Checked
from tb.bench.run import Outcome, run
from tb.system.controller_player import ControllerPlayer

AIM = chips.load("aim").pim
assert AIM is not None
PIM = one_gigahertz(AIM)
SMALL = DecoderConfig(
    hidden_size=1024, intermediate_size=1024, num_hidden_layers=1, num_attention_heads=16, num_key_value_heads=8,
    head_dim=64, vocab_size=2, max_position_embeddings=512)  # fmt: skip


def commanded(part: Share) -> tuple[AimContents, AimController]:
    """The device model after the program, command by command."""
    spec, timing = controller_spec(PIM), PIM.dram.resolve()
    contents = AimContents(spec, timing)
    contents.device.rows.update({place: words.copy() for place, words in part.cells.items()})
    contents.shared[:] = part.shared
    model = AimController(spec, timing, contents.take)
    for command in part.program:
        assert model.run(command.pack())[1] == 0
    return contents, model


def same(part: Share, contents: AimContents) -> bool:
    return all(np.array_equal(contents.shared[first : first + len(words)], words) for _, first, words in part.results)


def test_outputs_together_are_the_bits_of_one_mac_after_another() -> None:
    rng = np.random.default_rng(1)
    for special in (False, True):
        weights, vector = random_codes(rng, (40, 96), 1.0), random_codes(rng, (96,), 1.0)
        if special:
            weights[rng.random(weights.shape) < 0.05] = 0
            weights[3, 7], weights[5, 50], vector[40] = 0x7F80, 0x7FC0, 1
        wanted = np.zeros(40, np.uint32)
        for c in range(0, 96, 16):
            columns = np.broadcast_to(vector[c : c + 16], (40, 16)).copy()
            wanted = aligned_dot(wanted, columns, weights[:, c : c + 16])
        assert np.array_equal(products(weights, vector), wanted)


def test_every_share_of_a_narrower_layer_is_the_references() -> None:
    rng = np.random.default_rng(2)
    layer = random_layer(SMALL, rng)
    found, decoder = reference(SMALL, layer, rng)
    assert all(others(SMALL, layer, found).values())
    for channel in (0, CHANNELS - 1):
        part = share(PIM, SMALL, layer, found, decoder, channel)
        contents, model = commanded(part)
        assert same(part, contents)
        assert sum(model.labels.values()) == model.now
    place = next(iter(part.cells))
    part.cells[place] = part.cells[place] ^ np.uint16(0x80)
    assert not same(part, commanded(part)[0]), "a wrong weight must be seen"


def test_a_descriptor_is_taken_during_a_refresh() -> None:
    """As the RTL takes it; the controller of a share has each descriptor waiting when the one before has ended."""
    rng = np.random.default_rng(2)
    layer = random_layer(SMALL, rng)
    part = share(PIM, SMALL, layer, *reference(SMALL, layer, rng))
    spec = controller_spec(PIM)
    model = AimController(spec, PIM.dram.resolve())
    end, during = -1, 0
    for command in part.program:
        during += model.now > end + 1  # the refresh under way ends later
        end, _ = model.run(command.pack(), end + 1)
    assert during > 0
    assert cycles_of(spec, part.program) == (model.now, model.labels)
    assert model.labels["idle"] == len(part.program) - during, "one cycle to take each, unless a refresh has it"


def test_inputs_that_leave_a_row_unfilled_are_refused() -> None:
    rng = np.random.default_rng(3)
    config = replace(SMALL, num_attention_heads=8)
    layer = random_layer(config, rng)
    found, decoder = reference(config, layer, rng)
    with pytest.raises(InputError, match="inputs of out must fill whole rows of 1024, not 512"):
        share(PIM, config, layer, found, decoder)


@pytest.mark.volume
def test_all_112_projections_of_a_token_of_llama_32_1b() -> None:
    token = projections(PIM, replace(llama32_1b(), num_hidden_layers=16), np.random.default_rng(4))
    assert (token.count, token.macs) == (112, 973_078_528)
    assert sum(token.labels.values()) == token.cycles
    assert token.labels["mac"] == token.macs // (CHANNELS * 256)


def _on_rtl(**parameters: Any) -> Outcome:
    """A channel's share on RTL; narrower with `sizes`."""
    spec = controller_spec(PIM)
    emitted = emit(Checked(ControllerPlayer(spec, PIM.dram.resolve())), "true_width", BUILD / "rtl")
    public = [f"{emitted.name}.dut.{name}" for name in ("program", "log", "trace", "shared")]
    built = build(emitted, "none", [*public, f"{emitted.name}.dut.channel.banks.bank_0.cells"])
    outcome = run(built, "tb.system.true_width_tests", seed=3, parameters={"channel": 0, **parameters}, timeout_s=3000)
    assert outcome.passed, outcome.explain()
    return outcome


@pytest.mark.rtl
@pytest.mark.volume
def test_one_channels_share_of_a_narrower_layer_on_rtl() -> None:
    outcome = _on_rtl(sizes=asdict(SMALL))
    assert outcome.data["labels"]["mac"] > 3000


@pytest.mark.rtl
@pytest.mark.volume
def test_one_channels_share_of_a_layer_of_llama_32_1b_on_rtl() -> None:
    outcome = _on_rtl()
    assert outcome.data["labels"]["mac"] == 30_720
